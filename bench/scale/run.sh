#!/usr/bin/env bash
# What old sessions cost: expires and archives DUE of SESSIONS in bare SQL and as many by the service's jobs, under live traffic, and prints
# the times, their ratios, the tills' p99 before and meanwhile, and the service's memory.
#   bench/scale/run.sh [SESSIONS=5000000] [DUE=1000000, less than a quarter of SESSIONS] [RATE=20 sales a second]
# DATABASE_SERVER and REDIS_URL as for the service, with a role that may create databases; the database "scale" is made anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
sessions=${1:-5000000} due=${2:-1000000} rate=${3:-20} batch=1000
server=${DATABASE_SERVER:?give DATABASE_SERVER, for example postgresql://loyalty@127.0.0.1:5432}
redis=${REDIS_URL:?give REDIS_URL, for example redis://127.0.0.1:6379}
folder=$(mktemp -d) service=''
trap '[ -z "$service" ] || kill "$service" 2>/dev/null || true; rm -rf "$folder"' EXIT

# jit off and sequential scans off, as on the service's own connections.
sql() { PGOPTIONS="-c jit=off -c enable_seqscan=off" psql -q -X -v ON_ERROR_STOP=1 -d "$server/scale" "$@"; }
now() { date +%s.%N; }
seconds() { echo "$1 $2" | awk '{printf "%.1f", $2 - $1}'; }
say() { printf '%-28s %s\n' "$1" "$2"; }

dotnet build src/LoyaltyService.Local --configuration Release --verbosity quiet --nologo
dotnet build bench/load --configuration Release --verbosity quiet --nologo
psql -q -X -d "$server/postgres" -c 'drop database if exists scale with (force)' -c 'create database scale'

started=$(now)
export NODE_ENV=development DATABASE_URL="$server/scale" REDIS_URL="$redis" LOG_LEVEL=warn LOCAL_DATA="$folder" PORT=3300 PDI_PORT=4310
export PDI_API_URL=http://localhost:4310 PDI_CLIENT_ID=loyalty PDI_CLIENT_SECRET=simulator-secret
dotnet artifacts/bin/LoyaltyService/release/LoyaltyService.dll migrate
# What is due at the start would be run before the clock is started.
psql -q -X -d "$server/scale" -c "insert into job_runs (job, scheduled_for, by_hand, started_at, lease_until, finished_at, outcome)
  select job, at, false, now(), now(), now(), 'failed'
    from unnest(array['expire-sessions', 'archive-sessions', 'clear-cache', 'reconciliation']) as job,
         generate_series(date_trunc('day', now()) - interval '2 days', now() + interval '6 hours', interval '15 minutes') as at"
psql -q -X -d "$server/scale" -v sessions="$sessions" -v due="$due" -f bench/scale/generate.sql
say "sessions generated" "$sessions in $(seconds "$started" "$(now)") s"
sql -f bench/scale/bare.sql

dotnet artifacts/bin/LoyaltyService.Local/release/LoyaltyService.Local.dll >"$folder/service.log" 2>&1 &
service=$!
until curl -sf -o /dev/null localhost:3300/health; do sleep 0.2; done
load() { exec dotnet artifacts/bin/LoyaltyService.Load/release/LoyaltyService.Load.dll http://localhost:3300 --rate "$rate" --seconds "$1"; }
memory() { awk '/VmRSS/ {printf "%d MiB", $2 / 1024}' "/proc/$service/status"; }
(load 10) >/dev/null

outcome() { psql -qtA -X -d "$server/scale" -c "select outcome from job_runs where job = '$1' and by_hand"; }

measure() { # measure NAME JOB BARE: the bare work, then the job's, each under live traffic
  local name=$1 job=$2 bare=$3 begin
  (load 15) >"$folder/before"
  (load 600) >"$folder/bare" & local traffic=$!
  begin=$(now); sql -c "call $bare"; local alone; alone=$(seconds "$begin" "$(now)")
  kill "$traffic"; wait "$traffic" || true
  say "$name, bare SQL" "$alone s"

  local before; before=$(memory)
  begin=$(now)
  curl -sf -o /dev/null -X POST "localhost:3300/ops/jobs/$job/run"
  (load 600) >"$folder/during" & traffic=$!
  until [ -n "$(outcome "$job")" ]; do sleep 0.5; done
  kill "$traffic"; wait "$traffic" || true
  [ "$(outcome "$job")" = done ] || { psql -q -X -d "$server/scale" -xc "select * from job_runs where job = '$job' and by_hand" >&2; exit 1; }
  local took
  took=$(psql -qtA -X -d "$server/scale" -c "select round(extract(epoch from finished_at - started_at)::numeric, 1) from job_runs where job = '$job' and by_hand")
  local handled; handled=$(psql -qtA -X -d "$server/scale" -c "select handled from job_runs where job = '$job' and by_hand")
  say "$name, the service's job" "$took s for $handled, $(echo "$took $alone" | awk '{printf "%.2f", $1 / $2}') times the bare SQL"
  say "memory before and after" "$before, $(memory)"
  echo "tills before:"; sed -n '2,4p' "$folder/before"
  echo "tills during the bare SQL:"; sed -n '2,4p' "$folder/bare"
  echo "tills during the job:"; sed -n '2,4p' "$folder/during"
}

measure "expire $due" expire-sessions "bare_expire(now() - interval '38 days 12 hours', $batch)"
measure "archive $due" archive-sessions "bare_archive(now() - interval '34 days 12 hours', $batch)"
