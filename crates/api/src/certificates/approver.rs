//! `GET /v2/ssl/dcvemailaddresslist/{domainName}`.

use http::StatusCode;
use reseal_lifecycle::Violation;

use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::syntax::Text;
use crate::error::Failure;

/// The addresses that may approve certificates for a name, as a plain JSON list.
pub(crate) async fn approver_addresses(call: Call) -> Outcome {
    let name = call.segment("name").unwrap_or_default().trim();
    if let Some(problem) = Text::Domain.problem(name) {
        let violation = Violation::new("domainName", problem, Some(name));
        return Err(Failure::constraints(vec![violation]));
    }
    // The contract's expression has no wildcard, but clients ask for one: it is proved by its base.
    let name = name.strip_prefix("*.").unwrap_or(name);
    let parameters = call.query();
    let product = parameters
        .first("product")
        .filter(|product| !product.is_empty());
    let addresses = call
        .services()
        .approver_addresses(&call.caller, name, product)
        .await?;
    Ok(answer::json(StatusCode::OK, &addresses))
}
