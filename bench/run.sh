#!/usr/bin/env bash
# Measures what a sale costs, against the ceiling (its SQL statements alone): the published service with log at info, metrics, API keys and high
# rate limits, a canned PDI (nginx), and its own PostgreSQL and Redis, all on this machine. Prints one table.
#   bench/run.sh [SECONDS=30] [TILLS=32]
# Run nothing else meanwhile.
set -euo pipefail
. "$(dirname "$0")/servers.sh"
length=${1:-30} tills=${2:-32}

build
dotnet tool install --tool-path "$folder/tools" dotnet-counters --version 10.0.750501 >/dev/null
start_postgres; start_redis; start_pdi; configure
psql -q -X -d "$server/postgres" -c 'create database ceiling'
(DATABASE_URL=$server/ceiling program migrate) >/dev/null
# Five starts; the last one keeps running.
starts=(); for try in 1 2 3 4 5; do
  start_service; starts+=("$ready")
  [ "$try" = 5 ] || { kill -TERM "$service"; wait "$service" || true; unset 'pids[-1]'; }
done
ready=$(printf '%s\n' "${starts[@]}" | sort -n | sed -n 3p)

# A backend reports its statistics after a second of idling.
counts() { sleep 1.5; psql -qtAX -F ' ' -d "$server/bench" -c "select xact_commit, xact_rollback, n_tup_upd, n_tup_hot_upd, pg_current_wal_insert_lsn() - '0/0' from pg_stat_database, pg_stat_user_tables where datname = 'bench' and relname = 'sessions'"; }
lines() { wc -l <"$folder/service.log"; }
# CPU ticks of all cores since boot: busy, idle, stolen by the host.
cores() { awk '/^cpu / {print $2 + $3 + $4 + $7 + $8, $5 + $6, $9}' /proc/stat; }

# The ceiling: the SQL statements of the same sales, with as many clients as tills and the session settings of the service's connections. Measured
# before and after the service, because the machine's speed changes from minute to minute.
columns=$(sed -n '/string Columns = """/,/"""/p' src/LoyaltyService/Sessions/PostgresSessionRow.cs | sed '1d;$d' | tr '\n' ' ')
sed "s/COLUMNS/$columns/" bench/sale.sql >"$folder/sale.sql"
statements() { PGOPTIONS="-c default_transaction_isolation=serializable -c enable_seqscan=off -c jit=off" "$bin/pgbench" -h 127.0.0.1 -p "$pgport" -U loyalty -n \
  -M prepared -f "$folder/sale.sql" -c "$tills" -j 2 --max-tries 6 -T "$@" ceiling 2>&1; }
ceiling() { # ceiling FILE: sets bound (sales/s) and retried (share)
  statements 5 >"$1" && statements "$length" >"$1" || { cat "$1" >&2; exit 1; }
  bound=$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$1")
  retried=$(sed -n 's/^number of transactions retried: [0-9]* (\([0-9.%]*\)).*/\1/p' "$1")
}

load --tills "$tills" --seconds 10 >"$folder/first"
load --tills "$tills" --seconds 30 >"$folder/warm"
ceiling "$folder/ceiling"; bounds=("$bound")
read -r commits rollbacks updates hot log < <(counts); logged=$(lines)
declare -A before after
"$folder/tools/dotnet-counters" collect --process-id "$service" --format csv --output "$folder/counters.csv" --counters System.Runtime >"$folder/counting" & counters=$!; pids+=("$counters")
until [ -s "$folder/counting" ]; do sleep 0.05; done
for name in service postgres redis pdi; do before[$name]=$(ticks "${!name}"); done
TIMEFORMAT='%U %S'
{ time load --tills "$tills" --seconds "$length" --warm-up 2 >"$folder/full"; } 2>"$folder/driver"
for name in service postgres redis pdi; do after[$name]=$(ticks "${!name}"); done
# The counters are sampled once a second.
sleep 1.2; kill -TERM "$counters"; wait "$counters" || true
logged=$(($(lines) - logged))
read -r commits2 rollbacks2 updates2 hot2 log2 < <(counts)
resident=$(memory "$service") full=$(rate "$folder/full")
ceiling "$folder/ceiling"; bounds+=("$bound")
read -r busy idle taken < <(cores)
watch_host
# The warm-up lets the runtime compile the driver, which takes CPU from the same cores.
load --tills "$tills" --seconds "$length" --warm-up 10 --rate "$((full / 2))" >"$folder/half"
read -r busy2 idle2 taken2 < <(cores)
own_time "$length" >"$folder/own"
all=$((busy2 - busy + idle2 - idle + taken2 - taken))
disk=$(psql -qtAX -d "$server/bench" -c "select (pg_total_relation_size('sessions') + pg_total_relation_size('session_events')) / count(*) from sessions")
curl -s -o /dev/null "localhost:$port/metrics"
read -r took size < <(curl -s -o /dev/null -w '%{time_total} %{size_download}\n' "localhost:$port/metrics")
kill -TERM "$service"; wait "$service" || true

