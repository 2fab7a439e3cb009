//! Asking a remote perspective: `reseal perspective` on another network, over HTTPS.

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use reseal_pki::{corroboration::Region, name::DnsName};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{ABOUT, ATTEMPT, About, AttemptQuestion, CAA, CaaQuestion, Reply, Token};
use crate::{caa::CaaObservation, challenge::Challenge, evidence::Attempt, evidence::excerpt};

/// Longest wait for one answer. A perspective itself gives up before.
const LIMIT: Duration = Duration::from_secs(18);
/// Longest wait for a connection.
const DIAL: Duration = Duration::from_secs(5);
/// Most bytes of an answer.
const LARGEST_ANSWER: usize = 256 * 1024;
/// Most connections that are kept for the next question.
const MOST_IDLE: usize = 8;

/// One of `dcv.perspectives`.
#[derive(Clone, Debug)]
pub struct RemoteSettings {
    /// What it is called, here and there.
    pub name: String,
    /// The registry's region it stands in.
    pub region: Option<Region>,
    /// Where it answers: an `https` URL, or an `http` one on this very machine (a tunnel's end).
    pub url: String,
    /// The CAs that may vouch for it, DER; `None` for those that this machine trusts.
    pub roots: Option<Vec<Vec<u8>>>,
    /// What it is shown.
    pub token: Option<Token>,
}

/// Settings of a remote perspective that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The URL.
    #[error("`{url}`: {reason}")]
    Url {
        /// As configured.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A certificate that shall vouch for it.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// A remote perspective.
pub struct Remote {
    name: String,
    region: Option<Region>,
    endpoint: Endpoint,
    tls: TlsConnector,
    authorization: Option<HeaderValue>,
    /// Connections on which the last answer came to its end.
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
    /// Whether the last question got no answer, so that the log tells of changes only.
    silent: AtomicBool,
}

struct Endpoint {
    secure: bool,
    host: String,
    port: u16,
    /// Host and port as the header has them.
    authority: String,
    /// Path in front of those of the protocol, without a slash at its end.
    path: String,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("name", &self.name)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl Remote {
    /// Checks the settings and prepares; nothing is sent yet.
    pub fn new(settings: RemoteSettings) -> Result<Self, RemoteError> {
        let endpoint = Endpoint::parse(&settings.url).map_err(|reason| RemoteError::Url {
            url: settings.url,
            reason,
        })?;
        Ok(Self {
            name: settings.name,
            region: settings.region,
            endpoint,
            tls: connector(settings.roots)?,
            authorization: settings.token.as_ref().and_then(Token::header),
            idle: Mutex::default(),
            silent: AtomicBool::new(false),
        })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The region it stands in, if the operator said so.
    pub fn region(&self) -> Option<Region> {
        self.region
    }

    /// Whether it answers to its name, and with which version. `Err` says what is wrong, for the operator.
    pub async fn about(&self) -> Result<About, String> {
        self.ask(Method::GET, ABOUT, Bytes::new()).await
    }

    pub(super) async fn attempt(&self, challenge: &Challenge) -> Result<Attempt, String> {
        let challenge = challenge.clone();
        self.post(ATTEMPT, &AttemptQuestion { challenge }).await
    }

    pub(super) async fn caa(&self, name: &DnsName) -> Result<CaaObservation, String> {
        let name = name.as_str().to_owned();
        self.post(CAA, &CaaQuestion { name }).await
    }

    async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        question: &impl Serialize,
    ) -> Result<A, String> {
        let body = serde_json::to_vec(question)
            .map_err(|error| format!("the question cannot be written: {error}"))?;
        self.ask(Method::POST, path, body.into()).await
    }

    async fn ask<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<A, String> {
        let answer = tokio::time::timeout(LIMIT, self.exchange(method, path, body))
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", LIMIT.as_secs())));
        let silent = answer.is_err();
        if self.silent.swap(silent, Ordering::Relaxed) != silent {
            let perspective = self.name.as_str();
            match &answer {
                Ok(_) => tracing::info!(perspective, "the remote perspective answers again"),
                Err(reason) => {
                    tracing::warn!(perspective, reason, "the remote perspective is of no use");
                }
            }
        }
        answer
    }

    async fn exchange<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<A, String> {
        let request = || self.request(&method, path, body.clone());
        // The other side may close a kept connection at any moment; asking again changes nothing there.
        while let Some(mut sender) = self.kept() {
            if sender.ready().await.is_ok()
                && let Ok(response) = sender.send_request(request()?).await
            {
                return self.read(sender, response).await;
            }
        }
        let mut sender = self.connect().await?;
        let response = sender
            .send_request(request()?)
            .await
            .map_err(|error| format!("no proper answer: {error}"))?;
        self.read(sender, response).await
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint.path))
            .header(header::HOST, &self.endpoint.authority)
            .header(
                header::USER_AGENT,
                concat!("Reseal/", env!("CARGO_PKG_VERSION")),
            )
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if method == Method::POST {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request
            .body(Full::new(body))
            .map_err(|error| format!("the question cannot be sent: {error}"))
    }

    /// What `response` says. No redirect is followed: the token is for this address only.
    async fn read<A: DeserializeOwned>(
        &self,
        sender: SendRequest<Full<Bytes>>,
        response: Response<Incoming>,
    ) -> Result<A, String> {
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST_ANSWER)
            .collect()
            .await
            .map_err(|error| format!("the answer cannot be read: {error}"))?
            .to_bytes();
        self.keep(sender);
        if status != StatusCode::OK {
            return Err(format!("status {status}: {}", excerpt(&body)));
        }
        let reply: Reply<A> = serde_json::from_slice(&body)
            .map_err(|error| format!("the answer is not understood: {error}"))?;
        if reply.perspective != self.name {
            return Err(format!(
                "it calls itself `{}`, expected `{}`",
                excerpt(reply.perspective.as_bytes()),
                self.name
            ));
        }
        Ok(reply.result)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        tokio::time::timeout(DIAL, self.dial())
            .await
            .unwrap_or_else(|_| Err(format!("no connection within {} s", DIAL.as_secs())))
    }

    async fn dial(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let failed = |error: std::io::Error| format!("no connection: {error}");
        let Endpoint {
            secure, host, port, ..
        } = &self.endpoint;
        let stream = TcpStream::connect((host.as_str(), *port))
            .await
            .map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        if !secure {
            return handshake(stream).await;
        }
        let name = ServerName::try_from(host.clone())
            .map_err(|_| format!("`{host}` cannot be asked for in TLS"))?;
        handshake(self.tls.connect(name, stream).await.map_err(failed)?).await
    }

    fn kept(&self) -> Option<SendRequest<Full<Bytes>>> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn keep(&self, sender: SendRequest<Full<Bytes>>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !sender.is_closed() && idle.len() < MOST_IDLE {
            idle.push(sender);
        }
    }
}

