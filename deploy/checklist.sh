#!/usr/bin/env bash
# The brief's deployment checklist as commands: a table of results, and 1 if one of them failed.
#   deploy/checklist.sh before [ROW…]    in the repository, with the environment that the release will have (docs/configuration.md)
#   deploy/checklist.sh after URL        against the service that was deployed; SMOKE_API_KEY is a key for it, SMOKE_CUSTOMER_ID a customer for tests
# Rows before: tests, migrations, configuration, security, docs. Without a name: all of them.
# LOYALTY_SERVICE is the release's program, for example "docker run --rm --network host --env-file .env loyalty-service:0.1.0"; otherwise it is
# built here. PROMETHEUS_URL, if it is set, is asked whether metrics arrive, alerts fire and tills still come.
set -uo pipefail
self=$(realpath "$0")
cd "$(dirname "$self")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

usage() { sed -n '2,8s/^# //p' "$self" >&2; exit 64; }

# check ROW IMPORTANCE COMMAND…: runs it; the last line that it says stands in the table, all of it above where it failed.
check() {
  local row=$1 importance=$2 started=$SECONDS word=ok; shift 2
  if ! "$@" >"$folder/said" 2>&1; then
    word=FAILED failed=1
    tail -n 40 "$folder/said"
  fi
  printf '%-16s%-10s%-8s%5d s  %s\n' "$row" "$importance" "$word" $((SECONDS - started)) "$(tail -n 1 "$folder/said")"
}

service() {
  if [ -z "${LOYALTY_SERVICE:-}" ]; then
    dotnet build src/LoyaltyService --configuration Release --verbosity quiet --nologo || return
    LOYALTY_SERVICE="dotnet artifacts/bin/LoyaltyService/release/LoyaltyService.dll"
  fi
  # Words, not one name.
  # shellcheck disable=SC2086
  $LOYALTY_SERVICE "$@"
}

tests() { ./test.sh; }
migrations() { service migrate --dry-run; }
configuration() { service check-config; }
# Every package, those that others bring along too, against the registry's list of known vulnerabilities, small ones included. A registry that
# could not be asked (NU1900, NU1905) has not said that all is well.
security() {
  dotnet restore --force -p:NuGetAuditLevel=low >"$folder/restore" 2>&1 && ! grep -q 'NU19[0-9][0-9]' "$folder/restore" && echo "No package is known to be vulnerable." || { cat "$folder/restore"; return 1; }
}
docs() {
  local version; version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
  grep -q "^## \[$version\]" "${CHANGELOG:-CHANGELOG.md}" || { echo "CHANGELOG.md has no section for $version."; return 1; }
  echo "CHANGELOG.md tells of $version."
}

case ${1:-} in
  before)
    rows=("${@:2}")
    [ ${#rows[@]} -gt 0 ] || rows=(tests migrations configuration security docs)
    for row in "${rows[@]}"; do
      case $row in
        security) check security critical security ;;
        tests | migrations | configuration | docs) check "$row" required "$row" ;;
        *) usage ;;
      esac
    done
    ;;
  after)
    [ $# -eq 2 ] || usage
    monitoring=()
    [ -z "${PROMETHEUS_URL:-}" ] || monitoring=(--prometheus "$PROMETHEUS_URL")
    service smoke "$2" "${monitoring[@]}" || failed=1
    [ -n "${PROMETHEUS_URL:-}" ] || echo "PROMETHEUS_URL is not set: that metrics arrive, that no alert fires and that tills still come was not looked at."
    ;;
  *) usage ;;
esac
[ "$failed" = 0 ] && echo "The list is done." || echo "The list is not done." >&2
exit "$failed"
