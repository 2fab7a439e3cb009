//! Real connections on loopback, with routes of the tests' own.

use std::net::SocketAddr;
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::routing::{get, post};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::*;
use crate::answer::{ApiConfig, RequestId, empty};
use crate::body::receive;

/// Bytes of a body that the route `/take` reads.
const LARGEST_BODY: usize = 1000;

struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    ended: JoinHandle<io::Result<()>>,
}

async fn start(limits: Limits, tls: Option<Arc<rustls::ServerConfig>>) -> Running {
    let router = Router::new()
        .route("/quick", get(|| async { "quick" }))
        .route(
            "/slow",
            get(|| async {
                sleep(Duration::from_millis(200)).await;
                "slow"
            }),
        )
        .route("/large", get(|| async { vec![b'x'; 64 << 20] }))
        .route("/take", post(take))
        .route("/panic", get(panicking));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let ended = tokio::spawn(serve(
        listener,
        tls,
        Api::new(router, Vec::new()),
        limits,
        stopped,
    ));
    Running {
        address,
        stop,
        ended,
    }
}

async fn take(request: Request) -> axum::response::Response {
    let config = ApiConfig {
        max_body: LARGEST_BODY,
        body_timeout: Duration::from_millis(200),
        ..ApiConfig::default()
    };
    match receive::bytes(request.into_body(), &config).await {
        Ok(_) => empty(http::StatusCode::OK),
        Err(failure) => failure.respond(RequestId::default()),
    }
}

async fn panicking() -> &'static str {
    assert_eq!(1, 2, "on purpose");
    "never"
}

/// Everything that comes back until the other side closes.
async fn exchange_with(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &[u8]) -> String {
    // A server that has answered already may refuse the rest; the answer is what counts.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn send(server: &Running, request: &str) -> String {
    let stream = TcpStream::connect(server.address).await.unwrap();
    exchange_with(stream, request.as_bytes()).await
}

fn get_once(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn a_request_is_answered_and_a_panic_does_no_harm() {
    let server = start(Limits::default(), None).await;
    let failed = send(&server, &get_once("/panic")).await;
    assert!(failed.starts_with("HTTP/1.1 500 "), "{failed}");
    assert!(failed.contains("InternalSRSError"), "{failed}");
    let answer = send(&server, &get_once("/quick")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("x-request-id: "), "{answer}");
}

#[tokio::test]
async fn nasty_003_the_answer_to_a_body_too_large_arrives_although_the_rest_is_unread() {
    let server = start(Limits::default(), None).await;
    let body = "x".repeat(3_000_000);
    for head in ["Content-Length: 3000000", "Transfer-Encoding: chunked"] {
        let chunk = if head.contains("chunked") {
            "2dc6c0\r\n"
        } else {
            ""
        };
        let request = format!("POST /take HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{chunk}{body}");
        let answer = send(&server, &request).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{head}: {answer}");
        assert!(answer.contains("connection: close"), "{head}: {answer}");
    }
}

#[tokio::test]
async fn slow_clients_are_given_up() {
    let limits = Limits {
        head: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = start(limits, None).await;
    let started = Instant::now();
    assert_eq!(send(&server, "GET /quick HTTP/1.1\r\n").await, "");
    let slow_body = "POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{";
    let answer = send(&server, slow_body).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_holds_no_place() {
    let limits = Limits {
        connections: 1,
        write: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = start(limits, None).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(get_once("/large").as_bytes()).await.unwrap();
    let quick = get_once("/quick");
    let other = timeout(Duration::from_secs(10), send(&server, &quick));
    assert!(other.await.unwrap().ends_with("quick"));
    // Who reads, however slowly, gets all of it.
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(get_once("/large").as_bytes()).await.unwrap();
    let (mut space, mut seen) = (vec![0; 8 << 20], 0);
    loop {
        sleep(Duration::from_millis(20)).await;
        match slow.read(&mut space).await.unwrap() {
            0 => break,
            count => seen += count,
        }
    }
    assert!(seen > 64 << 20, "{seen}");
}

#[tokio::test]
async fn requests_in_flight_finish_after_the_shutdown_began() {
    let server = start(Limits::default(), None).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let request = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    let client = tokio::spawn(async move { exchange_with(stream, request.as_bytes()).await });
    sleep(Duration::from_millis(50)).await;
    server.stop.send(true).unwrap();
    server.ended.await.unwrap().unwrap();
    let answer = client.await.unwrap();
    assert!(answer.ends_with("slow"), "{answer}");
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let server = start(limits, None).await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first
        .write_all(b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut space = [0; 500];
    assert!(first.read(&mut space).await.unwrap() > 0);
    let second = TcpStream::connect(server.address).await.unwrap();
    let mut waiting = Box::pin(exchange_with(second, b"GET /quick HTTP/1.0\r\n\r\n"));
    assert!(
        timeout(Duration::from_millis(100), &mut waiting)
            .await
            .is_err()
    );
    drop(first);
    assert!(waiting.await.ends_with("quick"));
}

#[tokio::test]
async fn the_same_goes_by_tls() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let server = start(Limits::default(), Some(Arc::new(config))).await;

    let mut roots = rustls::RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let trusting = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(trusting));
    let stream = connector.connect(name, stream).await.unwrap();
    let answer = exchange_with(stream, get_once("/quick").as_bytes()).await;
    assert!(answer.ends_with("quick"), "{answer}");
}
