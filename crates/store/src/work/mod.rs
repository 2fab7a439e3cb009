//! What is written and read, over a connection to either database.
//!
//! - `change`, `issue`: one step of a process as rows
//! - `audit`: the audit log
//! - `auth_key`: values that prove names before a certificate is asked for
//! - `authorization`: proofs, found again
//! - `compromise`, `upgrade`: blocked keys, what must be revoked because of them, and what was before
//! - `crl`: revocation lists
//! - `dns_record`: what is published in the DNS
//! - `due`: what waits for a worker
//! - `examine`: everything, looked at from end to end
//! - `find`, `page`: single rows and lists
//! - `grounds`: what a step rests on, as it is when the step is written
//! - `idempotency`: calls that carry a key
//! - `issued`: certificates that stand, one after the other
//! - `note`: what customers and the house write to each other
//! - `notification`, `webhook`: what customers are told, and where it is sent
//! - `objects`: the methods of [`reseal_lifecycle::store::Store`]
//! - `status`: what became of a serial number
//! - `upstream`: what is kept of CAs elsewhere
//! - `vetting`: checks of organizations
//! - `tally`: how many rows the lists have that only grow
//! - `rows`, `columns`: rows as objects

mod account;
pub(crate) mod audit;
mod auth_key;
mod authorization;
mod campaign;
mod change;
mod columns;
mod compromise;
mod crl;
mod dns_record;
mod due;
pub(crate) mod examine;
mod find;
mod grounds;
mod idempotency;
mod issue;
mod issued;
mod note;
mod notification;
mod objects;
mod page;
pub(crate) mod rows;
mod status;
pub(crate) mod tally;
mod transparency;
mod upgrade;
mod upstream;
mod vetting;
mod webhook;
