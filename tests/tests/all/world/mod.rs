//! The server among real parts.

pub(crate) mod house;
