using Microsoft.Data.Sqlite;
using PdiSimulator.Calls;

namespace PdiSimulator.Storage;

/// <summary>Stored answers by Idempotency-Key, for replay.</summary>
internal sealed class AnswerTable(SqliteConnection connection) : IDisposable
{
    private readonly Statement _find = new(connection, """
        select fingerprint, status, body
          from answers
         where operation = $1
           and idempotency_key = $2
        """);

    private readonly Statement _add = new(connection, """
        insert into answers (operation, idempotency_key, fingerprint, status, body)
        values ($1, $2, $3, $4, $5)
        """);

    public KeptAnswer? Find(Operation operation, string key) => _find.First(
        row => new KeptAnswer(row.GetString(0), new Answer(row.GetInt32(1), row.GetFieldValue<byte[]>(2))),
        operation.Name(),
        key);

    public void Add(Operation operation, string key, string fingerprint, Answer answer) =>
        _add.Run(operation.Name(), key, fingerprint, answer.Status, answer.Body.ToArray());

    public void Dispose()
    {
        _find.Dispose();
        _add.Dispose();
    }
}

internal sealed record KeptAnswer(string Fingerprint, Answer Answer);
