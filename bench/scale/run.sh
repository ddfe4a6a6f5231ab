#!/usr/bin/env bash
# Measures what old sessions cost: expires and archives DUE of SESSIONS by the service's jobs and as many in bare SQL, under live traffic. Prints the
# times and their ratio, the tills' p99 before, during and after with their ratios, and the memory of the service.
#   bench/scale/run.sh [SESSIONS=5000000] [DUE=1000000, at most two ninths of SESSIONS] [RATE=40 sales/s]
# As root it sets vm.dirty_background_bytes and vm.nr_hugepages as docs/operations.md says, and restores them at the end. Otherwise it prints them.
# Run nothing else meanwhile.
set -euo pipefail
. "$(dirname "$0")/../servers.sh"
sessions=${1:-5000000} due=${2:-1000000} rate=${3:-40}
batch=$(sed -n 's/.*int BatchSize .*= \([0-9]*\);/\1/p' src/LoyaltyService/Jobs/JobLimits.cs)
[ $((9 * due)) -le $((2 * sessions)) ] || { echo "DUE must be at most two ninths of SESSIONS" >&2; exit 64; }

quarter=$(awk '/^MemTotal/ {print int($2 / 4096)}' /proc/meminfo)

# The threshold is in bytes or, where these are 0, a share of the memory. Setting one clears the other.
system=/proc/sys/vm threshold=dirty_background_bytes; [ "$(cat $system/$threshold)" != 0 ] || threshold=dirty_background_ratio
was=$(cat "$system/$threshold") huge=$(cat $system/nr_hugepages)
# Try it instead of testing with -w: a container may deny it to root.
if echo 1048576 2>/dev/null >$system/dirty_background_bytes; then
  trap 'cleanup; echo "$was" >"$system/$threshold"; echo "$huge" >$system/nr_hugepages' EXIT
  # Pages of 2 MB for shared_buffers, and a sixteenth more for PostgreSQL's other shared memory. Dropping caches and compacting frees whole pages.
  echo 3 >$system/drop_caches; echo 1 >$system/compact_memory; echo $((huge + quarter * 17 / 32)) >$system/nr_hugepages
fi

build
# The settings of docs/operations.md. With the defaults, the run would measure checkpoints and the kernel's writeback.
start_postgres -c shared_buffers="${quarter}MB" -c min_wal_size=8GB -c max_wal_size=16GB -c checkpoint_timeout=15min -c wal_compression=lz4 -c backend_flush_after=512kB
start_redis; start_pdi; configure

# JIT and sequential scans off, as on the service's connections.
sql() { PGOPTIONS="-c jit=off -c enable_seqscan=off" psql -qtA -X -v ON_ERROR_STOP=1 -d "$server/bench" "$@"; }
say() { printf '%-36s %s\n' "$1" "$2"; }

started=$(now)
# No job becomes due by schedule, and the last successful expiry lies just before the sessions that the job is to expire.
sql -c "insert into job_runs (job, scheduled_for, by_hand, started_at, lease_until, finished_at, outcome)
  select job, at, false, now(), now(), now(), 'failed'
    from unnest(array['expire-sessions', 'archive-sessions', 'clear-cache', 'reconciliation']) as job,
         generate_series(date_trunc('day', now()) - interval '2 days', now() + interval '12 hours', interval '15 minutes') as at
  union all
  select 'expire-sessions', now() - interval '2 days 12 hours', false, now(), now(), now(), 'done'"
sql -v sessions="$sessions" -v due="$due" -f bench/scale/generate.sql
say "kernel writeback starts at" "$(cat $system/dirty_background_bytes) bytes (0: at $(cat $system/dirty_background_ratio) % of the memory)"
say "huge pages: total, used" "$(awk '/^HugePages_Total/ {total = $2} /^HugePages_Free/ {free = $2} /^HugePages_Rsvd/ {print total, total - free + $2}' /proc/meminfo)"
say "sessions generated" "$sessions in $(calc "$(now) - $started" 1) s"
# A server that has run for days recycles its WAL segments. Creating a new one (16 MB of zeros) would delay all commits.
sql -c "select count(*) from (select pg_logical_emit_message(false, 'bench', 'x'), pg_switch_wal() from generate_series(1, 512)) as files" -c checkpoint >/dev/null
sql -f bench/scale/bare.sql

start_service
watch_host
# The driver's first ten seconds do not count: the runtime is still compiling it.
load --rate "$rate" --warm-up 10 --seconds 5 >/dev/null

