//! The way to servers that the operator has named, upstreams and logs: HTTPS, with an end to everything.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Longest wait for a connection.
const DIAL: Duration = Duration::from_secs(10);
/// Longest wait for an answer on it.
const ANSWER: Duration = Duration::from_secs(30);
/// Longest URL that is taken from a server: they are kept.
const LONGEST_URL: usize = 1000;
/// Most characters of a text of a server's that is shown.
const LONGEST_TEXT: usize = 400;
/// What a server asks us to wait is believed up to this.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// Sends requests, each on a connection of its own: what is asked is asked once, or was not sent at all.
pub(crate) struct Http {
    tls: TlsConnector,
    /// Most bytes of an answer.
    largest_answer: usize,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SendError {
    /// The request was not sent.
    NotSent(String),
    /// It was sent, and what came back is no answer.
    Lost(String),
}

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// One that nobody sent.
    #[cfg(test)]
    pub(crate) fn made(status: u16, headers: &[(&'static str, &str)], body: &str) -> Self {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Self {
            status: StatusCode::from_u16(status).unwrap(),
            headers: map,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    /// A header, if it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Targets of the `Link` headers with the relation `relation` (RFC 8288).
    pub(crate) fn links(&self, relation: &str) -> Vec<String> {
        let wanted = format!("rel=\"{relation}\"");
        let values = self.headers.get_all(header::LINK).iter();
        let links = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        links
            .filter(|link| link.contains(&wanted))
            .filter_map(|link| {
                let (_, rest) = link.split_once('<')?;
                Some(rest.split_once('>')?.0.to_owned())
            })
            .collect()
    }

    /// How long to wait, in seconds or until a date (RFC 9110 section 10.2.3).
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        let wait = if let Ok(seconds) = text.parse() {
            Duration::from_secs(seconds)
        } else {
            let until = rfc2822::parse(&text.replace("GMT", "+0000")).ok()?;
            let wait = until.timestamp().duration_since(Timestamp::now());
            Duration::try_from(wait).unwrap_or_default()
        };
        Some(wait.min(LONGEST_WAIT))
    }
}

impl Http {
    /// `roots` are trusted beside what this machine trusts, DER; `Err` says why they cannot be. Answers have at most
    /// `largest_answer` bytes.
    pub(crate) fn new(roots: Vec<Vec<u8>>, largest_answer: usize) -> Result<Self, String> {
        let tls = |error: rustls::Error| error.to_string();
        let mut store = RootCertStore::empty();
        // What this host trusts and cannot be read is missed when the upstream is asked.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for root in roots {
            store.add(CertificateDer::from(root)).map_err(tls)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            largest_answer,
        })
    }

