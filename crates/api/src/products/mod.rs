//! The catalogue, filtered in memory.

pub(crate) mod describe;
mod filter;
mod get;
mod wire;

pub(crate) use get::{get, list};
