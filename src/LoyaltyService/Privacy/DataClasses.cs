using Microsoft.Extensions.Compliance.Classification;

namespace LoyaltyService.Privacy;

/// <summary>
/// Classes of data that must not leak. Members that hold such data are marked, and printed records omit them. A test checks that every text in a record and
/// every parameter of a log line is either marked or listed as harmless.
/// </summary>
internal static class DataClasses
{
    private const string Taxonomy = "loyalty-service";

    /// <summary>The customer's id at PDI. In logs, traces and metrics it appears only as the member <c>customerId</c> of a log line.</summary>
    public static readonly DataClassification CustomerIdentity = new(Taxonomy, nameof(CustomerIdentity));

    /// <summary>Personal data, or free text that may contain it: names, metadata, operators' texts, addresses.</summary>
    public static readonly DataClassification Personal = new(Taxonomy, nameof(Personal));

    /// <summary>Passwords, tokens, keys, and hashes that could be guessed back.</summary>
    public static readonly DataClassification Secret = new(Taxonomy, nameof(Secret));
}

internal sealed class CustomerIdentityAttribute() : DataClassificationAttribute(DataClasses.CustomerIdentity);

internal sealed class PersonalAttribute() : DataClassificationAttribute(DataClasses.Personal);

internal sealed class SecretAttribute() : DataClassificationAttribute(DataClasses.Secret);
