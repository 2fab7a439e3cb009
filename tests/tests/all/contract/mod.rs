//! The wire contract: every route, every error type.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod auth_key;
mod certificates;
mod crl;
mod dry_run;
mod errors;
mod idempotency;
mod limits;
mod lists;
mod mail;
mod notes;
mod notifications;
mod outage;
mod prices;
mod processes;
mod products;
mod public;
mod renewal;
