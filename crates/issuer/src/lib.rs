//! What signs: implementations of [`reseal_lifecycle::issuer::Issuer`], [`reseal_lifecycle::upstream::Upstream`]
//! and [`reseal_lifecycle::transparency::LogClient`].
//!
//! [`embedded`] is a certification authority of our own whose keys lie in the
//! data folder, [`acme`] speaks to one elsewhere, [`ct`] to logs that promise to show certificates. Private keys live in this crate and nowhere else; what is put
//! into a certificate is decided by `reseal_pki`, and whether one is made at all
//! by `reseal_lifecycle`.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod acme;
pub mod ct;
pub mod embedded;
mod https;
