//! The audit log: who did what, when and why (rules.md A-1). An entry is written in the commit that makes the change
//! it tells of, is bound to the one before it by a hash, and is never changed.
//!
//! The events of processes hold the evidence already ([`crate::event`]). The log says nothing twice: each step of a
//! process has one entry, which names the step's events and holds a digest over them as they are stored.
//!
//! - `chain`: what a hash covers: pure
//! - `step`: the entry of a process's step
//! - `retention`: how long entries are kept: pure
//! - `refusal`: calls without a valid key, counted before they are written
//! - `text`: what foreign text becomes before it is recorded
//! - `store`: what the log needs from the store

pub mod chain;
mod refusal;
mod retention;
mod step;
mod store;
mod text;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::process::ProcessId;

pub use refusal::Refusals;
pub(crate) use refusal::record_refusals;
pub use retention::{
    KEPT_FOR_EVER, LONGEST_SILENCE, SHORTEST_RETENTION, is_steady, removable_before,
};
pub use step::StepEntry;
pub use store::AuditStore;

/// The server itself as an actor.
pub const SERVER: &str = "reseal";

/// What is recorded most often about the house itself: the objects under which it is looked up.
pub mod object {
    /// Starts and stops of the server; of nodes that share a database, the beginning of their objects.
    pub const SERVER: &str = "server";
    /// The configuration.
    pub const CONFIGURATION: &str = "configuration";
    /// The products.
    pub const CATALOGUE: &str = "catalogue";
    /// The log itself.
    pub const LOG: &str = "audit";
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: `<customer>/<login>` of an API key, `console/<user>` of a command line, `mail/<address>` of whoever
    /// followed a link, `address/<IP>` of a stranger, or [`SERVER`].
    pub actor: String,
    /// What was done, such as `validation.approve`.
    pub action: String,
    /// To what, such as `process/12`.
    pub object: String,
    /// Why, as the customer is told.
    pub reason: Option<String>,
    /// The actor's own note, which no customer sees.
    pub note: Option<String>,
    /// Further facts, for programs. Never a secret.
    pub detail: Map<String, Value>,
}

impl AuditEntry {
    /// `actor` did `action` to `object` at `at`.
    pub fn new(
        at: Timestamp,
        actor: impl Into<String>,
        action: impl Into<String>,
        object: impl Into<String>,
    ) -> Self {
        Self {
            at,
            actor: actor.into(),
            action: action.into(),
            object: object.into(),
            reason: None,
            note: None,
            detail: Map::new(),
        }
    }

    /// The same with a further fact.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }

    /// The object that process `id` is.
    pub fn process(id: ProcessId) -> String {
        format!("process/{id}")
    }

    /// The entry as it may be recorded: foreign text escaped and cut.
    pub fn fit_to_record(mut self) -> Self {
        self.actor = text::tame(&self.actor, text::SHORT);
        self.action = text::tame(&self.action, text::SHORT);
        self.object = text::tame(&self.object, text::SHORT);
        self.reason = self.reason.map(|reason| text::tame(&reason, text::LONG));
        self.note = self.note.map(|note| text::tame(&note, text::LONG));
        self.detail = text::tame_all(self.detail);
        self
    }
}
