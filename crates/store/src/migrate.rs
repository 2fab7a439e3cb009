//! Brings a database to the schema this program knows.
//!
//! Migrations are numbered files that never change once released: each is recorded with its checksum, and a
//! database that records another text, or a number this program does not know, is refused before anything is
//! written. All missing migrations are applied in one transaction, so a crash leaves the old schema, and two
//! programs that start at once apply them once.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use reseal_lifecycle::store::StoreError;

use crate::database::{Connection, Dialect, Error, Lock, params};
use crate::work::audit;

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
    Migration {
        version: 15,
        name: "0015_campaign",
        sql: include_str!("sql/sqlite/0015_campaign.sql"),
    },
    Migration {
        version: 16,
        name: "0016_distrust",
        sql: include_str!("sql/sqlite/0016_distrust.sql"),
    },
    Migration {
        version: 17,
        name: "0017_growth",
        sql: include_str!("sql/sqlite/0017_growth.sql"),
    },
];

/// The history of the PostgreSQL schema: it begins where SQLite's was when this database came in, with the same number.
pub(crate) const POSTGRES: &[Migration] = &[
    Migration {
        version: 14,
        name: "0014_all_so_far",
        sql: include_str!("sql/postgres/0014_all_so_far.sql"),
    },
    Migration {
        version: 15,
        name: "0015_campaign",
        sql: include_str!("sql/postgres/0015_campaign.sql"),
    },
    Migration {
        version: 16,
        name: "0016_distrust",
        sql: include_str!("sql/postgres/0016_distrust.sql"),
    },
    Migration {
        version: 17,
        name: "0017_growth",
        sql: include_str!("sql/postgres/0017_growth.sql"),
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
    /// The database refused.
    #[error("{0}")]
    Database(#[from] Error),
}

impl From<MigrationError> for StoreError {
    fn from(error: MigrationError) -> Self {
        match error {
            MigrationError::Database(error) => error.into(),
            MigrationError::Newer { .. } | MigrationError::Changed { .. } => {
                StoreError::Fault(error.to_string())
            }
        }
    }
}

/// The part of a migration that SQL cannot do, after its text.
fn then(version: u32, connection: &Connection) -> Result<(), Error> {
    match (version, connection.dialect()) {
        (11, Dialect::Sqlite) => audit::carry_over(connection),
        _ => Ok(()),
    }
}

const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (\
    version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied BIGINT NOT NULL)";
const SELECT_NEWEST: &str = "SELECT MAX(version) FROM schema_migration";
const SELECT_CHECKSUM: &str = "SELECT checksum FROM schema_migration WHERE version = $1";
const INSERT: &str =
    "INSERT INTO schema_migration (version, name, checksum, applied) VALUES ($1, $2, $3, $4)";

/// Applies what is missing of `migrations`.
pub(crate) fn run(connection: &Connection, migrations: &[Migration]) -> Result<(), MigrationError> {
    connection.begin()?;
    let result = apply(connection, migrations).and_then(|()| Ok(connection.commit()?));
    if result.is_err() && connection.in_transaction() {
        connection.rollback()?;
    }
    result
}

/// The same within the transaction that goes on.
pub(crate) fn apply(
    connection: &Connection,
    migrations: &[Migration],
) -> Result<(), MigrationError> {
    // Nodes that start at once apply them once.
    connection.lock(Lock::Schema);
    connection.batch(CREATE_TABLE)?;
    let known = migrations.last().map_or(0, |migration| migration.version);
    let found: Option<Option<u32>> = connection.one(SELECT_NEWEST, params![], |row| row.get(0))?;
    if let Some(found) = found.flatten().filter(|found| *found > known) {
        return Err(MigrationError::Newer { found, known });
    }
    for migration in migrations {
        let expected = checksum(migration.sql);
        let recorded: Option<String> =
            connection.one(SELECT_CHECKSUM, [migration.version], |row| row.get(0))?;
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
                connection.batch(migration.sql)?;
                then(migration.version, connection)?;
                let applied = jiff::Timestamp::now().as_millisecond();
                connection.execute(
                    INSERT,
                    params![migration.version, migration.name, expected, applied],
                )?;
                tracing::info!(migration = migration.name, "schema migrated");
            }
        }
    }
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
}
