#!/usr/bin/env bash
# Walks through the runbook with its own service, PDI simulator, PostgreSQL and Redis, and a Prometheus with the alerts of deploy/prometheus (`for:`
# cut to 5 s, scraped every second). Takes PDI, the database and Redis down and fills the queue, one after the other. At each step it prints the till's
# responses, /health/ready, the firing alerts and the log events, and runs every command of the runbook's pages for these alerts.
#   bench/walk/run.sh [FOLDER]   keeps the log and the commands' output in FOLDER
# Needs PostgreSQL, Redis, Prometheus and jq (test.sh installs the first three).
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
pids=()
trap 'for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill "${pids[i]}" 2>/dev/null || true; done; wait 2>/dev/null || true' EXIT
for program in jq prometheus promtool redis-server; do command -v "$program" >/dev/null || { echo "Missing: $program" >&2; exit 69; }; done

for project in src/LoyaltyService src/PdiSimulator; do dotnet build "$project" --configuration Release --verbosity quiet --nologo; done
program() { local name=$1; shift; exec dotnet "artifacts/bin/$name/release/$name.dll" "$@"; }
within() { local deadline=$((SECONDS + $1)); shift; until "$@" >/dev/null 2>&1; do [ "$SECONDS" -lt "$deadline" ] || return 1; sleep 0.2; done; }

bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1) as=()
mkdir -p "$folder/postgres"
# PostgreSQL refuses to run as root.
if [ "$(id -u)" = 0 ]; then chmod 755 "$folder"; chown postgres "$folder/postgres"; as=(setpriv --reuid=postgres --regid=postgres --clear-groups); fi
"${as[@]}" "$bin/initdb" -D "$folder/postgres/data" -U loyalty -A trust -E UTF8 --no-locale >"$folder/postgres.log"
start_postgres() { "${as[@]}" "$bin/postgres" -D "$folder/postgres/data" -p 25480 -k "$folder/postgres" -c listen_addresses=127.0.0.1 >>"$folder/postgres.log" 2>&1 & postgres=$!; pids+=($postgres); within 30 "$bin/pg_isready" -h 127.0.0.1 -p 25480; }
start_redis() { redis-server --port 26380 --bind 127.0.0.1 --save '' --dir "$folder" >"$folder/redis.log" & redis=$!; pids+=($redis); within 30 redis-cli -p 26380 ping; }
start_postgres; start_redis
psql -q -X -d postgresql://loyalty@127.0.0.1:25480/postgres -c 'create database loyalty'
(program PdiSimulator --port 4360 --ledger :memory:) >"$folder/simulator.log" & pids+=($!)
within 30 curl -sf localhost:4360/_simulator/faults

export LOYALTY=http://localhost:3360 OPS_KEY=walk-ops-secret
keys="walk:loyalty+ops:$(printf %s "$OPS_KEY" | sha256sum | cut -d' ' -f1)"
(PORT=3360 NODE_ENV=production DATABASE_URL=postgresql://loyalty@127.0.0.1:25480/loyalty REDIS_URL=redis://127.0.0.1:26380 PDI_API_URL=http://localhost:4360 \
  PDI_CLIENT_ID=loyalty PDI_CLIENT_SECRET=simulator-secret API_KEYS="$keys" QUEUE_MAX_ITEMS=20 RATE_LIMIT_IP_PER_MINUTE=0 RATE_LIMIT_CUSTOMER_PER_SECOND=0 program LoyaltyService) >"$folder/service.log" & pids+=($!)
within 30 curl -sf $LOYALTY/health/ready

sed -E 's/^( *for: ).*/\15s/' deploy/prometheus/alerts.yaml >"$folder/alerts.yaml"
sed -E 's/_interval: 30s/_interval: 1s/; s/localhost:3000/localhost:3360/' deploy/prometheus/prometheus.yaml >"$folder/prometheus.yaml"
prometheus --config.file="$folder/prometheus.yaml" --storage.tsdb.path="$folder/prometheus" --web.listen-address=127.0.0.1:9460 >"$folder/prometheus.log" 2>&1 & pids+=($!)
within 30 curl -sf localhost:9460/-/ready

outage() { curl -sf -o /dev/null -X PUT localhost:4360/_simulator/outage -d "{\"down\":$1}"; }
firing() { curl -s localhost:9460/api/v1/alerts | jq -r '[.data.alerts[] | select(.state == "firing").labels.alertname] | unique | join(" ")'; }
fires() { firing | grep -qw "$1"; }
quiet() { [ -z "$(firing)" ]; }
number=0
call() { curl -s -o "$folder/answer" -w '%{http_code}' -H "X-Api-Key: $OPS_KEY" -H 'Content-Type: application/json' "$LOYALTY/loyalty/$1" -d "$2" || true; }
# Makes a sale and records for each step the status and the error code or the source.
sell() { # sell [TRANSACTION]
  local txn=${1:-TXN-$((number += 1))} said='' step
  for step in identify calculate-rewards finalize; do
    case $step in
      identify) said+="identify $(call $step "{\"customerId\":\"CUST-12345\",\"channelId\":\"POS-1\",\"transactionId\":\"$txn\"}")" ;;
      calculate-rewards) said+=", calculate $(call $step "{\"sessionId\":\"$SESSION\",\"transactionAmount\":150.00,\"items\":[{\"sku\":\"SKU-1\",\"qty\":2}]}")" ;;
      finalize) said+=", finalize $(call $step "{\"sessionId\":\"$SESSION\",\"transactionId\":\"$txn\",\"finalAmount\":150.00,\"applyRewards\":true}")" ;;
    esac
    said+=$(jq -r '(.code // .source // empty) | " " + .' "$folder/answer" 2>/dev/null || true)
    [ "$step" != identify ] || export SESSION=$(jq -r '.sessionId // empty' "$folder/answer" 2>/dev/null)
    [ -n "$SESSION" ] || break
  done
  till=$said
}

