using System.Text;
using CsCheck;

namespace LoyaltyService.Tests.Configuration;

/// <summary>Generates well-formed texts for percent-encoded parts of a URL: everything except control characters.</summary>
internal static class UnicodeText
{
    private static readonly Gen<string> Character = Gen.OneOf(
        Gen.Int[1, 0x7F], Gen.Int[1, 0xD7FF], Gen.Int[0xE000, 0x10FFFF])
        .Select(value => new Rune(value)).Where(rune => !Rune.IsControl(rune)).Select(rune => rune.ToString());

    public static readonly Gen<string> Any = Character.Array[1, 20].Select(string.Concat);
}
