//! `POST /v2/processes/{id}/send-subscriber-agreement` (contract.md section 4.8).

use http::StatusCode;
use reseal_lifecycle::Language;

use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::Fields;
use crate::body::syntax::Text;

/// Languages in which the vendor has the agreement.
const LANGUAGES: &[&str] = &["EN", "NL", "FR", "DE"];

/// Sends a mail with the subscriber agreement.
pub(crate) async fn send_subscriber_agreement(call: Call) -> Outcome {
    let body = call.body()?;
    let (email, language) = Fields::read(&body, read)?;
    call.services()
        .send_subscriber_agreement(&call.caller, call.id(), &email, language)
        .await?;
    Ok(answer::empty(StatusCode::OK))
}

/// To whom, and in which language.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> (String, Option<Language>) {
    let email = fields.required_text("email", Text::Email);
    let language = fields.text("language", Text::WordOfAnyCase(LANGUAGES));
    (email, language.as_deref().and_then(Language::from_code))
}
