use std::time::{Duration, Instant};

use hickory_proto::{op::ResponseCode, rr::RecordType};

use super::*;
use crate::{
    challenge::Challenge,
    evidence::Verdict,
    perspective::Perspective,
    test_world::{self, Reply, StubDns, StubWeb, a, aaaa, answer, cname, perspective},
};

const HOST: &str = "www.shop.corp";
const PATH: &str = "/.well-known/pki-validation/A.txt";
const CONTENTS: &str = "SHA256\ndcv.invalid\nrandom0123456789";

async fn world() -> (StubDns, StubWeb, Perspective) {
    let dns = StubDns::start().await;
    let web = StubWeb::start().await;
    dns.put(HOST, vec![a("127.0.0.1")]);
    let perspective = perspective(&dns, Some(&web));
    (dns, web, perspective)
}

fn reason(observation: &FileObservation) -> &str {
    match &observation.outcome {
        FileOutcome::BadAnswer { reason }
        | FileOutcome::NoAddress { reason }
        | FileOutcome::Refused { reason }
        | FileOutcome::Unreachable { reason } => reason,
        FileOutcome::Fetched => "fetched",
        FileOutcome::Status => "status",
    }
}

fn redirect(to: &str) -> Vec<u8> {
    answer(302, &format!("Location: {to}\r\n"), b"elsewhere")
}

#[tokio::test]
async fn d_21_the_file_is_fetched_from_the_name_itself() {
    let (_dns, web, perspective) = world().await;
    web.put(PATH, answer(200, "", CONTENTS.as_bytes()));
    let challenge = Challenge::File {
        host: HOST.to_owned(),
        path: PATH.to_owned(),
        contents: CONTENTS.to_owned(),
    };
    let attempt = perspective.attempt(&challenge).await;
    assert_eq!(attempt.verdict, Verdict::Proved, "{attempt:?}");
    let stored = serde_json::to_value(&attempt).unwrap();
    assert_eq!(stored["evidence"]["method"], "FILE");
    assert_eq!(stored["evidence"]["hops"][0]["status"], 200);
    assert!(stored["evidence"].get("body").is_none());
    assert_eq!(stored["evidence"]["bodySha256"].as_str().unwrap().len(), 64);

    let request = &web.requests()[0].to_ascii_lowercase();
    let port = web.address.port();
    assert!(request.starts_with(&format!("get {} http/1.1\r\n", PATH.to_ascii_lowercase())));
    assert!(request.contains(&format!("\r\nhost: {HOST}:{port}\r\n")));
    assert!(request.contains("\r\naccept-encoding: identity\r\n"));
    assert!(request.contains("\r\nuser-agent: reseal/"));
    assert!(!request.contains("random0123456789") && !request.contains("cookie"));
}

#[tokio::test]
async fn nasty_099_no_connection_is_made_to_reserved_addresses() {
    let dns = StubDns::start().await;
    let web = StubWeb::start().await;
    let mut settings = test_world::settings(&dns);
    settings.http_port = web.address.port();
    settings.allow_networks.clear();
    let perspective = Perspective::new(settings).unwrap();
    dns.put(HOST, vec![a("127.0.0.1"), a("10.0.0.1")])
        .put(HOST, vec![a("127.0.0.1")]);
    dns.put(HOST, vec![aaaa("::1"), aaaa("fd00::1")]);
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(matches!(observation.outcome, FileOutcome::Refused { .. }));
    assert!(reason(&observation).contains("no usable address"));
    assert_eq!(observation.hops[0].resolved.len(), 3);
    assert_eq!(observation.hops[0].address, None);
    assert!(web.requests().is_empty());
}

#[tokio::test]
async fn nasty_100_one_look_up_and_the_address_is_pinned() {
    let (dns, web, perspective) = world().await;
    web.put(PATH, answer(200, "", CONTENTS.as_bytes()));
    let observation = perspective.fetch(HOST, PATH).await;
    assert_eq!(observation.outcome, FileOutcome::Fetched);
    assert_eq!(dns.asked(HOST, RecordType::A), 1);
    assert_eq!(
        observation.hops[0].address.unwrap().ip().to_string(),
        "127.0.0.1"
    );
}

