using CsCheck;

namespace LoyaltyService.Tests.Configuration;

/// <summary>Generates inputs for parsers: arbitrary text, and text made of the tokens that the parsers look for.</summary>
internal static class UrlText
{
    private static readonly Gen<string> Piece = Gen.OneOf(
        Gen.OneOf(
            "postgresql://", "postgres://", "redis://", "rediss://", "sqlite:", "memory:", ":memory:", "://", ":", "/", "//", "@", "?", "&", "=",
            ",", "[", "]", "[::1]", "[fe80::1%25eth0]", "%", "%4", "%40", "%00", "%ff", "%C3%A9", "\0", "\n", " ", "\uD800", "é", "host", "5432",
            "0", "65536", "99999999999999999999", "sslmode=require", "sslrootcert=system", "connect_timeout=5", "options=-c%20a%3Db",
            "loyalty", "ops", "+", Given.HashA, "aa"),
        Gen.String[0, 5]);

    public static readonly Gen<string> Any = Gen.OneOf(
        Gen.String,
        Gen.Select(Gen.OneOf("", "postgresql://", "redis://", "till:loyalty:", "sqlite:"), Piece.Array[0, 12])
            .Select((start, pieces) => start + string.Concat(pieces)));
}
