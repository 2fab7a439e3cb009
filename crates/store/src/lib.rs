//! Where everything is kept: [`reseal_lifecycle::store::Store`] over SQLite.
//!
//! - [`SqliteStore`]: one writer with group commit, readers that never wait for it (`sqlite`)
//! - `sql`: every statement, one file a table; `sql/sqlite`: the schema's migrations
//! - `list`: filters, search and order of the two lists, turned into SQL with bound parameters
//! - `migrate`: brings a database to the schema this program knows
//!
//! What survives: everything a write method has answered `Ok` for, power loss included (`synchronous=FULL`).
//! What a write was asked for and not answered is there whole or not at all.

mod list;
mod migrate;
mod sql;
mod sqlite;

pub use sqlite::SqliteStore;
pub use sqlite::audit::{AuditRow, EventRow, Finding, Head, Verified};
