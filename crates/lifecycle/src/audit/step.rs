//! The entry of a process's step: made of the step itself, so that no step can be without one.

use crate::event::{Event, EventKind};
use crate::process::Process;

use super::SERVER;

/// Who did what, for the entry of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepEntry {
    /// Who.
    pub actor: String,
    /// The process's action and how far this step took it: `reissue.opened`, `reissue.step`, `reissue.ended`;
    /// `revoke.done` for a process of one step.
    pub action: String,
}

impl StepEntry {
    /// The entry of the step that left `process` as it is and wrote `events`; `is_new` for its first one.
    pub fn of(process: &Process, events: &[Event], is_new: bool) -> Self {
        let far = match (is_new, process.is_open()) {
            (true, true) => "opened",
            (false, true) => "step",
            (false, false) => "ended",
            (true, false) => "done",
        };
        let someone = events.iter().find_map(|event| actor(&event.kind));
        Self {
            actor: match someone {
                Some(actor) => actor,
                None if is_new => process.user.clone(),
                None => SERVER.to_owned(),
            },
            action: format!("{}.{far}", process.action.as_str()),
        }
    }

    /// The entry of a note.
    pub fn of_note(note: &Event) -> Self {
        Self {
            actor: actor(&note.kind).unwrap_or_else(|| SERVER.to_owned()),
            action: "note.add".to_owned(),
        }
    }
}

/// Who made it happen, when that was not the server.
fn actor(kind: &EventKind) -> Option<String> {
    match kind {
        EventKind::Accepted { user, .. }
        | EventKind::CheckApproved { user, .. }
        | EventKind::ValidationRejected { user }
        | EventKind::CallScheduled { user, .. }
        | EventKind::AgreementRequested { user, .. }
        | EventKind::Resent { user, .. }
        | EventKind::Revoked { user, .. }
        | EventKind::NoteAdded { user, .. }
        | EventKind::Cancelled { user } => Some(user.clone()),
        EventKind::CheckNeedsAttention { user, .. } => user.clone(),
        EventKind::MailAnswered { address, .. } | EventKind::AgreementAnswered { address, .. } => {
            Some(format!("mail/{address}"))
        }
        _ => None,
    }
}
