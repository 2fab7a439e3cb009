use std::{
    convert::Infallible,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use reseal_pki::corroboration::Region;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::test_world::{StubDns, perspective, txt};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const RECORD: &str = "_c23d.reseal.corp.";

/// How a stand-in answers.
#[derive(Clone)]
enum Says {
    /// With this verdict, and these words about what it saw.
    Verdict(&'static str, &'static str),
    /// With this status, headers and body.
    Raw(u16, Vec<(&'static str, String)>, String),
}

/// A stand-in for a perspective on another network.
struct Stub {
    url: String,
    says: Arc<Mutex<Says>>,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    connections: Arc<AtomicUsize>,
}

impl Stub {
    async fn start(name: &'static str, says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stub = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            says: Arc::new(Mutex::new(says)),
            asked: Arc::default(),
            connections: Arc::default(),
        };
        let (says, asked, connections) = (
            Arc::clone(&stub.says),
            Arc::clone(&stub.asked),
            Arc::clone(&stub.connections),
        );
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::Relaxed);
                let (says, asked) = (Arc::clone(&says), Arc::clone(&asked));
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let says = says.lock().unwrap().clone();
                        answer(name, says, Arc::clone(&asked), request)
                    });
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        stub
    }

    fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn remote(&self, name: &str) -> Remote {
        Remote::new(RemoteSettings {
            name: name.to_owned(),
            region: Some(Region::Ripe),
            url: self.url.clone(),
            roots: None,
            token: Some(Token::parse(TOKEN).unwrap()),
        })
        .unwrap()
    }
}

async fn answer(
    name: &'static str,
    says: Says,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let offered = &request.headers()[header::AUTHORIZATION];
    assert!(
        Token::parse(TOKEN)
            .unwrap()
            .is_offered_by(offered.as_bytes())
    );
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let question = serde_json::from_slice(&body).unwrap_or_default();
    asked.lock().unwrap().push((path, question));
    let (status, headers, body) = match says {
        Says::Verdict(verdict, seen) => {
            let result = json!({
                "verdict": verdict, "expected": "it", "seen": seen, "advice": "",
                "evidence": {"method": "DNS", "answers": [], "wildcardAnswer": false},
                "at": "2026-11-29T12:00:00Z",
            });
            let reply = json!({"perspective": name, "result": result});
            (200, Vec::new(), reply.to_string())
        }
        Says::Raw(status, headers, body) => (status, headers, body),
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(body.into())).unwrap())
}

const PROVED: Says = Says::Verdict("proved", "it");
const NOTHING: Says = Says::Verdict("notYet", "no TXT record");

/// The world as this host sees it, with the token or without, and four stand-ins.
struct Four {
    _dns: StubDns,
    panel: Panel,
    stubs: Vec<Stub>,
}

const NAMES: [&str; 4] = ["p0", "p1", "p2", "p3"];

async fn four(published: bool) -> Four {
    let dns = StubDns::start().await;
    if published {
        dns.put("_c23d.reseal.corp", vec![txt(&["token"])]);
    }
    let mut stubs = Vec::new();
    for name in NAMES {
        stubs.push(Stub::start(name, PROVED).await);
    }
    let remotes = stubs
        .iter()
        .zip(NAMES)
        .map(|(stub, name)| stub.remote(name));
    let panel = Panel::new(
        perspective(&dns, None),
        remotes.collect(),
        Quorum::default(),
    );
    Four {
        _dns: dns,
        panel,
        stubs,
    }
}

impl Four {
    async fn look(&self) -> Seen {
        let challenge = Challenge::Dns {
            record: RECORD.to_owned(),
            contents: "token".to_owned(),
        };
        let at = "2026-11-29T12:00:00Z".parse().unwrap();
        self.panel.attempt(&challenge, at).await
    }

    fn set(&self, dissenting: &[usize], says: &Says) {
        for (index, stub) in self.stubs.iter().enumerate() {
            let dissents = dissenting.contains(&index);
            stub.say(if dissents { says.clone() } else { PROVED });
        }
    }
}

#[tokio::test]
async fn m_4_m_8_one_dissent_is_outvoted_two_are_not_and_each_is_in_the_evidence() {
    let world = four(true).await;
    for (dissenting, verdict, quorum) in [
        (&[][..], Verdict::Proved, "4/4"),
        (&[2], Verdict::Proved, "3/4"),
        (&[0, 2], Verdict::NotYet, "2/4"),
        (&[0, 1, 2, 3], Verdict::NotYet, "0/4"),
    ] {
        world.set(dissenting, &NOTHING);
        let seen = world.look().await;
        assert_eq!(seen.attempt.verdict, verdict, "{dissenting:?}");
        let corroboration = seen.corroboration.unwrap();
        assert_eq!(corroboration.quorum, quorum);
        let names = corroboration
            .perspectives
            .iter()
            .map(|one| one.name.as_str());
        assert!(names.eq(NAMES));
        for (index, one) in corroboration.perspectives.iter().enumerate() {
            let dissents = dissenting.contains(&index);
            assert_eq!(one.verdict == Verdict::NotYet, dissents, "{one:?}");
            assert!(one.evidence.is_some() && one.region == Some(Region::Ripe));
            let told = seen
                .attempt
                .seen
                .contains(&format!("`{}` (ripe) saw: no TXT", one.name));
            assert_eq!(
                told,
                dissents && verdict != Verdict::Proved,
                "{}",
                seen.attempt.seen
            );
        }
    }
}

