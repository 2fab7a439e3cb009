//! Handing a message to somebody's web server: one POST, under the address rules of FILE (D-24).
//!
//! Other than FILE it may go to a port of the customer's choice, follows no redirect, and over HTTPS takes no
//! certificate but one that this host's roots, or the operator's, vouch for.

use std::{fmt, net::IpAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{RootCertStore, pki_types::CertificateDer};

use crate::{
    dns::Resolver,
    evidence::excerpt,
    file::{
        Connector, FileOutcome, Guard, Stream, reach,
        target::{Host, Target},
    },
    settings::{Settings, SettingsError},
};

/// Longest URL in bytes.
const LONGEST_URL: usize = 2000;
/// Most bytes of an answer's head, and of its body, that are read.
const MAX_READ: usize = 8192;
/// Ports below are other services' and would be spoken to in a language that is not theirs.
const FIRST_FREE_PORT: u16 = 1024;

/// What the operator allows.
#[derive(Clone, Debug)]
pub struct CourierSettings {
    /// How names are resolved, which private networks may be reached, the time limits.
    pub network: Settings,
    /// Whether messages may go without encryption.
    pub allow_http: bool,
    /// Certificates that are trusted beside those of this host, DER.
    pub roots: Vec<Vec<u8>>,
}

/// Hands messages over. Cheap to clone; needs a Tokio runtime when used.
#[derive(Clone)]
pub struct Courier {
    inner: Arc<Inner>,
}

struct Inner {
    network: Settings,
    allow_http: bool,
    resolver: Resolver,
    connector: Connector,
    guard: Guard,
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").finish_non_exhaustive()
    }
}

/// One message.
pub struct Parcel<'a> {
    /// Where it goes.
    pub url: &'a str,
    /// Name and password, when the receiver wants some.
    pub login: Option<(&'a str, &'a str)>,
    /// Value of the header `Signature`, when the receiver has a secret.
    pub signature: Option<&'a str>,
    /// What `body` is.
    pub content_type: &'a str,
    /// The message.
    pub body: Vec<u8>,
}

/// Why a URL cannot be a receiver's, if it cannot.
pub fn check_url(url: &str, settings: &CourierSettings) -> Result<(), String> {
    let guard = Guard::new(&settings.network);
    checked(url, &settings.network, settings.allow_http, &guard).map(|_| ())
}

impl Courier {
    /// Checks the settings and prepares; nothing is sent yet.
    pub fn new(settings: CourierSettings) -> Result<Self, SettingsError> {
        let mut roots = RootCertStore::empty();
        // What this host trusts and cannot be read is missed when a receiver needs it.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for root in settings.roots {
            roots
                .add(CertificateDer::from(root))
                .map_err(|error| SettingsError::Tls(error.to_string()))?;
        }
        let network = settings.network;
        Ok(Self {
            inner: Arc::new(Inner {
                resolver: Resolver::new(&network)?,
                connector: Connector::verifying(&network, roots)?,
                guard: Guard::new(&network),
                allow_http: settings.allow_http,
                network,
            }),
        })
    }

    /// Why a URL cannot be a receiver's, if it cannot.
    pub fn check(&self, url: &str) -> Result<(), String> {
        self.inner.target(url).map(|_| ())
    }

    /// Hands `parcel` over: `Ok` when the receiver answered 200, 201 or 202, else what came instead.
    pub async fn post(&self, parcel: Parcel<'_>) -> Result<(), String> {
        let limit = self.inner.network.http_total_timeout;
        tokio::time::timeout(limit, self.inner.post(parcel))
            .await
            .unwrap_or_else(|_| Err(format!("not done within {} s", limit.as_secs_f32())))
    }
}

impl Inner {
    fn target(&self, url: &str) -> Result<Target, String> {
        checked(url, &self.network, self.allow_http, &self.guard)
    }

    async fn post(&self, parcel: Parcel<'_>) -> Result<(), String> {
        let target = self.target(parcel.url)?;
        let request = request(&target, &self.network, parcel)?;
        let stream = self.connect(&target).await.map_err(reason)?;
        let response = send(stream, request).await?;
        let status = response.status();
        let said = beginning(response).await;
        if matches!(status.as_u16(), 200..=202) {
            return Ok(());
        }
        Err(match said.as_str() {
            "" => format!("expected status 200, 201 or 202, saw {status}"),
            said => format!("expected status 200, 201 or 202, saw {status}: {said}"),
        })
    }

    async fn connect(&self, target: &Target) -> Result<Box<dyn Stream>, FileOutcome> {
        let all: Vec<IpAddr> = match &target.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => reach::resolve(&self.resolver, name).await?,
        };
        let addresses = reach::usable(&self.guard, &all, target.port)?;
        reach::connect(&self.connector, &self.guard, target, &addresses, |_| {}).await
    }
}

/// The target that `url` names, if messages may go there as far as that can be told without asking.
fn checked(
    url: &str,
    network: &Settings,
    allow_http: bool,
    guard: &Guard,
) -> Result<Target, String> {
    if url.len() > LONGEST_URL {
        return Err(format!("at most {LONGEST_URL} bytes, saw {}", url.len()));
    }
    if !url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#')
    {
        return Err("not a URL, or one with a fragment".to_owned());
    }
    // The ports of FILE may be set for tests; here the scheme says it.
    let network = Settings {
        http_port: 80,
        https_port: 443,
        ..network.clone()
    };
    let target = Target::on_any_port(url, &network)?;
    if !target.secure && !allow_http {
        return Err("expected https".to_owned());
    }
    let port = target.port;
    if port < FIRST_FREE_PORT && ![80, 443].contains(&port) {
        return Err(format!("port {port} is another service's"));
    }
    if let Host::Address(address) = target.host {
        guard.check(address, port)?;
    }
    Ok(target)
}

fn request(
    target: &Target,
    network: &Settings,
    parcel: Parcel<'_>,
) -> Result<Request<Full<Bytes>>, String> {
    let mut request = Request::post(target.path.as_str())
        .header(header::HOST, target.authority())
        .header(header::USER_AGENT, &network.user_agent)
        .header(header::CONTENT_TYPE, parcel.content_type)
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close");
    if let Some(signature) = parcel.signature {
        request = request.header("Signature", signature);
    }
    if let Some((name, password)) = parcel.login {
        // RFC 7617 section 2
        let credentials = STANDARD.encode(format!("{name}:{password}"));
        let mut value = HeaderValue::try_from(format!("Basic {credentials}"))
            .map_err(|error| error.to_string())?;
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    request
        .body(Full::new(parcel.body.into()))
        .map_err(|error| format!("the request cannot be made: {error}"))
}

async fn send(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, String> {
    let failed = |error: hyper::Error| format!("no proper answer: {error}");
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_READ)
        .max_headers(100)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    // Ends by itself when the response is dropped or read: there is no second request.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(failed)
}

/// What an answer begins with; reading no more than that, and nothing that matters depends on it.
async fn beginning(response: Response<Incoming>) -> String {
    let mut body = response.into_body();
    let mut read = Vec::new();
    while read.len() < MAX_READ
        && let Some(Ok(frame)) = body.frame().await
    {
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data);
        }
    }
    excerpt(&read)
}

fn reason(outcome: FileOutcome) -> String {
    match outcome {
        FileOutcome::BadAnswer { reason }
        | FileOutcome::NoAddress { reason }
        | FileOutcome::Refused { reason }
        | FileOutcome::Unreachable { reason } => reason,
        FileOutcome::Fetched | FileOutcome::Status => "no connection".to_owned(),
    }
}

#[cfg(test)]
mod tests;
