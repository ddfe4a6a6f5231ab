using LoyaltyService.IntegrationTests.Faults;
using LoyaltyService.IntegrationTests.Infrastructure;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(CrashesFirst))]

namespace LoyaltyService.IntegrationTests.Infrastructure;

/// <summary>What crashes and waits takes longest: begun first, it does not keep the others waiting at the end. What looks at all of them comes last.</summary>
public sealed class CrashesFirst : ITestCollectionOrderer
{
    private static readonly string Crashes = typeof(KillRequestTests).Namespace + ".";

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections
            .OrderBy(static collection => !collection.TestCollectionDisplayName.Contains(Crashes, StringComparison.Ordinal))
            .ThenBy(static collection => collection.TestCollectionDisplayName == nameof(AtTheEnd))];
}
