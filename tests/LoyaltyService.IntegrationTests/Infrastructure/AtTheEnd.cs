namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>A test of what all the others have done: it runs when they are over. A fixture that fails at the end would fail each of them.</summary>
[CollectionDefinition(nameof(AtTheEnd), DisableParallelization = true)]
public sealed class AtTheEnd;
