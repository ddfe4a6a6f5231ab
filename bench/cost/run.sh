#!/usr/bin/env bash
# What a part of the service costs: the throughput of two replicas in turn, one with it and one without. Prints each pair, the median ratio
# with its spread, and the replicas' own CPU time a sale.
#   bench/cost/run.sh observability|limits [PAIRS=12] [SECONDS=8 a run]
#     observability  logs, metrics and traces: log at info to a file, /metrics read every five seconds, a tenth of the traces sent to a collector
#                    that takes them; against log at error and OpenTelemetry switched off (OTEL_SDK_DISABLED), so that nothing is recorded
#     limits         the rate limits, so high that nobody is refused and so low that Redis is asked as in production: all and the address twice
#                    what the load was seen to be, and a customer a tenth of that; against none
# DATABASE_SERVER and REDIS_URL as for the service, with a role that may create databases: the database "cost" is made anew. Without them
# private instances are started in a temporary folder. Nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/../.."
what=${1:-} pairs=${2:-12} length=${3:-8}
case $what in observability | limits) ;; *) sed -n '4p' "$0" | sed 's/^# *//' >&2; exit 64 ;; esac
folder=$(mktemp -d) pids=()
cleanup() {
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill -INT "${pids[i]}" 2>/dev/null || true; kill "${pids[i]}" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap cleanup EXIT

free_port() {
  local port
  while port=$((20000 + RANDOM % 20000)); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }; done
}
within() { local deadline=$((SECONDS + $1)); shift; until "$@" >/dev/null 2>&1; do [ "$SECONDS" -lt "$deadline" ] || { echo "Not within the time: $*" >&2; exit 69; }; sleep 0.1; done; }

start_postgres() {
  local bin port as=(); bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1); port=$(free_port)
  mkdir "$folder/postgres"
  # PostgreSQL refuses to run as root.
  if [ "$(id -u)" = 0 ]; then chmod 755 "$folder"; chown postgres "$folder/postgres"; as=(setpriv --reuid=postgres --regid=postgres --clear-groups); fi
  "${as[@]}" "$bin/initdb" -D "$folder/postgres/data" -U loyalty -A trust -E UTF8 --no-locale >"$folder/postgres.log"
  "${as[@]}" "$bin/postgres" -D "$folder/postgres/data" -p "$port" -k "$folder/postgres" -c listen_addresses=127.0.0.1 >>"$folder/postgres.log" 2>&1 & pids+=($!)
  within 30 "$bin/pg_isready" -h 127.0.0.1 -p "$port"
  server=postgresql://loyalty@127.0.0.1:$port
}
start_redis() {
  local port; port=$(free_port)
  redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$folder" >"$folder/redis.log" & pids+=($!)
  within 30 redis-cli -p "$port" ping
  redis=redis://127.0.0.1:$port
}

for project in src/LoyaltyService src/PdiSimulator bench/load; do
  dotnet build "$project" --configuration Release --verbosity quiet --nologo
done
server=${DATABASE_SERVER:-} redis=${REDIS_URL:-}
[ -n "$server" ] || start_postgres
[ -n "$redis" ] || start_redis
psql -q -X -d "$server/postgres" -c 'drop database if exists cost with (force)' -c 'create database cost'

program() { local name=$1; shift; exec dotnet "artifacts/bin/$name/release/$name.dll" "$@"; }
(program PdiSimulator --port 4350 --ledger :memory:) >/dev/null & pids+=($!)
within 30 curl -sf localhost:4350/_simulator/faults

