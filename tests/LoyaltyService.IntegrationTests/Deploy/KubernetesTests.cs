using k8s;
using k8s.Models;
using LoyaltyService.Configuration;
using LoyaltyService.IntegrationTests.Infrastructure;
using LoyaltyService.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace LoyaltyService.IntegrationTests.Deploy;

/// <summary>The overlays as kubectl renders them, read strictly into the API's own types, and held to the brief and to the code.</summary>
public sealed class KubernetesTests
{
    // The manifest gives the port; who wants https in the pod mounts the files, and adds their paths.
    private static readonly string[] NotOfTheCluster = ["PORT", "HTTPS_CERTIFICATE", "HTTPS_KEY"];

    public static TheoryData<string> Overlays => ["development", "staging", "production"];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Every_manifest_is_one_that_the_cluster_understands_and_is_in_the_overlays_namespace(string overlay)
    {
        var manifests = await RenderAsync(overlay);

        string[] expected = ["ConfigMap", "Deployment", "Job", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount", "ServiceMonitor"];
        Assert.Equal(overlay == "production" ? [.. expected, "HorizontalPodAutoscaler"] : expected.AsEnumerable(), manifests.Select(manifest => manifest.Kind).Order().OrderBy(kind => kind == "HorizontalPodAutoscaler"));
        Assert.All(manifests, manifest => Assert.Equal($"loyalty-{overlay}", ((IKubernetesObject<V1ObjectMeta>)manifest).Metadata.NamespaceProperty));
    }

    [Fact]
    public void A_manifest_with_a_member_that_the_cluster_does_not_know_is_refused() => Assert.ThrowsAny<Exception>(() => Parse("""
        apiVersion: v1
        kind: Service
        metadata: { name: x }
        spec: { port: [] }
        """));

    [Theory]
    [InlineData("development", 1, "500m", "1", "512Mi", "1Gi", "2Gi")]
    [InlineData("staging", 2, "1", "2", "1Gi", "2Gi", "10Gi")]
    [InlineData("production", null, "2", "4", "2Gi", "4Gi", "50Gi")]
    public async Task Each_environment_has_what_the_brief_gives_it(string overlay, int? replicas, string cpu, string mostCpu, string memory, string mostMemory, string storage)
    {
        var deployment = One<V1Deployment>(await RenderAsync(overlay));
        var resources = deployment.Spec.Template.Spec.Containers.Single().Resources;

        Assert.Equal(replicas, deployment.Spec.Replicas);
        Assert.Equal((cpu, memory), ($"{resources.Requests["cpu"]}", $"{resources.Requests["memory"]}"));
        Assert.Equal((mostCpu, mostMemory, storage), ($"{resources.Limits["cpu"]}", $"{resources.Limits["memory"]}", $"{resources.Limits["ephemeral-storage"]}"));
    }

    [Fact]
    public async Task Before_any_overlay_the_container_is_the_briefs()
    {
        var container = Container(One<V1Deployment>(await RenderAsync("../base")));

        Assert.Equal(("500m", "512Mi", "2", "2Gi"), (
            $"{container.Resources.Requests["cpu"]}", $"{container.Resources.Requests["memory"]}",
            $"{container.Resources.Limits["cpu"].ToDecimal():0}", $"{container.Resources.Limits["memory"]}"));
        Assert.Equal((40, 30), (container.LivenessProbe.InitialDelaySeconds, container.LivenessProbe.PeriodSeconds));
        Assert.Equal((20, 10), (container.ReadinessProbe.InitialDelaySeconds, container.ReadinessProbe.PeriodSeconds));
    }

    [Fact]
    public async Task Production_scales_between_3_and_20_at_the_briefs_figures_and_keeps_all_but_one()
    {
        var manifests = await RenderAsync("production");
        var scaler = One<V2HorizontalPodAutoscaler>(manifests).Spec;

        Assert.Equal((3, 20), (scaler.MinReplicas, scaler.MaxReplicas));
        Assert.Equal([("cpu", 70), ("memory", 75)], scaler.Metrics.Select(metric => (metric.Resource.Name, metric.Resource.Target.AverageUtilization ?? 0)));
        Assert.Equal(One<V1Deployment>(manifests).Metadata.Name, scaler.ScaleTargetRef.Name);
        Assert.Equal("1", One<V1PodDisruptionBudget>(manifests).Spec.MaxUnavailable.Value);
    }

    [Fact]
    public async Task A_pod_runs_as_the_images_user_on_a_read_only_disk_and_has_time_to_end()
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
        // What the service's host gives to requests that are running.
        await using var app = await LoyaltyApp.StartAsync(Backend.Sqlite);
        var drain = app.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout.TotalSeconds;
        Assert.Equal(30, drain);
        Assert.True(spec.TerminationGracePeriodSeconds >= spec.Containers.Single().Lifecycle.PreStop.Sleep.Seconds + drain, "A pod is killed before it has drained.");
    }

