//! Who decided what, when and why. An entry is written in the commit that makes the change it tells of, and never
//! changed or removed (rules.md ).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::process::ProcessId;

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: `<customer>/<login>` of an API key, `console/<user>` of a command line, `mail/<address>` of whoever
    /// followed a link.
    pub actor: String,
    /// What was done, such as `validation.approve`.
    pub action: String,
    /// To what, such as `process/12`.
    pub object: String,
    /// Why, as the customer is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The actor's own note, which no customer sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Further facts, for programs.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub detail: Map<String, Value>,
}

impl AuditEntry {
    /// `actor` did `action` to `object` at `at`.
    pub fn new(at: Timestamp, actor: &str, action: &str, object: String) -> Self {
        Self {
            at,
            actor: actor.to_owned(),
            action: action.to_owned(),
            object,
            reason: None,
            note: None,
            detail: Map::new(),
        }
    }

    /// The object that process `id` is.
    pub fn process(id: ProcessId) -> String {
        format!("process/{id}")
    }
}
