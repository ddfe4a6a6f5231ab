using k8s;
using k8s.Models;
using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>Renders the overlays with kubectl, parses them strictly into the API's types, and compares them with the requirements and the code.</summary>
public sealed class KubernetesTests
{
    // The manifest sets the port. For https in the pod, mount the files and add their paths.
    private static readonly string[] NotOfTheCluster = ["PORT", "HTTPS_CERTIFICATE", "HTTPS_KEY"];

    public static TheoryData<string> Overlays => ["development", "staging", "production"];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Every_manifest_is_valid_and_in_the_overlays_namespace(string overlay)
    {
        var manifests = await RenderAsync(overlay);

        string[] expected = ["ConfigMap", "Deployment", "Job", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount", "ServiceMonitor"];
        Assert.Equal(overlay == "production" ? [.. expected, "HorizontalPodAutoscaler"] : expected.AsEnumerable(), manifests.Select(manifest => manifest.Kind).Order().OrderBy(kind => kind == "HorizontalPodAutoscaler"));
        Assert.All(manifests, manifest => Assert.Equal($"loyalty-{overlay}", ((IKubernetesObject<V1ObjectMeta>)manifest).Metadata.NamespaceProperty));
    }

    [Fact]
    public void An_unknown_member_in_a_manifest_is_refused() => Assert.ThrowsAny<Exception>(() => Parse("""
        apiVersion: v1
        kind: Service
        metadata: { name: x }
        spec: { port: [] }
        """));

    [Theory]
    [InlineData("development", 1, "500m", "1", "512Mi", "1Gi", "2Gi")]
    [InlineData("staging", 2, "1", "2", "1Gi", "2Gi", "10Gi")]
    [InlineData("production", null, "2", "4", "2Gi", "4Gi", "50Gi")]
    public async Task Each_environment_has_its_required_values(string overlay, int? replicas, string cpu, string mostCpu, string memory, string mostMemory, string storage)
    {
        var deployment = One<V1Deployment>(await RenderAsync(overlay));
        var resources = deployment.Spec.Template.Spec.Containers.Single().Resources;

        Assert.Equal(replicas, deployment.Spec.Replicas);
        Assert.Equal((cpu, memory), ($"{resources.Requests["cpu"]}", $"{resources.Requests["memory"]}"));
        Assert.Equal((mostCpu, mostMemory, storage), ($"{resources.Limits["cpu"]}", $"{resources.Limits["memory"]}", $"{resources.Limits["ephemeral-storage"]}"));
    }

    [Fact]
    public async Task The_base_container_has_the_required_values()
    {
        var container = Container(One<V1Deployment>(await RenderAsync("../base")));

        Assert.Equal(("500m", "512Mi", "2", "2Gi"), (
            $"{container.Resources.Requests["cpu"]}", $"{container.Resources.Requests["memory"]}",
            $"{container.Resources.Limits["cpu"].ToDecimal():0}", $"{container.Resources.Limits["memory"]}"));
        Assert.Equal((40, 30), (container.LivenessProbe.InitialDelaySeconds, container.LivenessProbe.PeriodSeconds));
        Assert.Equal((20, 10), (container.ReadinessProbe.InitialDelaySeconds, container.ReadinessProbe.PeriodSeconds));
    }

    [Fact]
    public async Task Production_scales_from_3_to_20_and_keeps_all_but_one()
    {
        var manifests = await RenderAsync("production");
        var scaler = One<V2HorizontalPodAutoscaler>(manifests).Spec;

        Assert.Equal((3, 20), (scaler.MinReplicas, scaler.MaxReplicas));
        Assert.Equal([("cpu", 70), ("memory", 75)], scaler.Metrics.Select(metric => (metric.Resource.Name, metric.Resource.Target.AverageUtilization ?? 0)));
        Assert.Equal(One<V1Deployment>(manifests).Metadata.Name, scaler.ScaleTargetRef.Name);
        Assert.Equal("1", One<V1PodDisruptionBudget>(manifests).Spec.MaxUnavailable.Value);
    }

    [Fact]
    public async Task A_pod_runs_unprivileged_on_a_read_only_disk_with_time_to_drain()
    {
        var image = Dockerfile.Parse(Repository.ReadAllText("Dockerfile")).Stages[1];
        var manifests = await RenderAsync("production");
        foreach (var pod in new[] { One<V1Deployment>(manifests).Spec.Template.Spec, One<V1Job>(manifests).Spec.Template.Spec })
        {
            var security = pod.Containers.Single().SecurityContext;
            Assert.Equal((true, image.The("USER")), (pod.SecurityContext.RunAsNonRoot, $"{pod.SecurityContext.RunAsUser}:{pod.SecurityContext.RunAsGroup}"));
            Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
            Assert.Equal((true, false), (security.ReadOnlyRootFilesystem, security.AllowPrivilegeEscalation));
            Assert.Equal(["ALL"], security.Capabilities.Drop);
            Assert.False(pod.AutomountServiceAccountToken);
        }

        var spec = One<V1Deployment>(manifests).Spec.Template.Spec;
        // The host's shutdown timeout for requests in flight.
        await using var app = await LoyaltyApp.StartAsync(Backend.Sqlite);
        var drain = app.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout.TotalSeconds;
        Assert.Equal(30, drain);
        Assert.True(spec.TerminationGracePeriodSeconds >= spec.Containers.Single().Lifecycle.PreStop.Sleep.Seconds + drain, "A pod is killed before it has drained.");
    }

    [Fact]
    public async Task A_rollout_keeps_replicas_until_successors_are_ready_and_spreads_them()
    {
        var deployment = One<V1Deployment>(await RenderAsync("production")).Spec;

        Assert.Equal(("RollingUpdate", "1", "0"), (deployment.Strategy.Type, deployment.Strategy.RollingUpdate.MaxSurge.Value, deployment.Strategy.RollingUpdate.MaxUnavailable.Value));
        Assert.Equal(deployment.Template.Spec.Containers.Single().ReadinessProbe.PeriodSeconds, deployment.MinReadySeconds);
        Assert.Equal(["kubernetes.io/hostname", "topology.kubernetes.io/zone"], deployment.Template.Spec.TopologySpreadConstraints.Select(constraint => constraint.TopologyKey));
        Assert.All(deployment.Template.Spec.TopologySpreadConstraints, constraint =>
        {
            Assert.Equal((1, "ScheduleAnyway"), (constraint.MaxSkew, constraint.WhenUnsatisfiable));
            Assert.Equal(deployment.Selector.MatchLabels, constraint.LabelSelector.MatchLabels);
        });
    }

    [Fact]
    public async Task The_migration_job_retries_a_few_times_and_has_a_deadline()
    {
        var job = One<V1Job>(await RenderAsync("production")).Spec;

        Assert.Equal(["migrate"], job.Template.Spec.Containers.Single().Args);
        Assert.Equal(("Never", 3, 600L), (job.Template.Spec.RestartPolicy, job.BackoffLimit, job.ActiveDeadlineSeconds));
        // The rollout waits for the job's deadline and no longer.
        Assert.Contains($"wait --for=condition=complete --timeout={job.ActiveDeadlineSeconds / 60}m job/", Repository.ReadAllText("docs/operations.md"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Both_pods_reach_only_their_dependencies()
    {
        var manifests = await RenderAsync("production");
        var policy = One<V1NetworkPolicy>(manifests).Spec;

        Assert.Equal(
            [One<V1Deployment>(manifests).Spec.Template.Metadata.Labels["app"], One<V1Job>(manifests).Spec.Template.Metadata.Labels["app"]],
            policy.PodSelector.MatchExpressions.Single().Values);
        Assert.Equal(["Ingress", "Egress"], policy.PolicyTypes);
        Assert.Equal(2, policy.Egress.Count);
        Assert.Equal("kube-dns", policy.Egress[0].To.Single().PodSelector.MatchLabels["k8s-app"]);
        Assert.Equal([("53", "UDP"), ("53", "TCP")], policy.Egress[0].Ports.Select(port => (port.Port.Value, port.Protocol)));
        Assert.Null(policy.Egress[1].To);
        int[] ports =
        [
            5432, 6379, new Uri(One<V1ConfigMap>(manifests).Data["PDI_API_URL"]).Port,
            // SMTP with implicit TLS and with STARTTLS; OTLP over gRPC and over HTTP.
            465, 587, 4317, 4318,
        ];
        Assert.Equal(ports.Order(), policy.Egress[1].Ports.Select(port => int.Parse(port.Port.Value)).Order());
        Assert.All(policy.Egress[1].Ports, port => Assert.Null(port.Protocol));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Ports_probes_and_selectors_match_the_service(string overlay)
    {
        var manifests = await RenderAsync(overlay);
        var deployment = One<V1Deployment>(manifests);
        var container = Container(deployment);
        var service = One<V1Service>(manifests);
        var labels = deployment.Spec.Template.Metadata.Labels;

        Assert.Equal(EnvironmentVariables.Port.Default, $"{container.Ports.Single().ContainerPort}");
        Assert.Equal(("/health/live", "/health/ready"), (container.LivenessProbe.HttpGet.Path, container.ReadinessProbe.HttpGet.Path));
        Assert.All([container.LivenessProbe, container.ReadinessProbe], probe => Assert.Equal(container.Ports.Single().Name, probe.HttpGet.Port.Value));
        Assert.Equal((container.Ports.Single().Name, "None"), (service.Spec.Ports.Single().TargetPort.Value, service.Spec.SessionAffinity));
        foreach (var selector in new[] { deployment.Spec.Selector.MatchLabels, service.Spec.Selector, One<V1PodDisruptionBudget>(manifests).Spec.Selector.MatchLabels })
            Assert.All(selector, label => Assert.Equal(label.Value, labels[label.Key]));
        Assert.Contains(labels["app"], One<V1NetworkPolicy>(manifests).Spec.PodSelector.MatchExpressions.Single().Values);
        Assert.Contains(One<V1NetworkPolicy>(manifests).Spec.Ingress.Single().Ports, port => port.Port.Value == $"{container.Ports.Single().ContainerPort}");

        var monitor = One<ServiceMonitor>(manifests).Spec;
        Assert.All(monitor.Selector.MatchLabels, label => Assert.Equal(label.Value, service.Metadata.Labels[label.Key]));
        Assert.Equal((service.Spec.Ports.Single().Name, "/metrics"), (monitor.Endpoints.Single().Port, monitor.Endpoints.Single().Path));
        // Alerts and dashboards query the job by the Service's name.
        Assert.Equal("loyalty-service", service.Metadata.Name);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Its_environment_is_a_valid_configuration(string overlay)
    {
        var manifests = await RenderAsync(overlay);
        var values = One<V1ConfigMap>(manifests).Data;
        var secrets = new Dictionary<string, string>
        {
            ["DATABASE_URL"] = "postgresql://loyalty:secret@db/loyalty",
            ["REDIS_URL"] = "rediss://:secret@cache",
            ["PDI_CLIENT_SECRET"] = "secret",
            ["API_KEYS"] = $"till:loyalty:{new string('a', 64)}",
            // As in the deployment guide: no mails.
            ["SMTP_URL"] = "",
        };

        foreach (var pod in new[] { One<V1Deployment>(manifests).Spec.Template.Spec, One<V1Job>(manifests).Spec.Template.Spec })
        {
            var container = pod.Containers.Single();
            Assert.Equal(One<V1ConfigMap>(manifests).Metadata.Name, container.EnvFrom.Single().ConfigMapRef.Name);
            var files = FilesOfTheSecret(pod);
            var given = values.Keys.Concat(files.Keys);
            Assert.Equal(EnvironmentVariables.All.Select(variable => variable.Name).Except(NotOfTheCluster).Order(), given.Order());
            // All secrets are in the Secret, and none in the pod's definition, which more people can read.
            Assert.Equal(EnvironmentVariables.All.Where(variable => variable.IsSecret).Select(variable => variable.Name).Order(), files.Keys.Order());
            var environment = new Dictionary<string, string>(values);
            foreach (var (name, file) in files)
                environment[name + "_FILE"] = file;
            var settings = Read(environment, secrets);
            Assert.Null(settings.Smtp);
            var mailing = Read(
                new(environment) { ["MAIL_FROM"] = "loyalty@example.com", ["MAIL_TO"] = "ops@example.com" },
                new(secrets) { ["SMTP_URL"] = "smtps://loyalty:secret@mail" });
            Assert.Equal("mail", mailing.Smtp!.Server.Host);
            Assert.Equal(overlay == "development" ? AppEnvironment.Development : AppEnvironment.Production, settings.Environment);
            // The Job migrates.
            Assert.False(settings.AutoMigrate);
        }

        Assert.Equal($"loyalty-service:{Release.Version}", Container(One<V1Deployment>(manifests)).Image);
        Assert.Equal(Container(One<V1Deployment>(manifests)).Image, One<V1Job>(manifests).Spec.Template.Spec.Containers.Single().Image);
    }

    [Fact]
    public async Task Base_variables_have_defaults_except_for_cluster_settings()
    {
        var values = One<V1ConfigMap>(await RenderAsync("../base")).Data;

        var differing = EnvironmentVariables.All.Where(variable => values.TryGetValue(variable.Name, out var value) && value != (variable.Default ?? ""));
        Assert.Equal(["AUTO_MIGRATE", "PDI_API_URL", "PDI_CLIENT_ID"], differing.Select(variable => variable.Name).Order());
    }

    [Fact]
    public async Task The_documented_connection_budget_matches_code_and_manifests()
    {
        var manifests = await RenderAsync("production");
        var deployment = One<V1Deployment>(manifests).Spec;
        var scaler = One<V2HorizontalPodAutoscaler>(manifests).Spec;
        var each = new PostgresLimits().MaxConnections;
        var surge = int.Parse(deployment.Strategy.RollingUpdate.MaxSurge.Value);
        // A terminating pod is not counted, but keeps its connections until it ends. A rollout ends a pod when a new one is available, a node
        // drain when a new one is ready, and the autoscaler when the last one has ended.
        var ends = (double)deployment.Template.Spec.TerminationGracePeriodSeconds!;
        var ready = deployment.Template.Spec.Containers.Single().ReadinessProbe.InitialDelaySeconds!.Value;
        var ofRelease = (int)Math.Ceiling(ends / (ready + deployment.MinReadySeconds!.Value));
        var ofNodes = (int)Math.Ceiling(ends / ready) * int.Parse(One<V1PodDisruptionBudget>(manifests).Spec.MaxUnavailable.Value);
        var ofScaler = scaler.Behavior.ScaleDown.Policies.Single();
        Assert.True(ofScaler.PeriodSeconds >= ends);
        var ending = ofRelease + ofNodes + ofScaler.Value;
        var page = Repository.ReadAllText("docs/operations.md");

        Assert.Contains($"({scaler.MaxReplicas} + {surge} + {ending}) × {each} connections = {(scaler.MaxReplicas + surge + ending) * each}", page, StringComparison.Ordinal);
        Assert.Contains($"({scaler.MinReplicas} + {surge} + {ending}) × {each} = {(scaler.MinReplicas + surge + ending) * each}", page, StringComparison.Ordinal);
        // The page's other clients, and a reserve.
        Assert.Contains($"`max_connections = {(((scaler.MaxReplicas + surge + ending) * each) + 15 + 49) / 50 * 50}`", page, StringComparison.Ordinal);
    }

    /// <summary>The variables that a pod reads from files of the Secret, with their files.</summary>
    private static Dictionary<string, string> FilesOfTheSecret(V1PodSpec pod)
    {
        var container = pod.Containers.Single();
        var (volume, mount) = (pod.Volumes.Single(), container.VolumeMounts.Single());
        // A mounted folder follows changes of the Secret; a subPath mount does not.
        Assert.Equal((volume.Name, true, null), (mount.Name, mount.ReadOnlyProperty, mount.SubPath));
        Assert.True(pod.InitContainers is null && container.Args is null or ["migrate"] && container.Command is null);
        Assert.All(container.Env, variable => Assert.True(variable.ValueFrom is null && variable.Name.EndsWith("_FILE", StringComparison.Ordinal), variable.Name));
        var files = container.Env.ToDictionary(variable => variable.Name[..^"_FILE".Length], variable => variable.Value);
        Assert.Equal(
            files.Select(file => (file.Key, file.Value)).Order(),
            volume.Secret.Items.Select(item => (item.Key, Path.Combine(mount.MountPath, item.Path))).Order());
        return files;
    }

    private static Settings Read(Dictionary<string, string> environment, Dictionary<string, string> secrets) =>
        SettingsReader.Read(ConfigurationModule.Environment(environment.GetValueOrDefault), file => secrets[Path.GetFileName(file)]);

    private static V1Container Container(V1Deployment deployment) => deployment.Spec.Template.Spec.Containers.Single();

    private static T One<T>(IReadOnlyList<IKubernetesObject> manifests) => manifests.OfType<T>().Single();

    private static async Task<IReadOnlyList<IKubernetesObject>> RenderAsync(string overlay) =>
        Parse((await Ran.ToItsEndAsync("kubectl", ["kustomize", Repository.PathOf($"deploy/kubernetes/overlays/{overlay}")])).Succeeded());

    private static IReadOnlyList<IKubernetesObject> Parse(string manifests) => [.. KubernetesYaml
        .LoadAllFromString(manifests, new Dictionary<string, Type> { ["monitoring.coreos.com/v1/ServiceMonitor"] = typeof(ServiceMonitor) }, strict: true)
        .Cast<IKubernetesObject>()];

    /// <summary>The Prometheus Operator's types, as far as used here. Unknown members are refused.</summary>
    public sealed class ServiceMonitor : IKubernetesObject<V1ObjectMeta>
    {
        public string ApiVersion { get; set; } = "";

        public string Kind { get; set; } = "";

        public V1ObjectMeta Metadata { get; set; } = new();

        public ServiceMonitorSpec Spec { get; set; } = new();
    }

    public sealed class ServiceMonitorSpec
    {
        public V1LabelSelector Selector { get; set; } = new();

        public IList<ServiceMonitorEndpoint> Endpoints { get; set; } = [];
    }

    public sealed class ServiceMonitorEndpoint
    {
        public string Port { get; set; } = "";

        public string Path { get; set; } = "";

        public string Interval { get; set; } = "";
    }
}
