namespace LoyaltyService.Commands;

/// <summary>As in sysexits.h; 78 is <see cref="Configuration.ConfigurationException.ExitCode"/>.</summary>
internal static class ExitCodes
{
    /// <summary>What was looked at is not as it should be.</summary>
    public const int Failed = 1;

    public const int Usage = 64;
    public const int Unavailable = 69;
    public const int Software = 70;
    public const int TryAgain = 75;
}
