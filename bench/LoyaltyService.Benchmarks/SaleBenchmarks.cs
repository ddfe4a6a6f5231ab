using System.Text.Json;
using BenchmarkDotNet.Attributes;
using LoyaltyService.Idempotency;
using LoyaltyService.Loyalty;
using LoyaltyService.Sessions;

namespace LoyaltyService.Benchmarks;

/// <summary>The CPU work of a sale, without I/O.</summary>
public class SaleBenchmarks
{
    private static readonly byte[] CalculateBody = """{"sessionId":"sess_0123456789abcdef0123456789abcdef","transactionAmount":150.00,"items":[{"sku":"SKU-001","qty":2}]}"""u8.ToArray();

    private readonly RewardCalculator calculator = new(new RewardRules { PointsPerCurrencyUnit = 2, Tiers = { ["Gold"] = new TierRule { BonusRate = 0.5m } } });
    private readonly FinalizeResponse receipt = new("sess_0123456789abcdef0123456789abcdef", "finalized", 450, 5450, "RCP-2025-001", 0, 5);
    private readonly CalculateRewardsRequest request = JsonSerializer.Deserialize(CalculateBody, LoyaltyJson.Wire.CalculateRewardsRequest)!;
    private readonly MemoryReplayCache replays = new(TimeProvider.System);
    private readonly ReplayKey key = new("finalize", Guid.NewGuid());

    [GlobalSetup]
    public void Remember() => replays.Remember(key, new Replay(Guid.NewGuid(), 200, 5, new byte[160]));

    [Benchmark(Description = "calculate the rewards")]
    public object Calculate() => calculator.Calculate(150.00m, "Gold");

    [Benchmark(Description = "look up a transition")]
    public bool Transition() => SessionTransitions.Allows(SessionStatus.Active, SessionEvent.Calculated);

    [Benchmark(Description = "JSON in: calculate-rewards")]
    public object ReadJson() => JsonSerializer.Deserialize(CalculateBody, LoyaltyJson.Wire.CalculateRewardsRequest)!;

    [Benchmark(Description = "JSON out: finalize")]
    public byte[] WriteJson() => JsonSerializer.SerializeToUtf8Bytes(receipt, LoyaltyJson.Wire.FinalizeResponse);

    [Benchmark(Description = "fingerprint of a request")]
    public Guid TakeFingerprint() => request.ToFingerprint();

    [Benchmark(Description = "look up a replay (in process)")]
    public bool FindReplay()
    {
        var replay = replays.FindAsync(key);
        return replay.IsCompletedSuccessfully;
    }
}
