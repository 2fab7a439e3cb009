//! `POST /v2/ssl/decodecsr` (contract.md section 5.7): what is in a CSR, usable or not.

use http::StatusCode;
use reseal_lifecycle::{Error, Kind, Violation};
use reseal_pki::csr::{Csr, CsrError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::Fields;
use crate::body::syntax::Text;

/// Shows a CSR.
pub(crate) async fn decode_csr(call: Call) -> Outcome {
    let body = call.body()?;
    let text = Fields::read(&body, read)?;
    let csr = call.services().read_csr(&call.caller, &text).await?;
    let csr = csr.map_err(|error| refused(&error))?;
    Ok(answer::json(StatusCode::OK, &CsrBody::of(&csr)))
}

/// The CSR.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> String {
    fields.required_text("csr", Text::Document)
}

fn refused(error: &CsrError) -> Error {
    let message = format!("{error} [{}]", error.rule());
    Error {
        violations: vec![Violation::new("csr", &message, None)],
        ..Error::new(
            Kind::InvalidCsr,
            format!("The CSR cannot be read: {message}"),
        )
    }
}

/// What a CSR holds.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "DecodedCsr")]
#[serde(rename_all = "camelCase")]
pub(super) struct CsrBody<'a> {
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locality: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organizational_unit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    common_name: Option<&'a str>,
    street: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alt_names: Vec<String>,
    public_key_algorithm: &'a str,
    /// Bits.
    public_key_size: u32,
    /// Of the DER, in lower case.
    md5: String,
    sha256: String,
}

impl<'a> CsrBody<'a> {
    fn of(csr: &'a Csr) -> Self {
        let subject = csr.subject();
        let names = csr.dns_names().iter().cloned();
        let addresses = csr.ip_addresses().iter().map(ToString::to_string);
        Self {
            subject: &subject.text,
            country: subject.country.as_deref(),
            state: subject.state.as_deref(),
            locality: subject.locality.as_deref(),
            organization: subject.organization.as_deref(),
            organizational_unit: subject.organizational_unit.as_deref(),
            common_name: csr.common_name(),
            street: &subject.street,
            postal_code: subject.postal_code.as_deref(),
            email_address: subject.email_address.as_deref(),
            alt_names: names.chain(addresses).collect(),
            public_key_algorithm: csr.public_key().algorithm().name(),
            public_key_size: csr.public_key().size_bits(),
            md5: csr.md5_hex(),
            sha256: csr.sha256_hex(),
        }
    }
}
