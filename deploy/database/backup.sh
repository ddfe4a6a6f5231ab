#!/usr/bin/env bash
# Writes a consistent snapshot of the service's database to a file. The service keeps running.
#   DATABASE_URL=postgresql://… deploy/database/backup.sh FILE
# BACKUP_SNAPSHOT selects a snapshot: the result of pg_export_snapshot() in a transaction that stays open.
# The file holds customers' sales: protect it like the database.
set -euo pipefail
file=${1:?usage: DATABASE_URL=postgresql://… deploy/database/backup.sh FILE}
: "${DATABASE_URL:?set DATABASE_URL, as for the service}"
umask 077
# Write to a temporary name, so that a failed dump does not replace the last good one.
pg_dump --dbname "$DATABASE_URL" --format custom --no-owner --no-privileges ${BACKUP_SNAPSHOT:+--snapshot="$BACKUP_SNAPSHOT"} --file "$file.part"
mv "$file.part" "$file"
echo "$file: $(stat -c %s "$file") bytes"
