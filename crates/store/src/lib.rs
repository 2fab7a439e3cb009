//! Where everything is kept: [`reseal_lifecycle::store::Store`] over SQLite and over PostgreSQL.
//!
//! - [`SqlStore`]: writers with group commit, readers that never wait for them (`store`, `lane`)
//! - `work`: what is written and read, once for both databases
//! - `database`: the seam between that and the engines; `sqlite`, `postgres`: what is each one's own
//! - `sql`: every statement, one file a table; `sql/sqlite`, `sql/postgres`: the schema's migrations
//! - `list`: filters, search and order of the lists, turned into SQL with bound parameters
//! - `migrate`: brings a database to the schema this program knows
//! - `transfer`: moves everything from SQLite to PostgreSQL
//! - `bulk`: fills a store for measuring
//!
//! What survives: everything a write method has answered `Ok` for, power loss included (SQLite: `synchronous=FULL`;
//! PostgreSQL: `synchronous_commit=on`). What a write was asked for and not answered is there whole or not at all.

mod bulk;
mod database;
mod lane;
mod list;
mod migrate;
mod postgres;
mod sql;
mod sqlite;
mod store;
mod talk;
mod transfer;
mod work;

pub use bulk::{Batch, Filling};
pub use database::{PostgresUrl, Source};
pub use store::{Program, SqlStore};
pub use transfer::{Moved, Progress, Transfer};
pub use work::audit::{AuditRow, EventRow, Finding, Head, Verified};
pub use work::examine::{Checked, Moment, StoredCertificate, Told};

#[cfg(test)]
mod tests;
