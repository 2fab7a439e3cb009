//! `POST /v2/ssl/certificates/{id}/reissue` (contract.md section 4.1).

use super::fields;
use crate::auth::{Call, Outcome};
use crate::body::{Fields, Findings};

/// Replaces a certificate within its subscription.
pub(crate) async fn reissue(call: Call) -> Outcome {
    let mut body = call.body()?;
    let parameters = call.query();
    let mut findings = Findings::default();
    let mut reader = Fields::of(&body, &mut findings);
    let mut request = fields::read(&mut reader);
    reader.finish();
    let mode = fields::mode(&parameters, &mut findings);
    findings.settle()?;

    let id = call.id();
    body.insert("certificateId".to_owned(), id.into());
    request.command = fields::command(body);
    let answer = call
        .services()
        .reissue(&call.caller, id, request, mode)
        .await?;
    fields::respond(&answer)
}
