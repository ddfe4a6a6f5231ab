using Microsoft.Data.Sqlite;
using PdiSimulator.Loyalty;

namespace PdiSimulator.Storage;

internal static class LedgerSchema
{
    private const string Tables = """
        create table customers (
            customer_id text primary key,
            name        text    not null,
            tier        text    not null,
            points      integer not null check (points >= 0)
        ) without rowid;

        create table sessions (
            pdi_session_id  text primary key,
            customer_id     text    not null references customers (customer_id),
            channel_id      text    not null,
            transaction_id  text    not null,
            store_id        text,
            status          text    not null check (status in ('open', 'finalized', 'voided')),
            opened_at       text    not null,
            finalized_at    text,
            final_amount    text,
            earned_points   integer not null,
            redeemed_points integer not null,
            new_balance     integer,
            receipt_id      text
        ) without rowid;

        create index sessions_by_transaction on sessions (transaction_id);
        create index sessions_by_channel on sessions (channel_id);

        -- One row per commit, apart from the session: without the unique constraint a double finalize would show as a second row.
        create table finalizes (
            number                  integer primary key autoincrement,
            pdi_session_id          text    not null unique references sessions (pdi_session_id),
            idempotency_key         text    not null,
            final_amount            text    not null,
            requested_earned_points integer not null,
            earned_points           integer not null,
            redeemed_points         integer not null,
            committed_at            text    not null
        );

        -- Never pruned: a key of any age can be replayed.
        create table answers (
            operation       text    not null,
            idempotency_key text    not null,
            fingerprint     text    not null,
            status          integer not null,
            body            blob    not null,
            primary key (operation, idempotency_key)
        ) without rowid;

        pragma user_version = 1;
        """;

    private static readonly Customer[] s_firstCustomers =
    [
        new("CUST-12345", "John Doe", Tier.Gold, 5000),
        new("CUST-BRONZE", "Test Customer Bronze", Tier.Bronze, 1000),
        new("CUST-SILVER", "Test Customer Silver", Tier.Silver, 1000),
        new("CUST-GOLD", "Test Customer Gold", Tier.Gold, 1000),
        new("CUST-PLATINUM", "Test Customer Platinum", Tier.Platinum, 1000),
    ];

    public static void Prepare(SqliteConnection connection, bool durable)
    {
        Execute(connection, $"pragma journal_mode = wal; pragma synchronous = {(durable ? "full" : "normal")}; pragma foreign_keys = on;");

        // Immediate: of two processes that start on a new file, only one creates the tables.
        Execute(connection, "begin immediate");

        if (IsNew(connection))
        {
            Execute(connection, Tables);
            using var customers = new CustomerTable(connection);

            foreach (var customer in s_firstCustomers)
                customers.Save(customer);
        }

        Execute(connection, "commit");
    }

    private static bool IsNew(SqliteConnection connection)
    {
        using var version = new Statement(connection, "pragma user_version");
        return version.First(row => row.GetInt64(0)) == 0;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var statement = new Statement(connection, sql);
        statement.Run();
    }
}
