//! Rules section 11, numbers 56, 57, 59, 60, 65, 66 and 84: what is accepted, and what comes of it.

use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384};
use serde_json::json;

use super::Target;
use crate::support::csr::{csr, stored, with_key};
use crate::support::server::Server;

/// The certificate that comes of a CSR, as `openssl` shows it.
#[track_caller]
fn issued(csr: &str) -> String {
    let target = Target::start();
    let info = target.reissue_with(csr).expect(201);
    target
        .server
        .issued(info["certificateId"].as_i64().unwrap())
}

#[track_caller]
fn is_for_servers_only(text: &str) {
    let (_, rest) = text.split_once("Extended Key Usage:").unwrap();
    let purposes = rest.lines().nth(1).unwrap().trim();
    assert_eq!(purposes, "TLS Web Server Authentication", "{text}");
    for other in ["TLS Feature", "CA:TRUE", "status_request"] {
        assert!(!text.contains(other), "{other}: {text}");
    }
}

#[test]
fn p_7_nasty_059_client_authentication_is_accepted_and_not_issued() {
    is_for_servers_only(&issued(&stored("csr/client-auth.pem")));
}

#[test]
fn nasty_060_must_staple_is_accepted_and_not_issued() {
    is_for_servers_only(&issued(&stored("csr/must-staple.pem")));
}

#[test]
fn c_7_what_is_left_out_is_told_in_the_timeline() {
    for (file, told) in [
        ("csr/must-staple.pem", "must-staple"),
        ("csr/client-auth.pem", "clientAuth"),
    ] {
        let target = Target::start();
        let reply = target.reissue_with(&stored(file));
        reply.expect(201);
        let path = format!("/v2/processes/{}/timeline", reply.process());
        let timeline = target.server.alice.get(&path).expect(200);
        let warnings = &timeline["entities"][0]["warnings"];
        assert!(warnings.to_string().contains(told), "{timeline}");
    }
}

#[test]
fn c_9_names_of_the_csr_that_are_left_out_are_told_in_the_timeline() {
    let server = Server::start();
    let id = server.certificate();
    for (names, told) in [
        (["reseal.dev", "b.dev"], Some("ignored: `b.dev`")),
        (["reseal.dev", "www.reseal.dev"], None),
    ] {
        let newest = "/v2/ssl/certificates?limit=1&status=ACTIVE";
        let found = server.alice.get(newest).expect(200);
        let newest = found["entities"][0]["id"].as_i64().unwrap_or(id);
        let path = format!("/v2/ssl/certificates/{newest}/reissue");
        let reply = server.alice.post(&path, &json!({"csr": csr(&names)}));
        reply.expect(201);
        let path = format!("/v2/processes/{}/timeline", reply.process());
        let timeline = server.alice.get(&path).expect(200);
        let warnings = timeline["entities"][0]["warnings"].to_string();
        match told {
            Some(told) => assert!(warnings.ends_with(&format!("{told}\"]")), "{warnings}"),
            None => assert_eq!(warnings, "null"),
        }
    }
}

#[test]
fn nasty_065_a_common_name_too_long_for_a_subject_is_an_alternative_name_only() {
    let name = format!("{}.{}.reseal.dev", "a".repeat(40), "b".repeat(30));
    let text = issued(&csr(&[&name]));
    assert!(text.contains(&format!("DNS:{name}")), "{text}");
    let subject = text.lines().find(|line| line.contains("Subject:")).unwrap();
    assert!(!subject.contains("CN"), "{subject}");
}

#[test]
fn nasty_066_an_organization_in_the_csr_of_a_domain_validated_product_is_dropped() {
    let csr = stored("csr/subject.pem");
    let text = issued(&csr);
    let subject = text.lines().find(|line| line.contains("Subject:")).unwrap();
    let (_, subject) = subject.split_once("Subject:").unwrap();
    let attributes: Vec<_> = subject
        .split(',')
        .map(|one| one.split('=').next().unwrap().trim())
        .collect();
    assert_eq!(attributes, ["CN"], "{text}");
}

#[test]
fn nasty_056_the_same_csr_again_has_to_be_proved_by_a_new_value() {
    let server = Server::start();
    let csr = csr(&["reseal.dev"]);
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr, "uniqueValue": "same"});
    let ask = || server.alice.post("/v2/ssl/certificates", &body);
    let contents = |info: &serde_json::Value| info["validations"]["dcv"][0]["dnsContents"].clone();
    let (first, second) = (ask(), ask());
    let (old, new) = (first.expect(202), second.expect(202));
    assert_ne!(contents(&old), contents(&new));
    // The first one's record does not prove the second.
    server.publish(&old);
    let path = format!("/v2/processes/{}", second.process());
    server.alice.post_raw(&format!("{path}/resend"), b"");
    let info = server.alice.get(&format!("{path}/info")).expect(200);
    assert_ne!(
        info["validations"]["dcv"][0]["status"], "VALIDATED",
        "{info}"
    );
}

