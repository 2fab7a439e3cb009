//! One fetch: resolve, check, dial, request, and the same again for each redirect.

use std::{net::IpAddr, time::Instant};

use aws_lc_rs::digest;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;

use super::{
    Connector, FileObservation, FileOutcome, Guard, Hop, MAX_BODY,
    connect::Stream,
    reach,
    target::{Host, Target, is_redirect},
};
use crate::{dns::Resolver, evidence::excerpt, settings::Settings};

/// Most redirects that are followed (D-23).
const MAX_REDIRECTS: usize = 10;
/// Most bytes of a response's head (D-25). The HTTP library wants no smaller buffer.
const MAX_HEAD: usize = 8192;
/// Most addresses of a name that are kept as evidence; all of them are checked.
const MAX_SHOWN: usize = 16;

/// Fetches `http://host/path`. Never fails: what goes wrong is the outcome.
pub(crate) async fn fetch(
    resolver: &Resolver,
    connector: &Connector,
    guard: &Guard,
    settings: &Settings,
    host: &str,
    path: &str,
) -> FileObservation {
    let at = Timestamp::now();
    let started = Instant::now();
    let first = Target::first(host, path, settings);
    let url = first.to_string();
    let mut fetch = Fetch {
        resolver,
        connector,
        guard,
        settings,
        hops: Vec::new(),
        excerpt: String::new(),
        body: None,
    };
    let limit = settings.http_total_timeout;
    let outcome = tokio::time::timeout(limit, fetch.run(first))
        .await
        .unwrap_or_else(|_| FileOutcome::Unreachable {
            reason: format!("not done within {} s", limit.as_secs_f32()),
        });
    let Fetch {
        hops,
        excerpt,
        body,
        ..
    } = fetch;
    FileObservation {
        url,
        status: hops.last().and_then(|hop| hop.status),
        hops,
        outcome,
        body_sha256: body
            .as_ref()
            .map(|body| hex::encode(digest::digest(&digest::SHA256, body))),
        body_excerpt: excerpt,
        body,
        at,
        elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

struct Fetch<'a> {
    resolver: &'a Resolver,
    connector: &'a Connector,
    guard: &'a Guard,
    settings: &'a Settings,
    hops: Vec<Hop>,
    excerpt: String,
    body: Option<Vec<u8>>,
}

impl Fetch<'_> {
    async fn run(&mut self, first: Target) -> FileOutcome {
        let mut target = first;
        let mut visited = Vec::new();
        loop {
            let next = match self.visit(&target).await {
                Ok(Next::Redirect(next)) => next,
                Ok(Next::End(outcome)) | Err(outcome) => return outcome,
            };
            visited.push(target);
            if visited.contains(&next) {
                return bad(format!("the redirects loop at {next}"));
            }
            if visited.len() > MAX_REDIRECTS {
                return bad(format!("more than {MAX_REDIRECTS} redirects"));
            }
            target = next;
        }
    }

    /// One request, from resolving to the end of the body.
    async fn visit(&mut self, target: &Target) -> Result<Next, FileOutcome> {
        self.hops.push(Hop {
            url: target.to_string(),
            address: None,
            resolved: Vec::new(),
            status: None,
            location: None,
        });
        let addresses = self.usable_addresses(target).await?;
        let stream = self.connect(target, &addresses).await?;
        let response = self.request(target, stream).await?;
        let status = response.status();
        self.hop().status = Some(status.as_u16());
        if is_redirect(status) {
            return self.redirect(target, &response).map(Next::Redirect);
        }
        self.read_body(response).await?;
        Ok(Next::End(if status == StatusCode::OK {
            FileOutcome::Fetched
        } else {
            FileOutcome::Status
        }))
    }

    /// The addresses of the target that may be connected to: at most one of each family, IPv6
    /// first. One look-up of each kind is made, and what it says is used (nasty 100).
    async fn usable_addresses(&mut self, target: &Target) -> Result<Vec<IpAddr>, FileOutcome> {
        let all = match &target.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => reach::resolve(self.resolver, name).await?,
        };
        self.hop().resolved = all.iter().copied().take(MAX_SHOWN).collect();
        reach::usable(self.guard, &all, target.port)
    }

    /// Dials the addresses in order; the second only if there is no connection to the first
    /// (nasty 113).
    async fn connect(
        &mut self,
        target: &Target,
        addresses: &[IpAddr],
    ) -> Result<Box<dyn Stream>, FileOutcome> {
        let (connector, guard) = (self.connector, self.guard);
        let hop = self.hop();
        reach::connect(connector, guard, target, addresses, |tried| {
            hop.address = Some(tried);
        })
        .await
    }

    async fn request(
        &self,
        target: &Target,
        stream: Box<dyn Stream>,
    ) -> Result<Response<Incoming>, FileOutcome> {
        let request = Request::get(target.path.as_str())
            .header(header::HOST, target.authority())
            .header(header::USER_AGENT, &self.settings.user_agent)
            .header(header::ACCEPT, "*/*")
            .header(header::ACCEPT_ENCODING, "identity")
            .header(header::CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(|error| bad(format!("the request cannot be made: {error}")))?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(100)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| http_failure(&error))?;
        // Ends by itself when the response is dropped or read: there is no second request.
        tokio::spawn(connection);
        sender
            .send_request(request)
            .await
            .map_err(|error| http_failure(&error))
    }

    fn redirect(
        &mut self,
        target: &Target,
        response: &Response<Incoming>,
    ) -> Result<Target, FileOutcome> {
        let mut locations = response.headers().get_all(header::LOCATION).iter();
        let location = match (locations.next(), locations.next()) {
            (Some(location), None) => location.as_bytes(),
            (None, _) => return Err(bad("a redirect without a target".to_owned())),
            (Some(_), Some(_)) => return Err(bad("a redirect with two targets".to_owned())),
        };
        self.hop().location = Some(excerpt(location));
        target
            .redirect(location, self.settings)
            .map_err(|reason| FileOutcome::Refused { reason })
    }

    /// Reads the body up to the limit; what is longer is refused (D-25).
    async fn read_body(&mut self, response: Response<Incoming>) -> Result<(), FileOutcome> {
        let encoded = response
            .headers()
            .get_all(header::CONTENT_ENCODING)
            .iter()
            .find(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
        if let Some(coding) = encoded {
            return Err(bad(format!(
                "the body is encoded with `{}`, plain text was asked for",
                excerpt(coding.as_bytes())
            )));
        }
        let mut body = response.into_body();
        let mut read = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| http_failure(&error))?;
            if let Ok(data) = frame.into_data() {
                read.extend_from_slice(&data);
            }
            self.excerpt = excerpt(&read);
            if read.len() > MAX_BODY {
                return Err(bad(format!("the body is longer than {MAX_BODY} bytes")));
            }
        }
        self.body = Some(read);
        Ok(())
    }

    /// The hop that is being made.
    fn hop(&mut self) -> &mut Hop {
        let last = self.hops.len() - 1;
        &mut self.hops[last]
    }
}

enum Next {
    Redirect(Target),
    End(FileOutcome),
}

fn bad(reason: String) -> FileOutcome {
    FileOutcome::BadAnswer { reason }
}

fn http_failure(error: &hyper::Error) -> FileOutcome {
    if error.is_parse() || error.is_parse_too_large() {
        return bad(format!("the answer is not proper HTTP: {error}"));
    }
    FileOutcome::Unreachable {
        reason: format!("the connection broke: {error}"),
    }
}

#[cfg(test)]
mod tests;
