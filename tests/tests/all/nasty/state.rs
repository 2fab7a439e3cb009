//! Rules section 11, numbers 16 to 28: the state of what is to be reissued, and races for it.

use rcgen::KeyPair;
use serde_json::json;

use crate::support::csr::{csr, self_signed, with_key};
use crate::support::server::Server;

#[test]
fn nasty_016_a_quote_refuses_what_the_call_would_refuse() {
    let server = Server::start();
    let id = server.certificate();
    for body in [
        json!({}),
        json!({"csr": "x"}),
        json!({"csr": csr(&["elsewhere.dev"])}),
    ] {
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        let (real, quote) = (
            server.alice.post(&path, &body),
            server.alice.post(&format!("{path}?quote=true"), &body),
        );
        assert_eq!((real.status, real.text()), (400, quote.text()));
    }
}

#[test]
fn nasty_017_018_a_revoked_certificate_is_not_reissued_even_with_a_new_key() {
    let server = Server::start();
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}");
    server.alice.call(
        "DELETE",
        &path,
        &["Content-Type: application/json"],
        br#"{"reason":"KEY_COMPROMISE"}"#,
    );
    let reply = server.alice.post(
        &format!("{path}/reissue"),
        &json!({"csr": csr(&["reseal.dev"])}),
    );
    let answer = reply.refused(400, "ObjectStatusProhibitsOperation");
    assert!(
        answer["message"].as_str().unwrap().contains("REVOKED"),
        "{answer}"
    );
}

#[test]
fn nasty_019_020_an_expired_certificate_is_reissued_while_its_subscription_runs() {
    let mut server = Server::start();
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}");
    let body = json!({"csr": csr(&["reseal.dev"])});
    // Later than any leaf of today lives, within the twelve months that were bought.
    server.restart_at("+250d");
    assert_eq!(server.alice.get(&path).expect(200)["status"], "EXPIRED");
    let reply = server
        .alice
        .post(&format!("{path}/reissue?quote=true"), &body);
    reply.expect(200);
    server.restart_at("+400d");
    let reply = server.alice.post(&format!("{path}/reissue"), &body);
    reply.refused(400, "ObjectStatusProhibitsOperation");
    // Less is left than a leaf of that day may live.
    server.restart_at("+300d");
    let reply = server.alice.post(&format!("{path}/reissue"), &body);
    let new = server.finish(&reply);
    let new = server
        .alice
        .get(&format!("/v2/ssl/certificates/{new}"))
        .expect(200);
    assert_eq!(new["expiryDate"], new["subscriptionEndDate"], "{new}");
}

#[test]
fn v_9_nasty_021_a_reissue_that_waits_until_a_day_is_left_ends_without_a_certificate() {
    let mut server = Server::start();
    let id = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let body = json!({"csr": csr(&["reseal.dev", "new.dev"])});
    server.restart_at("+360d");
    let reply = server.alice.post(&path, &body);
    let info = reply.expect(202);
    let process = reply.process();
    server.restart_at("+364d");
    server.publish(&info);
    server
        .alice
        .post_raw(&format!("/v2/processes/{process}/resend"), b"");
    let ended = server.wait_for(process, "FAILED");
    assert!(
        ended["statusDetail"]
            .as_str()
            .unwrap()
            .contains("less than a day"),
        "{ended}"
    );
}

