//! `/healthz`: the process answers. `/readyz`: requests can be served.

use std::sync::Arc;

use axum::extract::Request;
use http::StatusCode;

use super::answer;
use crate::answer::Shared;
use crate::auth::Outcome;

const TEXT: &str = "text/plain; charset=utf-8";

/// Always 200.
pub(crate) async fn health(_: Arc<Shared>, _: Request) -> Outcome {
    Ok(answer(StatusCode::OK, TEXT, "no-store", "ok\n"))
}

/// 200 only while the store can be written and no part of the worker stands still; otherwise a contract error with `Retry-After`.
pub(crate) async fn ready(shared: Arc<Shared>, _: Request) -> Outcome {
    shared.services.ready().await?;
    Ok(answer(StatusCode::OK, TEXT, "no-store", "ready\n"))
}
