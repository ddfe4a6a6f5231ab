using System.Globalization;
using System.Net;
using System.Text;
using LoyaltyService.Observability;
using LoyaltyService.Queue;
using LoyaltyService.Sessions;

namespace LoyaltyService.Notifications;

/// <summary>The figures of a day, as plain text and as HTML.</summary>
internal sealed class DailySummary(DateOnly day)
{
    private readonly SortedDictionary<string, long> failed = new(StringComparer.Ordinal);
    private long begun;
    private long open;
    private long finalized;
    private long earned;
    private long redeemed;

    public string Title => string.Create(CultureInfo.InvariantCulture, $"daily summary {day:yyyy-MM-dd}");

    public void Add(IEnumerable<SessionSum> page)
    {
        foreach (var sum in page)
        {
            begun += sum.Begun;
            earned += sum.Earned;
            redeemed += sum.Redeemed;
            if (sum.Status == SessionStatus.Finalized.ToText())
                finalized += sum.Closed;
            else if (sum.Status != SessionStatus.Failed.ToText())
                open += sum.Begun;
            else if (sum.Closed > 0)
                failed[sum.Reason!] = failed.GetValueOrDefault(sum.Reason!) + sum.Closed;
        }
    }

    public Notification ToNotification(string key, DayRecord record, PdiWorkCounts queue)
    {
        var rows = Rows(record, queue);
        return new Notification(key, Title, Text(rows), Html(rows));
    }

    private List<(string Label, string Value)> Rows(DayRecord record, PdiWorkCounts queue)
    {
        long Count(string name) => record.Counts.GetValueOrDefault(name);
        return
        [
            ("Sessions created", Number(begun)),
            ("… still open", Number(open)),
            ("Sessions finalized", Number(finalized)),
            .. failed.Select(reason => ($"Sessions failed, {reason.Key}", Number(reason.Value))),
            ("Points earned", Number(earned)),
            ("Points redeemed", Number(redeemed)),
            ("Calls from tills", Number(Count(DailyCounts.Calls))),
            ("… with a 5xx response", Share(Count(DailyCounts.FailedCalls), Count(DailyCounts.Calls))),
            ("PDI available", Availability(Count(DailyCounts.PdiAway), Count(DailyCounts.PdiWatched))),
            ("Requests to PDI", Number(Count(DailyCounts.PdiRequests))),
            ("… failed", Share(Count(DailyCounts.FailedPdiRequests), Count(DailyCounts.PdiRequests))),
            ("Waiting for PDI", Number(queue.Waiting)),
            ("Waiting for an operator", Number(queue.Parked)),
            ("Compared with PDI's records", record.Reconciled is { } run ? $"{Number(run.Checked)}, of which {Number(run.Found)} differ" : "not yet"),
            ("Open findings", Number(record.OpenFindings)),
        ];
    }

    private string Text(List<(string Label, string Value)> rows)
    {
        var text = new StringBuilder($"loyalty-service, {Title} (UTC)\n\n");
        foreach (var (label, value) in rows)
            text.Append(CultureInfo.InvariantCulture, $"{label,-32}{value}\n");
        return text.ToString();
    }

    private string Html(List<(string Label, string Value)> rows)
    {
        var html = new StringBuilder($"<!DOCTYPE html><html><body><h1>loyalty-service, {Title} (UTC)</h1><table>");
        foreach (var (label, value) in rows)
            html.Append(CultureInfo.InvariantCulture, $"<tr><th align=\"left\">{WebUtility.HtmlEncode(label)}</th><td align=\"right\">{WebUtility.HtmlEncode(value)}</td></tr>");
        return html.Append("</table></body></html>").ToString();
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Share(long part, long whole) =>
        whole == 0 ? Number(part) : string.Create(CultureInfo.InvariantCulture, $"{part:N0} ({100.0 * part / whole:F2} %)");

    private static string Availability(long away, long watched) =>
        watched == 0 ? "not measured" : string.Create(CultureInfo.InvariantCulture, $"{100 - (100.0 * away / watched):F2} % of the time");
}