#[tokio::test]
async fn m_6_a_retry_starts_from_zero() {
    let world = four(true).await;
    world.set(&[0, 1], &NOTHING);
    assert_eq!(world.look().await.attempt.verdict, Verdict::NotYet);
    // Everybody has now seen it once, but never enough of them at a time.
    world.set(&[2, 3], &NOTHING);
    assert_eq!(world.look().await.attempt.verdict, Verdict::NotYet);
    world.set(&[3], &NOTHING);
    assert_eq!(world.look().await.attempt.verdict, Verdict::Proved);
}

#[tokio::test]
async fn what_is_not_seen_here_is_asked_of_nobody_else() {
    let world = four(false).await;
    let seen = world.look().await;
    assert_eq!(seen.attempt.verdict, Verdict::NotYet);
    assert_eq!(seen.corroboration, None);
    assert!(world.stubs.iter().all(|stub| stub.asked() == 0));
}

#[tokio::test]
async fn perspectives_that_do_not_answer_as_they_should_have_seen_nothing() {
    let world = four(true).await;
    let raw = |status, body: &str| Says::Raw(status, Vec::new(), body.to_owned());
    for (says, reason) in [
        (raw(503, "busy"), "status 503 Service Unavailable: busy"),
        (raw(200, "proved"), "the answer is not understood"),
        (
            raw(200, r#"{"perspective":"p9","result":{}}"#),
            "the answer is not understood",
        ),
        (raw(200, &"x".repeat(300_000)), "the answer cannot be read"),
        (
            Says::Raw(
                307,
                vec![("location", world.stubs[0].url.clone())],
                String::new(),
            ),
            "status 307",
        ),
    ] {
        world.set(&[2, 3], &says);
        let asked = world.stubs[0].asked();
        let seen = world.look().await;
        assert_eq!(seen.attempt.verdict, Verdict::Unreachable, "{reason}");
        for one in &seen.corroboration.unwrap().perspectives[2..] {
            assert_eq!(one.verdict, Verdict::Unreachable);
            assert!(one.seen.starts_with(reason), "{}", one.seen);
        }
        // No redirect was followed.
        assert_eq!(world.stubs[0].asked(), asked + 1);
    }
}

#[tokio::test]
async fn m_5_a_perspective_under_another_name_is_not_the_one_that_was_configured() {
    let stub = Stub::start("other", PROVED).await;
    let challenge = Challenge::Dns {
        record: RECORD.to_owned(),
        contents: "token".to_owned(),
    };
    let reason = stub.remote("p0").attempt(&challenge).await.unwrap_err();
    assert_eq!(reason, "it calls itself `other`, expected `p0`");
    assert!(stub.remote("other").attempt(&challenge).await.is_ok());
}

#[tokio::test]
async fn connections_serve_again_and_closed_ones_do_no_harm() {
    let stub = Stub::start("p0", PROVED).await;
    let remote = stub.remote("p0");
    let challenge = Challenge::Dns {
        record: RECORD.to_owned(),
        contents: "token".to_owned(),
    };
    for _ in 0..3 {
        remote.attempt(&challenge).await.unwrap();
    }
    assert_eq!(stub.connections.load(Ordering::Relaxed), 1);
    let closing = Says::Raw(500, vec![("connection", "close".to_owned())], String::new());
    stub.say(closing);
    remote.attempt(&challenge).await.unwrap_err();
    stub.say(PROVED);
    remote.attempt(&challenge).await.unwrap();
    assert_eq!(stub.connections.load(Ordering::Relaxed), 2);
}

#[test]
fn m_5_only_this_machine_is_spoken_to_without_encryption() {
    let url = |url: &str| {
        Remote::new(RemoteSettings {
            name: "p0".to_owned(),
            region: None,
            url: url.to_owned(),
            roots: None,
            token: None,
        })
    };
    for good in [
        "https://p.example",
        "https://p.example:8443/mpic/",
        "https://[2001:db8::1]:8443",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost",
    ] {
        assert!(url(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "p.example",
        "http://p.example",
        "http://10.0.0.1:8080",
        "http://localhost.p.example",
        "ftp://127.0.0.1",
        "https://user@p.example",
        "https://p.example/?a=b",
        "https://p.example/#a",
    ] {
        assert!(url(bad).is_err(), "{bad}");
    }
}
