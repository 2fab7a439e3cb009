//! `POST /v2/ssl/certificates` (contract.md section 4.2).

use reseal_lifecycle::issuance::NewCertificate;

use super::{fields, purchase};
use crate::auth::{Call, Outcome};
use crate::body::syntax::Text;
use crate::body::{Fields, Findings};

/// Asks for a new certificate.
pub(crate) async fn request(call: Call) -> Outcome {
    let body = call.body()?;
    let parameters = call.query();
    let mut findings = Findings::default();
    let mut reader = Fields::of(&body, &mut findings);
    let mut new = read(&mut reader);
    reader.finish();
    let mode = fields::mode(&parameters, &mut findings);
    findings.settle()?;

    new.request.command = fields::command(body);
    let answer = call.services().request(&call.caller, new, mode).await?;
    fields::respond(&answer)
}

/// The body; `command` is left to the caller.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> NewCertificate {
    let mut new = NewCertificate {
        customer: fields.required_text("customer", Text::Handle),
        product: fields.required_text("product", purchase::PRODUCT),
        period: purchase::period(fields),
        acknowledged: purchase::acknowledged(fields),
        request: fields::read(fields),
    };
    new.request.country = fields
        .text("country", Text::Country)
        .map(|country| country.to_ascii_uppercase());
    // The older word for `language` (contract.md section 4.2).
    let older = fields::language(fields, "saLanguage");
    new.request.language = new.request.language.or(older);
    new.request.agreement_email = fields.text("saEmail", Text::Email);
    new
}
