use super::*;
use crate::{Source, SqlStore};

const FIRST: Migration = Migration {
    version: 1,
    name: "0001_a",
    sql: "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;",
};
const SECOND: Migration = Migration {
    version: 2,
    name: "0002_b",
    sql: "CREATE TABLE b (id INTEGER PRIMARY KEY) STRICT;",
};

fn memory() -> Connection {
    Connection::sqlite(rusqlite::Connection::open_in_memory().unwrap())
}

fn tables(connection: &Connection) -> Vec<String> {
    let select = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    connection
        .many(select, params![], |row| row.get(0))
        .unwrap()
}

#[test]
fn migrations_are_applied_once_and_in_order() {
    let connection = memory();
    run(&connection, &[FIRST]).unwrap();
    assert_eq!(tables(&connection), ["a", "schema_migration"]);
    run(&connection, &[FIRST, SECOND]).unwrap();
    run(&connection, &[FIRST, SECOND]).unwrap();
    assert_eq!(tables(&connection), ["a", "b", "schema_migration"]);
}

#[test]
fn a_database_of_a_newer_program_is_refused_and_left_alone() {
    let connection = memory();
    run(&connection, &[FIRST, SECOND]).unwrap();
    let error = run(&connection, &[FIRST]).unwrap_err();
    assert!(
        matches!(error, MigrationError::Newer { found: 2, known: 1 }),
        "{error}"
    );
    assert!(error.to_string().contains("schema version 2"));
}

#[test]
fn an_edited_migration_is_refused() {
    let connection = memory();
    run(&connection, &[FIRST]).unwrap();
    let edited = Migration {
        sql: "CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT) STRICT;",
        ..FIRST
    };
    let error = run(&connection, &[edited, SECOND]).unwrap_err();
    assert!(
        matches!(error, MigrationError::Changed { name: "0001_a", .. }),
        "{error}"
    );
    assert_eq!(tables(&connection), ["a", "schema_migration"]);
}

#[test]
fn a_failing_migration_leaves_the_old_schema() {
    let connection = memory();
    let broken = Migration {
        sql: "CREATE TABLE c (id INTEGER) STRICT; CREATE TABLE a (;",
        ..SECOND
    };
    run(&connection, &[FIRST]).unwrap();
    assert!(run(&connection, &[FIRST, broken]).is_err());
    assert_eq!(tables(&connection), ["a", "schema_migration"]);
}

#[test]
fn names_paid_for_before_places_were_told_apart_stay_paid() {
    let connection = memory();
    run(&connection, &SQLITE[..3]).unwrap();
    connection
        .batch(
            "INSERT INTO customer VALUES ('acme', 0);
             INSERT INTO subscription VALUES (1, 'acme', 'ssl_dv_md', 0, 1, 12, 7, 2);",
        )
        .unwrap();
    run(&connection, SQLITE).unwrap();
    let select = "SELECT included_names, extra_domains, extra_wildcards FROM subscription";
    let places = connection.one(select, params![], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    });
    assert_eq!(places.unwrap(), Some((7, 0, 0)));
}

#[test]
fn a_4_what_was_recorded_before_there_was_a_chain_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let connection = Connection::sqlite(rusqlite::Connection::open(&path).unwrap());
    let before = SQLITE.partition_point(|migration| migration.version < 11);
    run(&connection, &SQLITE[..before]).unwrap();
    connection
        .batch(
            "INSERT INTO customer VALUES ('acme', 0);
             INSERT INTO process VALUES (5, 1, 'acme', 'acme/api', 'import', 'a', NULL, NULL, NULL, 7, 9, \
                 'COMPLETED', 0, 0, NULL, NULL, '{}', '{}');
             INSERT INTO event VALUES (5, 0, 0, 7, '{\"event\":\"a\"}'), (5, 0, 1, 7, '{}'), (5, 1, 0, 9, '{}');
             INSERT INTO audit VALUES (3, 8, 'house/op', 'validation.approve', 'process/5', NULL, 'n', '{}');",
        )
        .unwrap();
    run(&connection, SQLITE).unwrap();
    let select = "SELECT id, actor, step, events FROM audit ORDER BY id";
    let rows: Vec<(i64, String, Option<i64>, Option<i64>)> = connection
        .many(select, params![], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap();
    let actor = str::to_owned;
    assert_eq!(
        rows,
        [
            (1, actor("acme/api"), Some(0), Some(2)),
            (2, actor("reseal"), Some(1), Some(1)),
            (3, actor("house/op"), None, None)
        ]
    );
    let source = Source::Sqlite(path);
    let verified = SqlStore::verify_audit(&source, &[], jiff::Timestamp::MAX, &mut |finding| {
        panic!("{finding}")
    });
    assert_eq!(verified.unwrap().entries, 3);
}

