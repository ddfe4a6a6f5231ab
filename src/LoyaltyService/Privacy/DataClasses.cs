using Microsoft.Extensions.Compliance.Classification;

namespace LoyaltyService.Privacy;

/// <summary>
/// What must not be told by accident. A member that holds such a thing is marked, a test asks of every text in every record and of every
/// parameter of a log line that it is marked or known to be harmless, and what is marked is left out where a record is printed.
/// </summary>
internal static class DataClasses
{
    private const string Taxonomy = "loyalty-service";

    /// <summary>Who the customer is at PDI. Of all logs, traces and metrics, only the member <c>customerId</c> of a log line says it.</summary>
    public static readonly DataClassification CustomerIdentity = new(Taxonomy, nameof(CustomerIdentity));

    /// <summary>About a person, or free text that may be: names, metadata, what operators write, where they sit.</summary>
    public static readonly DataClassification Personal = new(Taxonomy, nameof(Personal));

    /// <summary>Opens something: passwords, tokens, keys, and hashes that could be guessed back.</summary>
    public static readonly DataClassification Secret = new(Taxonomy, nameof(Secret));
}

internal sealed class CustomerIdentityAttribute() : DataClassificationAttribute(DataClasses.CustomerIdentity);

internal sealed class PersonalAttribute() : DataClassificationAttribute(DataClasses.Personal);

internal sealed class SecretAttribute() : DataClassificationAttribute(DataClasses.Secret);
