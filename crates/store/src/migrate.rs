//! Brings a database to the schema this program knows.
//!
//! Migrations are numbered files that never change once released: each is recorded with its checksum, and a
//! database that records another text, or a number this program does not know, is refused before anything is
//! written. All missing migrations are applied in one transaction, so a crash leaves the old schema, and two
//! programs that start at once apply them once.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use reseal_lifecycle::store::StoreError;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use crate::sqlite::audit;

/// One step of the schema's history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    /// Counted upwards from 1.
    pub(crate) version: u32,
    /// Name of the file.
    pub(crate) name: &'static str,
    /// Its text.
    pub(crate) sql: &'static str,
}

/// The history of the SQLite schema.
pub(crate) const SQLITE: &[Migration] = &[
    Migration {
        version: 1,
        name: "0001_spine",
        sql: include_str!("sql/sqlite/0001_spine.sql"),
    },
    Migration {
        version: 2,
        name: "0002_notifications",
        sql: include_str!("sql/sqlite/0002_notifications.sql"),
    },
    Migration {
        version: 3,
        name: "0003_crl",
        sql: include_str!("sql/sqlite/0003_crl.sql"),
    },
    Migration {
        version: 4,
        name: "0004_idempotency",
        sql: include_str!("sql/sqlite/0004_idempotency.sql"),
    },
    Migration {
        version: 5,
        name: "0005_billing",
        sql: include_str!("sql/sqlite/0005_billing.sql"),
    },
    Migration {
        version: 6,
        name: "0006_auth_key",
        sql: include_str!("sql/sqlite/0006_auth_key.sql"),
    },
    Migration {
        version: 7,
        name: "0007_note",
        sql: include_str!("sql/sqlite/0007_note.sql"),
    },
    Migration {
        version: 8,
        name: "0008_vetting",
        sql: include_str!("sql/sqlite/0008_vetting.sql"),
    },
    Migration {
        version: 9,
        name: "0009_corroboration",
        sql: include_str!("sql/sqlite/0009_corroboration.sql"),
    },
    Migration {
        version: 10,
        name: "0010_domain_control",
        sql: include_str!("sql/sqlite/0010_domain_control.sql"),
    },
    Migration {
        version: 11,
        name: "0011_audit_chain",
        sql: include_str!("sql/sqlite/0011_audit_chain.sql"),
    },
    Migration {
        version: 12,
        name: "0012_key_block",
        sql: include_str!("sql/sqlite/0012_key_block.sql"),
    },
    Migration {
        version: 13,
        name: "0013_claimed_key",
        sql: include_str!("sql/sqlite/0013_claimed_key.sql"),
    },
    Migration {
        version: 14,
        name: "0014_reliance_and_grounds",
        sql: include_str!("sql/sqlite/0014_reliance_and_grounds.sql"),
    },
];

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MigrationError {
    /// A later program wrote it.
    #[error(
        "the database has schema version {found}, this program knows {known}: use the program that wrote it, \
         or a newer one"
    )]
    Newer {
        /// Version in the database.
        found: u32,
        /// Newest version known here.
        known: u32,
    },
    /// A migration was edited after it had been applied.
    #[error(
        "migration `{name}` was applied with checksum `{recorded}`, this program has it with `{expected}`: \
         the database was made by an unreleased program and cannot be brought up to date"
    )]
    Changed {
        /// Name of the file.
        name: &'static str,
        /// SHA-256 in the database.
        recorded: String,
        /// SHA-256 of the text here.
        expected: String,
    },
    /// What was there could not be brought over.
    #[error("{0}")]
    Contents(StoreError),
    /// The database refused.
    #[error("{0}")]
    Database(#[from] rusqlite::Error),
}

/// The part of a migration that SQL cannot do, after its text.
fn then(version: u32, connection: &Connection) -> Result<(), StoreError> {
    match version {
        11 => audit::carry_over(connection),
        _ => Ok(()),
    }
}

const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (\
    version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied INTEGER NOT NULL)";
const SELECT_NEWEST: &str = "SELECT MAX(version) FROM schema_migration";
const SELECT_CHECKSUM: &str = "SELECT checksum FROM schema_migration WHERE version = $1";
const INSERT: &str =
    "INSERT INTO schema_migration (version, name, checksum, applied) VALUES ($1, $2, $3, $4)";