#[test]
fn n_27_r_5_a_free_name_that_is_never_proved_ends_the_reissue_and_leaves_the_old_certificate() {
    let mut server = Server::start();
    let request = csr(&["www.reseal.dev"]);
    let old = server.order("ssl_dv", &request);
    let path = format!("/v2/ssl/certificates/{old}");
    let before = server.alice.get(&path).expect(200);
    // Beyond the evidence of the first time: both names are to be proved again, each in its own way.
    server.restart_at("+201d");
    // A proof of the name above would cover the one below it, so it is the one above that is free here.
    let body = json!({"csr": request, "dcv": [{"commonName": "www.reseal.dev", "type": "DNS"},
        {"commonName": "reseal.dev", "type": "FILE"}]});
    let reply = server.alice.post(&format!("{path}/reissue"), &body);
    server.publish(&reply.expect(202));
    let process = reply.process();
    server
        .alice
        .post_raw(&format!("/v2/processes/{process}/resend"), b"");
    server.wait_for(process, "SUSPENDED");
    let state_of = |name: &str| {
        let info = server
            .alice
            .get(&format!("/v2/processes/{process}/info"))
            .expect(200);
        let entries = info["validations"]["dcv"].as_array().unwrap().clone();
        let entry = entries
            .into_iter()
            .find(|entry| entry["commonName"] == name);
        entry.unwrap()["status"].clone()
    };
    assert_eq!(state_of("www.reseal.dev"), "VALIDATED");
    assert_ne!(state_of("reseal.dev"), "VALIDATED");
    server.restart_at("+232d");
    let ended = server.wait_for(process, "FAILED");
    let detail = ended["statusDetail"].as_str().unwrap();
    assert!(detail.contains("30 days"), "{detail}");
    let found = server.alice.get("/v2/ssl/certificates").expect(200);
    assert_eq!(found["pagination"]["total"], 1, "{found}");
    let mut after = server.alice.get(&path).expect(200);
    // Its own end has come meanwhile; the rest is as it was.
    assert_eq!(after["status"], "EXPIRED");
    after["status"] = before["status"].clone();
    assert_eq!(after, before);
}

#[test]
fn nasty_022_a_reissued_certificate_names_its_successor() {
    let server = Server::start();
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let new = server
        .alice
        .post(&path, &json!({"csr": csr(&["reseal.dev"])}))
        .expect(201)["certificateId"]
        .clone();
    let answer = server
        .alice
        .post(&path, &json!({"csr": csr(&["reseal.dev"])}));
    let answer = answer.refused(400, "ObjectStatusProhibitsOperation");
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.contains("REISSUED") && message.contains(&new.to_string()),
        "{message}"
    );
}

#[test]
fn nasty_023_an_imported_certificate_cannot_be_reissued_here() {
    let server = Server::start();
    let body = json!({"customer": "alice", "certificate": self_signed("elsewhere.dev")});
    let imported = server.alice.post("/v2/ssl/import", &body);
    let path = format!("{}/reissue", imported.header("location").unwrap());
    let reply = server
        .alice
        .post(&path, &json!({"csr": csr(&["elsewhere.dev"])}));
    reply.refused(400, "ObjectStatusProhibitsOperation");
}

#[test]
fn r_1_nasty_018_a_certificate_revoked_while_its_reissue_waits_is_not_replaced() {
    let server = Server::start();
    let id = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    let path = format!("/v2/ssl/certificates/{id}");
    let body = json!({"csr": csr(&["reseal.dev", "new.dev"]), "san": ["reseal.dev", "new.dev"]});
    let reply = server.alice.post(&format!("{path}/reissue"), &body);
    let info = reply.expect(202);
    let process = reply.process();
    assert_eq!(server.alice.delete(&path).status, 200);
    server.fails_for_its_revoked_certificate(&info, process);
}