# The statements alone at half load: the database's share of a sale's latency.
(cd "$folder" && statements "$length" --rate $((full / 2)) --log >/dev/null) && alone=$(awk '{print $3 / 1000}' "$folder"/pgbench_log.* | sort -n |
  awk '{a[NR] = $1} END {printf "p50 %.1f ms   p99 %.1f ms   p99.9 %.1f ms", a[int(NR * 0.5)], a[int(NR * 0.99)], a[int(NR * 0.999)]}')

# The processes' CPU times include the warm-up of 2 s.
done=$((full * (length + 2)))
cpu() { calc "10 * (${after[$1]} - ${before[$1]}) / $done"; }
gc() { awk -F, -v name="$1" 'index($3, name) {sum += $5} END {printf "%.3f", sum}' "$folder/counters.csv"; }
row() { printf '%-40s %-62s %s\n' "$1" "$2" "${3:-}"; }
row "" "$(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), PostgreSQL $("$bin/postgres" --version | grep -o '[0-9.]*' | head -n 1), .NET $(dotnet --version)" "target"
row "start to ready" "$ready s, median of ${starts[*]}" "at most 1.5 s"
row "first 10 s after the start" "$(rate "$folder/first") sales/s, $(calc "$(rate "$folder/first") / $full") of the warm rate" "at least 0.7"
row "warm-up, 30 s" "$(rate "$folder/warm") sales/s"
row "$tills tills, $length s" "$full sales/s"
row "ceiling: SQL statements alone (pgbench)" "${bounds[*]} sales/s before and after, retried $retried"
row "service / ceiling" "$(calc "2 * $full / (${bounds[0]} + ${bounds[1]})")" "at least 0.6"
row "CPU per sale: service" "$(cpu service) ms" "at most 0.9 ms"
row "CPU per sale: others" "PostgreSQL $(cpu postgres), Redis $(cpu redis), PDI $(cpu pdi), load $(awk -v n="$done" '{printf "%.2f", 1000 * ($1 + $2) / n}' "$folder/driver") ms"
row "commits per sale" "$(calc "($commits2 - $commits) / $done")"
row "transactions rolled back" "$((rollbacks2 - rollbacks)), $(calc "100 * ($rollbacks2 - $rollbacks) / ($commits2 - $commits)" 3) %" "under 0.1 %"
row "HOT share of the updates of sessions" "$(calc "100 * ($hot2 - $hot) / ($updates2 - $updates)" 1) %" "at least 95 %"
row "disk per sale" "$(calc "$disk / 1024" 1) KiB of tables and indexes, $(calc "($log2 - $log) / $done / 1024" 1) KiB of WAL"
row "memory (RSS)" "$resident MiB" "at most 200 MiB"
row "garbage per sale" "$(calc "$(gc total_allocated) / $done / 1024" 1) KiB"
row "garbage collection" "$(gc 'gc.collections' | cut -d. -f1) collections, pauses $(calc "1000 * $(gc pause.time)" 0) ms in $((length + 2)) s"
row "log lines per sale" "$(calc "$logged / $done" 1)"
row "a scrape" "$(calc "1000 * $took" 1) ms, $((size / 1024)) KiB" "under 10 ms, 40 KiB"
echo "latency at $tills tills:"; sed -n '2,4p' "$folder/full"
echo "latency at half load ($((full / 2)) sales/s, open loop), measured by the driver:"; sed -n '2,4p' "$folder/half"
echo "  the service's own time (target: p99 at most 25 ms):"; cat "$folder/own"
echo "  cores: $(calc "100 * ($busy2 - $busy) / $all" 0) % busy, $(calc "100 * ($taken2 - $taken) / $all" 1) % stolen by the host"
echo "  the statements of a whole sale alone, at that rate (pgbench): $alone"
others "$folder/full" "$folder/half"
