//! The wire contract: every route, every error type.

mod certificates;
mod errors;
mod outage;
mod processes;
mod products;
mod public;
