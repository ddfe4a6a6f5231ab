#!/usr/bin/env bash
# Writes the service's database to a file, as it is at one moment; the service goes on meanwhile.
#   DATABASE_URL=postgresql://… deploy/database/backup.sh FILE
# BACKUP_SNAPSHOT, if it is set, is the moment: what pg_export_snapshot() says in a transaction that stays open meanwhile.
# The file holds the sales of customers: keep it as the database is kept.
set -euo pipefail
file=${1:?usage: DATABASE_URL=postgresql://… deploy/database/backup.sh FILE}
: "${DATABASE_URL:?give DATABASE_URL, as for the service}"
umask 077
# Whole or not at all: a dump that breaks off does not take the place of the last one.
pg_dump --dbname "$DATABASE_URL" --format custom --no-owner --no-privileges ${BACKUP_SNAPSHOT:+--snapshot="$BACKUP_SNAPSHOT"} --file "$file.part"
mv "$file.part" "$file"
echo "$file: $(stat -c %s "$file") bytes"
