//! The embedded certification authority: a root, an issuing intermediate below
//! it, and their keys, encrypted, in one folder.
//!
//! The cast, in the order things happen:
//! - [`Authority::create`] makes the folder from [`CaSettings`] in one stroke,
//!   [`Authority::open`] opens it: `authority` and `settings`, on top of `certificates`, `folder` (files) and `keyfile`
//!   (encryption at rest, with a [`Passphrase`] or a generated key: `secret`), with the [`Access`] to keys that a command
//!   or a server has
//! - [`Rotation`] adds an intermediate, which issues from the next start on: `rotate`, or `ceremony` when the root's key is
//!   somewhere else
//! - [`Migration`] has a token take in keys that were made in files: `migrate`
//! - [`EmbeddedIssuer`] issues with it: `issuer`, through `key` (in memory: `signer`, or in a `token`) and with the
//!   addresses of `pointer`
//! - `transparency` signs precertificates, and certificates that carry the promises of logs
//! - `crl` signs revocation lists, with the root's key for the root's alone
//! - `responder` answers for the intermediate by OCSP, with a key of its own
//! - [`inspect`] looks for trouble without changing anything: for `doctor`
//!
//! What survives a crash: everything or nothing. The files are written to a
//! folder beside the final one, made durable, and moved into place by a single
//! rename; those of a rotation one by one, the certificate last. They are never
//! changed afterwards, but for a key's by its migration, by a rename. Issuing keeps no state here.

mod access;
mod authority;
mod ceremony;
mod certificates;
mod crl;
mod folder;
mod inspect;
mod issuer;
mod key;
mod keyfile;
mod migrate;
mod pointer;
mod responder;
mod rotate;
mod secret;
mod settings;
mod signer;
#[cfg(test)]
mod tests;
mod token;
mod transparency;

pub use access::{Access, FileError};
pub use authority::{Authority, CreateError, OpenError};
pub use ceremony::{Requested, request_intermediate, sign_intermediate};
pub use folder::FolderError;
pub use inspect::{Finding, Inspection, ROTATION_DUE, Severity, inspect};
pub use issuer::{CRL_SHARDS, EmbeddedIssuer};
pub use key::{KeyPlace, SigningKey};
pub use keyfile::{KeyFileError, Protection};
pub use migrate::{MigrateError, Migrated, Migration};
pub use pointer::{PointerError, Pointers};
pub use responder::OcspError;
pub use rotate::{RotateError, Rotation, RotationSettings};
pub use secret::{Cost, Passphrase, SecretError};
pub use settings::CaSettings;
pub use signer::{KeyType, SignError, SoftwareKey};
pub use token::{Token, TokenError, TokenKey, TokenName, TokenSettings};