#[tokio::test]
async fn nasty_101_redirects_are_checked_like_the_first_request() {
    let (dns, web, perspective) = world().await;
    dns.put("inner.corp", vec![a("10.0.0.1")]);
    let port = web.address.port();
    for target in [
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://[::ffff:127.0.0.1]/".to_owned(),
        "http://2130706433/".to_owned(),
        "http://0x7f.1/".to_owned(),
        format!("http://inner.corp:{port}/"),
        "file:///etc/passwd".to_owned(),
        "http://www.shop.corp:8080/".to_owned(),
    ] {
        web.put(PATH, redirect(&target));
        let observation = perspective.fetch(HOST, PATH).await;
        assert!(
            matches!(observation.outcome, FileOutcome::Refused { .. }),
            "{target}: {:?}",
            observation.outcome
        );
    }
    // A plain address that the operator opened is followed.
    web.put(PATH, redirect(&format!("http://127.0.0.1:{port}/b")));
    web.put("/b", answer(200, "", b"found"));
    let observation = perspective.fetch(HOST, PATH).await;
    assert_eq!(observation.outcome, FileOutcome::Fetched);
    assert_eq!(observation.hops.len(), 2);
}

#[tokio::test]
async fn nasty_103_a_redirect_to_this_server_is_refused() {
    let dns = StubDns::start().await;
    let web = StubWeb::start().await;
    let own = StubWeb::start().await;
    let mut settings = test_world::settings(&dns);
    settings.http_port = web.address.port();
    settings.https_port = own.address.port();
    settings.own_addresses = vec![own.address];
    let perspective = Perspective::new(settings).unwrap();
    dns.put(HOST, vec![a("127.0.0.1")]);
    web.put(
        PATH,
        redirect(&format!("http://{HOST}:{}/x", own.address.port())),
    );
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(
        reason(&observation).contains("this server itself"),
        "{observation:?}"
    );
    assert!(own.requests().is_empty());
}

#[tokio::test]
async fn nasty_104_nasty_108_other_statuses_are_final_failures() {
    let (_dns, web, perspective) = world().await;
    let elsewhere = "Location: /b\r\nRefresh: 0; url=/b\r\n";
    web.put("/b", answer(200, "", CONTENTS.as_bytes()));
    for status in [201, 204, 303, 304, 401, 403, 404, 500, 503] {
        let body: &[u8] = if status == 204 || status == 304 {
            b""
        } else {
            CONTENTS.as_bytes()
        };
        web.put(PATH, answer(status, elsewhere, body));
        let observation = perspective.fetch(HOST, PATH).await;
        assert_eq!(observation.outcome, FileOutcome::Status, "{status}");
        assert_eq!(observation.status, Some(status));
        assert_eq!(observation.hops.len(), 1);
    }
    let refresh = b"<meta http-equiv=refresh content='0; url=/b'>";
    web.put(PATH, answer(200, "Refresh: 0; url=/b\r\n", refresh));
    let observation = perspective.fetch(HOST, PATH).await;
    assert_eq!(observation.hops.len(), 1);
    assert_eq!(observation.body.as_deref(), Some(refresh.as_slice()));
}

#[tokio::test]
async fn nasty_105_loops_and_long_chains_of_redirects_fail() {
    let (_dns, web, perspective) = world().await;
    web.put(PATH, redirect("/b")).put("/b", redirect(PATH));
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(reason(&observation).contains("loop"), "{observation:?}");

    web.put(PATH, redirect("/h0"));
    for hop in 0..11 {
        web.put(&format!("/h{hop}"), redirect(&format!("/h{}", hop + 1)));
    }
    web.put("/h11", answer(200, "", b"far away"));
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(
        reason(&observation).contains("more than 10"),
        "{observation:?}"
    );
    assert_eq!(observation.hops.len(), 11);

    web.put("/h9", answer(200, "", b"near enough"));
    let observation = perspective.fetch(HOST, PATH).await;
    assert_eq!(observation.outcome, FileOutcome::Fetched);

    web.put(PATH, answer(302, "Location: /a\r\nLocation: /b\r\n", b""));
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(reason(&observation).contains("two targets"));
    web.put(PATH, answer(301, "", b""));
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(reason(&observation).contains("without a target"));
}

