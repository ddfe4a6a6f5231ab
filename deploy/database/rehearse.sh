#!/usr/bin/env bash
# Proves that a backup can be restored: backs the service's database up, restores it into a database of its own on the same server (or that of
# REHEARSAL_SERVER), checks the invariants there, counts the rows of both, and drops what it made.
#   DATABASE_URL=postgresql://… [REHEARSAL_SERVER=postgresql://user@host:5432] deploy/database/rehearse.sh
# While the service sells, a table may have got rows since; fewer rows than there were before the backup is a failure.
set -euo pipefail
: "${DATABASE_URL:?give DATABASE_URL, as for the service}"
here=$(cd "$(dirname "$0")" && pwd)
# postgresql://user:password@host:port without the database and what follows it.
server=${REHEARSAL_SERVER:-$(echo "$DATABASE_URL" | sed -E 's#^([a-z]+://[^/]*).*#\1#')}
parameters=$(echo "$DATABASE_URL" | sed -nE 's#^[^?]*(\?.*)$#\1#p')
name=loyalty_rehearsal_$$
rehearsal=$server/$name$parameters
folder=$(mktemp -d)
sql() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 "$@"; }
trap 'sql --dbname "$server/postgres$parameters" --command "drop database if exists $name with (force)"; rm -rf "$folder"' EXIT

count() { # count URL: a line a table
  sql --dbname "$1" --command "select tablename || ' ' || (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %I.%I', schemaname, tablename), false, true, '')))[1]
    from pg_tables where schemaname = 'public' order by tablename"
}

started=$SECONDS
count "$DATABASE_URL" >"$folder/before"
"$here/backup.sh" "$folder/backup"
sql --dbname "$server/postgres$parameters" --command "create database $name"
DATABASE_URL=$rehearsal "$here/restore.sh" "$folder/backup"
count "$rehearsal" >"$folder/restored"
join "$folder/before" "$folder/restored" | awk '{ printf "%-28s %10d %10d%s\n", $1, $2, $3, $3 < $2 ? "  ROWS ARE MISSING" : ""; lost += $3 < $2 } END { exit lost > 0 }'
[ "$(wc -l <"$folder/before")" = "$(wc -l <"$folder/restored")" ] || { echo "Tables are missing." >&2; exit 1; }
echo "The backup can be restored; it took $((SECONDS - started)) s."
