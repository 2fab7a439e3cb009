//! `POST /v2/ssl/authkey` (contract.md sections 4.8 and 5.6).

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::Fields;
use crate::body::syntax::Text;
use crate::date::Date;

/// A key that proves control where it is published.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "AuthKey")]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthKeyBody {
    auth_key: String,
    /// Until when it may be used.
    validity: Date,
}

/// Makes a value that, published at every name, proves them all in the call that asks for the certificate.
pub(crate) async fn auth_key(call: Call) -> Outcome {
    let body = call.body()?;
    let (product, csr) = Fields::read(&body, read)?;

    let key = call
        .services()
        .auth_key(&call.caller, &product, &csr)
        .await?;
    let body = AuthKeyBody {
        validity: Date(key.valid_until()),
        auth_key: key.token,
    };
    Ok(answer::json(StatusCode::OK, &body))
}

/// Product and CSR.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> (String, String) {
    let product = fields.required_text("product", Text::Length(1, 255));
    let csr = fields.required_text("csr", Text::Document);
    (product, csr)
}
