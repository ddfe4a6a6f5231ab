using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Text;
using Microsoft.Extensions.Compliance.Classification;
using Microsoft.Extensions.Compliance.Redaction;

namespace LoyaltyService.Privacy;

/// <summary>
/// A record with members that are marked. Records print all their members, and what is printed ends up in a log, an exception or a
/// debugger's window; this one prints nothing of what is marked.
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
