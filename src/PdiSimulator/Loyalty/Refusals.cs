using PdiSimulator.Calls;

namespace PdiSimulator.Loyalty;

/// <summary>PDI's business refusals. Callers may rely on their codes.</summary>
internal static class Refusals
{
    public static Answer UnknownCustomer(string customerId) =>
        Answer.Refused(StatusCodes.Status404NotFound, "UNKNOWN_CUSTOMER", $"There is no customer '{customerId}'.");

    public static Answer SessionNotFound(string pdiSessionId) =>
        Answer.Refused(StatusCodes.Status404NotFound, "SESSION_NOT_FOUND", $"There is no session '{pdiSessionId}'.");

    public static Answer SessionClosed(Session session) =>
        Answer.Refused(StatusCodes.Status409Conflict, "SESSION_CLOSED", $"The session is {session.Status}.");

    public static Answer TransactionMismatch() =>
        Answer.Refused(StatusCodes.Status409Conflict, "TRANSACTION_MISMATCH", "The session belongs to another transaction.");

    public static Answer InsufficientPoints(long asked, long balance) => Answer.Refused(
        StatusCodes.Status422UnprocessableEntity, "INSUFFICIENT_POINTS", $"Cannot redeem {asked} points; the balance is {balance}.");

    public static Answer InvalidAmount(string member) => Answer.Refused(
        StatusCodes.Status400BadRequest, "INVALID_AMOUNT", $"{member} must not be negative; money must be at most {Rewards.MaxAmount:0}.");

    public static Answer KeyReused() => Answer.Refused(
        StatusCodes.Status422UnprocessableEntity, "IDEMPOTENCY_KEY_REUSED", "The Idempotency-Key was used with a different body.");

    public static Answer KeyMissing() =>
        Answer.Refused(StatusCodes.Status400BadRequest, "IDEMPOTENCY_KEY_REQUIRED", "The Idempotency-Key header is missing or too long.");
}
