namespace LoyaltyService.Configuration;

internal enum AppEnvironment
{
    Development,
    Test,
    Production,
}