impl Endpoint {
    fn parse(url: &str) -> Result<Self, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "not a URL")?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("expected an https URL"),
        };
        let authority = uri.authority().ok_or("the URL has no host")?;
        if authority.as_str().contains('@') || uri.query().is_some() || url.contains('#') {
            return Err("expected a URL without user, query and fragment");
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let here = host == "localhost"
            || host
                .parse()
                .is_ok_and(|address: IpAddr| address.is_loopback());
        if !secure && !here {
            // M-5: the link is authenticated and encrypted.
            return Err(
                "expected https: http is for this machine only, such as the end of a tunnel",
            );
        }
        let usual = if secure { 443 } else { 80 };
        Ok(Self {
            secure,
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(usual),
            authority: authority.as_str().to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

fn connector(roots: Option<Vec<Vec<u8>>>) -> Result<TlsConnector, RemoteError> {
    let tls = |error: rustls::Error| RemoteError::Tls(error.to_string());
    let mut store = RootCertStore::empty();
    match roots {
        None => {
            // What this host trusts and cannot be read is missed when the perspective is asked.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(roots) => {
            for root in roots {
                store.add(CertificateDer::from(root)).map_err(tls)?;
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(tls)?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn handshake(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
) -> Result<SendRequest<Full<Bytes>>, String> {
    let (sender, connection) = http1::Builder::new()
        .max_headers(100)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("no proper answer: {error}"))?;
    // Ends when its sender is dropped or the other side closes.
    tokio::spawn(connection);
    Ok(sender)
}
