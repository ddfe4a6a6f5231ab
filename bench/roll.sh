#!/usr/bin/env bash
# Restarts three replicas behind haproxy one after the other, under load and at haproxy's check interval of 10 s, and kills one at the end.
#   TEST_POSTGRES_URL=… TEST_REDIS_URL=… bench/roll.sh [ROUNDS=10]
set -euo pipefail
cd "$(dirname "$0")/.."
: "${TEST_POSTGRES_URL:?set it, for example to postgresql://loyalty@127.0.0.1:5432/postgres}" "${TEST_REDIS_URL:?set it, for example to redis://127.0.0.1:6379}"
dotnet build tests/LoyaltyService.IntegrationTests --configuration Test --verbosity quiet --nologo
ROLL_ROUNDS=${1:-10} dotnet test --no-build --configuration Test --project tests/LoyaltyService.IntegrationTests --filter-class '*RollingRestartTests' --output Detailed --show-stdout All
