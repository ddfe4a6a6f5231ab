namespace LoyaltyService.Storage;

/// <summary>
/// What went wrong, as it can be stored. A message may quote what a server on the other side sent: PostgreSQL takes no NUL in a text, and no
/// half of a surrogate pair, and nobody reads a row of a megabyte.
/// </summary>
internal static class ErrorText
{
    public const int MaxLength = 1000;

    public static string Of(Exception exception)
    {
        var message = exception.Message.Length <= MaxLength ? exception.Message : exception.Message[..MaxLength];
        return string.Create(message.Length, message, static (stored, message) =>
        {
            for (var i = 0; i < message.Length; i++)
                stored[i] = char.IsControl(message[i]) || IsHalf(message, i) ? '\uFFFD' : message[i];
        });
    }

    private static bool IsHalf(string text, int at) =>
        char.IsSurrogate(text[at]) && !char.IsSurrogatePair(text, at) && (at == 0 || !char.IsSurrogatePair(text, at - 1));
}
