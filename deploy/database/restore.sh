#!/usr/bin/env bash
# Fills an empty database from a file of backup.sh, and checks the invariants. With anything amiss, the database stays empty.
#   DATABASE_URL=postgresql://… deploy/database/restore.sh FILE
# Restore before the replicas start, and compare with PDI afterwards: docs/operations.md#restore.
set -euo pipefail
file=${1:?usage: DATABASE_URL=postgresql://… deploy/database/restore.sh FILE}
: "${DATABASE_URL:?give DATABASE_URL of an empty database}"
here=$(cd "$(dirname "$0")" && pwd)
sql() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname "$DATABASE_URL" "$@"; }

tables=$(sql --command "select count(*) from pg_tables where schemaname = 'public'")
[ "$tables" = 0 ] || { echo "The database is not empty: it has $tables tables. Nothing was done." >&2; exit 1; }
# One transaction from the first table to the last invariant. What breaks off before its commit, pg_restore included, was never there.
{
  echo 'begin;'
  pg_restore --file - --no-owner --no-privileges "$file"
  # pg_restore's settings are not the service's: it leaves no search path.
  echo 'reset all;'
  # Without it the planner knows nothing of the tables until autovacuum comes by.
  echo 'analyze;'
  cat "$here/invariants.sql"
  echo 'commit;'
} | sql --output /dev/null
