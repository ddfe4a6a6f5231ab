#!/usr/bin/env bash
# Measures the tills' latency while PDI is down, at 100 requests/s (identify and finalize) that all return 202 with the breaker open, and how long
# the queue takes to drain once PDI is back.
#   bench/outage.sh [SECONDS=60]
# Uses the same service, PDI and servers as bench/run.sh. Run nothing else meanwhile.
set -euo pipefail
. "$(dirname "$0")/servers.sh"
length=${1:-60}

build; start_postgres; start_redis; start_pdi; configure
export QUEUE_MAX_ITEMS=100000
start_service
load --tills 32 --seconds 30 >/dev/null
kill -TERM "$pdi"; wait "$pdi" || true
# Five failures in a row open the breaker.
load --tills 8 --seconds 3 --steps identify --expect 200,202 >/dev/null
load --rate 50 --warm-up 2 --seconds "$length" --steps identify,finalize --expect 202 >"$folder/away" || { cat "$folder/away"; exit 1; }
echo "PDI is down (target: p99 under 20 ms):"; cat "$folder/away"

waiting() { psql -qtAX -d "$server/bench" -c 'select count(*) from pdi_work'; }
begun=$(waiting) started=$(now)
/usr/sbin/nginx -c "$folder/pdi.conf" & pids+=($!)
until [ "$(waiting)" = 0 ]; do sleep 0.1; [ "$(calc "$(now) - $started" 0)" -lt 120 ] || { echo "$(waiting) items are still queued" >&2; exit 1; }; done
echo "$begun queued items were settled $(calc "$(now) - $started" 1) s after PDI came back (including the breaker's 30 s)"