export NODE_ENV=development DATABASE_URL="$server/cost" REDIS_URL="$redis" PDI_API_URL=http://localhost:4350 PDI_CLIENT_ID=loyalty PDI_CLIENT_SECRET=simulator-secret
declare -A port=([off]=3351 [on]=3350) pid=()
start() { # start off|on VARIABLE=VALUE...
  local name=$1; shift
  (export PORT=${port[$name]} LOG_LEVEL=error RATE_LIMIT_GLOBAL_PER_SECOND=0 RATE_LIMIT_CUSTOMER_PER_SECOND=0 RATE_LIMIT_IP_PER_MINUTE=0 "$@"; program LoyaltyService) >"$folder/$name.log" &
  pid[$name]=$!; pids+=($!)
  within 30 curl -sf "localhost:${port[$name]}/health/ready"
}
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
run() { # run off|on: sales a second, and milliseconds of the replica's CPU time a sale
  local name=$1 before scraper='' sales
  before=$(ticks "${pid[$name]}")
  if [ "$what $name" = 'observability on' ]; then (while :; do curl -s -o /dev/null "localhost:${port[on]}/metrics"; sleep 5; done) & scraper=$!; fi
  (program LoyaltyService.Load "http://localhost:${port[$name]}" --tills 32 --seconds "$length") >"$folder/run" || { echo "Not every answer was right:" >&2; cat "$folder/run" >&2; exit 1; }
  [ -z "$scraper" ] || kill "$scraper"
  sales=$(sed -n '1s/.*: \([0-9]*\) sales,.*/\1/p' "$folder/run")
  awk -v sales="$sales" -v ticks="$(($(ticks "${pid[$name]}") - before))" -v hz="$(getconf CLK_TCK)" -v s="$length" 'BEGIN {printf "%.1f %.3f\n", sales / s, 1000 * ticks / hz / sales}'
}

if [ "$what" = observability ]; then
  start off OTEL_SDK_DISABLED=true
  # A collector that takes everything and keeps nothing.
  python3 -c '
import http.server
class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 4351), Sink).serve_forever()' & pids+=($!)
  start on LOG_LEVEL=info OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4351 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf \
    OTEL_TRACES_SAMPLER=parentbased_traceidratio OTEL_TRACES_SAMPLER_ARG=0.1
else
  start off
  # Three requests a sale, as fast as they are once the runtime is warm.
  best=0
  for ((runs = 1, rate = 1; runs <= 4 || rate > best * 11 / 10; runs++)); do
    [ "$rate" -le "$best" ] || best=$rate
    rate=$(run off | awk '{printf "%d", 3 * $1 + 1}')
  done
  limit=$((2 * (rate > best ? rate : best)))
  start on RATE_LIMIT_GLOBAL_PER_SECOND="$limit" RATE_LIMIT_IP_PER_MINUTE=$((limit * 60)) RATE_LIMIT_CUSTOMER_PER_SECOND=$((limit / 10))
  echo "limits: $limit requests a second for all and for the address, $((limit / 10)) for a customer"
fi

# Warm, each in turn: the runtime compiles what is hot a second time, for the better part of a minute.
for _ in 1 2 3 4; do run off >/dev/null; run on >/dev/null; done
for ((pair = 1; pair <= pairs; pair++)); do
  # Who goes first changes, so that neither always finds the smaller tables.
  if ((pair % 2)); then without=$(run off); with=$(run on); else with=$(run on); without=$(run off); fi
  echo "$with $without" | awk -v pair="$pair" '{printf "pair %2d   on %6.1f sales/s %.3f ms CPU   off %6.1f sales/s %.3f ms CPU   ratio %.3f\n", pair, $1, $2, $3, $4, $1 / $3}' | tee -a "$folder/pairs"
done
awk '{print $NF}' "$folder/pairs" | sort -n | awk '{r[NR] = $1} END {printf "throughput, on against off: median %.3f, from %.3f to %.3f, middle half %.3f to %.3f\n", (r[int((NR + 1) / 2)] + r[int(NR / 2) + 1]) / 2, r[1], r[NR], r[int(NR / 4) + 1], r[NR - int(NR / 4)]}'
awk '{on += $6; off += $12} END {printf "CPU of the replica a sale: %.3f ms on, %.3f ms off\n", on / NR, off / NR}' "$folder/pairs"
if [ "$what" = observability ]; then echo "lines logged: $(wc -l <"$folder/on.log") on, $(wc -l <"$folder/off.log") off"
else curl -s "localhost:${port[on]}/metrics" | grep '^loyalty_rate_limit'; fi
