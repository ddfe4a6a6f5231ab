using CsCheck;
using LoyaltyService.Configuration;

namespace LoyaltyService.Tests.Configuration;

public sealed class SmtpUrlTests
{
    [Theory]
    [InlineData("smtp://mail.example.com", "mail.example.com", 587, false, null, null)]
    [InlineData("smtps://mail.example.com/", "mail.example.com", 465, true, null, null)]
    [InlineData("SMTP://loyalty%40example.com:p%40ss%2F@mail.example.com:2525", "mail.example.com", 2525, false, "loyalty@example.com", "p@ss/")]
    [InlineData("smtps://u:a:b@[2001:db8::1]:25", "2001:db8::1", 25, true, "u", "a:b")]
    public void Omitted_parts_have_defaults(string url, string host, int port, bool ssl, string? user, string? password) =>
        Assert.Equal(new SmtpUrl(new HostPort(host, port), ssl, user, password), SmtpUrl.Parse(url).Value);

    [Theory]
    [InlineData("mail.example.com:25", "smtp://")]
    [InlineData("smtp://", "name a host")]
    [InlineData("smtp://user@mail.example.com", "user:password@")]
    [InlineData("smtp://user:@mail.example.com", "user:password@")]
    [InlineData("smtp://:secret@mail.example.com", "user:password@")]
    [InlineData("smtp://u:a@b@mail.example.com", "only one @")]
    [InlineData("smtp://u:%zz@mail.example.com", "hexadecimal")]
    [InlineData("smtp://mail.example.com?tls=no", "no parameters")]
    [InlineData("smtp://mail.example.com/in/box", "end with the host")]
    [InlineData("smtp://mail.example.com:x", "port from 1 to 65535")]
    public void An_error_states_the_mistake(string url, string expected) =>
        Assert.Contains(expected, Assert.Single(SmtpUrl.Parse(url).Problems).Description);

    [Theory]
    [InlineData("smtp://u:p@mail.example.com", true)]
    [InlineData("smtp://u:p@192.0.2.1", true)]
    [InlineData("smtp://u:p@localhost", false)]
    [InlineData("smtp://u:p@127.0.0.1", false)]
    [InlineData("smtp://u:p@[::1]", false)]
    [InlineData("smtp://mail.example.com", false)]
    public void A_password_requires_encryption_off_this_machine(string url, bool requiresTls) =>
        Assert.Equal(requiresTls, SmtpUrl.Parse(url).Value!.RequiresTls);

    [Fact]
    public void Any_text_yields_a_URL_or_one_error() => UrlText.Any.Sample(text =>
    {
        var parsed = SmtpUrl.Parse(text.Replace("redis", "smtp", StringComparison.Ordinal));

        if (parsed.Value is null)
            Assert.Single(parsed.Problems);
    }, iter: 20_000);

    [Fact]
    public void Percent_encoded_credentials_survive() =>
        Gen.Select(UnicodeText.Any, UnicodeText.Any).Where((user, password) => user.Length > 0 && password.Length > 0).Sample((user, password) =>
        {
            var url = SmtpUrl.Parse($"smtps://{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(password)}@mail.example.com").Value!;

            Assert.Equal((user, password), (url.User, url.Password));
        });

    [Fact]
    public void Sender_and_recipients_are_required_only_with_a_server()
    {
        Assert.Empty(Given.Read(Given.Development()).MailTo);
        Assert.Equal(
            ["MAIL_FROM", "MAIL_TO"], Given.ErrorsOf(Given.Development(("SMTP_URL", "smtp://mail.example.com"))).Select(error => error.Variable));
    }

    [Fact]
    public void Recipients_may_have_names_and_form_one_list()
    {
        var settings = Given.Read(Given.Development(
            ("SMTP_URL", "smtp://mail.example.com"), ("MAIL_FROM", "a@example.com"), ("MAIL_TO", "\"Call, On\" <b@example.com>, c@example.com")));

        Assert.Equal(["b@example.com", "c@example.com"], settings.MailTo.Select(to => to.Address));
    }

    [Theory]
    [InlineData("MAIL_TO", "ops", "such as")]
    [InlineData("MAIL_TO", ",", "such as")]
    [InlineData("MAIL_TO", "a@example.com\nBcc: b@example.com", "such as")]
    [InlineData("MAIL_TO", "friends: a@example.com, b@example.com;", "such as")]
    [InlineData("MAIL_FROM", "a@example.com, b@example.com", "at most 1 address")]
    public void An_invalid_address_is_refused(string name, string value, string expected) => Assert.Contains(expected, Given.ErrorOf(
        name,
        Given.Development(("SMTP_URL", "smtp://mail.example.com"), ("MAIL_FROM", "a@example.com"), ("MAIL_TO", "b@example.com"), (name, value))));
}
