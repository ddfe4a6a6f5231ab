using LoyaltyService.Privacy;

namespace LoyaltyService.Sessions;

/// <param name="Reason"><c>pdi_rejected</c>, <c>expired</c> or <c>resolved</c> (given up by an operator).</param>
/// <param name="PdiCode">PDI's code, where PDI refused.</param>
/// <param name="Message">PDI's message, where PDI refused; the operator's, where one resolved it.</param>
internal sealed record FailureResponse(string Reason, string? PdiCode, [property: Personal] string? Message) : RedactedRecord;
