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
    Migration {
        version: 18,
        name: "0018_upstream",
        sql: include_str!("sql/sqlite/0018_upstream.sql"),
    },
    Migration {
        version: 22,
        name: "0022_event_rows",
        sql: include_str!("sql/sqlite/0022_event_rows.sql"),
    },
    Migration {
        version: 23,
        name: "0023_precertificate",
        sql: include_str!("sql/sqlite/0023_precertificate.sql"),
    },
    Migration {
        version: 24,
        name: "0024_dns_record_and_next_key",
        sql: include_str!("sql/sqlite/0024_dns_record_and_next_key.sql"),
    },
    Migration {
        version: 25,
        name: "0025_advice",
        sql: include_str!("sql/sqlite/0025_advice.sql"),
    },
    Migration {
        version: 26,
        name: "0026_upstream_customer",
        sql: include_str!("sql/sqlite/0026_upstream_customer.sql"),
    },
    Migration {
        version: 27,
        name: "0027_lost_key",
        sql: include_str!("sql/sqlite/0027_lost_key.sql"),
    },
    Migration {
        version: 28,
        name: "0028_unlisted",
        sql: include_str!("sql/sqlite/0028_unlisted.sql"),
    },
    Migration {
        version: 29,
        name: "0029_cheaper_writes",
        sql: include_str!("sql/sqlite/0029_cheaper_writes.sql"),
    },
    Migration {
        version: 30,
        name: "0030_campaign_issuer",
        sql: include_str!("sql/sqlite/0030_campaign_issuer.sql"),
    },
    Migration {
        version: 31,
        name: "0031_bar",
        sql: include_str!("sql/sqlite/0031_bar.sql"),
    },
    Migration {
        version: 32,
        name: "0032_upstream_queues",
        sql: include_str!("sql/sqlite/0032_upstream_queues.sql"),
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
    Migration {
        version: 18,
        name: "0018_upstream",
        sql: include_str!("sql/postgres/0018_upstream.sql"),
    },
    Migration {
        version: 22,
        name: "0022_event_rows",
        sql: include_str!("sql/postgres/0022_event_rows.sql"),
    },
    Migration {
        version: 23,
        name: "0023_precertificate",
        sql: include_str!("sql/postgres/0023_precertificate.sql"),
    },
    Migration {
        version: 24,
        name: "0024_dns_record_and_next_key",
        sql: include_str!("sql/postgres/0024_dns_record_and_next_key.sql"),
    },
    Migration {
        version: 25,
        name: "0025_advice",
        sql: include_str!("sql/postgres/0025_advice.sql"),
    },
    Migration {
        version: 26,
        name: "0026_upstream_customer",
        sql: include_str!("sql/postgres/0026_upstream_customer.sql"),
    },
    Migration {
        version: 27,
        name: "0027_lost_key",
        sql: include_str!("sql/postgres/0027_lost_key.sql"),
    },
    Migration {
        version: 28,
        name: "0028_unlisted",
        sql: include_str!("sql/postgres/0028_unlisted.sql"),
    },
    Migration {
        version: 29,
        name: "0029_cheaper_writes",
        sql: include_str!("sql/postgres/0029_cheaper_writes.sql"),
    },
    Migration {
        version: 30,
        name: "0030_campaign_issuer",
        sql: include_str!("sql/postgres/0030_campaign_issuer.sql"),
    },
    Migration {
        version: 31,
        name: "0031_bar",
        sql: include_str!("sql/postgres/0031_bar.sql"),
    },
    Migration {
        version: 32,
        name: "0032_upstream_queues",
        sql: include_str!("sql/postgres/0032_upstream_queues.sql"),
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

/// Whether any program of ours has been here.
pub(crate) fn is_begun(connection: &Connection) -> Result<bool, Error> {
    let count = match connection.dialect() {
        Dialect::Sqlite => "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'schema_migration'",
        Dialect::Postgres => {
            "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('schema_migration')"
        }
    };
    let tables: Option<i64> = connection.one(count, params![], |row| row.get(0))?;
    Ok(tables.is_some_and(|tables| tables > 0))
}

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
mod tests;
