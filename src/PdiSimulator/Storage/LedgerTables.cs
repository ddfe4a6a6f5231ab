using Microsoft.Data.Sqlite;

namespace PdiSimulator.Storage;

/// <summary>The ledger's tables. Only work that holds the ledger's lock gets them.</summary>
internal sealed class LedgerTables(SqliteConnection connection) : IDisposable
{
    public CustomerTable Customers { get; } = new(connection);

    public SessionTable Sessions { get; } = new(connection);

    public FinalizeTable Finalizes { get; } = new(connection);

    public AnswerTable Answers { get; } = new(connection);

    public LedgerQueries Queries { get; } = new(connection);

    public void Dispose()
    {
        Customers.Dispose();
        Sessions.Dispose();
        Finalizes.Dispose();
        Answers.Dispose();
        Queries.Dispose();
    }
}
