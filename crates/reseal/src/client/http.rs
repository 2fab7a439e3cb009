//! One call of the API, by HTTP or HTTPS. No redirect is followed: the key is for this server only.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::args::{ApiSecret, ServerUrl};
use crate::console;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Longest wait for a connection, and for one answer; a server that issues at once takes its `server.sync_wait`.
const DIAL: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_mins(1);
/// Most bytes of an answer.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;
/// How often a call is made that gets no answer, and the pause after the first.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(1);
/// Longest pause that a server can ask for.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// A server, and the key to it.
pub(super) struct Server {
    url: String,
    secure: bool,
    host: String,
    port: u16,
    authority: String,
    /// In front of the API's paths, without a slash at its end.
    path: String,
    authorization: HeaderValue,
    tls: TlsConnector,
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// `X-Process-Id`.
    pub(super) process: Option<i64>,
    /// `Retry-After`.
    pub(super) retry_after: Option<Duration>,
    pub(super) text: String,
}

/// No answer came, or none that lasts; whether the call was carried out is not known.
#[derive(Debug)]
pub(super) struct Unanswered(String);

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unanswered {}

/// Why there is no answer to a call.
enum Failure {
    Unanswered(Unanswered),
    /// The server cannot show that it is the one that was meant: asking again changes nothing.
    Distrusted(String),
}

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unanswered(unanswered)
    }
}

impl Reply {
    pub(super) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.text).context("the server's answer is not JSON")
    }

    /// Whether the same call may succeed later.
    fn is_passing(&self) -> bool {
        matches!(
            self.status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        )
    }
}

impl Server {
    /// Checks what is given and prepares; nothing is sent yet.
    pub(super) fn new(
        url: &ServerUrl,
        key: &ApiSecret,
        ca_file: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let ServerUrl {
            text,
            secure,
            authority,
            path,
        } = url.clone();
        let host = authority.host().trim_matches(['[', ']']);
        let here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        if !secure && !here {
            console::notice("note: without https the API key can be read on its way");
        }
        let mut authorization = HeaderValue::try_from(format!("ApiKey {}", key.expose()))
            .map_err(|_| anyhow!("`--api-key`: expected the key as `api-key create` printed it"))?;
        authorization.set_sensitive(true);
        Ok(Self {
            url: text,
            secure,
            host: host.to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if secure { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path,
            authorization,
            tls: connector(ca_file)?,
        })
    }

    /// As given, without a slash at its end.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What `path` holds; any other answer is an error in words.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        let reply = self.insist(Method::GET, path, "", None).await?;
        if reply.status == StatusCode::OK {
            return Ok(reply);
        }
        let words = super::refusal::in_words(&reply);
        if reply.is_passing() {
            return Err(Unanswered(words).into());
        }
        bail!("{words}")
    }

    /// Makes a call that does no harm when it is made twice, until there is an answer, some times.
    pub(super) async fn insist(
        &self,
        method: Method,
        path: &str,
        body: &str,
        key: Option<&str>,
    ) -> anyhow::Result<Reply> {
        let mut pause = PAUSE;
        for left in (0..TRIES).rev() {
            let outcome = self.call(&method, path, body, key).await;
            let (said, wait) = match outcome {
                Ok(reply) if reply.is_passing() && left > 0 => (
                    format!("the server answered {}", reply.status),
                    reply.retry_after.unwrap_or(pause).min(LONGEST_PAUSE),
                ),
                Ok(reply) => return Ok(reply),
                Err(Failure::Distrusted(reason)) => {
                    bail!(
                        "{} is not trusted, and was sent nothing: {reason}",
                        self.url
                    )
                }
                Err(Failure::Unanswered(unanswered)) if left > 0 => (unanswered.to_string(), pause),
                Err(Failure::Unanswered(unanswered)) => {
                    return Err(unanswered)
                        .with_context(|| format!("{} does not answer", self.url));
                }
            };
            console::notice(format!("{said}; again in {} s", wait.as_secs().max(1)));
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
        bail!("{} does not answer", self.url)
    }

    async fn call(
        &self,
        method: &Method,
        path: &str,
        body: &str,
        key: Option<&str>,
    ) -> Result<Reply, Failure> {
        let request = self.request(method, path, body, key)?;
        tokio::time::timeout(LIMIT, self.exchange(request))
            .await
            .map_err(|_| Unanswered(format!("no answer within {} s", LIMIT.as_secs())))?
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        body: &str,
        key: Option<&str>,
    ) -> Result<Request<Full<Bytes>>, Unanswered> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.path))
            .header(HOST, &self.authority)
            .header(USER_AGENT, concat!("Reseal/", env!("CARGO_PKG_VERSION")))
            .header(AUTHORIZATION, &self.authorization);
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        request
            .body(Full::new(Bytes::from(body.to_owned())))
            .map_err(|error| Unanswered(format!("the call cannot be made: {error}")))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Reply, Failure> {
        let lost = |error: hyper::Error| Unanswered(format!("no proper answer: {error}"));
        let (mut sender, connection) = http1::handshake(TokioIo::new(self.connect().await?))
            .await
            .map_err(lost)?;
        // Ends with its sender.
        tokio::spawn(connection);
        let (head, body) = sender
            .send_request(request)
            .await
            .map_err(lost)?
            .into_parts();
        let body = Limited::new(body, LARGEST_ANSWER)
            .collect()
            .await
            .map_err(|error| Unanswered(format!("the answer cannot be read: {error}")))?
            .to_bytes();
        let number = |name: &HeaderName| {
            let value = head.headers.get(name)?.to_str().ok()?;
            value.parse::<i64>().ok()
        };
        let seconds = number(&RETRY_AFTER).and_then(|seconds| u64::try_from(seconds).ok());
        Ok(Reply {
            status: head.status,
            process: number(&HeaderName::from_static("x-process-id")),
            retry_after: seconds.map(Duration::from_secs),
            text: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, Failure> {
        tokio::time::timeout(DIAL, self.dial())
            .await
            .map_err(|_| Unanswered(format!("no connection within {} s", DIAL.as_secs())))?
    }

    async fn dial(&self) -> Result<Box<dyn Stream>, Failure> {
        let failed = |error: std::io::Error| Unanswered(format!("no connection: {error}"));
        let stream = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        if !self.secure {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| Unanswered(format!("`{}` cannot be asked for in TLS", self.host)))?;
        match self.tls.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(match distrust(&error) {
                Some(reason) => Failure::Distrusted(reason),
                None => failed(error).into(),
            }),
        }
    }
}

/// What is wrong with the server's certificate, if that is why there is no connection.
fn distrust(error: &std::io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref()?;
    let rustls::Error::InvalidCertificate(reason) = error else {
        return None;
    };
    Some(match reason {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "no CA that is trusted here vouches for its certificate; `--ca-file FILE` \
             names the one that does"
                .to_owned()
        }
        other => console::printable(&format!("its certificate is refused: {other}")),
    })
}

/// A connection, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// TLS that trusts the certificates in `ca_file`, or what this machine trusts.
fn connector(ca_file: Option<&Path>) -> anyhow::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        None => {
            // One that cannot be read is missed when a server is shown to be vouched for by it.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(path) => {
            let unusable = || format!("`--ca-file`: {} is not usable", path.display());
            for root in CertificateDer::pem_file_iter(path).with_context(unusable)? {
                roots
                    .add(root.with_context(unusable)?)
                    .with_context(unusable)?;
            }
            if roots.is_empty() {
                bail!("`--ca-file`: {} holds no certificate", path.display());
            }
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