    /// Sends a request, whose body comes with its media type, and reads the answer to its end.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Answer, SendError> {
        let place = Place::parse(url).map_err(SendError::NotSent)?;
        let request = place.request(method, body).map_err(SendError::NotSent)?;
        let dialled = timeout(DIAL, self.dial(&place)).await;
        let mut sender = dialled
            .map_err(|_| SendError::NotSent(format!("no connection within {} s", DIAL.as_secs())))?
            .map_err(SendError::NotSent)?;
        let exchange = async {
            let response = sender.send_request(request).await?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, self.largest_answer)
                .collect()
                .await?
                .to_bytes();
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((parts, body))
        };
        let (parts, body) = timeout(ANSWER, exchange)
            .await
            .map_err(|_| SendError::Lost(format!("no answer within {} s", ANSWER.as_secs())))?
            .map_err(|error| SendError::Lost(format!("no proper answer: {error}")))?;
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    async fn dial(&self, place: &Place) -> Result<SendRequest<Full<Bytes>>, String> {
        let failed = |error: std::io::Error| format!("no connection: {error}");
        let stream = TcpStream::connect((place.host.as_str(), place.port))
            .await
            .map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let name = ServerName::try_from(place.host.clone())
            .map_err(|_| format!("`{}` cannot be asked for in TLS", place.host))?;
        let stream = self.tls.connect(name, stream).await.map_err(failed)?;
        let (sender, connection) = http1::Builder::new()
            .max_headers(100)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| format!("no connection: {error}"))?;
        // Ends when its sender is dropped or the other side closes.
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// Where a request goes.
pub(crate) struct Place {
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl Place {
    /// Of an `https` URL: nothing else is spoken (RFC 8555 section 6.1, RFC 6962 section 4).
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let saw = || shown(url);
        if url.len() > LONGEST_URL {
            return Err(format!(
                "expected a URL of at most {LONGEST_URL} bytes, saw `{}`…",
                saw()
            ));
        }
        let uri: Uri = url
            .parse()
            .map_err(|_| format!("`{}` is not a URL", saw()))?;
        let (Some("https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(format!("expected an https URL, saw `{}`", saw()));
        };
        if authority.as_str().contains('@') {
            return Err(format!("expected a URL without a user, saw `{}`", saw()));
        }
        let host = authority.host().trim_matches(['[', ']']);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(443),
            authority: authority.as_str().to_owned(),
            path: path.to_owned(),
        })
    }

    fn request(
        &self,
        method: Method,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder()
            .method(method)
            .uri(&self.path)
            .header(header::HOST, &self.authority)
            .header(header::CONNECTION, "close")
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::ACCEPT_LANGUAGE, "en")
            .header(
                header::USER_AGENT,
                concat!("Reseal/", env!("CARGO_PKG_VERSION")),
            );
        let (media_type, body) = body.unzip();
        if let Some(media_type) = media_type {
            request = request.header(header::CONTENT_TYPE, media_type);
        }
        request
            .body(Full::new(body.unwrap_or_default().into()))
            .map_err(|error| format!("the request cannot be sent: {error}"))
    }
}

/// A foreign text as it may be shown: printable ASCII and letters, in one line, not too long.
pub(crate) fn shown(text: &str) -> String {
    let printable = |c: char| {
        if c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric() {
            c
        } else {
            '?'
        }
    };
    text.chars().take(LONGEST_TEXT).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_12_nasty_140_what_is_shown_of_foreign_texts_is_printable_and_ends() {
        assert_eq!(
            shown("no\u{1b}[2J\r\nfine \u{202e}x é"),
            "no?[2J??fine ?x é"
        );
        assert_eq!(shown(&"x".repeat(5000)).len(), LONGEST_TEXT);
    }

    fn answer(headers: &[(&'static str, &str)]) -> Answer {
        Answer::made(200, headers, "")
    }

    #[test]
    fn only_https_is_spoken() {
        for url in [
            "http://ca.example/dir",
            "ca.example/dir",
            "https://me@ca.example/",
            "ftp://x/",
        ] {
            assert!(Place::parse(url).is_err(), "{url}");
        }
        let long = format!("https://ca.example/{}", "x".repeat(LONGEST_URL));
        for url in ["https://ca.example/\u{1b}[2J", &long] {
            let error = Place::parse(url).err().unwrap();
            assert!(error.len() < 500 && !error.contains('\u{1b}'), "{error}");
        }
        let place = Place::parse("https://[::1]:14000/dir?x=1").unwrap();
        assert_eq!((place.host.as_str(), place.port), ("::1", 14000));
        assert_eq!(place.path, "/dir?x=1");
    }

    #[test]
    fn alternates_are_found_among_the_links() {
        let answer = answer(&[
            ("link", "<https://ca.example/dir>;rel=\"index\""),
            (
                "link",
                "<https://ca.example/1>;rel=\"alternate\", <https://ca.example/2>; rel=\"alternate\"",
            ),
        ]);
        assert_eq!(
            answer.links("alternate"),
            ["https://ca.example/1", "https://ca.example/2"]
        );
    }

    #[test]
    fn nasty_140_retry_after_is_seconds_or_a_date_and_has_an_end() {
        let wait = |text| answer(&[("retry-after", text)]).retry_after();
        assert_eq!(wait("17"), Some(Duration::from_secs(17)));
        assert_eq!(wait("99999999999"), Some(LONGEST_WAIT));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
        let later = (Timestamp::now() + jiff::SignedDuration::from_mins(5))
            .to_zoned_datetime(jiff::tz::TimeZone::UTC);
        let wait = wait(&later.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).unwrap();
        assert!((290..=300).contains(&wait.as_secs()), "{wait:?}");
    }
}
