namespace LoyaltyService.IntegrationTests.Faults;

/// <summary>
/// One sale as the contract promises it, written down a second time and as short as can be: what each call must be answered, and how the
/// session then stands. PDI answers or it does not; in between a till sees only that points are not redeemed of which PDI has not heard.
/// </summary>
internal sealed class SaleModel
{
    private string? customer;
    private int? identifiedVersion;
    private SaleFinalize? intent;
    private bool isExpired;

    /// <summary>Null before the first identify.</summary>
    public string? Status { get; private set; }

    public int Version { get; private set; }

    public long Earned { get; private set; }

    public string? Failure { get; private set; }

    private bool IsOpen => Status is "pending" or "active" or "pending_finalization";

    public Expected Identify(string customerId, bool pdiAnswers)
    {
        if (Status is null)
        {
            (customer, Status, Version) = (customerId, "pending", 1);
            if (!pdiAnswers)
                return new Expected(202) { Status = "pending", Version = 1 };
            AnswerIdentify();
            return IdentifyAnswer() with { IsReplay = false };
        }

        if (customerId != customer)
            return Expected.Refused(422, "idempotency_key_reused");
        if (identifiedVersion is not null || Failure is "pdi_rejected")
            return IdentifyAnswer();
        if (Status is "failed" || (Status is "pending" && isExpired))
            return Expected.Refused(409, "invalid_state");
        return new Expected(202) { Status = "pending", Version = Version };
    }

    public Expected Calculate(decimal amount, bool pdiAnswers)
    {
        if (Status is null)
            return Expected.Refused(404, "session_not_found");
        if (isExpired || !IsOpen)
            return Expected.Refused(409, "invalid_state");
        Version++;
        Earned = Points(amount, identifiedVersion is null ? 1 : Rate());
        if (Status is "active")
            Status = "pending_finalization";
        return new Expected(200) { Version = Version, Earned = Earned, Source = pdiAnswers && identifiedVersion is not null ? "pdi" : "estimate" };
    }

    /// <param name="pdiIsReached">False where no call comes through to PDI, which then cannot have done it.</param>
    public Expected Finalize(SaleFinalize body, bool pdiAnswers, bool pdiIsReached)
    {
        if (Status is null)
            return Expected.Refused(404, "session_not_found");
        if (body.OtherTransaction)
            return Expected.Refused(400, "transaction_mismatch");
        if (Status is "finalized")
            return body == intent ? Receipt() with { IsReplay = true } : Expected.Refused(422, "idempotency_key_reused");
        if (Status is "finalizing")
            return body == intent ? new Expected(202) { Status = "finalizing", Version = Version } : Expected.Refused(409, "operation_in_progress");
        if (isExpired || !IsOpen)
            return Expected.Refused(409, "invalid_state");
        if (body.RedeemsTooMuch && identifiedVersion is null)
            return Expected.Refused(503, "pdi_unavailable");

        (Status, intent) = ("finalizing", body);
        Version++;
        if (body.RedeemsTooMuch && !pdiIsReached)
        {
            (Status, intent) = ("pending_finalization", null);
            Version++;
            return Expected.Refused(503, "pdi_unavailable");
        }

        if (!pdiAnswers || identifiedVersion is null)
            return new Expected(202) { Status = "finalizing", Version = Version };
        AnswerFinalize();
        return Status is "finalized" ? Receipt() : Expected.Refused(400, "pdi_rejected");
    }

    /// <summary>PDI is back, and all that waited for it is done.</summary>
    public void Settle()
    {
        if (identifiedVersion is null && Status is ("pending" or "finalizing"))
            AnswerIdentify();
        if (Status is "finalizing")
            AnswerFinalize();
    }

    /// <summary>The session's time runs out; nobody looks yet.</summary>
    public void Expire() => isExpired = Status is not null;

    /// <summary>The job that fails what is overdue has run.</summary>
    public void FailOverdue()
    {
        if (!isExpired || !IsOpen)
            return;
        (Status, Failure) = ("failed", "expired");
        Version++;
    }

    private void AnswerIdentify()
    {
        Version++;
        if (customer is "CUST-NOBODY")
            (Status, Failure) = ("failed", "pdi_rejected");
        else
            (Status, identifiedVersion) = (Status is "finalizing" ? "finalizing" : "active", Version);
    }

    private void AnswerFinalize()
    {
        Version++;
        if (intent!.RedeemsTooMuch)
            (Status, Failure, intent) = isExpired ? ("failed", "pdi_rejected", intent) : ("pending_finalization", null, null);
        else
            (Status, Earned) = ("finalized", intent.ApplyRewards ? Points(intent.Amount, Rate()) : 0);
    }

    private Expected IdentifyAnswer() => identifiedVersion is null
        ? Expected.Refused(400, "pdi_rejected") with { IsReplay = true }
        : new Expected(200) { Status = "active", Version = identifiedVersion, IsReplay = true };

    private Expected Receipt() => new(200) { Status = "finalized", Version = Version, Earned = Earned };

    private decimal Rate() => customer is "CUST-GOLD" ? 1.5m : 1;

    private static long Points(decimal amount, decimal rate) => decimal.ToInt64(decimal.Floor(amount * 2 * rate));
}

internal sealed record SaleFinalize(decimal Amount, bool ApplyRewards = true, bool RedeemsTooMuch = false, bool OtherTransaction = false);

/// <summary>What an answer must be; null where it says nothing of it.</summary>
internal sealed record Expected(int HttpStatus)
{
    public string? Code { get; init; }

    public string? Status { get; init; }

    public int? Version { get; init; }

    public long? Earned { get; init; }

    public string? Source { get; init; }

    public bool IsReplay { get; init; }

    public static Expected Refused(int httpStatus, string code) => new(httpStatus) { Code = code };
}
