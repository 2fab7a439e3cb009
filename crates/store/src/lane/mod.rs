//! The threads between callers and connections.
//!
//! - `writer`: group commit
//! - `read`: single rows, and lists that hold nobody up

mod read;
mod writer;

pub(crate) use read::{Lane, Points};
pub(crate) use writer::Writer;
