//! What signs: implementations of [`reseal_lifecycle::issuer::Issuer`].
//!
//! [`embedded`] is a certification authority of our own whose keys lie in the
//! data folder. Private keys live in this crate and nowhere else; what is put
//! into a certificate is decided by `reseal_pki`, and whether one is made at all
//! by `reseal_lifecycle`.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod embedded;
