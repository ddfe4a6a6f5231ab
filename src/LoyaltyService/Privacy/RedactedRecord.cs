using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.Extensions.Compliance.Classification;
using Microsoft.Extensions.Compliance.Redaction;

namespace LoyaltyService.Privacy;

/// <summary>
/// A record with marked members. Records print all their members, into logs, exceptions or a debugger's window; this one omits the marked ones.
/// </summary>
internal abstract record RedactedRecord
{
    private static readonly Redactor Redactor = ErasingRedactor.Instance;

    private static readonly ConcurrentDictionary<Type, PropertyInfo[]> Members = new();

    public sealed override string ToString()
    {
        var text = new StringBuilder(GetType().Name).Append(" {");
        foreach (var member in Members.GetOrAdd(GetType(), static type => type.GetProperties(BindingFlags.Instance | BindingFlags.Public)))
        {
            var value = Convert.ToString(member.GetValue(this), CultureInfo.InvariantCulture);
            text.Append(' ').Append(member.Name).Append(" = ")
                .Append(member.IsDefined(typeof(DataClassificationAttribute)) ? Redactor.Redact(value) : value).Append(';');
        }

        return text.Append(" }").ToString();
    }
}
