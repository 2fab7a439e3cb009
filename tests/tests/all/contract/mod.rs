//! The wire contract: every route, every error type.

mod certificates;
mod errors;
mod processes;
mod products;
