//! Every statement, one file a table, and the migrations, one folder a dialect.
//!
//! Statements are standard SQL that SQLite and PostgreSQL both take. Parameters are `$1`, `$2` …: PostgreSQL
//! numbers them by their names, SQLite by their first appearance, so a test checks that both agree and
//! prepares each statement with both. The number of an inserted row is the connection's last one in SQLite; for
//! PostgreSQL `RETURNING id` is appended, which would cost SQLite a search for rows that refer to the new one. Lists are
//! put together at run time, see [`crate::list`].

pub(crate) mod api_key;
pub(crate) mod audit;
pub(crate) mod auth_key;
pub(crate) mod authorization;
pub(crate) mod blocked_key;
pub(crate) mod campaign;
pub(crate) mod certificate;
pub(crate) mod crl;
pub(crate) mod customer;
pub(crate) mod dns_record;
pub(crate) mod event;
pub(crate) mod examine;
pub(crate) mod heartbeat;
pub(crate) mod idempotency_key;
pub(crate) mod invariant;
pub(crate) mod mail_token;
pub(crate) mod note;
pub(crate) mod notification;
pub(crate) mod precertificate;
pub(crate) mod process;
pub(crate) mod process_billable;
pub(crate) mod request_token;
pub(crate) mod reservation;
pub(crate) mod revocation_duty;
pub(crate) mod subscription;
pub(crate) mod upstream;
pub(crate) mod vetting;
pub(crate) mod watch;
pub(crate) mod webhook;

/// Declares statements as constants, and all of them together as `ALL` for the test that prepares them.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* pub(crate) const $name: &str = $sql;)+

        /// Every statement of this table with its name.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}
use statements;

#[cfg(test)]
pub(crate) mod tests;
