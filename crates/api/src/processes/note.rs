//! `POST /v2/processes/{id}/add-note` (contract.md section 4.8).

use http::StatusCode;

use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::Fields;
use crate::body::syntax::Text;

/// The contract knows no limit; a note is read by a person.
const LONGEST: usize = 4000;

/// Writes a note to the house, or from the house to the customer.
pub(crate) async fn add_note(call: Call) -> Outcome {
    let body = call.body()?;
    let message = Fields::read(&body, read)?;
    call.services()
        .add_note(&call.caller, call.id(), message)
        .await?;
    Ok(answer::empty(StatusCode::OK))
}

/// What is to be said.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> String {
    fields.required_text("message", Text::Lines(1, LONGEST))
}
