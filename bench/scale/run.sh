#!/usr/bin/env bash
# What old sessions cost: expires and archives DUE of SESSIONS in bare SQL and as many by the service's jobs, under live traffic, and prints
# the times and their ratio, the tills' p99 before, meanwhile and after and the ratios of those, and the memory of the service.
#   bench/scale/run.sh [SESSIONS=5000000] [DUE=1000000, at most two ninths of SESSIONS] [RATE=40 sales a second]
# As root it sets this machine's vm.dirty_background_bytes and vm.nr_hugepages as docs/operations.md says, and gives them back at its end; otherwise it
# tells what they are.
# Nothing else should run meanwhile.
set -euo pipefail
. "$(dirname "$0")/../servers.sh"
sessions=${1:-5000000} due=${2:-1000000} rate=${3:-40}
batch=$(sed -n 's/.*int BatchSize .*= \([0-9]*\);/\1/p' src/LoyaltyService/Jobs/JobLimits.cs)
[ $((9 * due)) -le $((2 * sessions)) ] || { echo "DUE must be at most two ninths of SESSIONS" >&2; exit 64; }

quarter=$(awk '/^MemTotal/ {print int($2 / 4096)}' /proc/meminfo)

# The system's threshold is bytes or, where these are 0, a share of the memory; to set the one clears the other.
system=/proc/sys/vm threshold=dirty_background_bytes; [ "$(cat $system/$threshold)" != 0 ] || threshold=dirty_background_ratio
was=$(cat "$system/$threshold") huge=$(cat $system/nr_hugepages)
# Not by -w: a container's root may be refused too.
if echo 1048576 2>/dev/null >$system/dirty_background_bytes; then
  trap 'cleanup; echo "$was" >"$system/$threshold"; echo "$huge" >$system/nr_hugepages' EXIT
  # 2 MB each, and a sixteenth for what PostgreSQL shares besides. The system has to have whole ones: what it caches is given up, and the rest moved.
  echo 3 >$system/drop_caches; echo 1 >$system/compact_memory; echo $((huge + quarter * 17 / 32)) >$system/nr_hugepages
fi

build
# As docs/operations.md says; with the defaults the checkpoints would be what is measured, and the system's own writing.
start_postgres -c shared_buffers="${quarter}MB" -c min_wal_size=8GB -c max_wal_size=16GB -c checkpoint_timeout=15min -c wal_compression=lz4 -c backend_flush_after=512kB
start_redis; start_pdi; configure

# jit off and sequential scans off, as on the service's own connections.
sql() { PGOPTIONS="-c jit=off -c enable_seqscan=off" psql -qtA -X -v ON_ERROR_STOP=1 -d "$server/bench" "$@"; }
say() { printf '%-36s %s\n' "$1" "$2"; }

started=$(now)
# Nothing is due by the clock meanwhile, and the last run of the expiry that was done stands just before what the job is to expire.
sql -c "insert into job_runs (job, scheduled_for, by_hand, started_at, lease_until, finished_at, outcome)
  select job, at, false, now(), now(), now(), 'failed'
    from unnest(array['expire-sessions', 'archive-sessions', 'clear-cache', 'reconciliation']) as job,
         generate_series(date_trunc('day', now()) - interval '2 days', now() + interval '12 hours', interval '15 minutes') as at
  union all
  select 'expire-sessions', now() - interval '2 days 12 hours', false, now(), now(), now(), 'done'"
sql -v sessions="$sessions" -v due="$due" -f bench/scale/generate.sql
say "the system writes what is dirty" "from $(cat $system/dirty_background_bytes) bytes on (0: from $(cat $system/dirty_background_ratio) % of the memory on)"
say "huge pages, taken" "$(awk '/^HugePages_Total/ {total = $2} /^HugePages_Free/ {free = $2} /^HugePages_Rsvd/ {print total, total - free + $2}' /proc/meminfo)"
say "sessions generated" "$sessions in $(calc "$(now) - $started" 1) s"
# A server that has run for some days has the files of its log, and uses them again: a commit that has to make a new one, 16 MB of zeros, waits for it,
# and all others with it.
sql -c "select count(*) from (select pg_logical_emit_message(false, 'bench', 'x'), pg_switch_wal() from generate_series(1, 512)) as files" -c checkpoint >/dev/null
sql -f bench/scale/bare.sql

