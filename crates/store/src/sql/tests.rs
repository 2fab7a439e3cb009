//! What the compiler cannot see about SQL text: that the engine takes it, and that its parameters are
//! numbered the same way in both dialects.

use rusqlite::Connection;

use crate::migrate::{self, SQLITE};
use crate::sqlite;

/// An empty database.
pub(crate) fn migrated() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reseal.db");
    migrate::run(&sqlite::writer(&path).unwrap(), SQLITE).unwrap();
    (folder, Connection::open(path).unwrap())
}

pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        super::api_key::ALL,
        super::audit::ALL,
        super::auth_key::ALL,
        super::authorization::ALL,
        super::blocked_key::ALL,
        super::campaign::ALL,
        super::certificate::ALL,
        super::crl::ALL,
        super::customer::ALL,
        super::dns_record::ALL,
        super::event::ALL,
        super::examine::ALL,
        super::heartbeat::ALL,
        super::idempotency_key::ALL,
        super::mail_token::ALL,
        super::note::ALL,
        super::notification::ALL,
        super::precertificate::ALL,
        super::process::ALL,
        super::process_billable::ALL,
        super::request_token::ALL,
        super::reservation::ALL,
        super::revocation_duty::ALL,
        super::subscription::ALL,
        super::upstream::ALL,
        super::vetting::ALL,
        super::watch::ALL,
        super::webhook::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

#[test]
fn every_statement_can_be_prepared() {
    let (_folder, connection) = migrated();
    for (name, sql) in all() {
        connection
            .prepare(sql)
            .unwrap_or_else(|error| panic!("{name}: {error}\n{sql}"));
    }
}

#[test]
fn parameters_appear_in_the_order_of_their_numbers() {
    for (name, sql) in all() {
        let mut known = 0;
        for piece in sql.split('$').skip(1) {
            let digits: String = piece.chars().take_while(char::is_ascii_digit).collect();
            let number: usize = digits.parse().unwrap();
            assert!(
                (1..=known + 1).contains(&number),
                "{name}: ${number} after ${known}"
            );
            known = known.max(number);
        }
    }
}

/// The steps by which SQLite answers `sql`, with every parameter NULL.
pub(crate) fn query_plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut plan = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let nulls = vec![rusqlite::types::Null; plan.parameter_count()];
    let steps = plan.query_map(rusqlite::params_from_iter(nulls), |row| row.get(3));
    steps.unwrap().collect::<Result<_, _>>().unwrap()
}

/// The statements of the hot path must not read a whole table.
#[test]
fn statements_with_a_condition_use_an_index() {
    let (_folder, connection) = migrated();
    let whole_tables = ["SELECT_ALL", "RELEASE_ALL"];
    // An index that has the rows of the condition and no others is read to its end.
    let partial_indexes = ["COUNT_OPEN", "COUNT_WAITING"];
    let is_partial = |name: &str, step: &str| {
        partial_indexes.contains(&name)
            && ["process_open", "process_due", "notification_waiting"]
                .iter()
                .any(|index| step.ends_with(&format!(" INDEX {index}")))
    };
    let is_whole = |name: &str| whole_tables.iter().any(|whole| name.starts_with(whole));
    for (name, sql) in all().filter(|(name, _)| !is_whole(name)) {
        let steps = query_plan(&connection, sql);
        for step in steps {
            assert!(
                !step.starts_with("SCAN") || step == "SCAN CONSTANT ROW" || is_partial(name, &step),
                "{name}: {step}"
            );
        }
    }
}

/// A scratch table costs more than the row that is written. `RETURNING` and a check with `IN` over three values
/// each bring one; changing many rows at once needs one.
#[test]
fn no_statement_builds_a_scratch_table() {
    let (_folder, connection) = migrated();
    let many_rows = [
        "SCHEDULE_SIBLINGS",
        "WITHDRAW",
        "FORGET_WAITING",
        "FORGET_PLACES",
        "FORGET",
        "PRUNE",
    ];
    for (name, sql) in all().filter(|(name, _)| !many_rows.contains(name)) {
        let mut program = connection.prepare(&format!("EXPLAIN {sql}")).unwrap();
        let nulls = vec![rusqlite::types::Null; program.parameter_count()];
        let codes: Vec<String> = program
            .query_map(rusqlite::params_from_iter(nulls), |row| row.get(1))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert!(
            !codes.iter().any(|code| code == "OpenEphemeral"),
            "{name}: {sql}"
        );
    }
}