run_of() { sql -c "select $2 from job_runs where job = '$1' and by_hand"; }
# Cleans up after each part, so that no vacuum, checkpoint or writeback falls into the next one. A disk may still be busy after its last flush
# returned, so wait for it too.
at_rest() {
  sql -c 'vacuum sessions' -c 'vacuum session_events'
  sql -c checkpoint; sync; python3 bench/scale/at_rest.py "$folder/probe"
}
# Runs until end_traffic, for as long as the part takes.
begin_traffic() {
  setsid "$driver" "http://localhost:$port" --key "$secret" --rate "$rate" --warm-up 10 --seconds 86400 >"$folder/tills" & traffic=$!; pids+=("$traffic")
  sleep 12; since=$(now)
}
end_traffic() { # end_traffic FILE: writes the service's own time to FILE
  python3 bench/own_time.py "$folder/service.log" "$folder/host" "$since" "$(now)" >"$1"
  kill "$traffic"; wait "$traffic" || { echo "A till received a status other than 200" >&2; cat "$folder/tills" >&2; exit 1; }; unset 'pids[-1]'
}
# p99 FILE WHICH: prints the p99 by operation, of all calls if WHICH is empty, else of the figures after that text in own_time.py's line.
p99() { sed -nE "s/^ *([a-z]+) $2 *p50 [0-9.]+ ms +p99 ([0-9.]+) ms.*/\\1 \\2/p" "$1"; }
ratios() { join <(p99 "$1" "$3" | sort) <(p99 "$2" "$3" | sort) | awk '{printf "%s%s %.2f", (NR > 1 ? "   " : ""), $1, $2 / $3}'; }
each() { echo "$1 $2" | awk '{print 1000 * $1 / ($2 > 0 ? $2 : 1)}'; }
bare() { # bare NAME CALL FILE: sets cost, in ms per session
  local begin handled took
  at_rest; begin_traffic
  begin=$(now); handled=$(sql -c "call $2"); took=$(calc "$(now) - $begin" 1)
  end_traffic "$folder/$3"
  cost=$(each "$took" "$handled")
  say "$1, bare SQL" "$took s for $handled"
}

# The job runs between the two parts of bare SQL that it is compared with, because tables and indexes grow from part to part.
measure() { # measure NAME JOB BARE BARE: bare SQL, the job, bare SQL again, each under live traffic
  local name=$1 job=$2 first before took
  # 90 s, about as long as a job: in half a minute at 40 sales/s, twelve sales decide the p99, which can double from one half minute to the next.
  at_rest; begin_traffic; sleep 90; end_traffic "$folder/before"
  bare "$name, before" "$3" bare; first=$cost

  at_rest; before=$(memory "$service"); begin_traffic
  # Poll on one connection: starting psql twice a second took enough CPU to double the tills' p99.
  echo "select outcome from job_runs where job = '$job' and by_hand \\watch 1" >"$folder/look.sql"
  stdbuf -oL psql -qtA -X -d "$server/bench" -f "$folder/look.sql" >"$folder/looks" & look=$!; pids+=($look)
  curl -sf -o /dev/null -X POST -H "X-Api-Key: $secret" "localhost:$port/ops/jobs/$job/run"
  looks=(); until [[ ${looks[*]} =~ done|failed ]]; do sleep 1; mapfile -t looks <"$folder/looks"; done
  kill "$look"; wait "$look" || true; unset 'pids[-1]'
  end_traffic "$folder/during"
  [ "$(run_of "$job" outcome)" = done ] || { psql -q -X -d "$server/bench" -xc "select * from job_runs where job = '$job' and by_hand" >&2; exit 1; }
  took=$(run_of "$job" "extract(epoch from finished_at - started_at)")
  say "$name, the service's job" "$(printf %.1f "$took") s for $(run_of "$job" handled)"
  say "memory of the service" "$before MiB before, $(memory "$service") MiB after, $(awk '/VmHWM/ {printf "%d MiB", $2 / 1024}' "/proc/$service/status") peak so far"

  bare "$name, after" "$4" again
  at_rest; begin_traffic; sleep 90; end_traffic "$folder/after"
  say "time per session, job / bare SQL" "$(echo "$(each "$took" "$(run_of "$job" handled)") $first $cost" | awk '{printf "%.2f", 2 * $1 / ($2 + $3)}')"
  for when in before bare during again after; do echo "sales, $when:"; cat "$folder/$when"; done
  say "p99, during the job / before" "$(ratios "$folder/during" "$folder/before" '')"
  say "  at full host speed" "$(ratios "$folder/during" "$folder/before" '.*full speed:')"
  say "p99, during the job / after" "$(ratios "$folder/during" "$folder/after" '')"
  say "p99, during bare SQL / before" "$(ratios "$folder/bare" "$folder/before" '')"
  say "  at full host speed" "$(ratios "$folder/bare" "$folder/before" '.*full speed:')"
}

measure "expire $due" expire-sessions "bare_expire(now() - interval '4 days 12 hours', now() - interval '3 days 12 hours', $batch)" \
  "bare_expire(now() - interval '3 days 12 hours', now() - interval '2 days 12 hours', $batch)"
measure "archive $due" archive-sessions "bare_archive('epoch', now() - interval '35 days 12 hours', $batch)" \
  "bare_archive('epoch', now() - interval '30 days' + interval '24 days' * $due / 2 / ($sessions - 4 * $due), $batch)"
