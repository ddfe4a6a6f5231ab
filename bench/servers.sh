# Sourced by the other scripts: starts private instances of PostgreSQL, Redis, a canned PDI and the published service on free ports, and stops them
# when the script exits. Installs missing distribution packages, as test.sh does.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(mktemp -d) pids=()
cleanup() {
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill -TERM "${pids[i]}" 2>/dev/null || true; wait "${pids[i]}" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap cleanup EXIT

install() {
  local as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
ls /usr/lib/postgresql/*/bin/pgbench >/dev/null 2>&1 || install postgresql
command -v redis-server >/dev/null || install redis-server
[ -x /usr/sbin/nginx ] || install nginx-light
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

free_port() { local port; while port=$((20000 + RANDOM % 20000)); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }; done; }
until_it_answers() { local tries=0; until curl -sf -o /dev/null "$@"; do sleep 0.02; [ $((tries += 1)) -lt 1500 ] || { echo "$* does not respond" >&2; exit 1; }; done; }
now() { date +%s.%N; }
calc() { awk "BEGIN {printf \"%.${2:-2}f\", $1}"; }
# Each background program gets its own session (setsid), as on a server. Linux divides CPU time among sessions first (kernel.sched_autogroup_enabled),
# so without it all of them together would get as much as one PostgreSQL backend.

# PostgreSQL with its defaults, except for the settings given (-c name=value). Commits wait for the disk.
start_postgres() {
  local as_postgres=()
  pgport=$(free_port) server=postgresql://loyalty@127.0.0.1:$pgport
  mkdir "$folder/postgres"
  # PostgreSQL refuses to run as root.
  if [ "$(id -u)" = 0 ]; then chmod 755 "$folder"; chown postgres "$folder/postgres"; as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups); fi
  "${as_postgres[@]}" "$bin/initdb" -D "$folder/postgres/data" -U loyalty -A trust -E UTF8 --no-locale >/dev/null
  setsid "${as_postgres[@]}" "$bin/postgres" -D "$folder/postgres/data" -p "$pgport" -k "$folder/postgres" -c listen_addresses=127.0.0.1 "$@" >/dev/null 2>"$folder/postgres.log" &
  postgres=$!; pids+=("$postgres")
  until "$bin/pg_isready" -q -h 127.0.0.1 -p "$pgport"; do sleep 0.1; done
  psql -q -X -d "$server/postgres" -c 'create database bench'
}

start_redis() {
  redisport=$(free_port)
  setsid redis-server --port "$redisport" --bind 127.0.0.1 --save "" --dir "$folder" >/dev/null & redis=$!; pids+=("$redis")
}

start_pdi() {
  pdiport=$(free_port)
  sed "s#FOLDER#$folder#; s#PORT#$pdiport#" bench/pdi.conf >"$folder/pdi.conf"
  setsid /usr/sbin/nginx -c "$folder/pdi.conf" & pdi=$!; pids+=("$pdi")
  until_it_answers -d x "localhost:$pdiport/identify"
}

build() {
  dotnet publish src/LoyaltyService --configuration Release --runtime linux-x64 --verbosity quiet --nologo -p:RunAnalyzers=false >"$folder/build" || { cat "$folder/build" >&2; exit 1; }
  dotnet publish bench/load --configuration Release --runtime linux-x64 --verbosity quiet --nologo -p:RunAnalyzers=false >"$folder/build" || { cat "$folder/build" >&2; exit 1; }
}
program() { exec setsid "${PROGRAM:-artifacts/publish/LoyaltyService/release_linux-x64/LoyaltyService}" "$@"; }

# Everything on as in production: log at info, metrics, API keys, and rate limits that are too high to reject anything.
configure() {
  (program key create bench --scope loyalty+ops) >"$folder/key"
  secret=$(grep -o 'lsk_[A-Za-z0-9_-]*' "$folder/key")
  export NODE_ENV=development LOG_LEVEL=info DATABASE_URL=$server/bench REDIS_URL=redis://127.0.0.1:$redisport
  export API_KEYS; API_KEYS=$(grep -o 'bench:loyalty+ops:[0-9a-f]*' "$folder/key")
  export PDI_API_URL=http://localhost:$pdiport PDI_CLIENT_ID=bench PDI_CLIENT_SECRET=bench-secret
  export RATE_LIMIT_GLOBAL_PER_SECOND=1000000 RATE_LIMIT_CUSTOMER_PER_SECOND=100000 RATE_LIMIT_IP_PER_MINUTE=10000000
  (program migrate) >/dev/null
}

start_service() { # start_service: sets port, service (its pid) and ready (seconds until it was ready)
  local started; started=$(now) port=$(free_port)
  (PORT=$port program) >>"$folder/service.log" & service=$!; pids+=("$service")
  until_it_answers "localhost:$port/health/ready"
  ready=$(calc "$(now) - $started")
}

driver=artifacts/publish/LoyaltyService.Load/release_linux-x64/LoyaltyService.Load
load() { "$driver" "http://localhost:$port" --key "$secret" "$@"; }
sales() { sed -n '1s/.*: \([0-9]*\) sales,.*/\1/p' "$1"; }
rate() { sed -n '1s/.* \([0-9]*\) sales\/s.*/\1/p' "$1"; }
others() { grep -hE ' [0-9]{3}: [0-9]+' "$@" | grep -v ' 200:' || echo "all responses 200"; }

# The service's own time, with and without calls that met a slow host: see host.py and own_time.py.
watch_host() { python3 bench/host.py "$folder/host" & host=$!; pids+=("$host"); }
own_time() { # own_time SECONDS: covers the last SECONDS; stops host.py
  local end; end=$(now); sleep 0.2
  # host.py has already exited if it may not have real-time priority.
  kill -TERM "$host" 2>/dev/null || true; wait "$host" || true
  python3 bench/own_time.py "$folder/service.log" "$folder/host" "$(calc "$end - $1" 3)" "$end"
}

# CPU ticks of a process and its children (PostgreSQL's backends).
ticks() { awk '{sum += $14 + $15} END {print sum}' "/proc/$1/stat" $(pgrep -P "$1" | sed 's#.*#/proc/&/stat#') 2>/dev/null; }
memory() { awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$1/status"; }
