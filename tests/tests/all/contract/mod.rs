//! The wire contract: each fact in a table, the life of an order as a journey, and what needs more than a call to show.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod auth_key;
mod browsers;
mod certificates;
mod crl;
mod document;
mod dry_run;
mod errors;
mod idempotency;
mod journey;
mod limits;
mod lists;
mod mail;
mod notes;
mod notifications;
mod outage;
mod prices;
mod processes;
mod public;
mod renewal;
mod table;
