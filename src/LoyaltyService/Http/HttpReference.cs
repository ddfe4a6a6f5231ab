
namespace LoyaltyService.Http;

internal static class HttpReference
{
    public static void Describe(ApiDescription api)
    {
        api.ExampleProblem(Rejection.Validation("transactionId", "is required."));
        api.ExampleProblem(new(HttpErrors.Unauthenticated, "The request has no valid key and no valid token."));
        api.ExampleProblem(new(HttpErrors.Forbidden, "The caller does not have the scope of this route."));
        api.ExampleProblem(new(HttpErrors.OperationInProgress, "The session is being finalized with another body.")
        {
            SessionId = "sess_abc123",
            CurrentStatus = "finalizing",
            CurrentVersion = 3,
        });
        api.ExampleProblem(new(HttpErrors.BodyTooLarge, "The body has more than 64 KiB."));
        api.ExampleProblem(new(HttpErrors.UnsupportedMediaType, "The content type is \"text/plain\"."));
        api.ExampleProblem(new(HttpErrors.InternalError, "Something unexpected happened."));
    }
}
