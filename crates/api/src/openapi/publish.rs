//! `/openapi.json` and `/docs`: the document for programs and for people. Both are made once, when first asked for.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, StatusCode};

use super::page::{self, STYLE};
use super::{Operation, document};
use crate::answer::Shared;
use crate::auth::Outcome;
use crate::error::Failure;
use crate::public::answer;

/// A new version of the server is seen soon, and a busy one not asked often.
const CACHE: &str = "public, max-age=300";

static JSON: LazyLock<Result<Bytes, String>> = LazyLock::new(|| {
    serde_json::to_vec(&document())
        .map(Bytes::from)
        .map_err(|error| error.to_string())
});

static PAGE: LazyLock<Result<Bytes, String>> = LazyLock::new(|| {
    page::render(&document())
        .map(Bytes::from)
        .map_err(|error| error.to_string())
});

/// The page may use its own style, and nothing else from anywhere.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// The document as JSON.
pub(crate) async fn json(_: Arc<Shared>, _: Request) -> Outcome {
    let bytes = JSON
        .as_ref()
        .map_err(|error| Failure::internal(error.as_str()))?;
    Ok(answer(
        StatusCode::OK,
        "application/json",
        CACHE,
        bytes.clone(),
    ))
}

/// The document as one page that needs nothing else, not even scripts.
pub(crate) async fn page(_: Arc<Shared>, _: Request) -> Outcome {
    let bytes = PAGE
        .as_ref()
        .map_err(|error| Failure::internal(error.as_str()))?;
    let kind = "text/html; charset=utf-8";
    let mut response = answer(StatusCode::OK, kind, CACHE, bytes.clone());
    let policy = HeaderValue::from_str(&POLICY).map_err(Failure::internal)?;
    let headers: [(HeaderName, HeaderValue); 3] = [
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    response.headers_mut().extend(headers);
    Ok(response)
}

/// What the document says about the two.
pub(crate) mod describe {
    use super::Operation;

    pub(crate) fn json() -> Operation {
        Operation::new("Public", "getOpenApi", "This document").media(
            200,
            "OpenAPI 3.1.",
            "application/json",
        )
    }

    pub(crate) fn page() -> Operation {
        Operation::new("Public", "getDocs", "This document as a page").media(
            200,
            "For people.",
            "text/html",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_holds_its_style_as_the_policy_has_it_and_no_script() {
        let html = String::from_utf8(PAGE.as_ref().unwrap().to_vec()).unwrap();
        let (_, rest) = html.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = STANDARD.encode(digest(&SHA256, style.as_bytes()));
        assert!(POLICY.contains(&format!("'sha256-{hash}'")));
        for foreign in ["<script", "src=", "http://", " style=", "@import"] {
            assert!(!html.contains(foreign), "{foreign}");
        }
    }
}
