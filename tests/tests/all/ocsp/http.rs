//! How requests come and how answers are kept (RFC 6960 appendix A, RFC 5019).

use std::fs;

use serde_json::json;

use super::client::{Client, answering, fetch, fields, in_path, refused};
use crate::support::http::Reply;

/// Has `openssl` judge an answer that came by hand.
#[track_caller]
fn judged(client: &Client<'_>, reply: &Reply, leaf: &str) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        reply.header("content-type"),
        Some("application/ocsp-response")
    );
    let file = client.file("answer");
    fs::write(&file, &reply.body).unwrap();
    client.judged(&["-cert", leaf, "-no_nonce", "-respin", &file])
}

#[test]
fn x_9_a_request_in_the_path_is_answered_however_it_is_encoded() {
    let server = answering();
    let id = server.certificate();
    let client = Client::of(&server);
    let leaf = client.leaf(id);
    for hash in ["-sha1", "-sha256"] {
        let der = client.request(&[hash, "-cert", &leaf, "-no_nonce"]);
        let path = in_path(&der);
        let encoded = path
            .replacen("/ocsp/", "", 1)
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        for path in [
            path.clone(),
            format!("/ocsp/{encoded}"),
            format!("{path}/"),
            path.trim_end_matches('=').to_owned(),
        ] {
            let reply = fetch(&server, "GET", &path, &[], b"");
            if hash == "-sha1" {
                let said = judged(&client, &reply, &leaf);
                assert_eq!(fields(&said, "Cert Status:"), ["good"], "{path}");
            }
            assert!(reply.body.len() > 500, "{path}");
            assert!(reply.header("etag").is_some(), "{path}");
        }
    }
}

#[test]
fn x_9_answers_are_kept_for_minutes_unless_they_are_for_one_alone() {
    let server = answering();
    let id = server.certificate();
    let client = Client::of(&server);
    let leaf = client.leaf(id);
    let der = client.request(&["-cert", &leaf, "-no_nonce"]);
    let reply = client.get(&der, &[]);
    assert_eq!(
        reply.header("cache-control"),
        Some("public, max-age=300, no-transform, must-revalidate")
    );
    let tag = reply.header("etag").unwrap().to_owned();
    let date = reply.header("last-modified").unwrap().to_owned();
    assert!(reply.header("expires").is_some());
    let again = |condition: &str| client.get(&der, &[condition]);
    // The five minutes of an answer may end in between.
    let unchanged = |condition: &str| {
        let reply = again(condition);
        reply.status == 304 && reply.body.is_empty() && reply.header("etag") == Some(&tag)
    };
    let same_span = client.get(&der, &[]).header("etag") == Some(&tag);
    for condition in [
        format!("If-None-Match: {tag}"),
        format!("If-Modified-Since: {date}"),
    ] {
        assert!(unchanged(&condition) || !same_span, "{condition}");
    }
    assert_eq!(again("If-None-Match: W/\"0\"").status, 200);
    assert_eq!(client.post(&der).header("etag"), reply.header("etag"));
    let head = fetch(&server, "HEAD", &in_path(&der), &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));

    let with_nonce = client.request(&["-cert", &leaf, "-nonce"]);
    let unknown = client.request(&["-serial", "0x1234567890", "-no_nonce"]);
    for der in [with_nonce, unknown] {
        for reply in [client.get(&der, &["If-None-Match: *"]), client.post(&der)] {
            assert_eq!(reply.status, 200);
            assert_eq!(reply.header("cache-control"), Some("no-store"));
            assert_eq!(reply.header("etag"), None);
        }
    }

    // A revocation is seen at once by whoever asks.
    let path = format!("/v2/ssl/certificates/{id}");
    let body = json!({"reason": "KEY_COMPROMISE"}).to_string();
    let headers = ["Content-Type: application/json"];
    server
        .alice
        .call("DELETE", &path, &headers, body.as_bytes());
    let reply = again(&format!("If-None-Match: {tag}"));
    assert_ne!(reply.header("etag"), Some(tag.as_str()));
    let said = judged(&client, &reply, &leaf);
    assert_eq!(fields(&said, "Cert Status:"), ["revoked"]);
    assert_eq!(again(&format!("If-Modified-Since: {date}")).status, 200);
}

#[test]
fn x_9_what_is_no_request_is_malformed_and_never_a_failure() {
    let server = answering();
    let id = server.certificate();
    let client = Client::of(&server);
    let leaf = client.leaf(id);
    let der = client.request(&["-cert", &leaf, "-nonce"]);
    for bytes in [
        b"".as_slice(),
        b"{}",
        &[0x30, 0x80, 0, 0],
        &[0x30, 0x03, 0x0a, 1, 0],
        &der[..der.len() - 1],
        &[&der[..], b"\0"].concat(),
        &vec![0x30; 10_000],
    ] {
        refused(&client.post(bytes), 1);
    }
    for path in [
        "/ocsp/x",
        "/ocsp/%",
        "/ocsp/%ff%fe",
        "/ocsp/MEo=",
        "/ocsp/..%2f..%2fca",
        &format!("/ocsp/{}", "A".repeat(5000)),
    ] {
        refused(&fetch(&server, "GET", path, &[], b""), 1);
    }
    fetch(&server, "POST", "/ocsp", &[], &vec![0; 300_000]).refused(413, "InvalidMessage");
    let lost = fetch(&server, "GET", "/ocsp", &[], b"");
    lost.refused(405, "InvalidMessage");
    assert_eq!(lost.header("allow"), Some("POST"));
    fetch(&server, "DELETE", &in_path(&der), &[], b"").refused(405, "InvalidMessage");
    // It goes on.
    assert_eq!(client.post(&der).status, 200);
}
