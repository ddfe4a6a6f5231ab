namespace LoyaltyService.Storage;

/// <summary>
/// An error message as the database can store it. It may quote what a remote server sent: PostgreSQL accepts neither NUL nor half a surrogate pair
/// in a text, and a message of a megabyte helps no reader.
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
