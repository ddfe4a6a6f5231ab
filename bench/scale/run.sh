#!/usr/bin/env bash
# What old sessions cost: expires and archives DUE of SESSIONS in bare SQL and as many by the service's jobs, under live traffic, and prints
# the times and their ratio, the tills' p99 before and meanwhile and the ratios of those, and the memory of the service, which is a process of
# its own.
#   bench/scale/run.sh [SESSIONS=5000000] [DUE=1000000, at most two ninths of SESSIONS] [RATE=40 sales a second]
# Brings a PostgreSQL and a Redis of its own (test.sh installs the programs), gone at its end. Or give DATABASE_SERVER, for example
# postgresql://loyalty@127.0.0.1:5432, with a role that may create databases, where the database "scale" is made anew, and REDIS_URL.
# As root it sets this machine's vm.dirty_background_bytes as docs/operations.md says, and gives it back at its end; otherwise it tells what it is.
set -euo pipefail
cd "$(dirname "$0")/../.."
sessions=${1:-5000000} due=${2:-1000000} rate=${3:-40}
batch=$(sed -n 's/.*int BatchSize .*= \([0-9]*\);/\1/p' src/LoyaltyService/Jobs/JobLimits.cs)
[ $((9 * due)) -le $((2 * sessions)) ] || { echo "DUE must be at most two ninths of SESSIONS" >&2; exit 64; }
folder=$(mktemp -d) pids=()
give_back=:
trap 'for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill "${pids[i]}" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$folder"; $give_back' EXIT

for project in src/LoyaltyService src/PdiSimulator bench/load; do dotnet build "$project" --configuration Release --verbosity quiet --nologo; done
program() { local name=$1; shift; exec dotnet "artifacts/bin/$name/release/$name.dll" "$@"; }
within() { local deadline=$((SECONDS + $1)); shift; until "$@" >/dev/null 2>&1; do [ "$SECONDS" -lt "$deadline" ] || { echo "Not in time: $*" >&2; return 1; }; sleep 0.2; done; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

server=${DATABASE_SERVER:-} redis=${REDIS_URL:-}
if [ -z "$server" ]; then
  bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1) port=$(free_port) as=()
  mkdir "$folder/postgres"
  # PostgreSQL refuses to run as root.
  if [ "$(id -u)" = 0 ]; then chmod 755 "$folder"; chown postgres "$folder/postgres"; as=(setpriv --reuid=postgres --regid=postgres --clear-groups); fi
  "${as[@]}" "$bin/initdb" -D "$folder/postgres/data" -U loyalty -A trust -E UTF8 --no-locale >"$folder/postgres.log"
  # The system's threshold is bytes or, where these are 0, a share of the memory; to set the one clears the other.
  threshold=/proc/sys/vm/dirty_background_bytes; [ "$(cat $threshold)" != 0 ] || threshold=/proc/sys/vm/dirty_background_ratio
  was=$(cat "$threshold")
  give_back_threshold() { echo "$was" >"$threshold"; }
  # Not by -w: a container's root may be refused too.
  if echo 16777216 2>/dev/null >/proc/sys/vm/dirty_background_bytes; then give_back=give_back_threshold; fi
  # As docs/operations.md says; with the defaults the checkpoints would be what is measured, and the system's own writing.
  "${as[@]}" "$bin/postgres" -D "$folder/postgres/data" -p "$port" -k "$folder/postgres" -c listen_addresses=127.0.0.1 -c shared_buffers=4GB \
    -c min_wal_size=8GB -c max_wal_size=16GB -c checkpoint_timeout=15min \
    -c wal_compression=lz4 -c backend_flush_after=512kB >>"$folder/postgres.log" 2>&1 & pids+=($!)
  within 30 "$bin/pg_isready" -h 127.0.0.1 -p "$port"
  server=postgresql://loyalty@127.0.0.1:$port
fi
if [ -z "$redis" ]; then
  port=$(free_port)
  redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$folder" >"$folder/redis.log" & pids+=($!)
  within 30 redis-cli -p "$port" ping
  redis=redis://127.0.0.1:$port
fi