#[test]
fn nasty_057_a_token_holds_by_a_random_value_whatever_hash_signs_the_csr() {
    let server = Server::start();
    let csr = stored("csr/ec-384.pem");
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr, "uniqueValue": "mine"});
    let randoms: Vec<String> = (0..2)
        .map(|_| {
            let info = server.alice.post("/v2/ssl/certificates", &body).expect(202);
            let contents = info["validations"]["dcv"][0]["dnsContents"]
                .as_str()
                .unwrap();
            let labels: Vec<_> = contents.split('.').collect();
            assert_eq!(labels[2], "mine");
            labels[3].to_owned()
        })
        .collect();
    assert_ne!(randoms[0], randoms[1]);
    // 112 bits by letters and digits of one case (D-3).
    assert!(
        randoms.iter().all(|random| random.len() >= 22),
        "{randoms:?}"
    );
}

/// A server whose single-domain product makes challenges in another way.
fn with_challenge(scheme: &str) -> Server {
    let mut server = Server::start();
    server.extend_product("ssl_dv", &format!("challenge = \"{scheme}\""));
    server.restart_at("");
    server
}

#[test]
fn d_5_d_8_nasty_056_a_token_made_of_the_csr_alone_serves_one_request() {
    let server = with_challenge("sectigo-like");
    let csr = csr(&["reseal.dev"]);
    let order = |unique: Option<&str>| {
        let mut body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr});
        if let Some(unique) = unique {
            body["uniqueValue"] = json!(unique);
        }
        server.alice.post("/v2/ssl/certificates", &body)
    };
    let first = order(None);
    let contents = first.expect(202)["validations"]["dcv"][0]["dnsContents"].clone();
    let labels: Vec<_> = contents.as_str().unwrap().split('.').collect();
    assert_eq!(
        (labels[0].len(), labels[1].len(), labels[2]),
        (32, 32, "dcv"),
        "{contents}"
    );
    let id = server.finish(&first);

    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let reissue = |unique: Option<&str>, query: &str| {
        let mut body = json!({"csr": csr});
        if let Some(unique) = unique {
            body["uniqueValue"] = json!(unique);
        }
        server.alice.post(&format!("{path}{query}"), &body)
    };
    let before = server.traces();
    for query in ["", "?quote=true", "?dryRun=true"] {
        let refusal = reissue(None, query).violates("uniqueValue");
        assert!(refusal.to_string().contains("used before"), "{refusal}");
    }
    order(None).violates("uniqueValue");
    assert_eq!(server.traces(), before);
    // With a salt of its own each request has to be proved again: what was proved before does not serve (R-3).
    let second = reissue(Some("Two"), "");
    second.expect(202);
    server.finish(&second);
    order(Some("two")).violates("uniqueValue");
    // One that led to nothing has been given out all the same.
    let third = order(Some("three"));
    third.expect(202);
    let process = format!("/v2/processes/{}", third.process());
    assert_eq!(server.alice.delete(&process).status, 200);
    order(Some("three")).violates("uniqueValue");
}

#[test]
fn d_5_d_12_a_token_moves_with_its_process_and_never_to_another() {
    let server = with_challenge("sectigo-like");
    let csr = csr(&["reseal.dev"]);
    let ask = |dcv: serde_json::Value| {
        let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr, "dcv": [dcv]});
        server.alice.post("/v2/ssl/certificates", &body)
    };
    let by_mail = json!({"commonName": "reseal.dev", "type": "EMAIL", "email": "admin@reseal.dev"});
    // A mail has a token of its own.
    let (one, two) = (ask(by_mail.clone()), ask(by_mail));
    let choose = |process: i64, method: &str| {
        let names = ["reseal.dev", "www.reseal.dev"];
        let dcv: Vec<_> = names
            .iter()
            .map(|name| json!({"commonName": name, "type": method}))
            .collect();
        let path = format!("/v2/processes/{process}/resend");
        server.alice.post(&path, &json!({"dcv": dcv}))
    };
    assert_eq!(choose(one.process(), "DNS").status, 200);
    assert_eq!(choose(one.process(), "FILE").status, 200);
    choose(two.process(), "DNS").violates("uniqueValue");
    let info = server
        .alice
        .get(&format!("/v2/processes/{}/info", two.process()));
    assert_eq!(info.expect(200)["validations"]["dcv"][0]["type"], "EMAIL");
}

