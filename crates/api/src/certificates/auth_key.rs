//! `POST /v2/ssl/authkey` (contract.md sections 4.8 and 5.6).

use http::StatusCode;
use serde::Serialize;

use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::syntax::Text;
use crate::body::{Fields, Findings};
use crate::date::Date;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthKeyBody {
    auth_key: String,
    /// Until when it may be used.
    validity: Date,
}

/// Makes a value that, published at every name, proves them all in the call that asks for the certificate.
pub(crate) async fn auth_key(mut call: Call) -> Outcome {
    let body = call.body().await?;
    let mut findings = Findings::default();
    let mut reader = Fields::of(&body, &mut findings);
    let product = reader.required_text("product", Text::Length(1, 255));
    let csr = reader.required_text("csr", Text::Document);
    reader.finish();
    findings.settle()?;

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
