#!/usr/bin/env bash
# What a till feels while PDI is away: 100 requests a second (identify and finalize) with the breaker open, all of them 202, and how long what
# waits takes when PDI is back.
#   bench/outage.sh [SECONDS=60]
# The service, PDI and the servers are as in bench/run.sh. Nothing else should run meanwhile.
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
echo "PDI is away, target: p99 under 20 ms:"; cat "$folder/away"

waiting() { psql -qtAX -d "$server/bench" -c 'select count(*) from pdi_work'; }
begun=$(waiting) started=$(now)
/usr/sbin/nginx -c "$folder/pdi.conf" & pids+=($!)
until [ "$(waiting)" = 0 ]; do sleep 0.1; [ "$(calc "$(now) - $started" 0)" -lt 120 ] || { echo "$(waiting) still wait" >&2; exit 1; }; done
echo "$begun that waited were settled $(calc "$(now) - $started" 1) s after PDI came back (the breaker's 30 s among them)"
