#!/usr/bin/env bash
# What logs, metrics and traces cost: the throughput of two replicas in turn, one with everything on (log at info to a file, /metrics read
# every five seconds, a tenth of the traces sent to a collector that takes them), one with everything off (log at error, nobody reads
# the metrics, no collector). Prints each pair, the median ratio with its spread, and the replicas' own CPU time a sale.
#   bench/cost/run.sh [PAIRS=12] [SECONDS=8 a run]
# DATABASE_SERVER and REDIS_URL as for the service, with a role that may create databases; the database "cost" is made anew.
# Nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/../.."
pairs=${1:-12} length=${2:-8}
server=${DATABASE_SERVER:?give DATABASE_SERVER, for example postgresql://loyalty@127.0.0.1:5432}
redis=${REDIS_URL:?give REDIS_URL, for example redis://127.0.0.1:6379}
folder=$(mktemp -d) pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$folder"' EXIT

for project in src/LoyaltyService src/PdiSimulator bench/load; do
  dotnet build "$project" --configuration Release --verbosity quiet --nologo
done
psql -q -X -d "$server/postgres" -c 'drop database if exists cost with (force)' -c 'create database cost'

program() { local name=$1; shift; exec dotnet "artifacts/bin/$name/release/$name.dll" "$@"; }
until_it_answers() { local tries=0; until curl -sf -o /dev/null "$1"; do sleep 0.1; [ $((tries += 1)) -lt 300 ] || { echo "$1 does not answer" >&2; exit 1; }; done; }

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
(program PdiSimulator --port 4350 --ledger :memory:) >/dev/null & pids+=($!)
until_it_answers localhost:4350/_simulator/faults

export RATE_LIMIT_GLOBAL_PER_SECOND=0 RATE_LIMIT_CUSTOMER_PER_SECOND=0 RATE_LIMIT_IP_PER_MINUTE=0
export NODE_ENV=development DATABASE_URL="$server/cost" REDIS_URL="$redis" PDI_API_URL=http://localhost:4350 PDI_CLIENT_ID=loyalty PDI_CLIENT_SECRET=simulator-secret
(PORT=3351 LOG_LEVEL=error program LoyaltyService) >"$folder/off.log" & off=$!; pids+=($off)
until_it_answers localhost:3351/health/ready
(PORT=3350 LOG_LEVEL=info OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4351 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf \
  OTEL_TRACES_SAMPLER=parentbased_traceidratio OTEL_TRACES_SAMPLER_ARG=0.1 program LoyaltyService) >"$folder/on.log" & on=$!; pids+=($on)
until_it_answers localhost:3350/health/ready

ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
run() { # run NAME PORT PID: sales a second, and milliseconds of the replica's CPU time a sale
  local before scraper='' sales
  before=$(ticks "$3")
  if [ "$1" = on ]; then (while :; do curl -s -o /dev/null localhost:3350/metrics; sleep 5; done) & scraper=$!; fi
  (program LoyaltyService.Load "http://localhost:$2" --tills 32 --seconds "$length") >"$folder/run"
  [ -z "$scraper" ] || kill "$scraper"
  sales=$(sed -n '1s/.*: \([0-9]*\) sales,.*/\1/p' "$folder/run")
  awk -v sales="$sales" -v ticks="$(($(ticks "$3") - before))" -v hz="$(getconf CLK_TCK)" -v s="$length" 'BEGIN {printf "%.1f %.3f\n", sales / s, 1000 * ticks / hz / sales}'
}

# Warm, each in turn: the runtime compiles what is hot a second time, for the better part of a minute.
for _ in 1 2 3 4; do run off 3351 "$off" >/dev/null; run on 3350 "$on" >/dev/null; done
for ((pair = 1; pair <= pairs; pair++)); do
  # Who goes first changes, so that neither always finds the smaller tables.
  if ((pair % 2)); then without=$(run off 3351 "$off"); with=$(run on 3350 "$on"); else with=$(run on 3350 "$on"); without=$(run off 3351 "$off"); fi
  echo "$with $without" | awk -v pair="$pair" '{printf "pair %2d   on %6.1f sales/s %.3f ms CPU   off %6.1f sales/s %.3f ms CPU   ratio %.3f\n", pair, $1, $2, $3, $4, $1 / $3}' | tee -a "$folder/pairs"
done
awk '{print $NF}' "$folder/pairs" | sort -n | awk '{r[NR] = $1} END {printf "throughput, on against off: median %.3f, from %.3f to %.3f, middle half %.3f to %.3f\n", (r[int((NR + 1) / 2)] + r[int(NR / 2) + 1]) / 2, r[1], r[NR], r[int(NR / 4) + 1], r[NR - int(NR / 4)]}'
awk '{on += $6; off += $12} END {printf "CPU of the replica a sale: %.3f ms on, %.3f ms off\n", on / NR, off / NR}' "$folder/pairs"
echo "lines logged: $(wc -l <"$folder/on.log") on, $(wc -l <"$folder/off.log") off"
