//! `Idempotency-Key` on POST: the same call is carried out once, and answered the same.
//!
//! All of it runs in a task of its own, so that a client that hangs up while it waits finds its answer when it asks
//! again. Refusals are not kept: they changed nothing, and what stood in the way may be gone.

use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;
use reseal_lifecycle::Services;
use reseal_lifecycle::idempotency::{ClaimId, KeptAnswer, Turn};
use reseal_lifecycle::issuance::Answer;
use reseal_lifecycle::process::{Action, Process};

use crate::answer::{empty, or_panic};
use crate::auth::{Call, Outcome};
use crate::certificates;
use crate::error::Failure;
use crate::processes::{X_PROCESS_ID, refer_to};
use crate::query::Parameters;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The headers that belong to an answer; the others are made anew for each request.
static KEPT: [HeaderName; 3] = [CONTENT_TYPE, LOCATION, X_PROCESS_ID];

/// How long a second call waits for the first.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause between two looks whether the first call has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// Calls `handler`, once only when the call carries a key.
pub(crate) async fn once<F, Fut>(call: Call, handler: F) -> Outcome
where
    F: FnOnce(Call) -> Fut + Send + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    if call.method() != Method::POST {
        return handler(call).await;
    }
    match key(call.headers())? {
        Some(key) if !may_be_repeated(call.target()) => {
            let task = tokio::spawn(keyed(call, key, handler));
            task.await.map_err(Failure::internal)?
        }
        _ => handler(call).await,
    }
}

/// Whether a call does no more when it is made twice. Their answers are not kept: they can be long, and that of a
/// webhook holds a secret.
fn may_be_repeated(target: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    ["/v2/ssl/decodecsr", "/v2/ssl/authkey"].contains(&path)
        || path.ends_with("/webhook")
        || only_asks(path, &Parameters::parse(query))
}

/// Whether the query asks the route for a price or a plan alone. Others take no notice of these words, and do what
/// they always do.
fn only_asks(path: &str, parameters: &Parameters) -> bool {
    let is_set = |flag| parameters.all(flag).any(|value| value == "true");
    let below = path.strip_prefix("/v2/ssl/certificates");
    let orders = below.is_some_and(|verb| {
        verb.is_empty() || verb.ends_with("/reissue") || verb.ends_with("/renew")
    });
    orders && is_set("quote") || (orders || path == "/v2/ssl/campaigns") && is_set("dryRun")
}

/// SHA-256 of the key in the headers.
fn key(headers: &HeaderMap) -> Result<Option<[u8; 32]>, Failure> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    let bytes = value.as_bytes();
    let fits =
        (1..=255).contains(&bytes.len()) && bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    if !fits || second.is_some() {
        return Err(Failure::rule(
            "Expected one header `Idempotency-Key` of 1 to 255 printable ASCII characters",
        ));
    }
    Ok(Some(hash(&[bytes])))
}

async fn keyed<F, Fut>(mut call: Call, key: [u8; 32], handler: F) -> Outcome
where
    F: FnOnce(Call) -> Fut,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    let fingerprint = hash(&[call.target().as_bytes(), call.bytes()]);
    let services = std::sync::Arc::clone(call.services());
    let give_up = Instant::now() + PATIENCE;
    loop {
        match services.take_key(&call.caller, key, fingerprint).await? {
            Turn::First(claim) => {
                call.caller.claim = Some(claim);
                return carry_out(&services, claim, handler(call)).await;
            }
            Turn::Again(answer) => return given(answer),
            Turn::Opened(process) => return opened(*process),
            Turn::Running if Instant::now() < give_up => tokio::time::sleep(PAUSE).await,
            Turn::Running => {
                return Err(Failure::too_many(
                    "The first call with this `Idempotency-Key` is still being carried out: ask again",
                    PATIENCE,
                ));
            }
        }
    }
}

/// Waits for the answer and keeps it.
async fn carry_out(
    services: &Services,
    claim: ClaimId,
    answer: impl Future<Output = Outcome>,
) -> Outcome {
    let outcome = or_panic(answer)
        .await
        .unwrap_or_else(|| Err(Failure::internal("a handler panicked")));
    let (outcome, kept) = match outcome {
        Ok(response) if response.status().is_success() => {
            let (response, kept) = keep(response).await?;
            (Ok(response), Some(kept))
        }
        other => (other, None),
    };
    // What was done stays done and is answered; without this record it would be found by the process, if at all.
    if let Err(error) = services.settle_key(claim, kept).await {
        tracing::warn!(%error, source = ?error.source, "an answer could not be kept for its idempotency key");
    }
    outcome
}

