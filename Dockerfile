# The production image: the service on the .NET runtime, without a shell, a package manager or the simulator.
#   docker build --build-arg COMMIT=$(git rev-parse HEAD) --tag loyalty-service:0.1.0 .
#   docker run --read-only --cap-drop ALL --env-file .env --volume ./secrets:/run/secrets:ro --publish 3000:3000 loyalty-service:0.1.0
# Pass secrets as files (DATABASE_URL_FILE=/run/secrets/database-url): inspecting the container reveals .env.
# A test runs the COPY and RUN lines of the first stage, and starts the result with the ENV, USER, ENTRYPOINT and HEALTHCHECK of the second.

FROM mcr.microsoft.com/dotnet/sdk:10.0.401-noble AS build
WORKDIR /source
# Only the files that a restore needs, so that packages are fetched again only when one of them changes.
COPY global.json nuget.config Directory.Build.props Directory.Packages.props ./
COPY src/LoyaltyService/LoyaltyService.csproj src/LoyaltyService/packages.lock.json src/LoyaltyService/
RUN dotnet restore src/LoyaltyService --runtime linux-x64 --locked-mode -p:PublishReadyToRun=true
COPY .editorconfig BannedSymbols.txt ./
COPY src/LoyaltyService src/LoyaltyService
ARG COMMIT=unknown
# The project file sets ReadyToRun (compiled ahead of time). ./test.sh has already run the analyzers.
RUN dotnet publish src/LoyaltyService --configuration Release --runtime linux-x64 --no-restore -p:SourceRevisionId=$COMMIT -p:RunAnalyzers=false

# Chiseled: glibc, .NET and a user named app, without a shell.
FROM mcr.microsoft.com/dotnet/aspnet:10.0.12-noble-chiseled
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="loyalty-service" \
      org.opencontainers.image.description="The service between tills and PDI" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$COMMIT"
WORKDIR /app
COPY --from=build /source/artifacts/publish/LoyaltyService/release_linux-x64 .
# Without diagnostics .NET writes no file, not even a socket in /tmp, so the root file system can be read-only. PORT replaces the base image's ports.
ENV NODE_ENV=production PORT=3000 DOTNET_EnableDiagnostics=0 ASPNETCORE_HTTP_PORTS=
USER 1654:1654
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=10s --start-period=40s --retries=3 CMD ["/app/LoyaltyService", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/LoyaltyService"]
