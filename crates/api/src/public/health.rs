//! `/healthz`: the process answers. `/readyz`: requests can be served.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use http::StatusCode;
use tokio::sync::Mutex;

use super::answer;
use crate::answer::Shared;
use crate::auth::Outcome;
use crate::error::Failure;

const TEXT: &str = "text/plain; charset=utf-8";

/// Always 200.
pub(crate) async fn health(_: Arc<Shared>, _: Request) -> Outcome {
    Ok(answer(StatusCode::OK, TEXT, "no-store", "ok\n"))
}

/// How long it holds that the server is ready: each look writes a row, and anybody may ask.
const LASTS: Duration = Duration::from_secs(1);

/// When a look at the store ended, and whether all was well. One at a time looks, and who waits for it has its answer.
#[derive(Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, bool)>>);

/// 200 only while the store can be written and no part of the worker stands still; otherwise a contract error with `Retry-After`.
pub(crate) async fn ready(shared: Arc<Shared>, _: Request) -> Outcome {
    let asked = Instant::now();
    let mut last = shared.readiness.0.lock().await;
    match *last {
        Some((at, true)) if at.elapsed() < LASTS => {}
        Some((at, false)) if at > asked => {
            let message = "The server was not ready a moment ago";
            return Err(Failure::overloaded(message, LASTS));
        }
        _ => {
            let outcome = shared.services.ready().await;
            *last = Some((Instant::now(), outcome.is_ok()));
            outcome?;
        }
    }
    Ok(answer(StatusCode::OK, TEXT, "no-store", "ready\n"))
}
