#!/usr/bin/env bash
# Measures how the cost of a sale changes with the number of tills, with a second replica, on a full table, and over ten minutes.
#   bench/shapes.sh [tills|replicas|full|soak ...]   all of them by default; soak takes ten minutes
#   SESSIONS=5000000 rows for `full`, SECONDS_EACH=15 for each measurement
# Uses the same service, PDI and servers as bench/run.sh. Run nothing else meanwhile.
set -euo pipefail
. "$(dirname "$0")/servers.sh"
each=${SECONDS_EACH:-15} sessions=${SESSIONS:-5000000}
[ $# -gt 0 ] || set -- tills replicas full soak

build; start_postgres; start_redis; start_pdi; configure; start_service

# work PIDS...: prints user and kernel CPU ticks, and context switches (voluntary and not).
work() { cat $(printf '/proc/%s/stat ' "$@") $(printf '/proc/%s/task/*/status ' "$@") 2>/dev/null | awk '/ctxt_switches/ {switches += $2} NF > 40 {user += $14; kernel += $15} END {print user, kernel, switches}'; }
# A backend reports its statistics after a second of idling.
counts() { sleep 1.5; psql -qtAX -F ' ' -d "$server/bench" -c "select pg_current_wal_insert_lsn() - '0/0', xact_commit from pg_stat_database where datname = 'bench'"; }
measure() { # measure NAME PIDS ARGUMENTS...: prints sales/s and, per sale, the replicas' CPU, context switches, commits and WAL
  local name=$1 replicas=$2 log commits user kernel switches log2 commits2 user2 kernel2 switches2 sales; shift 2
  read -r log commits < <(counts)
  read -r user kernel switches < <(work $replicas)
  load --seconds "$each" "$@" >"$folder/run"
  read -r user2 kernel2 switches2 < <(work $replicas)
  read -r log2 commits2 < <(counts)
  sales=$(sales "$folder/run")
  printf '%-34s %5s sales/s; per sale: service CPU %s ms (kernel %s ms), %s context switches, %s commits, %s KiB of WAL; RSS %s MiB; %s\n' \
    "$name" "$(rate "$folder/run")" "$(calc "10 * ($user2 + $kernel2 - $user - $kernel) / $sales")" "$(calc "10 * ($kernel2 - $kernel) / $sales")" \
    "$(calc "($switches2 - $switches) / $sales" 0)" "$(calc "($commits2 - $commits) / $sales")" "$(calc "($log2 - $log) / 1024 / $sales" 1)" "$(memory "$service")" "$(others "$folder/run")"
}
load --tills 32 --seconds 40 >/dev/null

for shape in "$@"; do
  case $shape in
    tills)
      for tills in 1 2 4 8 16 32 64; do measure "$tills tills" "$service" --tills "$tills"; done ;;
    replicas)
      first=$port one=$service
      start_service
      load --tills 32 --seconds 40 >/dev/null
      # In turn, because the machine's speed changes from minute to minute.
      for _ in 1 2 3 4; do
        second=$port port=$first
        measure "one replica, 32 tills" "$one" --tills 32
        port=$second
        measure "two replicas, 16 tills each" "$one $service" --tills 32 --also "http://localhost:$first"
      done
      kill -TERM "$service"; wait "$service" || true
      port=$first service=$one ;;
    full)
      measure "$(psql -qtAX -d "$server/bench" -c 'select count(*) from sessions') sessions" "$service" --tills 32
      psql -q -X -d "$server/bench" -v sessions="$sessions" -v due=1 -f bench/scale/generate.sql
      psql -q -X -d "$server/bench" -c 'vacuum analyze sessions, session_events' -c checkpoint
      sync; python3 bench/scale/at_rest.py "$folder/probe"
      measure "$(psql -qtAX -d "$server/bench" -c 'select count(*) from sessions') sessions" "$service" --tills 32
      measure "the same, once more" "$service" --tills 32 ;;
    soak)
      for minute in 1 2 3 4 5 6 7 8 9 10; do
        each=55 measure "soak, minute $minute, $(ls "/proc/$service/fd" | wc -l) handles" "$service" --tills 16 --rate 200
      done ;;
    *) echo "tills, replicas, full or soak" >&2; exit 64 ;;
  esac
done
