//! `GET` of one certificate and of the list, also below the customer's own path (contract.md sections 1.1
//! and 4.5).

use http::{HeaderName, HeaderValue};
use reseal_lifecycle::customer::Caller;

use super::wire::{CertificateBody, FIELDS};
use crate::auth::{Call, Outcome};
use crate::query::{self, ListRequest};

/// From when on a certificate that ends before its subscription should be reissued (rules.md R-6): a header, since what
/// is in the body is the contract's.
const REISSUE_ADVISED_FROM: HeaderName = HeaderName::from_static("x-reissue-advised-from");

/// One certificate.
pub(crate) async fn get(call: Call) -> Outcome {
    let caller = call.caller.clone();
    one(call, caller).await
}

/// One certificate of the customer in the path.
pub(crate) async fn get_below_customer(call: Call) -> Outcome {
    let caller = call.below_customer().await?;
    one(call, caller).await
}

/// The certificates that the caller may see.
pub(crate) async fn list(call: Call) -> Outcome {
    let caller = call.caller.clone();
    several(call, caller).await
}

/// The certificates of the customer in the path.
pub(crate) async fn list_below_customer(call: Call) -> Outcome {
    let caller = call.below_customer().await?;
    several(call, caller).await
}

async fn one(call: Call, caller: Caller) -> Outcome {
    let certificate = call.services().certificate(&caller, call.id()).await?;
    let now = call.services().clock().now();
    let body = CertificateBody::of(&certificate, now);
    let mut response = query::one(&call.query(), FIELDS, &body)?;
    if certificate.not_after < certificate.subscription_end {
        let window = call.services().renewal_window(&certificate).await?;
        let from = window.start;
        if let Ok(from) = HeaderValue::from_str(&format!("{from:.0}")) {
            response.headers_mut().insert(REISSUE_ADVISED_FROM, from);
        }
    }
    Ok(response)
}

async fn several(call: Call, caller: Caller) -> Outcome {
    let request = ListRequest::read(&call.query(), FIELDS)?;
    let page = call
        .services()
        .certificates(&caller, &request.query)
        .await?;
    let now = call.services().clock().now();
    request.answer(&page, |certificate| CertificateBody::of(certificate, now))
}
