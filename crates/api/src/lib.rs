//! HTTP: routes, the JSON on the wire, errors on the wire.
//!
//! Start reading at [`router`], where every route stands on one screen. A call of the API goes
//! `answer` (request id, panics, the log line) → `router` → `auth` (who is calling) → a handler in
//! `certificates`, `notifications`, `processes` or `products` → `body` (the JSON, every violation at once) →
//! `reseal_lifecycle` → the folder's `wire` file, or `error` when it was refused. `server` is below all
//! that: connections, time limits, TLS.
//!
//! `perspective` is another server's HTTP side: a remote perspective's, which shares only `answer`, `error` and `server`.
//!
//! Nothing here survives a restart, and nothing here may be relied on to finish: a handler stops where it
//! is when its connection breaks. Whatever must go on is a matter of `reseal_lifecycle`.
#![forbid(unsafe_code)]

mod answer;
mod auth;
mod blocked_keys;
mod body;
mod campaigns;
mod certificates;
mod cors;
mod date;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod idempotency;
mod limits;
mod linger;
mod load;
mod measures;
mod notifications;
mod openapi;
mod perspective;
mod processes;
mod products;
mod public;
mod query;
mod quote;
mod router;
mod server;
mod stall;
mod validations;
mod webhook;

pub use answer::{Api, ApiConfig};
pub use campaigns::{campaign_item, campaign_plan, campaign_progress, campaign_summary};
pub use cors::Origin;
pub use limits::{Rates, share_calls};
pub use load::Capacity;
pub use notifications::for_webhook;
pub use openapi::document;
pub use perspective::{PerspectiveService, perspective_router};
pub use router::router;
pub use server::{Limits, serve};
