//! The embedded certification authority: a root, an issuing intermediate below
//! it, and their keys, encrypted, in one folder.
//!
//! The cast, in the order things happen:
//! - [`Authority::create`] makes the folder from [`CaSettings`] in one stroke,
//!   [`Authority::open`] opens it: `authority` and `settings`, on top of `folder` (files) and `keyfile` (encryption
//!   at rest, with a [`Passphrase`] or a generated key: `secret`)
//! - [`EmbeddedIssuer`] issues with it: `issuer`, through `signer` (the key in
//!   memory) and with the addresses of `pointer`
//! - `crl` signs revocation lists, with the root's key for the root's alone
//! - [`inspect`] looks for trouble without changing anything: for `doctor`
//!
//! What survives a crash: everything or nothing. The files are written to a
//! folder beside the final one, made durable, and moved into place by a single
//! rename; they are never changed afterwards. Issuing keeps no state here.

mod authority;
mod crl;
mod folder;
mod inspect;
mod issuer;
mod keyfile;
mod pointer;
mod secret;
mod settings;
mod signer;
#[cfg(test)]
mod tests;

pub use authority::{Authority, CreateError, OpenError};
pub use folder::FolderError;
pub use inspect::{Finding, Inspection, Severity, inspect};
pub use issuer::{CRL_SHARDS, EmbeddedIssuer};
pub use keyfile::{KeyFileError, Protection};
pub use pointer::{PointerError, Pointers};
pub use secret::{Cost, Passphrase, SecretError};
pub use settings::CaSettings;
pub use signer::{KeyType, SignError, SoftwareKey};
