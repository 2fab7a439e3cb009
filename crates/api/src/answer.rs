//! What every request gets, whatever its route: an id, an answer even when the handler panics, a log line.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use reseal_lifecycle::Services;
use reseal_validation::panel::Token;
use serde::Serialize;
use tower::Service as _;

use crate::cors::{Cors, Origin};
use crate::error::Failure;
use crate::limits::{RateLimits, Rates};
use crate::load::{Capacity, Load};
use crate::measures::Measures;
use crate::public::Readiness;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What an operator may set about HTTP.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// `server.max_body`: bytes of a request body.
    pub max_body: usize,
    /// How long a request body may take to arrive.
    pub body_timeout: Duration,
    /// `limits`: `None` when nothing is limited.
    pub rates: Option<Rates>,
    /// How much is carried out at a time.
    pub capacity: Capacity,
    /// `server.cors_origins`: pages whose scripts may call.
    pub cors_origins: Vec<Origin>,
    /// `metrics.token_file`: what whoever reads `/metrics` must show; `None` when nobody may.
    pub metrics_token: Option<Token>,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            max_body: 256 * 1024,
            body_timeout: Duration::from_secs(15),
            rates: None,
            capacity: Capacity::default(),
            cors_origins: Vec::new(),
            metrics_token: None,
        }
    }
}

/// What handlers work with.
pub(crate) struct Shared {
    pub(crate) services: Arc<Services>,
    pub(crate) config: ApiConfig,
    /// `None` when the operator switched them off.
    pub(crate) limits: Option<Arc<RateLimits>>,
    pub(crate) load: Load,
    pub(crate) readiness: Readiness,
}

/// The whole HTTP side as one function from request to response. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    router: Router,
    ids: Arc<RequestIds>,
    cors: Arc<Cors>,
    limits: Option<Arc<RateLimits>>,
    measures: Option<Arc<Measures>>,
}

impl Api {
    /// Answers by `router`, to scripts of pages from `origins` as well.
    pub(crate) fn new(router: Router, origins: Vec<Origin>) -> Self {
        Self {
            router,
            ids: Arc::default(),
            cors: Arc::new(Cors::new(origins)),
            limits: None,
            measures: None,
        }
    }

    /// The same, measured.
    pub(crate) fn measured(self, measures: Option<Measures>) -> Self {
        let measures = measures.map(Arc::new);
        Self { measures, ..self }
    }

    /// The same with measures that other nodes hear of.
    pub(crate) fn limited(self, limits: Option<Arc<RateLimits>>) -> Self {
        Self { limits, ..self }
    }

    /// The measures of its callers.
    pub(crate) fn limits(&self) -> Option<Arc<RateLimits>> {
        self.limits.clone()
    }

    /// Answers one request. Never fails and never panics.
    pub async fn answer(&self, mut request: Request) -> Response {
        let started = Instant::now();
        let id = self.ids.next();
        let method = request.method().clone();
        request.extensions_mut().insert(id);
        drop_trailing_slashes(request.uri_mut());

        let admitted = self.cors.admitted(request.headers());
        let mut response = match Cors::preflight(&request, admitted.as_ref()) {
            Some(response) => response,
            None => self.route(request, id).await,
        };
        self.cors.mark(&mut response, admitted);
        if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        self.finish(id, &method, started.elapsed(), &mut response);
        response
    }

    /// The log line, and the measures.
    fn finish(&self, id: RequestId, method: &Method, took: Duration, response: &mut Response) {
        let trace = response.extensions_mut().remove::<Trace>();
        let route = trace.as_ref().and_then(|trace| trace.route.as_ref());
        let route = route.map_or("-", MatchedPath::as_str);
        let status = response.status().as_u16();
        if let Some(measures) = &self.measures {
            measures.count(method, route, status, took);
        }
        let customer = trace.as_ref().and_then(|trace| trace.customer.as_deref());
        tracing::info!(
            target: "reseal_api::access",
            request = %id,
            %method,
            route,
            status,
            micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            customer = customer.unwrap_or("-"),
        );
    }

    async fn route(&self, request: Request, id: RequestId) -> Response {
        let mut router = self.router.clone();
        match or_panic(router.call(request)).await {
            Some(Ok(response)) => response,
            Some(Err(never)) => match never {},
            None => Failure::internal("a handler panicked").respond(id),
        }
    }
}

/// What proxies are told to keep from strangers, by its name: there a path is what it says.
const FOR_OPERATORS: [&str; 2] = ["/readyz", "/metrics"];

/// One SDK ends its paths with a slash; a redirect would turn its POST into a GET (contract.md section 7).
fn drop_trailing_slashes(uri: &mut Uri) {
    let path = uri.path();
    let bare = path.trim_end_matches('/');
    if bare.len() == path.len() || path == "/" || FOR_OPERATORS.contains(&bare) {
        return;
    }
    let bare = if bare.is_empty() { "/" } else { bare };
    let rewritten = match uri.query() {
        Some(query) => format!("{bare}?{query}").parse(),
        None => bare.parse(),
    };
    if let Ok(rewritten) = rewritten {
        *uri = rewritten;
    }
}

/// `None` when the future panicked; the panic hook has already written where.
pub(crate) async fn or_panic<F: Future>(future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(move |context| {
        // A future that panicked is not polled again, so no broken state can be seen.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

/// Left in a response for the log line.
#[derive(Clone)]
pub(crate) struct Trace {
    pub(crate) route: Option<MatchedPath>,
    pub(crate) customer: Option<String>,
}

/// Number of a request in this process, scrambled so that it says nothing about how many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestId(u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[derive(Default)]
struct RequestIds {
    seed: RandomState,
    count: AtomicU64,
}

impl RequestIds {
    fn next(&self) -> RequestId {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        RequestId(self.seed.hash_one(count))
    }
}

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let (status, bytes) = match serde_json::to_vec(body) {
        Ok(bytes) => (status, bytes),
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as JSON");
            let text = r#"{"type":"InternalSRSError","message":"Internal failure"}"#;
            (StatusCode::INTERNAL_SERVER_ERROR, text.into())
        }
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer without a body, and so without a content type: one SDK would try to read it.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_slashes_go_and_queries_stay() {
        for (from, to) in [
            ("/v2/processes/", "/v2/processes"),
            ("/v2/processes//?limit=1", "/v2/processes?limit=1"),
            ("/v2/processes?q=/", "/v2/processes?q=/"),
            ("/", "/"),
            ("///", "/"),
            ("/readyz/", "/readyz/"),
            ("/metrics//", "/metrics//"),
            ("/v2/ssl/products/%2F/", "/v2/ssl/products/%2F"),
        ] {
            let mut uri: Uri = from.parse().unwrap();
            drop_trailing_slashes(&mut uri);
            assert_eq!(uri.to_string(), to, "{from}");
        }
    }

    #[tokio::test]
    async fn a_panic_becomes_an_answer() {
        let failing = async {
            tokio::task::yield_now().await;
            assert_eq!(1, 2, "on purpose");
        };
        assert!(or_panic(failing).await.is_none());
        assert_eq!(or_panic(async { 3 }).await, Some(3));
    }

    #[test]
    fn request_ids_differ() {
        let ids = RequestIds::default();
        assert_ne!(ids.next(), ids.next());
    }
}
