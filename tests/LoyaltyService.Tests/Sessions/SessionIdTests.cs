using CsCheck;
using LoyaltyService.Sessions;

namespace LoyaltyService.Tests.Sessions;

public sealed class SessionIdTests
{
    private const string Known = "sess_0123456789abcdef0123456789abcdef";

    // Texts close to an id, and arbitrary ones.
    private static readonly Gen<string> AnyText = Gen.OneOf(
        Gen.String,
        Gen.String[0, 40].Select(rest => "sess_" + rest),
        Gen.Select(Gen.Int[0, Known.Length - 1], Gen.Char, (position, letter) => Known[..position] + letter + Known[(position + 1)..]));

    [Fact]
    public void An_id_is_a_prefix_and_32_hexadecimal_digits() =>
        Assert.Equal(Known, SessionId.Format(Guid.Parse("01234567-89ab-cdef-0123-456789abcdef")));

    [Fact]
    public void Every_id_round_trips() => Gen.Guid.Sample(id =>
    {
        Assert.True(SessionId.TryParse(SessionId.Format(id), out var read));
        Assert.Equal(id, read);
    });

    [Fact]
    public void New_ids_are_random_UUIDs()
    {
        var ids = Enumerable.Range(0, 1000).Select(_ => SessionId.New()).ToHashSet();

        Assert.Equal(1000, ids.Count);
        Assert.All(ids, id => Assert.Equal(4, id.Version));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("sess_")]
    [InlineData("0123456789abcdef0123456789abcdef")]
    [InlineData("sess_0123456789abcdef0123456789abcde")]
    [InlineData("sess_0123456789abcdef0123456789abcdef0")]
    [InlineData("sess_0123456789abcdef0123456789abcdeg")]
    [InlineData("sess_01234567-89ab-cdef-0123-456789abcdef")]
    [InlineData("sess_{0123456789abcdef0123456789abcdef}")]
    [InlineData(" sess_0123456789abcdef0123456789abcdef")]
    [InlineData("sess_0123456789abcdef0123456789abcdef\n")]
    [InlineData("sess_0123456789abcdef0123456789abcde\u0000")]
    [InlineData("SESS_0123456789abcdef0123456789abcdef")]
    public void Anything_else_is_refused(string? text) => Assert.False(SessionId.TryParse(text, out _));

    [Theory]
    [InlineData("sess_0123456789ABCDEF0123456789ABCDEF")]
    [InlineData("sess_0123456789Abcdef0123456789abcdef")]
    public void An_alternative_spelling_of_an_id_is_refused(string text) => Assert.False(SessionId.TryParse(text, out _));

    [Fact]
    public void Any_text_round_trips_or_is_refused() => AnyText.Sample(text =>
    {
        if (SessionId.TryParse(text, out var id))
            Assert.Equal(text, SessionId.Format(id));
    }, iter: 20_000);
}