    [Fact]
    public async Task A_release_takes_no_replica_away_before_its_successor_is_ready_and_spreads_them()
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
    public async Task The_job_migrates_tries_again_a_few_times_and_has_an_end()
    {
        var job = One<V1Job>(await RenderAsync("production")).Spec;

        Assert.Equal(["migrate"], job.Template.Spec.Containers.Single().Args);
        Assert.Equal(("Never", 3, 600L), (job.Template.Spec.RestartPolicy, job.BackoffLimit, job.ActiveDeadlineSeconds));
        // Who rolls a release out waits as long, and no longer.
        Assert.Contains($"wait --for=condition=complete --timeout={job.ActiveDeadlineSeconds / 60}m job/", Repository.ReadAllText("docs/operations.md"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Both_pods_reach_names_the_database_redis_PDI_mail_and_traces_and_nothing_else()
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
            // SMTP with TLS from the start, and after STARTTLS; OTLP by gRPC, and by http.
            465, 587, 4317, 4318,
        ];
        Assert.Equal(ports.Order(), policy.Egress[1].Ports.Select(port => int.Parse(port.Port.Value)).Order());
        Assert.All(policy.Egress[1].Ports, port => Assert.Null(port.Protocol));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Ports_probes_and_selectors_meet_each_other_and_the_service(string overlay)
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
        // Alerts and dashboards ask for the job by this name, which is the Service's.
        Assert.Equal("loyalty-service", service.Metadata.Name);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Its_environment_is_one_that_the_service_can_use(string overlay)
    {
        var manifests = await RenderAsync(overlay);
        var values = One<V1ConfigMap>(manifests).Data;
        var secrets = new Dictionary<string, string>
        {
            ["DATABASE_URL"] = "postgresql://loyalty:secret@db/loyalty",
            ["REDIS_URL"] = "rediss://:secret@cache",
            ["PDI_CLIENT_SECRET"] = "secret",
            ["API_KEYS"] = $"till:loyalty:{new string('a', 64)}",
            // The guide's: no mails.
            ["SMTP_URL"] = "",
        };

        foreach (var pod in new[] { One<V1Deployment>(manifests).Spec.Template.Spec, One<V1Job>(manifests).Spec.Template.Spec })
        {
            var container = pod.Containers.Single();
            Assert.Equal(One<V1ConfigMap>(manifests).Metadata.Name, container.EnvFrom.Single().ConfigMapRef.Name);
            var files = FilesOfTheSecret(pod);
            var given = values.Keys.Concat(files.Keys);
            Assert.Equal(EnvironmentVariables.All.Select(variable => variable.Name).Except(NotOfTheCluster).Order(), given.Order());
            // The Secret has the secrets, all of them, and what a pod is told by its definition has none: that is seen by whoever may look at it.
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
            // The Job does it.
            Assert.False(settings.AutoMigrate);
        }

        Assert.Equal($"loyalty-service:{Release.Version}", Container(One<V1Deployment>(manifests)).Image);
        Assert.Equal(Container(One<V1Deployment>(manifests)).Image, One<V1Job>(manifests).Spec.Template.Spec.Containers.Single().Image);
    }

    [Fact]
    public async Task Before_any_overlay_a_variable_has_its_default_but_for_what_a_cluster_needs()
    {
        var values = One<V1ConfigMap>(await RenderAsync("../base")).Data;

        var differing = EnvironmentVariables.All.Where(variable => values.TryGetValue(variable.Name, out var value) && value != (variable.Default ?? ""));
        Assert.Equal(["AUTO_MIGRATE", "PDI_API_URL", "PDI_CLIENT_ID"], differing.Select(variable => variable.Name).Order());
    }

    [Fact]
    public async Task The_connections_that_the_operations_page_reckons_with_are_those_of_the_code_and_the_manifests()
    {
        var manifests = await RenderAsync("production");
        var deployment = One<V1Deployment>(manifests).Spec;
        var scaler = One<V2HorizontalPodAutoscaler>(manifests).Spec;
        var each = new PostgresLimits().MaxConnections;
        var surge = int.Parse(deployment.Strategy.RollingUpdate.MaxSurge.Value);
        // A pod that ends counts for nobody, and keeps its connections as long as it may take. A release lets one go whenever a new one is
        // available, a node that is drained whenever a new one is ready, and the autoscaler when the last one has ended.
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
        // The others on the page, and some.
        Assert.Contains($"`max_connections = {(((scaler.MaxReplicas + surge + ending) * each) + 15 + 49) / 50 * 50}`", page, StringComparison.Ordinal);
    }

    /// <summary>The variables whose values a pod has in files of the Secret, each under its own name, and the files.</summary>
    private static Dictionary<string, string> FilesOfTheSecret(V1PodSpec pod)
    {
        var container = pod.Containers.Single();
        var (volume, mount) = (pod.Volumes.Single(), container.VolumeMounts.Single());
        // The whole folder follows the Secret; a single file of it (subPath) would not.
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

    /// <summary>The Prometheus Operator's, as far as it is used here; what is not here is refused.</summary>
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
