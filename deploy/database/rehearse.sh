#!/usr/bin/env bash
# Proves that a backup can be restored: backs the service's database up, restores it into a database of its own on the same server (or that of
# REHEARSAL_SERVER), checks the invariants there, counts the rows of both, and drops what it made.
#   DATABASE_URL=postgresql://… [REHEARSAL_SERVER=postgresql://user@host:5432] deploy/database/rehearse.sh
# The service may sell meanwhile: rows are counted as of the moment of the backup, so that one more or less is a failure.
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

# A line a table.
count="select tablename || ' ' || (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from %I.%I', schemaname, tablename), false, true, '')))[1]
  from pg_tables where schemaname = 'public' order by tablename;"

started=$SECONDS
# A snapshot lasts as long as its transaction, so the backup is made from within it.
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
join "$folder/counted" "$folder/restored" | awk '{ printf "%-28s %10d %10d%s\n", $1, $2, $3, $3 != $2 ? "  NOT THE SAME ROWS" : ""; differ += $3 != $2 } END { exit differ > 0 }'
echo "The backup can be restored; it took $((SECONDS - started)) s."
