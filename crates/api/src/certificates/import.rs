//! `POST /v2/ssl/import` (contract.md section 4.7).

use http::StatusCode;
use reseal_lifecycle::import::ImportCertificate;
use serde_json::Value;

use super::fields;
use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::Fields;
use crate::body::syntax::Text;
use crate::processes::refer_to;

/// Takes in a certificate that was issued elsewhere.
pub(crate) async fn import(call: Call) -> Outcome {
    let body = call.body()?;
    let mut import = Fields::read(&body, read)?;
    import.command = fields::command(body);
    let process = call.services().import(&call.caller, import).await?;
    let location = process
        .certificate
        .map(|id| format!("/v2/ssl/certificates/{id}"));
    let mut response = answer::empty(StatusCode::CREATED);
    refer_to(&mut response, process.id, location.as_deref());
    Ok(response)
}

/// The body; `command` is left to the caller.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> ImportCertificate {
    ImportCertificate {
        customer: fields.required_text("customer", Text::Handle),
        certificate: fields.required_text("certificate", Text::Document),
        csr: fields.text("csr", Text::Document),
        // 30 here, 32 elsewhere: the contract has it so.
        coc: fields.text("coc", Text::Length(1, 30)),
        domain_name: fields.text("domainName", Text::Domain),
        command: Value::Null,
    }
}
