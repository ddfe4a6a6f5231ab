using PdiSimulator.Calls;

namespace PdiSimulator.OAuth;

internal sealed class BearerFilter(AccessTokens tokens) : IEndpointFilter
{
    private const string Scheme = "Bearer ";

    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var header = context.HttpContext.Request.Headers.Authorization.ToString();

        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && tokens.IsGood(header[Scheme.Length..])
            ? next(context)
            : ValueTask.FromResult<object?>(Answer.InvalidToken());
    }
}
