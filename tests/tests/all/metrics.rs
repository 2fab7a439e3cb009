//! `/metrics`, as Prometheus reads it.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

use std::fs;

use serde_json::json;

use crate::support::csr::csr;
use crate::support::http::{Reply, exchange, request};
use crate::support::server::Server;

const TOKEN: &str = "5d41402abc4b2a76b9719d911017c592";

/// A server that lets whoever has the token in; the folder has the file with it.
fn server() -> (Server, tempfile::TempDir) {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let table = format!("[metrics]\ntoken_file = \"{}\"\n", file.display());
    (Server::configured(&table), folder)
}

fn scrape(server: &Server, headers: &[&str]) -> Reply {
    exchange(
        server.alice.address,
        &request("GET", "/metrics", headers, b""),
    )
}

#[track_caller]
fn figures(server: &Server) -> String {
    let reply = scrape(server, &[&format!("Authorization: Bearer {TOKEN}")]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    reply.text()
}

/// What stands behind a series, which is written with its labels.
#[track_caller]
fn behind<'a>(figures: &'a str, series: &str) -> &'a str {
    let mut lines = figures.lines();
    let found = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("{series}\n{figures}"))
}

#[track_caller]
fn value(figures: &str, series: &str) -> f64 {
    behind(figures, series).parse().unwrap()
}

#[track_caller]
fn count(figures: &str, series: &str) -> u64 {
    behind(figures, series).parse().unwrap()
}

#[test]
fn nobody_reads_figures_without_the_token_and_by_default_there_are_none() {
    scrape(
        &Server::start(),
        &[&format!("Authorization: Bearer {TOKEN}")],
    )
    .refused(404, "ObjectDoesNotExist");
    let (server, _folder) = server();
    let key = format!("Authorization: ApiKey {}", server.alice.key);
    for headers in [
        &[][..],
        &["Authorization: Bearer 5d41402abc4b2a76b9719d911017c593"],
        &["Authorization: Bearer"],
        &[&key],
        &[
            &format!("Authorization: Bearer {TOKEN}"),
            "Authorization: Bearer x",
        ],
    ] {
        let reply = scrape(&server, headers);
        assert_eq!(reply.status, 401, "{headers:?}");
        assert!(!reply.text().contains(TOKEN));
    }
    figures(&server);
}

#[test]
fn figures_are_of_what_happened() {
    let (server, _folder) = server();
    let old = server.order("ssl_dv", &csr(&["reseal.dev"]));
    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let reply = server
        .alice
        .post(&path, &json!({"csr": csr(&["reseal.dev"])}));
    server.finish(&reply);
    let waiting = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.org"]),
        "dcv": [{"commonName": "reseal.org", "type": "DNS"}]});
    server
        .alice
        .post("/v2/ssl/certificates", &waiting)
        .expect(202);
    let now = std::time::SystemTime::now();
    let now = now
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();

    let seen = figures(&server);
    let calls = "method=\"post\",route=\"/v2/ssl/certificates/{id}/reissue\"";
    let status = reply.status;
    assert_eq!(
        count(
            &seen,
            &format!("reseal_http_requests_total{{{calls},status=\"{status}\"}}")
        ),
        1
    );
    assert_eq!(
        count(
            &seen,
            &format!("reseal_http_request_duration_seconds_count{{{calls}}}")
        ),
        1
    );
    assert_eq!(
        count(
            &seen,
            "reseal_certificates_issued_total{issuer=\"embedded\"}"
        ),
        2
    );
    for (action, outcome, times) in [
        ("request", "completed", 1),
        ("reissue", "completed", 1),
        ("renew", "failed", 0),
    ] {
        let series =
            format!("reseal_processes_ended_total{{action=\"{action}\",outcome=\"{outcome}\"}}");
        assert_eq!(count(&seen, &series), times, "{series}");
    }
    assert_eq!(
        seen.matches("\nreseal_processes_open{").count(),
        1,
        "{seen}"
    );
    assert!(value(&seen, "reseal_caa_checks_total{outcome=\"permitted\"}") >= 2.0);
    assert!(
        value(
            &seen,
            "reseal_dcv_looks_total{method=\"dns\",outcome=\"proved\"}"
        ) >= 1.0
    );
    assert_eq!(count(&seen, "reseal_webhook_backlog"), 0);
    assert!(value(&seen, "reseal_store_waiting_writes") < 100.0);
    assert!(value(&seen, "reseal_store_write_wait_seconds") < 5.0);
    let years = |series: &str| (value(&seen, series) - now) / (365.25 * 86400.0);
    let ends = "reseal_ca_certificate_not_after_timestamp_seconds";
    assert!((9.9..10.1).contains(&years(&format!("{ends}{{certificate=\"embedded\"}}"))));
    assert!((19.9..20.1).contains(&years(&format!("{ends}{{certificate=\"root\"}}"))));
    assert!(years("reseal_crl_next_update_timestamp_seconds{authority=\"root\"}") > 0.9);
    assert_eq!(
        seen.matches("\nreseal_crl_next_update_timestamp_seconds{")
            .count(),
        2,
        "{seen}"
    );
    // Counters go on where they were, however often somebody looks.
    let again = figures(&server);
    let reissues = "reseal_processes_ended_total{action=\"reissue\",outcome=\"completed\"}";
    assert_eq!(count(&again, reissues), 1);
    assert_eq!(
        count(
            &again,
            "reseal_http_requests_total{method=\"get\",route=\"/metrics\",status=\"200\"}"
        ),
        1
    );
}
