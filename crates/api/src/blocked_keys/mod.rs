//! `/v2/blocked-keys`: keys that are never certified again. Beyond the vendor's API, where this is the CA's own affair:
//! operators see the list and add to it; customers add what they can prove.

mod block;
pub(crate) mod describe;
mod list;
mod wire;

pub(crate) use block::block;
pub(crate) use list::list;
