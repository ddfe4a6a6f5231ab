# The production image: the published service on .NET's runtime, without a shell, a package manager or the simulator.
#   docker build --build-arg COMMIT=$(git rev-parse HEAD) --tag loyalty-service:0.1.0 .
#   docker run --read-only --cap-drop ALL --env-file .env --volume ./secrets:/run/secrets:ro --publish 3000:3000 loyalty-service:0.1.0
# Secrets are files (DATABASE_URL_FILE=/run/secrets/database-url): what is in .env anybody sees who may inspect the container.
# A test carries out the COPY and RUN lines of the first stage as they stand here, and starts what they make under the ENV, USER,
# ENTRYPOINT and HEALTHCHECK of the second.

FROM mcr.microsoft.com/dotnet/sdk:10.0.401-noble AS build
WORKDIR /source
# What a restore needs, and no more: packages are fetched again only when one of these changes.
COPY global.json nuget.config Directory.Build.props Directory.Packages.props ./
COPY src/LoyaltyService/LoyaltyService.csproj src/LoyaltyService/packages.lock.json src/LoyaltyService/
RUN dotnet restore src/LoyaltyService --runtime linux-x64 --locked-mode -p:PublishReadyToRun=true
COPY .editorconfig BannedSymbols.txt ./
COPY src/LoyaltyService src/LoyaltyService
ARG COMMIT=unknown
# ReadyToRun (the project file): compiled ahead. Without the analyzers: what is built here has been through them in ./test.sh.
RUN dotnet publish src/LoyaltyService --configuration Release --runtime linux-x64 --no-restore -p:SourceRevisionId=$COMMIT -p:RunAnalyzers=false

# Chiseled: glibc and .NET, a user named app, and nothing to log in to.
FROM mcr.microsoft.com/dotnet/aspnet:10.0.12-noble-chiseled
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="loyalty-service" \
      org.opencontainers.image.description="The service between tills and PDI" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$COMMIT"
WORKDIR /app
COPY --from=build /source/artifacts/publish/LoyaltyService/release_linux-x64 .
# Without diagnostics .NET opens no socket in /tmp, and writes nothing at all: the root file system may be read-only. The base image's ports are not ours.
ENV NODE_ENV=production PORT=3000 DOTNET_EnableDiagnostics=0 ASPNETCORE_HTTP_PORTS=
USER 1654:1654
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=10s --start-period=40s --retries=3 CMD ["/app/LoyaltyService", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/LoyaltyService"]