#[test]
fn nasty_026_a_key_that_is_compromised_while_an_order_with_it_waits_is_not_signed() {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let id = server.order("ssl_dv_md", &with_key(&key, &["reseal.dev"]));
    let path = format!("/v2/ssl/certificates/{id}");
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": with_key(&key, &["new.dev"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let info = reply.expect(202);
    let process = reply.process();
    let reply = server.alice.call(
        "DELETE",
        &path,
        &["Content-Type: application/json"],
        br#"{"reason":"KEY_COMPROMISE"}"#,
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    server.publish(&info);
    server
        .alice
        .post_raw(&format!("/v2/processes/{process}/resend"), b"");
    let ended = server.wait_for(process, "FAILED");
    assert!(
        ended["statusDetail"].as_str().unwrap().contains("blocked"),
        "{ended}"
    );
    let found = server
        .alice
        .get(&format!("/v2/ssl/certificates?process={process}"));
    assert_eq!(found.expect(200)["pagination"]["total"], 0);
}

#[test]
fn x_4_a_compromised_key_takes_every_certificate_of_its_customer_with_it() {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let first = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let second = server.order("ssl_dv", &with_key(&key, &["reseal.org"]));
    let other = server.order("ssl_dv", &csr(&["reseal.net"]));
    let reply = server.alice.call(
        "DELETE",
        &format!("/v2/ssl/certificates/{first}"),
        &["Content-Type: application/json"],
        br#"{"reason":"KEY_COMPROMISE"}"#,
    );
    assert_eq!(reply.status, 200, "{}", reply.text());
    let status = |id: i64| {
        let path = format!("/v2/ssl/certificates/{id}");
        server.alice.get(&path).expect(200)["status"].clone()
    };
    assert_eq!(
        [status(first), status(second), status(other)],
        ["REVOKED", "REVOKED", "ACTIVE"]
    );
    // Each revocation can be seen and is told of by itself.
    let revocations = server.alice.get("/v2/processes?action=revoke").expect(200);
    assert_eq!(revocations["pagination"]["total"], 2);
    let told = server.alice.get("/v2/customers/alice/notifications").text();
    assert!(told.contains("for reseal.org was revoked"), "{told}");
}

#[test]
fn nasty_026_a_key_revoked_as_compromised_is_not_signed_again() {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let id = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let path = format!("/v2/ssl/certificates/{id}");
    server.alice.call(
        "DELETE",
        &path,
        &["Content-Type: application/json"],
        br#"{"reason":"keyCompromise"}"#,
    );
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": with_key(&key, &["reseal.dev"])});
    server.alice.post("/v2/ssl/certificates", &body).bad_csr();
}

#[test]
fn r_2_names_once_paid_for_stay_paid_when_a_reissue_leaves_them_out() {
    let mut server = Server::start();
    server.change_catalogue(|catalogue| {
        let product = "product = \"ssl_dv_md\"\n";
        catalogue.replace(
            product,
            &format!("{product}prices = {{ extra_domain = 100 }}\n"),
        )
    });
    server.restart_at("");
    let names: Vec<String> = (0..7).map(|index| format!("n{index}.dev")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&all)});
    let quote = server
        .alice
        .post("/v2/ssl/certificates?quote=true", &body)
        .expect(200);
    assert_eq!(quote["quote"]["total"], 200, "{quote}");
    let whole = server.order("ssl_dv_md", &csr(&all));
    let smaller = server
        .alice
        .post(
            &format!("/v2/ssl/certificates/{whole}/reissue"),
            &json!({"csr": csr(&all[..2])}),
        )
        .expect(201);
    let path = format!(
        "/v2/ssl/certificates/{}/reissue?quote=true",
        smaller["certificateId"]
    );
    let quote = server
        .alice
        .post(&path, &json!({"csr": csr(&all)}))
        .expect(200);
    assert_eq!(quote["quote"]["total"], 0, "{quote}");
}

#[test]
fn a_product_that_is_no_longer_offered_is_neither_reissued_nor_resent() {
    let mut server = Server::start();
    let id = server.certificate();
    let body =
        json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["other.dev"])});
    let process = server.alice.post("/v2/ssl/certificates", &body).process();
    server.wait_for(process, "SUSPENDED");
    server.change_catalogue(|catalogue| {
        catalogue.replace("product = \"ssl_dv\"\n", "product = \"ssl_new\"\n")
    });
    server.restart_at("");
    for (path, body) in [
        (
            format!("/v2/ssl/certificates/{id}/reissue"),
            json!({"csr": csr(&["reseal.dev"])}),
        ),
        (format!("/v2/processes/{process}/resend"), json!({})),
    ] {
        let reply = server.alice.post(&path, &body);
        let said = reply.refused(400, "ObjectStatusProhibitsOperation");
        assert!(said.to_string().contains("no longer offered"), "{said}");
    }
}
