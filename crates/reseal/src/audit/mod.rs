//! The audit log as the house deals with it: `reseal audit …`, what a server says of itself at start and stop, and the
//! heads that are noted outside of the database.
//!
//! - `verify`, `export`: the commands
//! - `house`: entries about the server, its configuration, its products and its CA
//! - `heads`: the file DATA/audit-heads.log
//! - `keep`: what a running server does for the log once a day

mod export;
mod heads;
pub(crate) mod house;
mod keep;
mod verify;

pub(crate) use export::export;
pub(crate) use heads::Heads;
pub(crate) use keep::keep;
pub(crate) use verify::{check_log, known_heads, verify};
