#!/usr/bin/env bash
# Builds and starts the service and the PDI simulator in one process, on one SQLite file. Needs only the .NET SDK.
# You can set PORT (3000), PDI_PORT (4010), LOCAL_DATA (data) and every variable of docs/configuration.md.
set -euo pipefail
cd "$(dirname "$0")"

command -v dotnet >/dev/null || {
  echo "The .NET SDK is missing: 'dotnet' is not on the PATH. Install version $(sed -n 's/.*"version": "\(.*\)".*/\1/p' global.json) from https://dotnet.microsoft.com/download." >&2
  exit 69
}

program=artifacts/bin/LoyaltyService.Local/release/LoyaltyService.Local.dll
# Skip an up-to-date build: its own check takes four seconds.
if [ ! -f "$program" ] || [ -n "$(find src ./*.props ./*.json .editorconfig BannedSymbols.txt -newer "$program" -print -quit)" ]; then
  dotnet build src/LoyaltyService.Local --configuration Release --verbosity quiet --nologo
  touch "$program"
fi
exec dotnet "$program"
