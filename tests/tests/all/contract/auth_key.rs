//! Auth keys: published first, then the call that asks is answered with the certificate (design decision 10, D-10).

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::server::Server;
use crate::support::web::WebHost;

/// The key for `csr` with `product`.
#[track_caller]
fn key_for(server: &Server, product: &str, csr: &str) -> String {
    let body = json!({"product": product, "csr": csr});
    let answer = server.alice.post("/v2/ssl/authkey", &body).expect(200);
    answer["authKey"].as_str().unwrap().to_owned()
}

fn order(csr: &str) -> Value {
    json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr, "authKey": true})
}

#[test]
fn d_10_a_published_key_gives_the_certificate_in_the_call() {
    let server = Server::start();
    let csr = csr(&["reseal.dev", "*.reseal.dev", "shop.dev"]);
    let key = key_for(&server, "ssl_dv_md", &csr);
    assert_eq!(key.len(), 64);
    // Asked again it is the same: it may be published already.
    assert_eq!(key_for(&server, "ssl_dv_md", &csr), key);
    // The parent's record proves what is below it.
    server.dns.txt("reseal.dev", &key);
    server.dns.txt("shop.dev", &key);
    let reply = server.alice.post("/v2/ssl/certificates", &order(&csr));
    let info = reply.expect(201);
    let id = info["certificateId"].as_i64().unwrap();
    assert_eq!(
        reply.header("location").unwrap(),
        format!("/v2/ssl/certificates/{id}")
    );
    let entry = &info["validations"]["dcv"][0];
    assert_eq!(entry["status"], "VALIDATED");
    assert_eq!(
        (&entry["dnsType"], &entry["dnsContents"]),
        (&json!("TXT"), &json!(key))
    );
    let timeline = server
        .alice
        .get(&format!("/v2/processes/{}/timeline", reply.process()))
        .text();
    assert!(timeline.contains(&key), "{timeline}");

    // It has led to a certificate: it is used up, and the next one is another.
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let body = json!({"csr": csr, "authKey": true});
    let refused = server
        .alice
        .post(&path, &body)
        .refused(400, "ValidationError");
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("/v2/ssl/authkey"),
        "{refused}"
    );
    assert_ne!(key_for(&server, "ssl_dv_md", &csr), key);
}

#[test]
fn d_10_a_reissue_by_key_and_file_is_answered_with_the_certificate() {
    let web = WebHost::start();
    let port = web.address.port();
    let server = Server::proving(&format!(
        "allow_networks = [\"127.0.0.0/8\"]\nhttp_port = {port}"
    ));
    let id = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    let csr = csr(&["reseal.dev", "new.dev"]);
    let key = key_for(&server, "ssl_dv_md", &csr);
    for name in ["reseal.dev", "new.dev"] {
        server.dns.a(name, Ipv4Addr::LOCALHOST);
        web.file(
            &format!("{name}/.well-known/pki-validation/fileauth.txt"),
            &format!("{key}\r\n"),
        );
    }
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let body = json!({"csr": csr, "authKey": true});
    let info = server.alice.post(&path, &body).expect(201);
    assert!(info["certificateId"].is_i64());
    let location = info["validations"]["dcv"][0]["fileLocation"]
        .as_str()
        .unwrap();
    assert_eq!(
        location,
        "reseal.dev/.well-known/pki-validation/fileauth.txt"
    );
}

