//! A web server that answers each path with fixed bytes, as slow as wanted.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

#[derive(Clone)]
struct Page {
    bytes: Vec<u8>,
    /// Pause between single bytes, if any.
    pace: Option<Duration>,
}

/// The running server; it ends with the test's runtime.
pub(crate) struct StubWeb {
    pub(crate) address: SocketAddr,
    pages: Arc<Mutex<HashMap<String, Page>>>,
    requests: Arc<Mutex<Vec<String>>>,
    /// Its certificate, for `wrong.corp`, with TLS.
    pub(crate) certificate: Option<Vec<u8>>,
}

/// A whole answer: status line, headers (each with its line end) and body.
pub(crate) fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes =
        format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

impl StubWeb {
    pub(crate) async fn start() -> Self {
        Self::listen("127.0.0.1:0", None).await
    }

    /// Speaks TLS with a certificate that nobody trusts.
    pub(crate) async fn start_tls() -> Self {
        let made = rcgen::generate_simple_self_signed(["wrong.corp".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.unwrap())
            .unwrap();
        let tls = Some(TlsAcceptor::from(Arc::new(config)));
        Self {
            certificate: Some(made.cert.der().to_vec()),
            ..Self::listen("127.0.0.1:0", tls).await
        }
    }

    async fn listen(address: &str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let web = Self {
            address: listener.local_addr().unwrap(),
            pages: Arc::default(),
            requests: Arc::default(),
            certificate: None,
        };
        let (pages, requests) = (Arc::clone(&web.pages), Arc::clone(&web.requests));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (pages, requests) = (Arc::clone(&pages), Arc::clone(&requests));
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &pages, &requests).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &pages, &requests).await;
                            }
                        }
                    }
                });
            }
        });
        web
    }

    pub(crate) fn put(&self, path: &str, bytes: Vec<u8>) -> &Self {
        let page = Page { bytes, pace: None };
        self.pages.lock().unwrap().insert(path.to_owned(), page);
        self
    }

    /// One byte at a time.
    pub(crate) fn put_slowly(&self, path: &str, bytes: Vec<u8>, pace: Duration) -> &Self {
        let pace = Some(pace);
        let page = Page { bytes, pace };
        self.pages.lock().unwrap().insert(path.to_owned(), page);
        self
    }

    /// The heads of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    pages: &Mutex<HashMap<String, Page>>,
    requests: &Mutex<Vec<String>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    requests.lock().unwrap().push(head);
    let page = pages.lock().unwrap().get(&path).cloned();
    let page = page.unwrap_or_else(|| Page {
        bytes: answer(404, "", b"no such page"),
        pace: None,
    });
    // The client may hang up at any time: that is what the limits are for.
    match page.pace {
        None => {
            let _ = stream.write_all(&page.bytes).await;
        }
        Some(pace) => {
            for byte in page.bytes {
                if stream.write_all(&[byte]).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
                tokio::time::sleep(pace).await;
            }
        }
    }
    let _ = stream.shutdown().await;
}
