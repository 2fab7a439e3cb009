//! `GET` of one certificate and of the list, also below the customer's own path (contract.md sections 1.1
//! and 4.5).

use std::borrow::Cow;

use reseal_lifecycle::Error;
use reseal_lifecycle::customer::Caller;

use super::wire::{CertificateBody, FIELDS};
use crate::auth::{Call, Outcome};
use crate::error::Failure;
use crate::query::{self, ListRequest};

/// One certificate.
pub(crate) async fn get(call: Call) -> Outcome {
    let caller = caller(&call)?;
    let certificate = call.services().certificate(&caller, call.id()).await?;
    let now = call.services().clock().now();
    query::one(
        &call.query(),
        FIELDS,
        &CertificateBody::of(&certificate, now),
    )
}

/// The certificates that the caller may see.
pub(crate) async fn list(call: Call) -> Outcome {
    let caller = caller(&call)?;
    let request = ListRequest::read(&call.query(), FIELDS)?;
    let page = call
        .services()
        .certificates(&caller, &request.query)
        .await?;
    let now = call.services().clock().now();
    request.answer(&page, |certificate| CertificateBody::of(certificate, now))
}

/// The caller, narrowed to the customer in the path where there is one.
fn caller(call: &Call) -> Result<Cow<'_, Caller>, Failure> {
    let Some(customer) = call.segment("customer") else {
        return Ok(Cow::Borrowed(&call.caller));
    };
    call.narrowed_to(customer)
        .map(Cow::Owned)
        .ok_or_else(|| Error::not_found("Customer").into())
}
