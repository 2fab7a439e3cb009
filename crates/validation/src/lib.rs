//! Everything that reaches out to the customer's DNS, web server or mailbox, webhooks and published records among it.
//!
//! This crate observes and reports; it knows names and validation methods, and nothing of
//! customers, products or processes. What survives a call is evidence: each observation is a
//! plain value that can be stored and shown ([`evidence`]). Failures of the other side are
//! observations too, never errors: an `Err` here means that this server is set up wrongly.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod caa;
pub mod challenge;
pub mod dns;
pub mod email;
pub mod evidence;
pub mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod issue_value;
pub mod panel;
mod persistent;
pub mod perspective;
pub mod publish;
pub mod settings;
#[cfg(test)]
mod test_world;
pub mod webhook;

pub use caa::{CaaDecision, CaaObservation, CaaOutcome, CaaRecord, CaaRequest, CaaStatus};
pub use challenge::{Challenge, ChallengeScheme, TokenParts, random_value};
pub use dns::{DnsAnswer, DnsOutcome, DnsRecord, RecordKind, RecordValue, Security};
pub use email::{Contact, ContactList, ContactSource, Mailer, Message, Receipt};
pub use evidence::{Attempt, Evidence, Verdict};
pub use file::{FileObservation, FileOutcome, Hop};
pub use panel::Panel;
pub use persistent::PersistentRecord;
pub use perspective::{DnssecProbe, Perspective, Probe};
pub use settings::{Dnssec, Network, Settings, SettingsError};
