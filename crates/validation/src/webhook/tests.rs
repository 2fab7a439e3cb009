use super::*;
use crate::test_world::{StubDns, StubWeb, a, answer, settings};

const HOST: &str = "hooks.shop.corp";

async fn world() -> (StubDns, StubWeb) {
    let dns = StubDns::start().await;
    dns.put(HOST, vec![a("127.0.0.1")]);
    (dns, StubWeb::start().await)
}

fn open(dns: &StubDns) -> CourierSettings {
    CourierSettings {
        network: settings(dns),
        allow_http: true,
        roots: Vec::new(),
    }
}

async fn post(settings: CourierSettings, url: &str) -> Result<(), String> {
    let parcel = Parcel {
        url,
        login: Some(("reseal", "pass word")),
        signature: Some("c2ln"),
        content_type: "application/json",
        body: b"{\"id\":1}".to_vec(),
    };
    Courier::new(settings).unwrap().post(parcel).await
}

#[tokio::test]
async fn a_message_is_handed_over_with_signature_and_login() {
    let (dns, web) = world().await;
    web.put("/hook?a=b", answer(202, "", b""));
    let url = format!("http://{HOST}:{}/hook?a=b", web.address.port());
    assert_eq!(post(open(&dns), &url).await, Ok(()));
    let request = web.requests().pop().unwrap().to_ascii_lowercase();
    for part in [
        "post /hook?a=b http/1.1\r\n",
        "\r\nsignature: c2ln\r\n",
        "\r\ncontent-type: application/json\r\n",
        "\r\nauthorization: basic cmvzzwfsonbhc3mgd29yza==\r\n",
        "\r\ncontent-length: 8\r\n",
    ] {
        assert!(request.contains(part), "{part}: {request}");
    }
}

#[tokio::test]
async fn anything_but_three_statuses_is_a_failure_that_says_what_came() {
    let (dns, web) = world().await;
    let url = |path: &str| format!("http://{HOST}:{}{path}", web.address.port());
    for (status, good) in [
        (200, true),
        (201, true),
        (202, true),
        (204, false),
        (500, false),
    ] {
        let path = format!("/{status}");
        let body: &[u8] = if good || status == 204 {
            b""
        } else {
            b"out of order"
        };
        web.put(&path, answer(status, "", body));
        let outcome = post(open(&dns), &url(&path)).await;
        assert_eq!(outcome.is_ok(), good, "{status}: {outcome:?}");
    }
    let reason = post(open(&dns), &url("/500")).await.unwrap_err();
    assert!(reason.contains("out of order"), "{reason}");
    // A redirect is not followed.
    let elsewhere = format!("Location: {}\r\n", url("/200"));
    web.put("/302", answer(302, &elsewhere, b""));
    let before = web.requests().len();
    let reason = post(open(&dns), &url("/302")).await.unwrap_err();
    assert!(reason.contains("302"), "{reason}");
    assert_eq!(web.requests().len(), before + 1);
}

#[tokio::test]
async fn nasty_099_private_addresses_are_refused_by_name_and_by_number() {
    let (dns, web) = world().await;
    let mut closed = open(&dns);
    closed.network.allow_networks.clear();
    let port = web.address.port();
    for url in [
        format!("http://{HOST}:{port}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        "http://169.254.169.254/latest".to_owned(),
    ] {
        let reason = post(closed.clone(), &url).await.unwrap_err();
        assert!(reason.contains("not a public address"), "{url}: {reason}");
    }
    assert_eq!(web.requests().len(), 0);
}

#[tokio::test]
async fn https_needs_a_certificate_that_is_trusted() {
    let (dns, _) = world().await;
    let web = StubWeb::start_tls().await;
    web.put("/", answer(200, "", b""));
    let url = format!("https://{HOST}:{}/", web.address.port());
    let reason = post(open(&dns), &url).await.unwrap_err();
    assert!(reason.contains("no connection"), "{reason}");
    assert_eq!(web.requests().len(), 0);

    let trusting = CourierSettings {
        roots: web.certificate.clone().into_iter().collect(),
        ..open(&dns)
    };
    // For another name it is still wrong.
    assert!(post(trusting.clone(), &url).await.is_err());
    dns.put("wrong.corp", vec![a("127.0.0.1")]);
    let url = format!("https://wrong.corp:{}/", web.address.port());
    assert_eq!(post(trusting, &url).await, Ok(()));
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    let (dns, _) = world().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{HOST}:{}/", silent.local_addr().unwrap().port());
    let reason = post(open(&dns), &url).await.unwrap_err();
    assert_eq!(reason, "not done within 1.5 s");
}

#[tokio::test]
async fn urls_are_checked_before_anything_is_asked() {
    let (dns, _) = world().await;
    let open = open(&dns);
    let strict = CourierSettings {
        allow_http: false,
        ..open.clone()
    };
    for url in [
        "https://hooks.shop.corp/a?b=c",
        "https://hooks.shop.corp:8443",
        "https://8.8.8.8/",
    ] {
        assert_eq!(check_url(url, &strict), Ok(()), "{url}");
    }
    for (url, part) in [
        ("http://hooks.shop.corp/", "expected https"),
        ("ftp://hooks.shop.corp/", "http"),
        ("https://a:b@hooks.shop.corp/", "password"),
        ("https://hooks.shop.corp:25/", "port 25"),
        ("https://localhost/", "host name"),
        ("https://10.0.0.1/", "not a public address"),
        ("https://hooks.shop.corp/#x", "fragment"),
        ("/hook", "http"),
        ("", "URL"),
    ] {
        let reason = check_url(url, &strict).unwrap_err();
        assert!(reason.contains(part), "{url}: {reason}");
    }
    let long = format!("https://hooks.shop.corp/{}", "a".repeat(2000));
    assert!(check_url(&long, &strict).is_err());
    assert_eq!(check_url("http://hooks.shop.corp/", &open), Ok(()));
}