/// A copy of `response` to keep.
async fn keep(response: Response) -> Result<(Response, KeptAnswer), Failure> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(Failure::internal)?.to_bytes();
    let headers = KEPT.iter().filter_map(|name| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let kept = KeptAnswer {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: body.to_vec(),
    };
    Ok((Response::from_parts(parts, Body::from(body)), kept))
}

/// `kept` as a response.
pub(crate) fn given(kept: KeptAnswer) -> Outcome {
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status).map_err(Failure::internal)?;
    for (name, value) in kept.headers {
        let name = HeaderName::try_from(name).map_err(Failure::internal)?;
        let value = HeaderValue::try_from(value).map_err(Failure::internal)?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// The answer to a call that opened `process` and was never answered: as far as it has come by now.
fn opened(process: Process) -> Outcome {
    if process.action == Action::Import {
        let location = process
            .certificate
            .map(|id| format!("/v2/ssl/certificates/{id}"));
        let mut response = empty(StatusCode::CREATED);
        refer_to(&mut response, process.id, location.as_deref());
        return Ok(response);
    }
    let certificate = process.certificate;
    certificates::respond(&Answer::Process {
        process: Box::new(process),
        certificate,
    })
}

/// SHA-256 over parts that cannot run into each other.
fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut whole = Vec::new();
    for part in parts {
        whole.extend_from_slice(&(part.len() as u64).to_be_bytes());
        whole.extend_from_slice(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &whole).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        values
            .iter()
            .map(|value| (IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).unwrap()))
            .collect()
    }

    #[test]
    fn a_key_is_one_header_of_printable_ascii() {
        assert!(key(&headers(&[])).unwrap().is_none());
        let long = [b'k'; 255];
        let one = key(&headers(&[&long])).unwrap();
        assert!(one.is_some());
        assert_ne!(one, key(&headers(&[b"k"])).unwrap());
        for bad in [
            &[&[b'k'; 256][..]][..],
            &[b""],
            &[b"a", b"a"],
            &[b"\xc3\xa4"],
            &[b"a\tb"],
        ] {
            assert!(key(&headers(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_only_asks_is_not_kept() {
        for target in [
            "/v2/ssl/decodecsr",
            "/v2/ssl/certificates?quote=true",
            "/v2/ssl/certificates/1/reissue?dryRun=true",
            "/v2/ssl/certificates/1/renew?quote=+true%20",
            "/v2/ssl/campaigns?dryRun=true",
            "/v2/customers/acme/webhook",
        ] {
            assert!(may_be_repeated(target), "{target}");
        }
        for target in [
            "/v2/ssl/certificates?quote=false",
            "/v2/ssl/certificates/1/renew",
            "/v2/processes/1/resend",
            "/v2/ssl/import?dryRun=true",
            "/v2/ssl/campaigns?quote=true",
            "/v2/ssl/campaigns/1/cancel?dryRun=true",
            "/v2/processes/1/resend?quote=true",
        ] {
            assert!(!may_be_repeated(target), "{target}");
        }
    }

    /// The flags count exactly where the document has them.
    #[test]
    fn a_flag_counts_where_it_is_read() {
        let document = crate::openapi::document();
        for (path, methods) in document["paths"].as_object().unwrap() {
            let Some(post) = methods.get("post").filter(|_| path.starts_with("/v2/")) else {
                continue;
            };
            let path = path.replace("{id}", "1");
            if may_be_repeated(&path) {
                continue;
            }
            for flag in ["quote", "dryRun"] {
                let mut parameters = post["parameters"].as_array().unwrap().iter();
                let is_read = parameters.any(|parameter| parameter["name"] == flag);
                let target = format!("{path}?{flag}=true");
                assert_eq!(may_be_repeated(&target), is_read, "{target}");
            }
        }
    }

    #[test]
    fn parts_cannot_run_into_each_other() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
    }
}
