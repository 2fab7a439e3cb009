//! Certificates: asking for them, replacing, renewing, taking in, looking at, fetching, revoking.

mod approver;
mod archive;
mod auth_key;
mod csr;
pub(crate) mod describe;
mod download;
mod dry_run;
mod fields;
mod get;
mod import;
mod purchase;
mod reissue;
mod renew;
mod request;
mod revoke;
mod wire;

pub(crate) use approver::approver_addresses;
pub(crate) use auth_key::auth_key;
pub(crate) use csr::decode_csr;
pub(crate) use download::download;
#[cfg(fuzzing)]
pub(crate) use fields::read as read_common;
pub(crate) use fields::{dcv_choices, respond};
pub(crate) use get::{get, get_below_customer, list, list_below_customer};
pub(crate) use import::import;
pub(crate) use reissue::reissue;
pub(crate) use renew::renew;
pub(crate) use request::request;
pub(crate) use revoke::revoke;
