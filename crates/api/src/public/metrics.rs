//! `/metrics`: what is counted and measured, for whoever has the token.

use std::sync::Arc;

use axum::extract::Request;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use reseal_lifecycle::{Error, Kind};
use reseal_validation::panel::Token;

use super::answer;
use crate::answer::Shared;
use crate::auth::Outcome;
use crate::error::Failure;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Nothing is here unless the operator has set a token: figures say how busy a house is.
pub(crate) async fn metrics(shared: Arc<Shared>, request: Request) -> Outcome {
    let Some(token) = &shared.config.metrics_token else {
        return Err(Failure::no_route(
            "There is nothing here: `metrics.token_file` is not set",
        ));
    };
    if !is_offered(token, request.headers()) {
        let message =
            "Expected `Authorization: Bearer <token>` with the token in `metrics.token_file`";
        return Err(Error::new(Kind::Unauthenticated, message).into());
    }
    let text = shared.services.render_metrics().await?;
    Ok(answer(StatusCode::OK, TEXT, "no-store", text))
}

fn is_offered(token: &Token, headers: &HeaderMap) -> bool {
    let mut offered = headers.get_all(AUTHORIZATION).iter();
    match (offered.next(), offered.next()) {
        (Some(offered), None) => token.is_offered_by(offered.as_bytes()),
        _ => false,
    }
}
