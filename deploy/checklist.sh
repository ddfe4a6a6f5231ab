#!/usr/bin/env bash
# The deployment checklist: runs each check, prints a table of results, and exits with 1 if a check failed.
#   deploy/checklist.sh before [ROW…]    in the repository, with the release's environment (docs/configuration.md)
#   deploy/checklist.sh after URL        against the deployed service, with a key for it in SMOKE_API_KEY and a test customer in SMOKE_CUSTOMER_ID
# ROW is tests, migrations, configuration, security or docs. Default: all.
# LOYALTY_SERVICE is the command of the release, for example "docker run --rm --network host --env-file .env loyalty-service:0.1.0". Default: build it
# here. With PROMETHEUS_URL, "after" also checks that metrics arrive, no alert fires and tills still call.
set -uo pipefail
self=$(realpath "$0")
cd "$(dirname "$self")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

usage() { sed -n '2,7s/^# //p' "$self" >&2; exit 64; }

# check ROW IMPORTANCE COMMAND…: runs the command and prints a row with its last line of output; on failure, the end of the output above it.
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
  # Split into words on purpose.
  # shellcheck disable=SC2086
  $LOYALTY_SERVICE "$@"
}

tests() { ./test.sh; }
migrations() { service migrate --dry-run; }
configuration() { service check-config; }
# Checks every package, transitive ones too, for known vulnerabilities of any severity. If the registry has no data (NU1900, NU1905), the row fails.
security() {
  dotnet restore --force -p:NuGetAuditLevel=low >"$folder/restore" 2>&1 && ! grep -q 'NU19[0-9][0-9]' "$folder/restore" && echo "No package has a known vulnerability." || { cat "$folder/restore"; return 1; }
}
docs() {
  local version; version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
  grep -q "^## \[$version\]" "${CHANGELOG:-CHANGELOG.md}" || { echo "CHANGELOG.md has no section for $version."; return 1; }
  echo "CHANGELOG.md has a section for $version."
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
    [ -n "${PROMETHEUS_URL:-}" ] || echo "PROMETHEUS_URL is not set: did not check that metrics arrive, no alert fires and tills still call."
    ;;
  *) usage ;;
esac
[ "$failed" = 0 ] && echo "All checks passed." || echo "A check failed." >&2
exit "$failed"