#[test]
fn x_13_what_certificates_rested_on_before_it_was_kept_is_found_in_their_tickets() {
    let connection = memory();
    let before = SQLITE.partition_point(|migration| migration.version < 14);
    run(&connection, &SQLITE[..before]).unwrap();
    let ground = |name: &str, adn: &str, obtained: &str| {
        format!(
            "{{\"name\":\"{name}\",\"adn\":\"{adn}\",\"method\":\"3.2.2.4.7\",\"obtained\":\"{obtained}\"}}"
        )
    };
    let (wild, other) = (
        ground("*.a.dev", "a.dev", "2026-11-24T12:00:00.250123456Z"),
        ground("b.dev", "b.dev", "2026-11-24T12:00:00Z"),
    );
    connection
        .batch(&format!(
            "INSERT INTO customer VALUES ('acme', 0);
             INSERT INTO subscription VALUES (1, 'acme', 'ssl_dv', 0, 1, 12, 1, 0, 0);
             INSERT INTO process VALUES (5, 1, 'acme', 'acme/api', 'request', 'a', NULL, NULL, NULL, 7, 9, \
                 'COMPLETED', 0, 0, NULL, NULL, '{{}}', '{{}}');
             INSERT INTO event VALUES (5, 0, 0, 7, '{{\"event\":\"accepted\"}}'),
                 (5, 1, 0, 7, '{{\"event\":\"reserved\",\"serial\":\"01ff\",\"ticket\":{{\"names\":[{wild},{other}]}}}}'),
                 (5, 2, 0, 7, '{{\"event\":\"reserved\",\"serial\":\"02\",\"ticket\":{{\"names\":[{other}]}}}}');
             INSERT INTO domain_authorization (id, customer, adn, method, obtained, process) VALUES
                 (1, 'acme', 'a.dev', '3.2.2.4.7', 1795521600250, 5),
                 (2, 'acme', 'a.dev', '3.2.2.4.7', 1795521500250, 5),
                 (3, 'acme', 'a.dev', '3.2.2.4.18', 1795521600250, 5);
             INSERT INTO certificate (id, customer, process, subscription, product, validation, certificate_type, \
                 status, domain_name, names, issuer, serial, not_before, not_after, subscription_end, \
                 key_algorithm, key_size, spki_sha256, fingerprint, der) VALUES
                 (9, 'acme', 5, 1, 'ssl_dv', 'DV', 'SINGLE_DOMAIN', 'ACTIVE', 'a.dev', '[]', 'embedded', \
                 X'01FF', 0, 1, 1, 'EC', 256, zeroblob(32), zeroblob(32), X'');"
        ))
        .unwrap();
    run(&connection, SQLITE).unwrap();
    let select = "SELECT proof, certificate, name FROM reliance";
    let rows: Vec<(i64, i64, String)> = connection
        .many(select, params![], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    // The proof of the other name is gone: nothing is invented.
    assert_eq!(rows, [(1, 9, "*.a.dev".to_owned())]);
}

#[test]
fn events_and_what_refers_to_them_outlive_their_move_to_rows() {
    let connection = memory();
    connection.batch("PRAGMA foreign_keys = ON").unwrap();
    let before = SQLITE.partition_point(|migration| migration.version < 22);
    run(&connection, &SQLITE[..before]).unwrap();
    connection
        .batch(
            "INSERT INTO customer VALUES ('acme', 0);
             INSERT INTO process VALUES (5, 2, 'acme', 'acme/api', 'request', 'a', NULL, NULL, NULL, 7, 9, \
                 'COMPLETED', 0, 0, NULL, NULL, '{}', '{}');
             INSERT INTO event VALUES (5, 1, 0, 8, 'second'), (5, 0, 1, 7, 'note'), (5, 0, 0, 7, 'first');
             INSERT INTO note VALUES (5, 0, 1);",
        )
        .unwrap();
    run(&connection, SQLITE).unwrap();
    let texts = |select: &str| -> Vec<String> {
        connection
            .many(select, params![], |row| row.get(0))
            .unwrap()
    };
    let all = texts("SELECT kind FROM event ORDER BY process, step, ordinal");
    assert_eq!(all, ["first", "note", "second"]);
    let notes = texts("SELECT kind FROM note JOIN event USING (process, step, ordinal)");
    assert_eq!(notes, ["note"]);
    assert!(texts("SELECT \"table\" FROM pragma_foreign_key_check").is_empty());
    for forbidden in [
        "UPDATE event SET kind = ''",
        "DELETE FROM event",
        "INSERT INTO event VALUES (5, 0, 0, 7, 'again')",
        "INSERT INTO event VALUES (6, 0, 0, 7, 'of nothing')",
        "INSERT INTO note VALUES (5, 9, 9)",
    ] {
        assert!(connection.batch(forbidden).is_err(), "{forbidden}");
    }
}

#[test]
fn line_ends_do_not_change_a_checksum() {
    assert_eq!(checksum("a\r\nb"), checksum("a\nb"));
    assert_ne!(checksum("a\nb"), checksum("a b"));
}

#[test]
fn the_history_is_numbered_upwards() {
    for history in [SQLITE, POSTGRES] {
        assert!(history.is_sorted_by(|one, next| one.version < next.version));
    }
    let newest = |history: &[Migration]| history.last().map(|newest| newest.version);
    assert_eq!(newest(SQLITE), newest(POSTGRES));
    for migration in SQLITE.iter().chain(POSTGRES) {
        assert!(
            migration
                .name
                .starts_with(&format!("{:04}_", migration.version))
        );
    }
}
