//! `POST /v2/ssl/certificates/{id}/renew` (contract.md section 4.3).

use reseal_lifecycle::issuance::Renewal;

use super::{fields, purchase};
use crate::auth::{Call, Outcome};
use crate::body::syntax::Text;
use crate::body::{Fields, Findings};

/// Buys a further term, and replaces the certificate.
pub(crate) async fn renew(call: Call) -> Outcome {
    let mut body = call.body()?;
    let parameters = call.query();
    let mut findings = Findings::default();
    let mut reader = Fields::of(&body, &mut findings);
    let mut renewal = read(&mut reader);
    reader.finish();
    let mode = fields::mode(&parameters, &mut findings);
    findings.settle()?;

    let id = call.id();
    body.insert("certificateId".to_owned(), id.into());
    renewal.request.command = fields::command(body);
    let answer = call
        .services()
        .renew(&call.caller, id, renewal, mode)
        .await?;
    fields::respond(&answer)
}

/// The body; `command` is left to the caller.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Renewal {
    let mut renewal = Renewal {
        product: fields.text("product", purchase::PRODUCT),
        period: purchase::period(fields),
        acknowledged: purchase::acknowledged(fields),
        request: fields::read(fields),
    };
    renewal.request.agreement_email = fields.text("saEmail", Text::Email);
    renewal
}
