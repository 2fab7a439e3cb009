//! When a certificate should be replaced (RFC 9773).

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::http::{Reply, exchange, request};
use crate::support::server::{Server, reseal};

/// What follows `label` in what `openssl x509 -text` shows, as bytes.
fn octets(shown: &str, label: &str) -> Vec<u8> {
    let (_, rest) = shown.split_once(label).unwrap();
    let line = rest.trim_start().lines().next().unwrap();
    hex::decode(line.trim().replace(':', "")).unwrap()
}

/// The name of a certificate (RFC 9773 section 4.1).
pub(crate) fn name_of(server: &Server, id: i64) -> String {
    let shown = server.issued(id);
    let key = octets(&shown, "X509v3 Authority Key Identifier:");
    let serial = octets(&shown, "Serial Number:");
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(key),
        URL_SAFE_NO_PAD.encode(serial)
    )
}

pub(crate) fn ask(server: &Server, path: &str) -> Reply {
    exchange(server.alice.address, &request("GET", path, &[], b""))
}

fn window(answer: &Value) -> (Timestamp, Timestamp) {
    let moment = |field: &str| {
        let text = answer["suggestedWindow"][field].as_str().unwrap();
        text.parse().unwrap()
    };
    (moment("start"), moment("end"))
}

#[test]
fn x_11_r_6_the_window_follows_from_the_dates_and_is_pulled_forward_when_it_must_go() {
    let server = Server::start();
    let id = server.order("ssl_dv", &csr(&["reseal.dev"]));
    let path = format!("/renewal-info/{}", name_of(&server, id));

    let usual = ask(&server, &path);
    let answer = usual.expect(200);
    assert_eq!(usual.header("retry-after"), Some("21600"));
    assert!(answer["explanationURL"].is_null(), "{answer}");
    let (start, end) = window(&answer);
    let certificate = server.alice.get(&format!("/v2/ssl/certificates/{id}"));
    let body = certificate.expect(200);
    let date = |field: &str| body[field].as_str().unwrap().parse::<Timestamp>().unwrap();
    let (from, until) = (date("startDate"), date("expiryDate"));
    let life = until.duration_since(from);
    assert!(
        start < end && end.duration_since(start) <= life / 49,
        "{answer}"
    );
    let centre = start + end.duration_since(start) / 2;
    let off = centre.duration_since(until - life / 3).abs();
    assert!(off < SignedDuration::from_mins(1), "{answer}");
    // The subscription goes on behind the certificate's end: whoever reads it is told when to act.
    let advised = certificate.header("x-reissue-advised-from").unwrap();
    assert_eq!(advised, answer["suggestedWindow"]["start"]);

    let deadline = Timestamp::now() + SignedDuration::from_hours(24);
    let campaign = json!({"where": format!("id={id}"), "key": "notify",
        "deadline": deadline.to_string(), "reason": "the root is distrusted"});
    server
        .operator
        .post("/v2/ssl/campaigns", &campaign)
        .expect(201);
    server.wait_until("/v2/ssl/campaigns/1", |body| {
        body["outcomes"]["NOTIFIED"] == 1
    });
    let pulled = ask(&server, &path).expect(200);
    let (start, end) = window(&pulled);
    assert!(start <= Timestamp::now(), "{pulled}");
    assert!(
        end.duration_since(deadline).abs() <= SignedDuration::from_secs(1),
        "{pulled}"
    );
    let why = ask(&server, &format!("{path}/explanation"));
    assert_eq!(why.status, 200);
    assert!(
        why.text().contains("have to be replaced by"),
        "{}",
        why.text()
    );

    let (number, data) = (id.to_string(), server.data());
    reseal(&[
        "revocation",
        "order",
        &number,
        "--cause",
        "mis-issued",
        "--reason",
        "seen",
        "--data",
        data.to_str().unwrap(),
    ]);
    let overdue = ask(&server, &path).expect(200);
    let (start, end) = window(&overdue);
    assert!(start < end && end < Timestamp::now(), "{overdue}");
    let link = overdue["explanationURL"].as_str().unwrap();
    assert!(link.ends_with(&format!("{path}/explanation")), "{link}");
    let why = ask(&server, &format!("{path}/explanation"));
    assert!(why.text().contains("will be revoked at"), "{}", why.text());
}

#[test]
fn x_11_what_was_not_issued_here_has_no_window() {
    let server = Server::start();
    let id = server.order("ssl_dv", &csr(&["reseal.dev"]));
    let name = name_of(&server, id);
    let (key, serial) = name.split_once('.').unwrap();
    for other in [
        format!("{key}.AIdlQyE"),
        format!("aYhba4dGQEHhs3uEe6CuLN4ByNQ.{serial}"),
        "nothing".to_owned(),
        "..".to_owned(),
    ] {
        ask(&server, &format!("/renewal-info/{other}")).refused(404, "ObjectDoesNotExist");
    }
}