# jit off and sequential scans off, as on the service's own connections.
sql() { PGOPTIONS="-c jit=off -c enable_seqscan=off" psql -qtA -X -v ON_ERROR_STOP=1 -d "$server/scale" "$@"; }
now() { date +%s.%N; }
seconds() { echo "$1 $2" | awk '{printf "%.1f", $2 - $1}'; }
say() { printf '%-36s %s\n' "$1" "$2"; }

psql -q -X -d "$server/postgres" -c 'drop database if exists scale with (force)' -c 'create database scale'
started=$(now) pdi=$(free_port) port=$(free_port)
export NODE_ENV=development DATABASE_URL="$server/scale" REDIS_URL="$redis" LOG_LEVEL=info PORT=$port
export RATE_LIMIT_GLOBAL_PER_SECOND=0 RATE_LIMIT_CUSTOMER_PER_SECOND=0 RATE_LIMIT_IP_PER_MINUTE=0
export PDI_API_URL=http://localhost:$pdi PDI_CLIENT_ID=loyalty PDI_CLIENT_SECRET=simulator-secret
(program LoyaltyService migrate)
# Nothing is due by the clock meanwhile, and the last run of the expiry that was done stands just before what the job is to expire.
sql -c "insert into job_runs (job, scheduled_for, by_hand, started_at, lease_until, finished_at, outcome)
  select job, at, false, now(), now(), now(), 'failed'
    from unnest(array['expire-sessions', 'archive-sessions', 'clear-cache', 'reconciliation']) as job,
         generate_series(date_trunc('day', now()) - interval '2 days', now() + interval '12 hours', interval '15 minutes') as at
  union all
  select 'expire-sessions', now() - interval '2 days 12 hours', false, now(), now(), now(), 'done'"
sql -v sessions="$sessions" -v due="$due" -f bench/scale/generate.sql
say "the system writes what is dirty" "from $(cat /proc/sys/vm/dirty_background_bytes) bytes on (0: from $(cat /proc/sys/vm/dirty_background_ratio) % of the memory on)"
say "sessions generated" "$sessions in $(seconds "$started" "$(now)") s"
# A server that has run for some days has the files of its log, and uses them again: a commit that has to make a new one, 16 MB of zeros, waits for it,
# and all others with it.
[ -n "${DATABASE_SERVER:-}" ] || sql -c "select count(*) from (select pg_logical_emit_message(false, 'bench', 'x'), pg_switch_wal() from generate_series(1, 512)) as files" -c checkpoint >/dev/null
sql -f bench/scale/bare.sql

(program PdiSimulator --port "$pdi" --ledger :memory:) >/dev/null & pids+=($!)
within 30 curl -sf "localhost:$pdi/_simulator/faults"
(program LoyaltyService) >"$folder/service.log" & service=$!; pids+=($service)
within 60 curl -sf "localhost:$port/health/ready"
python3 bench/host.py "$folder/host" & pids+=($!)
# A driver that has just started is slow itself; its first ten seconds do not count.
load() { program LoyaltyService.Load "http://localhost:$port" --rate "$rate" --warm-up 10 --seconds "$1"; }
memory() { awk '/VmRSS/ {printf "%d MiB", $2 / 1024}' "/proc/$service/status"; }
(load 5) >/dev/null

