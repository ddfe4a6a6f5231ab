#!/usr/bin/env bash
# Checks packages and format, builds, and runs every test against a real PostgreSQL and a real Redis.
#
# The servers are private instances on free ports in a temporary folder, installed from the distribution's packages if absent. So are
# Prometheus, whose promtool checks the alerts, haproxy, which the tests start themselves, and kubectl, which renders the manifests.
# Or give your own PostgreSQL and Redis, which the tests may fill and empty at will; the programs are needed all the same, by tests that
# crash a server:
#   TEST_POSTGRES_URL=postgresql://user:pass@host:5432/postgres   (a role that may create databases)
#   TEST_REDIS_URL=redis://host:6379
# Arguments are passed on to the test run, for example: ./test.sh --filter-class '*SessionTransitionsTests'
set -euo pipefail
cd "$(dirname "$0")"

command -v dotnet >/dev/null || {
  echo "The .NET SDK is missing: 'dotnet' is not on the PATH. Install version $(sed -n 's/.*"version": "\(.*\)".*/\1/p' global.json) from https://dotnet.microsoft.com/download." >&2
  exit 69
}

# Everything that this script starts, it ends: by pid, newest first.
folder=$(mktemp -d)
pids=()
cleanup() {
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill -INT "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  rm -rf "$folder"
}
trap cleanup EXIT

install() {
  command -v apt-get >/dev/null || { echo "Missing: $*. Install it." >&2; exit 69; }
  local as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Below the ports that the system gives to outgoing connections: 32768 and up on Linux.
free_port() {
  local port
  while port=$((10000 + RANDOM % 20000)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

# start NAME: runs NAME_on $port until NAME_answers on it. Another process may take the port first; the server then ends, and gets another port.
start() {
  local name=$1 deadline=$((SECONDS + 60))
  while true; do
    port=$(free_port)
    "$1_on" "$port" >>"$folder/$name.log" 2>&1 &
    pids+=($!)
    while kill -0 $! 2>/dev/null; do
      ! "$1_answers" "$port" >/dev/null 2>&1 || return 0
      [ "$SECONDS" -lt "$deadline" ] || break
      sleep 0.1
    done
    [ "$SECONDS" -lt "$deadline" ] || { echo "$name did not start within 60 s." >&2; cat "$folder/$name.log" >&2; exit 69; }
    sleep 0.5
  done
}

postgres_bin() {
  local debian; debian=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  [ -n "$debian" ] && echo "$debian" || dirname "$(readlink -f "$(command -v initdb || echo /none/initdb)")"
}

# max_connections: several replicas and many databases at once. Everything that makes commits durable stays on.
postgres_on() {
  exec "${as_user[@]}" "$bin/postgres" -D "$folder/postgres/data" -p "$1" -k "$folder/postgres" -c listen_addresses=127.0.0.1 -c max_connections=400
}

postgres_answers() { "$bin/pg_isready" -h 127.0.0.1 -p "$1"; }

start_postgres() {
  local bin port as_user=(); bin=$(postgres_bin)
  mkdir "$folder/postgres"
  # PostgreSQL refuses to run as root.
  if [ "$(id -u)" = 0 ]; then chmod 755 "$folder"; chown postgres "$folder/postgres"; as_user=(setpriv --reuid=postgres --regid=postgres --clear-groups); fi
  "${as_user[@]}" "$bin/initdb" -D "$folder/postgres/data" -U loyalty -A trust -E UTF8 --no-locale >"$folder/postgres.log"
  start postgres
  export TEST_POSTGRES_URL="postgresql://loyalty@127.0.0.1:$port/postgres"
}

redis_on() { exec redis-server --port "$1" --bind 127.0.0.1 --save "" --appendonly no --dir "$folder"; }

redis_answers() { redis-cli -h 127.0.0.1 -p "$1" ping; }

start_redis() {
  local port
  start redis
  export TEST_REDIS_URL="redis://127.0.0.1:$port"
}

[ -x "$(postgres_bin)/initdb" ] && [ -x "$(postgres_bin)/postgres" ] || install postgresql
command -v redis-server >/dev/null || install redis-server
command -v prometheus >/dev/null && command -v promtool >/dev/null || install prometheus
command -v haproxy >/dev/null || install haproxy
# kubectl, of a version that knows kustomize's labels: Debian 13's and Ubuntu's; on an older system, install Kubernetes' own.
command -v kubectl >/dev/null || install kubernetes-client
# Shifts the clock of one replica.
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || install faketime

# The mail server that the tests start.
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || install python3-aiosmtpd

[ -n "${TEST_POSTGRES_URL:-}" ] || start_postgres
[ -n "${TEST_REDIS_URL:-}" ] || start_redis

# Exactly what the lock files say, or it ends here; so does a known vulnerability that is high or critical (Directory.Build.props). What nobody
# could check is said again at the end. By force: a restore that has been here before would not look at the lock files.
dotnet restore --locked-mode --force | tee "$folder/restore.log"
unchecked=""
if grep -q 'NU1900\|NU1905' "$folder/restore.log"; then
  unchecked="NOT CHECKED: known vulnerabilities and deprecation of the packages. The package source has no such data, or could not be reached."
else
  dotnet list package --deprecated --include-transitive >"$folder/deprecated.log"
  ! grep -A 1000 'following deprecated packages' "$folder/deprecated.log" || { echo "Replace what is deprecated, see above." >&2; exit 1; }
fi
# What is shipped, for whoever asks (CycloneDX).
dotnet run deploy/sbom.cs
# Only the whitespace: the build itself refuses what offends code style and analyzers.
dotnet format whitespace --verify-no-changes --no-restore
# One compiler for all projects, started once, whatever the environment says: a quarter of the time.
dotnet build --no-restore --configuration Test -p:UseSharedCompilation=true
dotnet build-server shutdown --vbcscompiler

# A hundred processes are started and killed young: what a process measures of itself to become fast later is not worth it here.
export DOTNET_TieredPGO=0

# What hangs fails, long after what is slow. The runner's own summary is turned into one line that is easy to read by people and programs.
set +e
dotnet test --no-build --configuration Test --timeout 20m "$@" 2>&1 | tee "$folder/tests.log"
status=${PIPESTATUS[0]}
set -e
# Once more at the end, where they are not lost among what the service logged: each failure's name, message and place.
awk '/^failed /{show=30} /^[^ ]/&&!/^failed /{show=0} show-->0 && !/^ *{"timestamp"/' "$folder/tests.log"
count() { sed -n "s/^ *$1: *\([0-9]*\).*/\1/p" "$folder/tests.log" | tail -n 1; }
passed=$(count succeeded) failed=$(count failed) skipped=$(count skipped)
summary="${passed:-0} passed, ${failed:-0} failed"
[ "${skipped:-0}" = 0 ] || summary="$summary, $skipped skipped"
[ -z "$unchecked" ] || echo "$unchecked"
echo "$summary"
exit "$status"