#[test]
fn d_5_nasty_057_a_token_is_hashed_no_weaker_than_the_csr_is_signed() {
    let server = with_challenge("sectigo-like");
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let csr = with_key(&key, &["reseal.dev"]);
    let decoded = server
        .alice
        .post("/v2/ssl/decodecsr", &json!({"csr": csr}))
        .expect(200);
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr, "uniqueValue": "mine"});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let info = reply.expect(202);
    let entry = &info["validations"]["dcv"][0];
    let contents = entry["dnsContents"].as_str().unwrap();
    let labels: Vec<_> = contents.split('.').collect();
    let lengths: Vec<_> = labels[..4].iter().map(|label| label.len()).collect();
    assert_eq!(
        (&lengths[..], labels[4]),
        (&[32; 4][..], "mine"),
        "{contents}"
    );
    let sha256 = decoded["sha256"].as_str().unwrap();
    assert!(!contents.contains(&sha256[..32]), "{contents}");
    let md5 = decoded["md5"].as_str().unwrap();
    assert!(
        entry["dnsRecord"]
            .as_str()
            .unwrap()
            .starts_with(&format!("_{md5}.")),
        "{entry}"
    );
    server.finish(&reply);
}

#[test]
fn d_9_a_random_value_alone_is_a_label_with_an_underscore() {
    let server = with_challenge("digicert-like");
    let csr = csr(&["reseal.dev"]);
    let order = || {
        let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr});
        server.alice.post("/v2/ssl/certificates", &body)
    };
    let reply = order();
    let entry = reply.expect(202)["validations"]["dcv"][0].clone();
    let record = entry["dnsRecord"].as_str().unwrap();
    let (random, rest) = record.strip_prefix('_').unwrap().split_once('.').unwrap();
    assert!(random.len() >= 22, "{record}");
    assert_eq!(rest, "reseal.dev.");
    assert_eq!(
        (&entry["dnsType"], &entry["dnsContents"]),
        (&json!("CNAME"), &json!("dcv.dcv.invalid."))
    );
    let id = server.finish(&reply);
    // A Random Value leaves what was proved to serve again, with the same CSR too.
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    server.alice.post(&path, &json!({"csr": csr})).expect(201);
}

#[test]
fn nasty_084_a_removed_name_schedules_the_revocation_of_the_old_certificate() {
    let Target {
        mut server, path, ..
    } = Target::start();
    let body = json!({"csr": csr(&["reseal.dev"]), "san": ["reseal.dev"]});
    let reply = server.alice.post(&format!("{path}/reissue"), &body);
    reply.expect(201);
    let process = reply.process();
    let timeline = server
        .alice
        .get(&format!("/v2/processes/{process}/timeline"));
    let timeline = timeline.text();
    assert!(
        timeline.contains(r#""revocationScheduledAt":"2"#),
        "{timeline}"
    );
    assert_eq!(server.alice.get(&path).expect(200)["status"], "REISSUED");
    // 72 hours later (R-4).
    server.restart_at("+71h");
    assert_eq!(server.alice.get(&path).expect(200)["status"], "REISSUED");
    server.restart_at("+73h");
    server.wait_until(&path, |certificate| certificate["status"] == "REVOKED");
}

#[test]
fn x_9_no_certificate_points_to_a_responder() {
    let server = Server::start();
    let text = server.issued(server.certificate());
    assert!(text.contains("CA Issuers - URI:http://"), "{text}");
    assert!(!text.contains("OCSP"), "{text}");
}

#[test]
fn x_10_a_certificate_of_some_days_is_on_a_list_like_every_other() {
    let mut server = Server::start();
    let id = server.order("ssl_dv", &csr(&["reseal.dev"]));
    // Five days before the subscription ends.
    server.restart_at("+360d");
    let body = json!({"csr": csr(&["reseal.dev"])});
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let reissue = server.alice.post(&path, &body);
    let short = server.finish(&reissue);
    let certificate = server
        .alice
        .get(&format!("/v2/ssl/certificates/{short}"))
        .expect(200);
    let moment =
        |field: &str| -> jiff::Timestamp { certificate[field].as_str().unwrap().parse().unwrap() };
    let life = moment("startDate").duration_until(moment("expiryDate"));
    assert!(life < jiff::SignedDuration::from_hours(7 * 24), "{life:?}");
    let text = server.issued(short);
    assert!(text.contains("X509v3 CRL Distribution Points"), "{text}");
    server
        .alice
        .delete(&format!("/v2/ssl/certificates/{short}"));
    let entries = server.database().number("SELECT COUNT(*) FROM crl_entry");
    assert_eq!(entries, 1);
}
