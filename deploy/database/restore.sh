#!/usr/bin/env bash
# Restores a file of backup.sh into an empty database, and checks the invariants. On any error the database stays empty.
#   DATABASE_URL=postgresql://… deploy/database/restore.sh FILE
# Stop the replicas first, and reconcile with PDI afterwards: docs/operations.md#restore.
set -euo pipefail
file=${1:?usage: DATABASE_URL=postgresql://… deploy/database/restore.sh FILE}
: "${DATABASE_URL:?set DATABASE_URL of an empty database}"
here=$(cd "$(dirname "$0")" && pwd)
sql() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname "$DATABASE_URL" "$@"; }

tables=$(sql --command "select count(*) from pg_tables where schemaname = 'public'")
[ "$tables" = 0 ] || { echo "The database is not empty: it has $tables tables. Nothing was changed." >&2; exit 1; }
# One transaction from the first table to the last invariant: if pg_restore or anything else fails, everything rolls back.
{
  echo 'begin;'
  pg_restore --file - --no-owner --no-privileges "$file"
  # pg_restore clears the search path.
  echo 'reset all;'
  # Otherwise the planner has no statistics until autovacuum runs.
  echo 'analyze;'
  cat "$here/invariants.sql"
  echo 'commit;'
} | sql --output /dev/null
