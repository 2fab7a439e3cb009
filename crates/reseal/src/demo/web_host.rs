//! The demo's web server: every host name of the demo, on a free port of loopback. It serves what was put
//! there and nothing else.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Files by location: host, slash, path.
type Files = Arc<RwLock<HashMap<String, String>>>;

/// The running web server; it ends with the process.
pub(super) struct WebHost {
    pub(super) address: SocketAddr,
    files: Files,
}

impl WebHost {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let host = Self {
            address: listener.local_addr()?,
            files: Files::default(),
        };
        tokio::spawn(accept(listener, Arc::clone(&host.files)));
        Ok(host)
    }

    /// Puts a file at `location`, such as `example.com/.well-known/pki-validation/A.txt`.
    pub(super) fn put(&self, location: &str, contents: &str) {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        files.insert(location.to_owned(), contents.to_owned());
    }
}

async fn accept(listener: TcpListener, files: Files) {
    while let Ok((stream, _)) = listener.accept().await {
        let files = Arc::clone(&files);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answer = answer(&request, &files);
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the demo's web server ended badly");
            }
        });
    }
}

fn answer(request: &Request<Incoming>, files: &Files) -> Response<Full<Bytes>> {
    let host = request.headers().get(http::header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _port)| name);
    let location = format!("{name}{}", request.uri().path());
    let files = files.read().unwrap_or_else(PoisonError::into_inner);
    let (status, body) = match files.get(&location) {
        Some(contents) => (StatusCode::OK, contents.clone()),
        None => (StatusCode::NOT_FOUND, "there is no such file\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
}
