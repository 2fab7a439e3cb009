//! Notifications: what a customer is told (contract.md section 5.8).

mod acknowledge;
pub(crate) mod describe;
mod get;
mod poll;
mod wire;

pub(crate) use acknowledge::acknowledge;
pub(crate) use get::{get, list};
pub(crate) use poll::poll;
pub use wire::for_webhook;
