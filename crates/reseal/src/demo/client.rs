//! The demo's customer calls the API as anybody would: HTTP, JSON, an API key.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

const LONGEST_CALL: Duration = Duration::from_secs(15);

/// A customer's access to one server.
pub(super) struct Client {
    /// Without a trailing slash.
    pub(super) url: String,
    pub(super) key: String,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// `X-Process-Id`.
    pub(super) process: Option<i64>,
    pub(super) text: String,
}

impl Reply {
    /// The body as JSON.
    pub(super) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.text)
            .with_context(|| format!("the answer is not JSON: {}", self.text))
    }

    /// The reply itself, when it has the status hoped for.
    pub(super) fn expect(self, status: StatusCode) -> anyhow::Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        bail!(
            "expected status {status}, saw {}: {}",
            self.status,
            self.text
        )
    }
}

impl Client {
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.call(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Reply> {
        let what = format!("{method} {path}");
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("ApiKey {}", self.key));
        let request = match body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(Full::new(Bytes::from(body.to_string())))?,
            None => request.body(Full::default())?,
        };
        exchange(&self.url, request).await.context(what)
    }
}

/// Opens `url` as a browser would, without any key.
pub(super) async fn open_page(url: &str) -> anyhow::Result<Reply> {
    let (server, path) = split(url)?;
    let request = Request::builder().uri(path).body(Full::default())?;
    exchange(server, request)
        .await
        .with_context(|| format!("GET {url}"))
}

/// Submits a form to `url` as a browser would.
pub(super) async fn submit_form(url: &str, fields: &str) -> anyhow::Result<Reply> {
    let (server, path) = split(url)?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(fields.to_owned())))?;
    exchange(server, request)
        .await
        .with_context(|| format!("POST {url}"))
}

/// `http://host:port` and the path.
fn split(url: &str) -> anyhow::Result<(&str, &str)> {
    let after_scheme = url.find("://").map_or(0, |start| start + 3);
    let slash = url[after_scheme..]
        .find('/')
        .map(|slash| after_scheme + slash);
    let slash = slash.ok_or_else(|| anyhow!("`{url}` has no path"))?;
    Ok(url.split_at(slash))
}

async fn exchange(server: &str, mut request: Request<Full<Bytes>>) -> anyhow::Result<Reply> {
    let authority = server
        .strip_prefix("http://")
        .ok_or_else(|| anyhow!("expected a URL with http, saw `{server}`"))?;
    request.headers_mut().insert(HOST, authority.parse()?);
    let call = async {
        let stream = TcpStream::connect(authority).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        let process = head
            .headers
            .get("x-process-id")
            .and_then(|id| id.to_str().ok()?.parse().ok());
        Ok::<_, anyhow::Error>(Reply {
            status: head.status,
            process,
            text: String::from_utf8_lossy(&body).into_owned(),
        })
    };
    tokio::time::timeout(LONGEST_CALL, call)
        .await
        .map_err(|_| anyhow!("no answer within {} seconds", LONGEST_CALL.as_secs()))?
}
