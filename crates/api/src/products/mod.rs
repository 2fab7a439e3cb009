//! The catalogue, filtered in memory.

mod filter;
mod get;
mod wire;

pub(crate) use get::{get, list};
