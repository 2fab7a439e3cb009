//! The rules of a certification authority as pure functions.
//!
//! Names, keys, signing requests, certificate profiles and the linter that
//! checks them. Nothing here does I/O, waits, or reads a clock: the caller
//! passes the time of signing, so that each rule can be tried on any date. The
//! only randomness is [`serial::Serial::random`].
//!
//! Everything that arrives from outside is hostile: no input may panic, and
//! parsing costs time in proportion to its length.

#![forbid(unsafe_code)]

pub mod calendar;
pub mod certificate;
pub mod corroboration;
pub mod crl;
pub mod csr;
pub mod dn;
pub mod key;
pub mod lint;
pub mod method;
pub mod name;
pub mod ocsp;
pub mod pkcs7;
pub mod profile;
pub mod serial;
pub mod transparency;

mod asn1;
#[cfg(test)]
mod fixture;
mod quote;
