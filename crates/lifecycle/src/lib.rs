//! The rules of a certificate's life: who may ask for what, what a request turns into, which proofs it
//! still needs, when it may be signed, and what happens to the certificate it replaces.
//!
//! Start reading at [`issuance`]: a reissue goes `issuance::reissue` → `issuance::plan` →
//! [`process::Process`] → [`store::Store`] → `issuance::run`. This crate knows nothing of HTTP, SQL or
//! private keys: [`store::Store`] and [`issuer::Issuer`] say in this crate's own words what it needs from them.

pub mod approval;
pub mod audit;
pub mod auth_key;
pub mod authorization;
pub mod campaign;
pub mod certificate;
pub mod clock;
pub mod compromise;
pub mod crl;
pub mod customer;
pub mod dns_hook;
pub mod error;
pub mod event;
pub mod fault;
mod hands;
pub mod idempotency;
pub mod import;
pub mod issuance;
pub mod issued;
pub mod issuer;
pub mod language;
pub mod mail;
pub mod metrics;
pub mod note;
pub mod notification;
pub mod ocsp;
pub mod price;
pub mod process;
pub mod product;
mod pulse;
pub mod query;
mod reading;
pub mod renewal_info;
pub mod revocation;
pub mod services;
mod slots;
pub mod store;
pub mod transparency;
pub mod upstream;
pub mod vetting;
pub mod worker;

pub use error::{Error, Kind, Violation};
pub use hands::Taken;
pub use language::Language;
pub use services::{Parts, Services, Settings};
pub use slots::Capacity;
