//! What the tests stand on: a server of their own, a customer's HTTP client, keys, and a name server.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

pub(crate) mod acme_stub;
pub(crate) mod address;
pub(crate) mod csr;
pub(crate) mod ct_log;
pub(crate) mod database;
pub(crate) mod der;
pub(crate) mod dns_stub;
pub(crate) mod http;
pub(crate) mod knot;
pub(crate) mod listener;
pub(crate) mod namespace;
pub(crate) mod pebble;
pub(crate) mod receiver;
pub(crate) mod sct;
pub(crate) mod server;
pub(crate) mod smtp;
pub(crate) mod soft_hsm;
pub(crate) mod web;