run_of() { sql -c "select $2 from job_runs where job = '$1' and by_hand"; }
# What the part before has left, in the tables, in the server's memory and in the system's, is cleared away before the next one begins: it would be
# in the middle of that, by a vacuum, a checkpoint, or the system's own writing. A disk may still be at it when it has said that it is not.
at_rest() {
  sql -c 'vacuum sessions' -c 'vacuum session_events'
  [ -z "${DATABASE_SERVER:-}" ] || return 0
  sql -c checkpoint; sync; python3 bench/scale/at_rest.py "$folder/probe"
}
# The traffic goes on until it is told to end, however long that takes.
begin_traffic() { (load 86400) >"$folder/tills" & traffic=$!; pids+=($traffic); sleep 12; since=$(now); }
end_traffic() { # end_traffic FILE: the service's own time meanwhile
  python3 bench/own_time.py "$folder/service.log" "$folder/host" "$since" "$(now)" >"$1"
  kill "$traffic"; wait "$traffic" || { echo "A till got an answer other than 200" >&2; cat "$folder/tills" >&2; exit 1; }; unset 'pids[-1]'
}
# p99 FILE WHICH: by operation; of all calls where WHICH is empty, or of the figures that follow it in a line of own_time.py.
p99() { sed -nE "s/^ *([a-z]+) $2 *p50 [0-9.]+ ms +p99 ([0-9.]+) ms.*/\\1 \\2/p" "$1"; }
ratios() { join <(p99 "$1" "$3" | sort) <(p99 "$2" "$3" | sort) | awk '{printf "%s%s %.2f", (NR > 1 ? "   " : ""), $1, $2 / $3}'; }
each() { echo "$1 $2" | awk '{print 1000 * $1 / ($2 > 0 ? $2 : 1)}'; }
bare() { # bare NAME CALL TRAFFIC: sets cost, in milliseconds a session
  local begin handled took
  at_rest; begin_traffic
  begin=$(now); handled=$(sql -c "call $2"); took=$(seconds "$begin" "$(now)")
  end_traffic "$folder/$3"
  cost=$(each "$took" "$handled")
  say "$1, bare SQL" "$took s for $handled"
}

# The job's work stands between the two that it is compared with: what comes later goes into tables and indexes that have grown.
measure() { # measure NAME JOB BARE BARE: bare work, the job's, bare work again, each under live traffic
  local name=$1 job=$2 first before took
  # As long as a job: the p99 of half a minute at 40 sales/s is its twelfth worst sale, and twice the next half minute's.
  at_rest; begin_traffic; sleep 90; end_traffic "$folder/before"
  bare "$name, before" "$3" bare; first=$cost

  at_rest; before=$(memory); begin_traffic
  # One connection that looks: a psql for each look, twice a second, was a third program beside the job and the tills on two cores, and doubled their p99.
  echo "select outcome from job_runs where job = '$job' and by_hand \\watch 1" >"$folder/look.sql"
  stdbuf -oL psql -qtA -X -d "$server/scale" -f "$folder/look.sql" >"$folder/looks" & look=$!; pids+=($look)
  curl -sf -o /dev/null -X POST "localhost:$port/ops/jobs/$job/run"
  looks=(); until [[ ${looks[*]} =~ done|failed ]]; do sleep 1; mapfile -t looks <"$folder/looks"; done
  kill "$look"; wait "$look" || true; unset 'pids[-1]'
  end_traffic "$folder/during"
  [ "$(run_of "$job" outcome)" = done ] || { psql -q -X -d "$server/scale" -xc "select * from job_runs where job = '$job' and by_hand" >&2; exit 1; }
  took=$(run_of "$job" "extract(epoch from finished_at - started_at)")
  say "$name, the service's job" "$(printf %.1f "$took") s for $(run_of "$job" handled)"
  say "memory of the service" "$before before, $(memory) after, $(awk '/VmHWM/ {printf "%d MiB", $2 / 1024}' "/proc/$service/status") at the most so far"

  bare "$name, after" "$4" again
  say "a session, the job : bare SQL" "$(echo "$(each "$took" "$(run_of "$job" handled)") $first $cost" | awk '{printf "%.2f", 2 * $1 / ($2 + $3)}')"
  for when in before bare during again; do echo "sales, $when:"; cat "$folder/$when"; done
  say "p99, during the job : before" "$(ratios "$folder/during" "$folder/before" '')"
  say "  with the host at full speed" "$(ratios "$folder/during" "$folder/before" '.*full speed:')"
  say "p99, during bare SQL : before" "$(ratios "$folder/bare" "$folder/before" '')"
  say "  with the host at full speed" "$(ratios "$folder/bare" "$folder/before" '.*full speed:')"
}

measure "expire $due" expire-sessions "bare_expire(now() - interval '4 days 12 hours', now() - interval '3 days 12 hours', $batch)" \
  "bare_expire(now() - interval '3 days 12 hours', now() - interval '2 days 12 hours', $batch)"
measure "archive $due" archive-sessions "bare_archive('epoch', now() - interval '35 days 12 hours', $batch)" \
  "bare_archive('epoch', now() - interval '30 days' + interval '24 days' * $due / 2 / ($sessions - 4 * $due), $batch)"
