#!/usr/bin/env bash
# Tests a restore: backs up the service's database, restores it into a temporary database on the same server (or on REHEARSAL_SERVER),
# checks the invariants, compares the row counts, and drops the temporary database.
#   DATABASE_URL=postgresql://… [REHEARSAL_SERVER=postgresql://user@host:5432] deploy/database/rehearse.sh
# The service may keep selling: the rows are counted in the backup's snapshot, so any difference is a failure.
set -euo pipefail
: "${DATABASE_URL:?set DATABASE_URL, as for the service}"
here=$(cd "$(dirname "$0")" && pwd)
# postgresql://user:password@host:port, without the database and the parameters.
server=${REHEARSAL_SERVER:-$(echo "$DATABASE_URL" | sed -E 's#^([a-z]+://[^/]*).*#\1#')}
parameters=$(echo "$DATABASE_URL" | sed -nE 's#^[^?]*(\?.*)$#\1#p')
name=loyalty_rehearsal_$$
rehearsal=$server/$name$parameters
folder=$(mktemp -d)
sql() { psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 "$@"; }
trap 'sql --dbname "$server/postgres$parameters" --command "drop database if exists $name with (force)"; rm -rf "$folder"' EXIT

# One line per table.
count="select tablename || ' ' || (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %I.%I', schemaname, tablename), false, true, '')))[1]
  from pg_tables where schemaname = 'public' order by tablename;"

started=$SECONDS
# A snapshot lasts as long as its transaction, so run the backup inside it.
BACKUP_SH=$here/backup.sh FILE=$folder/backup sql --dbname "$DATABASE_URL" --set counted="$folder/counted" <<SQL
set idle_in_transaction_session_timeout = 0;
begin isolation level repeatable read, read only;
select pg_export_snapshot() as snapshot \\gset
\\setenv BACKUP_SNAPSHOT :snapshot
\\o :counted
$count
\\o
\\! "\$BACKUP_SH" "\$FILE"
SQL
sql --dbname "$server/postgres$parameters" --command "create database $name"
DATABASE_URL=$rehearsal "$here/restore.sh" "$folder/backup"
sql --dbname "$rehearsal" --command "$count" >"$folder/restored"
[ "$(wc -l <"$folder/counted")" = "$(wc -l <"$folder/restored")" ] || { echo "Tables are missing." >&2; exit 1; }
join "$folder/counted" "$folder/restored" | awk '{ printf "%-28s %10d %10d%s\n", $1, $2, $3, $3 != $2 ? "  ROW COUNTS DIFFER" : ""; differ += $3 != $2 } END { exit differ > 0 }'
echo "The restore succeeded. The rehearsal took $((SECONDS - started)) s."