start_service
watch_host
# A driver that has just started is slow itself; its first ten seconds do not count.
load --rate "$rate" --warm-up 10 --seconds 5 >/dev/null

run_of() { sql -c "select $2 from job_runs where job = '$1' and by_hand"; }
# What the part before has left, in the tables, in the server's memory and in the system's, is cleared away before the next one begins: it would be
# in the middle of that, by a vacuum, a checkpoint, or the system's own writing. A disk may still be at it when it has said that it is not.
at_rest() {
  sql -c 'vacuum sessions' -c 'vacuum session_events'
  sql -c checkpoint; sync; python3 bench/scale/at_rest.py "$folder/probe"
}
# The traffic goes on until it is told to end, however long that takes.
begin_traffic() {
  setsid "$driver" "http://localhost:$port" --key "$secret" --rate "$rate" --warm-up 10 --seconds 86400 >"$folder/tills" & traffic=$!; pids+=("$traffic")
  sleep 12; since=$(now)
}
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
  begin=$(now); handled=$(sql -c "call $2"); took=$(calc "$(now) - $begin" 1)
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

  at_rest; before=$(memory "$service"); begin_traffic
  # One connection that looks: a psql for each look, twice a second, was a third program beside the job and the tills on two cores, and doubled their p99.
  echo "select outcome from job_runs where job = '$job' and by_hand \\watch 1" >"$folder/look.sql"
  stdbuf -oL psql -qtA -X -d "$server/bench" -f "$folder/look.sql" >"$folder/looks" & look=$!; pids+=($look)
  curl -sf -o /dev/null -X POST -H "X-Api-Key: $secret" "localhost:$port/ops/jobs/$job/run"
  looks=(); until [[ ${looks[*]} =~ done|failed ]]; do sleep 1; mapfile -t looks <"$folder/looks"; done
  kill "$look"; wait "$look" || true; unset 'pids[-1]'
  end_traffic "$folder/during"
  [ "$(run_of "$job" outcome)" = done ] || { psql -q -X -d "$server/bench" -xc "select * from job_runs where job = '$job' and by_hand" >&2; exit 1; }
  took=$(run_of "$job" "extract(epoch from finished_at - started_at)")
  say "$name, the service's job" "$(printf %.1f "$took") s for $(run_of "$job" handled)"
  say "memory of the service" "$before MiB before, $(memory "$service") MiB after, $(awk '/VmHWM/ {printf "%d MiB", $2 / 1024}' "/proc/$service/status") at the most so far"

  bare "$name, after" "$4" again
  at_rest; begin_traffic; sleep 90; end_traffic "$folder/after"
  say "a session, the job : bare SQL" "$(echo "$(each "$took" "$(run_of "$job" handled)") $first $cost" | awk '{printf "%.2f", 2 * $1 / ($2 + $3)}')"
  for when in before bare during again after; do echo "sales, $when:"; cat "$folder/$when"; done
  say "p99, during the job : before" "$(ratios "$folder/during" "$folder/before" '')"
  say "  with the host at full speed" "$(ratios "$folder/during" "$folder/before" '.*full speed:')"
  say "p99, during the job : after" "$(ratios "$folder/during" "$folder/after" '')"
  say "p99, during bare SQL : before" "$(ratios "$folder/bare" "$folder/before" '')"
  say "  with the host at full speed" "$(ratios "$folder/bare" "$folder/before" '.*full speed:')"
}

measure "expire $due" expire-sessions "bare_expire(now() - interval '4 days 12 hours', now() - interval '3 days 12 hours', $batch)" \
  "bare_expire(now() - interval '3 days 12 hours', now() - interval '2 days 12 hours', $batch)"
measure "archive $due" archive-sessions "bare_archive('epoch', now() - interval '35 days 12 hours', $batch)" \
  "bare_archive('epoch', now() - interval '30 days' + interval '24 days' * $due / 2 / ($sessions - 4 * $due), $batch)"
