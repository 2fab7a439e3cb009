//! What is said of certificates.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Client, answering, fetch, fields, openssl, refused, serial};
use crate::support::csr::csr;
use crate::support::database::is_postgres;
use crate::support::server::{Server, reseal};

#[track_caller]
fn revoke(server: &Server, id: i64, reason: &str) {
    let path = format!("/v2/ssl/certificates/{id}");
    let body = json!({"reason": reason}).to_string();
    let headers = ["Content-Type: application/json"];
    let reply = server
        .alice
        .call("DELETE", &path, &headers, body.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// The list that the certificate in `leaf` points to, once it shows `serial`.
fn list(client: &Client<'_>, leaf: &str, serial: &str) -> String {
    let (_, text) = openssl(&["x509", "-noout", "-text", "-in", leaf]);
    let url = fields(&text, "URI:")
        .into_iter()
        .find(|url| url.contains("/crl/"));
    let path = url.unwrap().splitn(4, '/').nth(3).unwrap().to_owned();
    let file = client.file("list.crl");
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let reply = fetch(client.server, "GET", &format!("/{path}"), &[], b"");
        fs::write(&file, &reply.body).unwrap();
        let (_, text) = openssl(&["crl", "-inform", "DER", "-noout", "-text", "-in", &file]);
        if text.contains(serial) {
            return text;
        }
        assert!(Instant::now() < deadline, "{text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn x_9_openssl_is_told_good_and_then_revoked_as_the_list_says() {
    let mut server = answering();
    let id = server.certificate();
    let client = Client::of(&server);
    let leaf = client.leaf(id);
    for hash in ["-sha1", "-sha256"] {
        for nonce in ["-nonce", "-no_nonce"] {
            let said = client.asked(&[hash, "-cert", &leaf, nonce]);
            assert!(said.contains(&format!("{leaf}: good")), "{said}");
            assert_eq!(said.contains("OCSP Nonce"), nonce == "-nonce", "{said}");
            assert!(!said.contains("WARNING"), "{said}");
        }
    }
    revoke(&server, id, "SUPERSEDED");
    let said = client.asked(&["-cert", &leaf]);
    assert!(said.contains(&format!("{leaf}: revoked")), "{said}");
    assert!(said.contains("Reason: superseded"), "{said}");

    let serial = serial(&leaf);
    let shown = list(&client, &leaf, &serial);
    let (_, entry) = shown.split_once(&serial).unwrap();
    let listed = fields(entry, "Revocation Date:")[0];
    assert_eq!(fields(&said, "Revocation Time:")[0], listed);
    assert!(entry.contains("Superseded"), "{entry}");
    drop(client);
    server.terminate();
    server.verify_audit();
    let data = server.data();
    let log = reseal(&["audit", "export", "--data", data.to_str().unwrap()]);
    let signed = log.lines().find(|line| line.contains("\"ocsp.sign\""));
    let signed: Value = serde_json::from_str(signed.unwrap()).unwrap();
    assert_eq!(signed["object"], "ocsp/embedded");
    let detail = &signed["detail"];
    assert_eq!(
        (&detail["good"], &detail["revoked"]),
        (&json!(4), &json!(1))
    );
}

#[test]
fn x_3_reasons_are_those_of_the_list_and_none_is_said_where_none_is_listed() {
    let server = answering();
    let client = Client::of(&server);
    for (given, shown) in [
        ("UNSPECIFIED", None),
        ("KEY_COMPROMISE", Some("keyCompromise (0x1)")),
        ("AFFILIATION_CHANGED", Some("affiliationChanged (0x3)")),
        ("CESSATION_OF_OPERATION", Some("cessationOfOperation (0x5)")),
    ] {
        let id = server.order("ssl_dv", &csr(&["reseal.dev"]));
        let leaf = client.leaf(id);
        revoke(&server, id, given);
        let said = client.asked(&["-cert", &leaf]);
        assert_eq!(fields(&said, "Cert Status:"), ["revoked"]);
        let reasons = fields(&said, "Revocation Reason:");
        assert_eq!(reasons, shown.into_iter().collect::<Vec<_>>(), "{given}");
    }
}

#[test]
fn x_9_several_certificates_are_answered_for_in_one_answer() {
    let server = answering();
    let (good, bad) = (server.certificate(), server.certificate());
    let client = Client::of(&server);
    let (good, bad_leaf) = (client.leaf(good), client.leaf(bad));
    revoke(&server, bad, "KEY_COMPROMISE");
    let arguments = [
        "-cert",
        &good,
        "-sha256",
        "-cert",
        &bad_leaf,
        "-serial",
        "0x1234567890abcdef12",
    ];
    let said = client.asked(&arguments);
    assert_eq!(
        fields(&said, "Cert Status:"),
        ["good", "revoked", "unknown"]
    );
}

#[test]
fn x_9_nothing_is_good_that_was_not_issued() {
    let server = answering();
    let id = server.certificate();
    let client = Client::of(&server);
    let serial = serial(&client.leaf(id));
    for other in ["0x5eed0102030405060708090a0b0c0d0e", "0x0", "0x1", "-1"] {
        let said = client.asked(&["-serial", other, "-no_nonce"]);
        assert_eq!(fields(&said, "Cert Status:"), ["unknown"], "{other}");
    }
    // The serial of a certificate that is there, said to be of another authority's.
    let root = client.file("root.pem");
    let of_root = openssl_request(&client, &root, &serial);
    refused(&client.post(&of_root), 6);
    refused(&client.get(&of_root, &[]), 6);
    // Of two authorities in one request: nobody speaks for both.
    let intermediate = client.file("intermediate.pem");
    let serial = format!("0x{serial}");
    let both = client.request(&["-serial", &serial, "-issuer", &root, "-serial", &serial]);
    refused(&client.post(&both), 6);
    let both = client.request(&[
        "-issuer",
        &root,
        "-serial",
        &serial,
        "-issuer",
        &intermediate,
        "-serial",
        &serial,
    ]);
    refused(&client.post(&both), 6);
}

fn openssl_request(client: &Client<'_>, issuer: &str, serial: &str) -> Vec<u8> {
    let (file, serial) = (client.file("other.req"), format!("0x{serial}"));
    let arguments = [
        "ocsp",
        "-issuer",
        issuer,
        "-serial",
        &serial,
        "-no_nonce",
        "-reqout",
        &file,
    ];
    let (made, said) = openssl(&arguments);
    assert!(made, "{said}");
    fs::read(file).unwrap()
}

#[test]
fn x_9_a_reserved_serial_is_unknown_until_it_is_signed_and_revoked_when_it_was_lost() {
    let server = answering();
    server.certificate();
    let client = Client::of(&server);
    let database = server.database();
    let hex = "5eed0102030405060708090a0b0c0d7e";
    let mark = if is_postgres() { "'\\x" } else { "x'" };
    let bytes = |hex: &str| format!("{mark}{hex}'");
    // What the intermediate would have signed: the bytes of the certificate that is there, under another serial.
    let serial = bytes(hex);
    database.run(&format!(
        "INSERT INTO reservation (process, serial, issuer, tbs, created) \
         SELECT process, {serial}, issuer, tbs, created FROM reservation"
    ));
    let number = format!("0x{hex}");
    let said = client.asked(&["-serial", &number]);
    assert_eq!(fields(&said, "Cert Status:"), ["unknown"]);
    let ending = bytes("7e");
    database.run(&format!(
        "INSERT INTO crl_entry (issuer, ending, serial, revoked_at, reason, not_after) \
         SELECT issuer, {ending}, {serial}, created, 'SUPERSEDED', created + 86400000 FROM reservation WHERE serial = {serial}"
    ));
    let said = client.asked(&["-serial", &number]);
    assert_eq!(fields(&said, "Cert Status:"), ["revoked"]);
    assert_eq!(fields(&said, "Revocation Reason:"), ["superseded (0x4)"]);
}

#[test]
fn x_9_answers_hold_for_a_day_and_their_responder_for_longer() {
    let mut server = answering();
    let id = server.certificate();
    let client = Client::of(&server);
    let leaf = client.leaf(id);
    let said = client.asked(&["-cert", &leaf]);
    let moment = |field: &str| fields(&said, field)[0].to_owned();
    let (this, next) = (moment("This Update:"), moment("Next Update:"));
    assert_eq!(&this[7..15], &next[7..15], "a day from {this} to {next}");
    assert!(this[7..15].ends_with(":00") && this != next, "{this}");
    for line in [
        "OCSP Signing",
        "OCSP No Check",
        "Digital Signature",
        "Responder Id: C = XX, O = Reseal, CN = OCSP ",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    for line in [
        "Authority Information Access",
        "CRL Distribution",
        "TLS Web Server",
    ] {
        assert!(!said.contains(line), "{line}: {said}");
    }
    let responder = fields(&said, "Responder Id:")[0].to_owned();
    drop(client);

    // Whoever comes back has another key, and what was issued before is good as ever.
    server.restart_at("+30d");
    let client = Client::of(&server);
    let der = client.request(&["-cert", &client.leaf(id)]);
    let file = client.file("answer");
    fs::write(&file, client.post(&der).body).unwrap();
    let (_, said) = openssl(&["ocsp", "-noverify", "-resp_text", "-respin", &file]);
    assert_eq!(fields(&said, "Cert Status:"), ["good"], "{said}");
    assert_ne!(fields(&said, "Responder Id:")[0], responder);
    drop(client);
    let data = server.data();
    let log = reseal(&["audit", "export", "--data", data.to_str().unwrap()]);
    let made = log.lines().filter(|line| line.contains("\"ocsp.certify\""));
    assert_eq!(made.count(), 2, "one for each process that was asked");
}

#[test]
fn x_9_each_intermediate_has_a_responder_of_its_own() {
    let mut server = answering();
    let old = server.certificate();
    let data = server.data();
    reseal(&["ca", "rotate", "--data", data.to_str().unwrap()]);
    server.restart_at("");
    let new = server.order("ssl_dv", &csr(&["reseal.org"]));
    let files = fs::read_dir(data.join("ca")).unwrap();
    let mut names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let is_later = |name: &String| {
        let rest = name.strip_prefix("intermediate-");
        rest.is_some_and(|rest| rest.strip_suffix(".pem").is_some())
    };
    let later = names.find(is_later);

    let mut client = Client::of(&server);
    let (old, new) = (client.leaf(old), client.leaf(new));
    client.ask_about("intermediate.pem");
    let said = client.asked(&["-cert", &old]);
    assert_eq!(fields(&said, "Cert Status:"), ["good"]);
    let number = format!("0x{}", serial(&new));
    let said = client.asked(&["-serial", &number]);
    assert_eq!(
        fields(&said, "Cert Status:"),
        ["unknown"],
        "the other one's"
    );

    client.ask_about(&later.unwrap());
    let said = client.asked(&["-cert", &new]);
    assert_eq!(fields(&said, "Cert Status:"), ["good"]);
    let number = format!("0x{}", serial(&old));
    let said = client.asked(&["-serial", &number]);
    assert_eq!(
        fields(&said, "Cert Status:"),
        ["unknown"],
        "the other one's"
    );
}

#[test]
fn p_6_certificates_point_to_the_responder_where_there_is_one() {
    let server = answering();
    let id = server.certificate();
    let client = Client::of(&server);
    let leaf = client.leaf(id);
    let (_, url) = openssl(&["x509", "-noout", "-ocsp_uri", "-in", &leaf]);
    assert_eq!(url.trim(), format!("http://{}/ocsp", server.alice.address));
    // Lists go on as before.
    let (intermediate, root) = (client.file("intermediate.pem"), client.file("root.pem"));
    let (_, text) = openssl(&["x509", "-noout", "-text", "-in", &leaf]);
    let url = fields(&text, "URI:")
        .into_iter()
        .find(|url| url.contains("/crl/"));
    let path = url.unwrap().splitn(4, '/').nth(3).unwrap();
    let mut lists = Vec::new();
    for path in [path, "crl/root.crl"] {
        let file = client.file(&path.replace('/', "-"));
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            let reply = fetch(&server, "GET", &format!("/{path}"), &[], b"");
            if reply.status == 200 {
                fs::write(&file, reply.body).unwrap();
                break;
            }
            assert!(Instant::now() < deadline, "{path}");
            std::thread::sleep(Duration::from_millis(50));
        }
        lists.push(file);
    }
    let (accepted, said) = openssl(&[
        "verify",
        "-crl_check_all",
        "-extended_crl",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-CAfile",
        &root,
        "-untrusted",
        &intermediate,
        "-CRLfile",
        &lists[0],
        "-CRLfile",
        &lists[1],
        &leaf,
    ]);
    assert!(accepted, "{said}");
}

#[test]
fn x_9_it_is_off_unless_it_is_wanted_and_can_be_left_step_by_step() {
    let mut server = answering();
    let id = server.certificate();
    let data = server.data();
    let data = data.to_str().unwrap();
    let file = server.data().join("reseal.toml");
    let text = fs::read_to_string(&file).unwrap();

    let quiet = text.replace("enabled = true", "enabled = true\nin_certificates = false");
    fs::write(&file, quiet).unwrap();
    server.restart_at("");
    let client = Client::of(&server);
    let said = client.asked(&["-cert", &client.leaf(id)]);
    assert_eq!(fields(&said, "Cert Status:"), ["good"]);
    let later = server.order("ssl_dv", &csr(&["reseal.org"]));
    assert!(!server.issued(later).contains("OCSP"));
    drop(client);

    fs::write(&file, text.replace("[ocsp]\nenabled = true\n", "")).unwrap();
    server.restart_at("");
    let later = server.order("ssl_dv", &csr(&["reseal.net"]));
    assert!(!server.issued(later).contains("OCSP"));
    fetch(&server, "GET", "/ocsp/MEo", &[], b"").refused(404, "ObjectDoesNotExist");
    fetch(&server, "POST", "/ocsp", &[], b"x").refused(404, "ObjectDoesNotExist");
    // What was issued before was issued as it should be.
    let lint = reseal(&["ca", "lint", "--data", data]);
    assert!(!lint.contains("OCSP"), "{lint}");
}
