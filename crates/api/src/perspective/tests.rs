use std::net::SocketAddr;

use reseal_validation::panel::{Remote, RemoteSettings};
use reseal_validation::{Dnssec, Settings};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::*;
use crate::server::{Limits, serve};

const SECRET: &str = "0123456789abcdef-secret";

struct Running {
    address: SocketAddr,
    /// Its certificate, with TLS.
    certificate: Vec<u8>,
    _stop: watch::Sender<bool>,
}

/// A perspective called `fra` that may look at loopback, but for itself.
async fn start(at_once: usize, with_tls: bool) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let perspective = Perspective::new(Settings {
        // Nobody answers there.
        resolvers: vec!["127.0.0.1:9".to_owned()],
        dnssec: Dnssec::Off,
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        own_addresses: vec![address],
        dns_timeout: Duration::from_millis(100),
        ..Settings::default()
    });
    let service = PerspectiveService {
        name: "fra".to_owned(),
        token: Some(Token::parse(SECRET).unwrap()),
        perspective: perspective.unwrap(),
        names: NamePolicy::default(),
    };
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = made.cert.der().to_vec();
    let tls = with_tls.then(|| {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Arc::new(config)
    });
    let (stop, stopped) = watch::channel(false);
    let api = router(service, at_once);
    tokio::spawn(serve(listener, tls, api, Limits::default(), stopped));
    Running {
        address,
        certificate,
        _stop: stop,
    }
}

impl Running {
    async fn call(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "{head}\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        // What is refused early is not read to its end.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    async fn ask(&self, path: &str, body: &str) -> String {
        let head = format!("POST {path} HTTP/1.1\r\nAuthorization: Bearer {SECRET}");
        self.call(&head, body).await
    }

    fn remote(&self, scheme: &str, token: &str) -> Remote {
        Remote::new(RemoteSettings {
            name: "fra".to_owned(),
            region: None,
            url: format!("{scheme}://{}", self.address),
            roots: Some(vec![self.certificate.clone()]),
            token: Some(Token::parse(token).unwrap()),
        })
        .unwrap()
    }
}

const FILE: &str = r#"{"challenge":{"type":"FILE","host":"HOST","path":"PATH","contents":"x"}}"#;

fn file(host: &str, path: &str) -> String {
    FILE.replace("HOST", host).replace("PATH", path)
}

#[tokio::test]
async fn m_5_nobody_asks_without_the_token_and_nobody_learns_it() {
    let running = start(8, false).await;
    let caa = r#"{"name":"reseal.dev"}"#;
    for authorization in [
        String::new(),
        "\r\nAuthorization: Bearer wrong-wrong-wrong-wrong".to_owned(),
        format!("\r\nAuthorization: ApiKey {SECRET}"),
        format!("\r\nAuthorization: Bearer {SECRET}\r\nAuthorization: Bearer {SECRET}"),
    ] {
        for line in [
            "POST /v1/attempt HTTP/1.1",
            "POST /v1/caa HTTP/1.1",
            "GET /v1/about HTTP/1.1",
            "GET /nothing HTTP/1.1",
            "GET /v1/caa HTTP/1.1",
        ] {
            let answer = running.call(&format!("{line}{authorization}"), caa).await;
            assert!(
                answer.starts_with("HTTP/1.1 401 "),
                "{line}{authorization}: {answer}"
            );
            assert!(answer.contains("www-authenticate: Bearer\r\n"), "{answer}");
            assert!(
                answer.contains("\"type\":\"AuthenticationError\""),
                "{answer}"
            );
            assert!(!answer.contains(SECRET), "{answer}");
        }
    }
    let healthy = running.call("GET /healthz HTTP/1.1", "").await;
    assert!(
        healthy.starts_with("HTTP/1.1 200 ") && healthy.ends_with("\r\n\r\nok\n"),
        "{healthy}"
    );
}

#[tokio::test]
async fn a_question_is_answered_under_the_perspectives_name() {
    let running = start(8, false).await;
    let answer = running.ask("/v1/caa", r#"{"name":"*.reseal.dev"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["perspective"], "fra", "{body}");
    assert_eq!(body["result"]["name"], "reseal.dev", "{body}");
    // Nobody resolves for it: a failure is an answer, and never a permission.
    assert_eq!(body["result"]["outcome"]["kind"], "failed", "{body}");
    let answer = running
        .ask(
            "/v1/attempt",
            &file("reseal.dev", "/.well-known/pki-validation/a.txt"),
        )
        .await;
    assert!(answer.contains(r#""verdict":"unreachable""#), "{answer}");
}

#[tokio::test]
async fn bad_questions_are_refused_with_what_is_wrong() {
    let running = start(8, false).await;
    let good = "/.well-known/pki-validation/a.txt";
    for (path, body, status, told) in [
        ("/v1/attempt", String::new(), 400, "saw nothing"),
        ("/v1/attempt", "[]".to_owned(), 400, "not a JSON object"),
        (
            "/v1/attempt",
            "{}".to_owned(),
            400,
            "missing field `challenge`",
        ),
        (
            "/v1/attempt",
            r#"{"challenge":{"type":"PORT","host":"reseal.dev"}}"#.to_owned(),
            400,
            "unknown variant `PORT`",
        ),
        (
            "/v1/attempt",
            file("127.0.0.1", good),
            400,
            "`challenge.host`",
        ),
        (
            "/v1/attempt",
            file("reseal.dev", "/admin"),
            400,
            "`challenge.path`",
        ),
        ("/v1/caa", r#"{"name":"a b"}"#.to_owned(), 400, "`name`"),
        (
            "/v1/caa",
            r#"{"name":"reseal.dev","to":"x"}"#.to_owned(),
            400,
            "unknown field `to`",
        ),
        (
            "/v1/caa",
            " ".repeat(LARGEST_QUESTION + 1),
            413,
            "too large",
        ),
        ("/v2/caa", "{}".to_owned(), 404, "nothing at `/v2/caa`"),
        ("/healthz", "{}".to_owned(), 405, "`POST` is not possible"),
    ] {
        let answer = running.ask(path, &body).await;
        let line = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&line), "{path} {body:.80}: {answer}");
        assert!(answer.contains(told), "{path} {body:.80}: {answer}");
    }
}

#[tokio::test]
async fn more_looks_than_there_are_places_are_put_off() {
    let running = start(0, false).await;
    let answer = running.ask("/v1/caa", r#"{"name":"reseal.dev"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    // What takes no place is answered.
    assert!(running.remote("http", SECRET).about().await.is_ok());
}

#[tokio::test]
async fn m_5_both_sides_know_each_other() {
    let running = start(8, true).await;
    let about = running.remote("https", SECRET).about().await.unwrap();
    assert_eq!(about.version, env!("CARGO_PKG_VERSION"));
    let wrong = "wrong-wrong-wrong-wrong";
    let reason = running.remote("https", wrong).about().await.unwrap_err();
    assert!(reason.starts_with("status 401"), "{reason}");
    assert!(!reason.contains(wrong), "{reason}");
    // Somebody else in its place.
    let other = Running {
        certificate: start(8, true).await.certificate,
        ..running
    };
    let reason = other.remote("https", SECRET).about().await.unwrap_err();
    assert!(reason.starts_with("no connection: "), "{reason}");
}
