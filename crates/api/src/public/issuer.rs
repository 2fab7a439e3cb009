//! `/ca/…`: the certificates of the embedded authority, where the AIA extension of ours points.

use std::sync::Arc;

use axum::extract::Request;
use http::StatusCode;
use reseal_pki::certificate::pem;

use super::answer;
use crate::answer::Shared;
use crate::auth::Outcome;
use crate::error::Failure;

/// Name of the embedded authority among the issuers.
const EMBEDDED: &str = "embedded";
/// Long enough to spare the server, short enough for a new intermediate to be seen.
const CACHE: &str = "public, max-age=3600";

/// `root` or `intermediate`, as `.cer` (DER, RFC 5280 section 4.2.2.1) or `.pem`.
pub(crate) async fn issuer_certificate(shared: Arc<Shared>, request: Request) -> Outcome {
    let chain = shared.services.chain(EMBEDDED).unwrap_or_default();
    let file = request.uri().path().rsplit('/').next().unwrap_or_default();
    let (name, form) = file.split_once('.').unwrap_or((file, ""));
    let der = match name {
        "root" => chain.last(),
        "intermediate" => chain.first(),
        _ => None,
    };
    match (der, form) {
        (Some(der), "cer") => Ok(answer(
            StatusCode::OK,
            "application/pkix-cert",
            CACHE,
            der.clone(),
        )),
        (Some(der), "pem") => Ok(answer(
            StatusCode::OK,
            "application/x-pem-file",
            CACHE,
            pem("CERTIFICATE", der),
        )),
        _ => Err(Failure::no_route(
            "There is nothing here; expected root.cer, root.pem, intermediate.cer or intermediate.pem",
        )),
    }
}