#[test]
fn what_is_missing_is_named_for_each_name_and_nothing_is_left() {
    let server = Server::start();
    let csr = csr(&["one.dev", "two.dev", "three.dev"]);
    let other = crate::support::csr::csr(&["one.dev"]);
    let key = key_for(&server, "ssl_dv_md", &csr);
    server.dns.txt("one.dev", &key);
    server
        .dns
        .txt("two.dev", &key_for(&server, "ssl_dv_md", &other));
    let (processes, mails, _) = server.traces();
    let refused = server.alice.post("/v2/ssl/certificates", &order(&csr));
    let refused = refused.refused(400, "ValidationError");
    let message = refused["message"].as_str().unwrap();
    assert!(!message.contains("`one.dev`"), "{message}");
    for part in [
        "`two.dev`",
        "`three.dev`",
        "no TXT record",
        "fileauth.txt",
        &key,
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let after = server.traces();
    assert_eq!((after.0, after.1), (processes, mails));
    // The key is as good as before: publishing what was missing is enough.
    for name in ["two.dev", "three.dev"] {
        server.dns.txt(name, &key);
    }
    server
        .alice
        .post("/v2/ssl/certificates", &order(&csr))
        .expect(201);
}

#[test]
fn a_key_serves_its_csr_product_and_customer_only() {
    let server = Server::start();
    let request = csr(&["one.dev"]);
    let key = key_for(&server, "ssl_dv", &request);
    server.dns.txt("one.dev", &key);
    // Another product, another CSR, another customer: no key was made for them.
    let mut theirs = order(&request);
    theirs["customer"] = "bob".into();
    for (client, body) in [
        (&server.alice, order(&request)),
        (&server.alice, order(&csr(&["one.dev"]))),
        (&server.bob, theirs),
    ] {
        let reply = client.post("/v2/ssl/certificates", &body);
        reply.refused(400, "ValidationError");
    }
    assert_eq!(server.traces().0, 0);
}

#[test]
fn caa_that_forbids_refuses_the_call_and_leaves_nothing() {
    let server = Server::start();
    let csr = csr(&["one.dev"]);
    server
        .dns
        .txt("one.dev", &key_for(&server, "ssl_dv_md", &csr));
    server.dns.caa_issue("one.dev", "other.example");
    let reply = server.alice.post("/v2/ssl/certificates", &order(&csr));
    let message = reply.refused(400, "ValidationError")["message"].to_string();
    assert!(message.contains("CAA of `one.dev`"), "{message}");
    assert_eq!(server.traces().0, 0);
}

#[test]
fn nasty_127_a_key_of_31_days_ago_proves_nothing() {
    let mut server = Server::start();
    let csr = csr(&["one.dev"]);
    let key = key_for(&server, "ssl_dv_md", &csr);
    server.dns.txt("one.dev", &key);
    server.restart_at("+31d");
    let reply = server.alice.post("/v2/ssl/certificates", &order(&csr));
    reply.refused(400, "ValidationError");
    assert_ne!(key_for(&server, "ssl_dv_md", &csr), key);
}

#[test]
fn d_5_nasty_127_a_key_of_tomorrow_proves_nothing() {
    let mut server = Server::start();
    server.restart_at("+1d");
    let csr = csr(&["one.dev"]);
    let key = key_for(&server, "ssl_dv_md", &csr);
    server.dns.txt("one.dev", &key);
    server.restart_at("");
    let reply = server.alice.post("/v2/ssl/certificates", &order(&csr));
    reply.refused(400, "ValidationError");
    assert_ne!(key_for(&server, "ssl_dv_md", &csr), key);
}

#[test]
fn a_product_without_keys_says_so() {
    let server = Server::start();
    let csr = csr(&["one.dev"]);
    let body = json!({"product": "ssl_ov", "csr": csr});
    server
        .alice
        .post("/v2/ssl/authkey", &body)
        .violates("product");
    let body = json!({"product": "nothing", "csr": csr});
    server
        .alice
        .post("/v2/ssl/authkey", &body)
        .refused(400, "ObjectDoesNotExist");
    server
        .alice
        .post("/v2/ssl/authkey", &json!({"product": "ssl_dv", "csr": "x"}))
        .bad_csr();
}

#[test]
fn d_10_d_33_a_record_that_stays_is_no_auth_key_and_serves_the_call_without_one() {
    let server = Server::start();
    let csr = csr(&["reseal.dev"]);
    server.dns.txt(
        "_validation-persist.reseal.dev",
        "reseal.invalid; accounturi=acct:alice@reseal.invalid; policy=wildcard",
    );
    let key = key_for(&server, "ssl_dv_md", &csr);
    let refused = server
        .alice
        .post("/v2/ssl/certificates", &order(&csr))
        .refused(400, "ValidationError");
    assert!(
        refused["message"].as_str().unwrap().contains(&key),
        "{refused}"
    );
    assert_eq!(
        server.operator.get("/v2/processes?limit=0").expect(200)["pagination"]["total"],
        0
    );
    // As clients repeat it.
    let mut again = order(&csr);
    again["authKey"] = json!(false);
    let reply = server.alice.post("/v2/ssl/certificates", &again);
    assert!([201, 202].contains(&reply.status), "{}", reply.text());
    server.wait_for(reply.process(), "COMPLETED");
    let timeline = server
        .alice
        .get(&format!("/v2/processes/{}/timeline", reply.process()))
        .text();
    assert!(timeline.contains(r#""method":"3.2.2.4.22""#), "{timeline}");
}