mark=0
step() { # step NAME: prints the current state
  echo; echo "## $1"
  echo "till:    $till"
  echo "ready:   $(curl -s -o "$folder/ready" -w '%{http_code}' $LOYALTY/health/ready) $(jq -c '[.status, (.checks | map_values(.status))]' "$folder/ready")"
  echo "alerts:  $(firing)"
  echo "log:     $(tail -n "+$((mark + 1))" "$folder/service.log" | jq -r 'select(.level != "INFO" or .event != "OperationEnded") | .level + " " + (.event // .context)' | sort | uniq -c | awk '{printf "%s%s %s x%s", (NR > 1 ? ", " : ""), $2, $3, $1}')"
  mark=$(wc -l <"$folder/service.log")
}

# Runs every command of a runbook page as written there.
page() { # page ALERT
  local block=0 kind='' text='' line failed=0 ran=0
  while IFS= read -r line; do
    case $line in
      '```sh'|'```promql') kind=${line#'```'}; text='' ;;
      '```') [ -n "$kind" ] || continue
        block=$((block + 1)); ran=$((ran + 1))
        if [ "$kind" = promql ]; then promtool query instant http://localhost:9460 "$text" >"$folder/$1.$block" 2>&1 || { failed=$((failed + 1)); echo "FAILED:  $text"; }
        else (cd "$folder"; bash -euo pipefail -c "$ops
$text") >"$folder/$1.$block" 2>&1 || { failed=$((failed + 1)); echo "FAILED:  $text"; sed 's/^/         /' "$folder/$1.$block" | head -n 5; }; fi
        [ -s "$folder/$1.$block" ] || echo "no output: $text"
        kind='' ;;
      *) [ -z "$kind" ] || text+=$line$'\n' ;;
    esac
  done < <(sed -n "/^### $1\$/,/^##/p" docs/runbook.md)
  echo "runbook: $1: $ran commands, $failed failed"
}
ops=$(sed -n '/^ops() {/p' docs/runbook.md)
pages() { local name; for name in $(firing); do page "$name"; done; }

sell; step 'All is well'

outage true
for _ in 1 2 3; do sell; done
within 60 fires LoyaltyCircuitBreakerOpen || echo 'NOT SEEN: LoyaltyCircuitBreakerOpen'
sell; step 'PDI is down'; pages
began=$SECONDS; outage false
within 90 sh -c "curl -s -H 'X-Api-Key: $OPS_KEY' $LOYALTY/ops/queue | jq -e '.counts.waiting == 0'" || echo 'NOT SEEN: the queue is empty'
echo "PDI is back: the queue was empty after $((SECONDS - began)) s"
sell; step 'PDI is back'
within 200 quiet || echo "still firing: $(firing)"

kill -QUIT "$postgres"; wait "$postgres" 2>/dev/null || true
within 60 fires LoyaltyDatabaseUnavailable || echo 'NOT SEEN: LoyaltyDatabaseUnavailable'
sell; step 'The database is down'; pages
began=$SECONDS; start_postgres
within 60 curl -sf $LOYALTY/health/ready || echo 'NOT SEEN: ready'
echo "The database is back: ready after $((SECONDS - began)) s"
sell; step 'The database is back'
within 200 quiet || echo "still firing: $(firing)"

kill -KILL "$redis"; wait "$redis" 2>/dev/null || true
# Repeats, which the cache would have answered.
for _ in $(seq 12); do sell; sell "TXN-$number"; done
within 60 fires LoyaltyCacheHitRateLow || echo 'NOT SEEN: LoyaltyCacheHitRateLow'
step 'Redis is down'; pages
began=$SECONDS; start_redis
within 60 sh -c "curl -s $LOYALTY/health/ready | jq -e '.checks.redis.status == \"up\"'" || echo 'NOT SEEN: redis up'
echo "Redis is back: up after $((SECONDS - began)) s"
for _ in $(seq 60); do sell; sell "TXN-$number"; done
step 'Redis is back'

outage true
for _ in $(seq 18); do sell; done
within 60 fires LoyaltyQueueNearlyFull || echo 'NOT SEEN: LoyaltyQueueNearlyFull'
step 'The queue fills'; pages
for _ in $(seq 40); do sell; done
within 60 fires LoyaltyErrorRateHigh || echo 'not firing: LoyaltyErrorRateHigh'
step 'The queue is full'; pages
began=$SECONDS; outage false
within 120 sh -c "curl -s -H 'X-Api-Key: $OPS_KEY' $LOYALTY/ops/queue | jq -e '.counts.waiting == 0'" || echo 'NOT SEEN: the queue is empty'
echo "PDI is back: the queue was empty after $((SECONDS - began)) s"
sell; step 'The queue is empty'
within 250 quiet || echo "still firing: $(firing)"
echo; echo "PDI's ledger: $(curl -s localhost:4360/_simulator/ledger/summary)"