/// Applies what is missing of `migrations`.
pub(crate) fn run(
    connection: &mut Connection,
    migrations: &[Migration],
) -> Result<(), MigrationError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(CREATE_TABLE)?;
    let known = migrations.last().map_or(0, |migration| migration.version);
    let found: Option<u32> = transaction.query_row(SELECT_NEWEST, [], |row| row.get(0))?;
    if let Some(found) = found.filter(|found| *found > known) {
        return Err(MigrationError::Newer { found, known });
    }
    for migration in migrations {
        let expected = checksum(migration.sql);
        let recorded: Option<String> = transaction
            .query_row(SELECT_CHECKSUM, [migration.version], |row| row.get(0))
            .optional()?;
        match recorded {
            Some(recorded) if recorded == expected => {}
            Some(recorded) => {
                return Err(MigrationError::Changed {
                    name: migration.name,
                    recorded,
                    expected,
                });
            }
            None => {
                transaction.execute_batch(migration.sql)?;
                then(migration.version, &transaction).map_err(MigrationError::Contents)?;
                let applied = jiff::Timestamp::now().as_millisecond();
                transaction.execute(
                    INSERT,
                    params![migration.version, migration.name, expected, applied],
                )?;
                tracing::info!(migration = migration.name, "schema migrated");
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

/// SHA-256 in hex, over the text with line feeds only: a checkout with CRLF is the same migration.
fn checksum(sql: &str) -> String {
    let unified = sql.replace("\r\n", "\n");
    let digest = digest::digest(&digest::SHA256, unified.as_bytes());
    digest
        .as_ref()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn tables(connection: &Connection) -> Vec<String> {
        let mut select = connection
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            .unwrap();
        let names = select.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn migrations_are_applied_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[FIRST]).unwrap();
        assert_eq!(tables(&connection), ["a", "schema_migration"]);
        run(&mut connection, &[FIRST, SECOND]).unwrap();
        run(&mut connection, &[FIRST, SECOND]).unwrap();
        assert_eq!(tables(&connection), ["a", "b", "schema_migration"]);
    }

    #[test]
    fn a_database_of_a_newer_program_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[FIRST, SECOND]).unwrap();
        let error = run(&mut connection, &[FIRST]).unwrap_err();
        assert!(
            matches!(error, MigrationError::Newer { found: 2, known: 1 }),
            "{error}"
        );
        assert!(error.to_string().contains("schema version 2"));
    }

    #[test]
    fn an_edited_migration_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[FIRST]).unwrap();
        let edited = Migration {
            sql: "CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT) STRICT;",
            ..FIRST
        };
        let error = run(&mut connection, &[edited, SECOND]).unwrap_err();
        assert!(
            matches!(error, MigrationError::Changed { name: "0001_a", .. }),
            "{error}"
        );
        assert_eq!(tables(&connection), ["a", "schema_migration"]);
    }

    #[test]
    fn a_failing_migration_leaves_the_old_schema() {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = Migration {
            sql: "CREATE TABLE c (id INTEGER) STRICT; CREATE TABLE a (;",
            ..SECOND
        };
        run(&mut connection, &[FIRST]).unwrap();
        assert!(run(&mut connection, &[FIRST, broken]).is_err());
        assert_eq!(tables(&connection), ["a", "schema_migration"]);
    }

    #[test]
    fn names_paid_for_before_places_were_told_apart_stay_paid() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &SQLITE[..3]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO customer VALUES ('acme', 0);
                 INSERT INTO subscription VALUES (1, 'acme', 'ssl_dv_md', 0, 1, 12, 7, 2);",
            )
            .unwrap();
        run(&mut connection, SQLITE).unwrap();
        let select = "SELECT included_names, extra_domains, extra_wildcards FROM subscription";
        let places = connection.query_row(select, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        });
        assert_eq!(places.unwrap(), (7, 0, 0));
    }

    #[test]
    fn a_4_what_was_recorded_before_there_was_a_chain_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let mut connection = Connection::open(&path).unwrap();
        let before = SQLITE.partition_point(|migration| migration.version < 11);
        run(&mut connection, &SQLITE[..before]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO customer VALUES ('acme', 0);
                 INSERT INTO process VALUES (5, 1, 'acme', 'acme/api', 'import', 'a', NULL, NULL, NULL, 7, 9, \
                     'COMPLETED', 0, 0, NULL, NULL, '{}', '{}');
                 INSERT INTO event VALUES (5, 0, 0, 7, '{\"event\":\"a\"}'), (5, 0, 1, 7, '{}'), (5, 1, 0, 9, '{}');
                 INSERT INTO audit VALUES (3, 8, 'house/op', 'validation.approve', 'process/5', NULL, 'n', '{}');",
            )
            .unwrap();
        run(&mut connection, SQLITE).unwrap();
        let mut rows = connection
            .prepare("SELECT id, actor, step, events FROM audit ORDER BY id")
            .unwrap();
        let rows: Vec<(i64, String, Option<i64>, Option<i64>)> = rows
            .query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .unwrap()
            .collect::<Result<_, _>>()
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
        let verified =
            crate::SqliteStore::verify_audit(&path, &[], jiff::Timestamp::MAX, &mut |finding| {
                panic!("{finding}")
            });
        assert_eq!(verified.unwrap().entries, 3);
    }

    #[test]
    fn x_13_what_certificates_rested_on_before_it_was_kept_is_found_in_their_tickets() {
        let mut connection = Connection::open_in_memory().unwrap();
        let before = SQLITE.partition_point(|migration| migration.version < 14);
        run(&mut connection, &SQLITE[..before]).unwrap();
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
            .execute_batch(&format!(
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
        run(&mut connection, SQLITE).unwrap();
        let mut rows = connection
            .prepare("SELECT proof, certificate, name FROM reliance")
            .unwrap();
        let rows: Vec<(i64, i64, String)> = rows
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        // The proof of the other name is gone: nothing is invented.
        assert_eq!(rows, [(1, 9, "*.a.dev".to_owned())]);
    }

    #[test]
    fn line_ends_do_not_change_a_checksum() {
        assert_eq!(checksum("a\r\nb"), checksum("a\nb"));
        assert_ne!(checksum("a\nb"), checksum("a b"));
    }

    #[test]
    fn the_history_is_numbered_upwards() {
        assert!(SQLITE.is_sorted_by(|one, next| one.version < next.version));
        for migration in SQLITE {
            assert!(
                migration
                    .name
                    .starts_with(&format!("{:04}_", migration.version))
            );
        }
    }
}
