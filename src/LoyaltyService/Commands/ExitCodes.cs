namespace LoyaltyService.Commands;

/// <summary>The codes of sysexits.h. 78 is <see cref="Configuration.ConfigurationException.ExitCode"/>.</summary>
internal static class ExitCodes
{
    /// <summary>A check failed.</summary>
    public const int Failed = 1;

    public const int Usage = 64;
    public const int Unavailable = 69;
    public const int Software = 70;
    public const int TryAgain = 75;
}
