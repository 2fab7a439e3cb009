//! `/ca/…`: the certificates of the embedded authority, where the AIA extension of ours points. Those of intermediates that
//! issue no more stay where they were.

use std::sync::Arc;

use axum::extract::Request;
use http::StatusCode;
use reseal_pki::certificate::pem;

use super::answer;
use crate::answer::Shared;
use crate::auth::Outcome;
use crate::error::Failure;

/// Name of the first intermediate among the issuers; a later one has `-` and its identifier behind it.
const EMBEDDED: &str = "embedded";
/// Long enough to spare the server, short enough for a new intermediate to be seen.
const CACHE: &str = "public, max-age=3600";

/// `root`, `intermediate` or a later `intermediate-ID`, as `.cer` (DER, RFC 5280 section 4.2.2.1) or `.pem`.
pub(crate) async fn issuer_certificate(shared: Arc<Shared>, request: Request) -> Outcome {
    let file = request.uri().path().rsplit('/').next().unwrap_or_default();
    let (name, form) = file.split_once('.').unwrap_or((file, ""));
    let chain = |issuer: &str| shared.services.chain(issuer).unwrap_or_default();
    let der = match name.strip_prefix("intermediate") {
        Some(which) => chain(&format!("{EMBEDDED}{which}")).into_iter().next(),
        None if name == "root" => chain(EMBEDDED).pop(),
        None => None,
    };
    match (der, form) {
        (Some(der), "cer") => Ok(answer(StatusCode::OK, "application/pkix-cert", CACHE, der)),
        (Some(der), "pem") => Ok(answer(
            StatusCode::OK,
            "application/x-pem-file",
            CACHE,
            pem("CERTIFICATE", &der),
        )),
        _ => Err(Failure::no_route(
            "There is nothing here; expected root.cer, root.pem, intermediate.cer, intermediate.pem, or intermediate-ID.cer or \
             .pem of an intermediate that was made later",
        )),
    }
}
