//! `POST /v2/ssl/certificates` (contract.md section 4.2).

use reseal_lifecycle::issuance::NewCertificate;

use super::{fields, purchase};
use crate::auth::{Call, Outcome};
use crate::body::syntax::Text;
use crate::body::{Fields, Findings};

/// Asks for a new certificate.
pub(crate) async fn request(mut call: Call) -> Outcome {
    let body = call.body().await?;
    let parameters = call.query();
    let mut findings = Findings::default();
    let mut reader = Fields::of(&body, &mut findings);
    let mut new = NewCertificate {
        customer: reader.required_text("customer", Text::Handle),
        product: reader.required_text("product", purchase::PRODUCT),
        period: purchase::period(&mut reader),
        acknowledged: purchase::acknowledged(&mut reader),
        request: fields::read(&mut reader),
    };
    new.request.country = reader
        .text("country", Text::Country)
        .map(|country| country.to_ascii_uppercase());
    // The older word for `language` (contract.md section 4.2).
    let older = fields::language(&mut reader, "saLanguage");
    new.request.language = new.request.language.or(older);
    new.request.agreement_email = reader.text("saEmail", Text::Email);
    reader.finish();
    let mode = fields::mode(&parameters, &mut findings);
    findings.settle()?;

    new.request.command = fields::command(body);
    let answer = call.services().request(&call.caller, new, mode).await?;
    fields::respond(&answer)
}
