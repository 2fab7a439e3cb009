//! The OCSP responder as clients meet it: asked over HTTP, judged by `openssl`.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod client;
mod http;
mod status;
mod trouble;
