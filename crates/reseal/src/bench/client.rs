//! One keep-alive connection to the server.

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    authorization: Option<HeaderValue>,
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// `X-Process-Id`.
    pub(super) process: Option<i64>,
    pub(super) body: Bytes,
}

pub(super) async fn dial(authority: &str) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(authority).await;
    stream.with_context(|| format!("{authority} cannot be reached"))
}

impl Connection {
    /// To `authority` (`host:port`); every call will bring the API key along, if there is one.
    pub(super) async fn open(authority: &str, key: Option<&str>) -> anyhow::Result<Self> {
        let stream = dial(authority).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: authority.parse()?,
            authorization: key.map(|key| format!("ApiKey {key}").parse()).transpose()?,
        })
    }

    /// Sends one call and reads its whole answer.
    pub(super) async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<Reply> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(body))?;
        self.sender
            .ready()
            .await
            .context("the connection was closed")?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        let process = head
            .headers
            .get("x-process-id")
            .and_then(|id| id.to_str().ok()?.parse().ok());
        Ok(Reply {
            status: head.status,
            process,
            body: body.collect().await?.to_bytes(),
        })
    }
}