#[tokio::test]
async fn nasty_106_limits_cut_what_does_not_end() {
    let (_dns, web, perspective) = world().await;
    let started = Instant::now();

    web.put(PATH, answer(200, "", &[b'x'; MAX_BODY + 1]));
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(
        reason(&observation).contains("longer than 4096"),
        "{observation:?}"
    );
    assert_eq!(observation.body, None);
    assert_eq!(observation.body_excerpt.len(), 100);

    // A gigabyte is announced; it is not waited for.
    let mut endless = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n".to_vec();
    endless.resize(200_000, b'x');
    web.put(PATH, endless);
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(
        reason(&observation).contains("longer than 4096"),
        "{observation:?}"
    );

    web.put(PATH, answer(200, "Content-Encoding: gzip\r\n", b"\x1f\x8b"));
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(
        reason(&observation).contains("encoded with `gzip`"),
        "{observation:?}"
    );

    let headers = format!("X: {}\r\n", "y".repeat(100_000));
    web.put(PATH, answer(200, &headers, b"x"));
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(
        matches!(observation.outcome, FileOutcome::BadAnswer { .. }),
        "{observation:?}"
    );

    web.put(PATH, b"SSH-2.0-OpenSSH_9.2\r\n".to_vec());
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(
        matches!(observation.outcome, FileOutcome::BadAnswer { .. }),
        "{observation:?}"
    );

    let slow = answer(200, "", &[b'x'; 500]);
    web.put_slowly(PATH, slow, Duration::from_millis(50));
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(matches!(
        observation.outcome,
        FileOutcome::Unreachable { .. }
    ));
    assert!(
        reason(&observation).contains("not done within 1.5 s"),
        "{observation:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn d_25_https_with_any_certificate_is_good_enough() {
    let dns = StubDns::start().await;
    let web = StubWeb::start().await;
    let secure = StubWeb::start_tls().await;
    let mut settings = test_world::settings(&dns);
    settings.http_port = web.address.port();
    settings.https_port = secure.address.port();
    let perspective = Perspective::new(settings).unwrap();
    dns.put(HOST, vec![a("127.0.0.1")]);
    web.put(PATH, redirect(&format!("https://{HOST}{PATH}")));
    secure.put(PATH, answer(200, "", CONTENTS.as_bytes()));
    let observation = perspective.fetch(HOST, PATH).await;
    assert_eq!(observation.outcome, FileOutcome::Fetched, "{observation:?}");
    assert_eq!(observation.hops[1].address, Some(secure.address));
}

#[tokio::test]
async fn nasty_113_a_dead_ipv6_address_is_followed_by_one_try_over_ipv4() {
    let dns = StubDns::start().await;
    let web = StubWeb::start().await;
    let mut settings = test_world::settings(&dns);
    settings.http_port = web.address.port();
    settings.allow_networks.push("::1/128".parse().unwrap());
    let perspective = Perspective::new(settings).unwrap();
    dns.put(HOST, vec![aaaa("::1")])
        .put(HOST, vec![a("127.0.0.1")]);
    web.put(PATH, answer(200, "", CONTENTS.as_bytes()));
    let observation = perspective.fetch(HOST, PATH).await;
    assert_eq!(observation.outcome, FileOutcome::Fetched, "{observation:?}");
    assert_eq!(observation.hops[0].address, Some(web.address));
    assert_eq!(observation.hops[0].resolved.len(), 2);
}

#[tokio::test]
async fn d_24_a_second_address_of_the_same_family_is_not_tried() {
    let (dns, web, perspective) = world().await;
    dns.put(HOST, vec![a("127.0.0.9"), a("127.0.0.1")]);
    web.put(PATH, answer(200, "", CONTENTS.as_bytes()));
    let observation = perspective.fetch(HOST, PATH).await;
    assert!(matches!(
        observation.outcome,
        FileOutcome::Unreachable { .. }
    ));
}

#[tokio::test]
async fn names_without_address_are_told_from_outages() {
    let (dns, _web, perspective) = world().await;
    let observation = perspective.fetch("none.shop.corp", PATH).await;
    assert!(matches!(observation.outcome, FileOutcome::NoAddress { .. }));

    for kind in [RecordType::A, RecordType::AAAA] {
        dns.set(
            "broken.shop.corp",
            kind,
            Reply::Code(ResponseCode::ServFail),
        );
    }
    let observation = perspective.fetch("broken.shop.corp", PATH).await;
    assert!(matches!(
        observation.outcome,
        FileOutcome::Unreachable { .. }
    ));
    assert!(reason(&observation).contains("SERVFAIL"));

    dns.put("alias.shop.corp", vec![cname(HOST)]);
    let observation = perspective.fetch("alias.shop.corp", PATH).await;
    assert_eq!(observation.status, Some(404));
}
