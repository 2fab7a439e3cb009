//! What a remote perspective serves (`reseal perspective`): the looks of one network, for whoever has the token.
//!
//! It keeps nothing and knows no customers. The wire types are those of [`reseal_validation::panel`].

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use reseal_lifecycle::{Error, Kind};
use reseal_pki::name::{DnsName, NamePolicy};
use reseal_validation::Perspective;
use reseal_validation::caa::Levels;
use reseal_validation::panel::{
    ABOUT, ATTEMPT, About, AttemptQuestion, CAA, CaaQuestion, Reply, Token,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::answer::{Api, ApiConfig, RequestId, json};
use crate::body::receive;
use crate::error::{Failure, first_characters};
use crate::public;

/// Largest question in bytes.
const LARGEST_QUESTION: usize = 16 * 1024;
/// Looks under way at the same time.
const AT_ONCE: usize = 256;
/// Longest look; whoever asks waits a little longer.
const LONGEST_LOOK: Duration = Duration::from_secs(15);

/// A remote perspective.
pub struct PerspectiveService {
    /// What it is called; the server that asks checks it.
    pub name: String,
    /// What has to be shown; `None` lets everybody ask.
    pub token: Option<Token>,
    /// How it sees the world.
    pub perspective: Perspective,
    /// Which names it looks at.
    pub names: NamePolicy,
}

struct Shared {
    service: PerspectiveService,
    free: Semaphore,
    body: ApiConfig,
}

type Outcome = Result<Response, Failure>;

/// The HTTP side of a remote perspective.
pub fn perspective_router(service: PerspectiveService) -> Api {
    router(service, AT_ONCE)
}

fn router(service: PerspectiveService, at_once: usize) -> Api {
    let shared = Arc::new(Shared {
        service,
        free: Semaphore::new(at_once),
        body: ApiConfig {
            max_body: LARGEST_QUESTION,
            ..ApiConfig::default()
        },
    });
    let router = Router::new()
        .route(
            ATTEMPT,
            post(|shared, request| answer(shared, request, attempt)),
        )
        .route(CAA, post(|shared, request| answer(shared, request, caa)))
        .route(ABOUT, get(|shared, request| answer(shared, request, about)))
        .route("/healthz", get(health))
        .method_not_allowed_fallback(|shared, request| answer(shared, request, no_method))
        .fallback(|shared, request| answer(shared, request, no_route))
        .with_state(shared);
    Api::new(router, Vec::new())
}

/// Checks the token, then lets `handler` answer.
async fn answer<F, Fut>(State(shared): State<Arc<Shared>>, request: Request, handler: F) -> Response
where
    F: FnOnce(Arc<Shared>, Request) -> Fut,
    Fut: Future<Output = Outcome>,
{
    let id = request.extensions().get().copied().unwrap_or_default();
    match authorized(&shared, request.headers()) {
        Ok(()) => handler(shared, request)
            .await
            .unwrap_or_else(|failure| failure.respond(id)),
        Err(failure) => challenge(failure, id),
    }
}

fn authorized(shared: &Shared, headers: &HeaderMap) -> Result<(), Failure> {
    let Some(token) = &shared.service.token else {
        return Ok(());
    };
    let mut offered = headers.get_all(AUTHORIZATION).iter();
    match (offered.next(), offered.next()) {
        (Some(offered), None) if token.is_offered_by(offered.as_bytes()) => Ok(()),
        _ => {
            let message =
                "Expected `Authorization: Bearer <token>` with the token of this perspective";
            Err(Error::new(Kind::Unauthenticated, message).into())
        }
    }
}

/// A refusal that says by which scheme one is let in (RFC 6750 section 3).
fn challenge(failure: Failure, id: RequestId) -> Response {
    let mut response = failure.respond(id);
    let scheme = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    response
}

async fn attempt(shared: Arc<Shared>, request: Request) -> Outcome {
    let question: AttemptQuestion = read(&shared, request).await?;
    question
        .check(&shared.service.names)
        .map_err(Failure::rule)?;
    let look = shared.service.perspective.attempt(&question.challenge);
    shared.look(look).await
}

async fn caa(shared: Arc<Shared>, request: Request) -> Outcome {
    let question: CaaQuestion = read(&shared, request).await?;
    let name = DnsName::parse(&question.name, &shared.service.names)
        .map_err(|error| Failure::rule(format!("`name`: {error}")))?;
    let levels = Levels::default();
    let look = shared.service.perspective.caa(&name, &levels);
    shared.look(look).await
}

/// For whoever watches over it: it runs, and no more is told.
async fn health() -> Response {
    public::answer(
        StatusCode::OK,
        "text/plain; charset=utf-8",
        "no-store",
        "ok\n",
    )
}

async fn about(shared: Arc<Shared>, _: Request) -> Outcome {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Ok(shared.reply(About { version }))
}

async fn no_route(_: Arc<Shared>, request: Request) -> Outcome {
    let path = first_characters(request.uri().path(), 100);
    let message = format!("There is nothing at `{path}`: this is a remote perspective");
    Err(Failure::no_route(message))
}

async fn no_method(_: Arc<Shared>, request: Request) -> Outcome {
    let method = first_characters(request.method().as_str(), 20);
    Err(Failure::no_method(format!(
        "`{method}` is not possible here"
    )))
}

/// The question in a body.
async fn read<Q: DeserializeOwned>(shared: &Shared, request: Request) -> Result<Q, Failure> {
    let (head, body) = request.into_parts();
    let body = receive::bytes(body, &shared.body).await?;
    let object = receive::object(&head.headers, &body)?
        .ok_or_else(|| Failure::unreadable("Expected a question in the body, saw nothing"))?;
    serde_json::from_value(Value::Object(object))
        .map_err(|error| Failure::unreadable(format!("The question is not understood: {error}")))
}

impl Shared {
    /// The answer that `look` leads to, if there is room for it.
    async fn look<T: Serialize>(&self, look: impl Future<Output = T>) -> Outcome {
        // With `Retry-After`.
        let busy = |message: &str| Failure::from(Error::new(Kind::Unavailable, message));
        let _place = self
            .free
            .try_acquire()
            .map_err(|_| busy("Too many looks are under way: ask again in a second"))?;
        match tokio::time::timeout(LONGEST_LOOK, look).await {
            Ok(result) => Ok(self.reply(result)),
            Err(_) => Err(busy("The look took too long: ask again")),
        }
    }

    fn reply<T: Serialize>(&self, result: T) -> Response {
        let reply = Reply {
            perspective: self.service.name.clone(),
            result,
        };
        json(StatusCode::OK, &reply)
    }
}

#[cfg(test)]
mod tests;
