namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>Tests that put the machine under load: they run after the others, one at a time, so that none disturbs another's clock.</summary>
[CollectionDefinition(nameof(RunsAlone), DisableParallelization = true)]
public sealed class RunsAlone;
