//! The threads between callers and connections.
//!
//! - `writer`: group commit
//! - `backlog`: how long writes wait
//! - `read`: single rows, and lists that hold nobody up

mod backlog;
mod read;
mod writer;

pub(crate) use read::{Lane, Points};
pub(crate) use writer::Writer;
