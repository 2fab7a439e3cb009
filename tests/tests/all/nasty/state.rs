//! Rules section 11, numbers 16 to 28: the state of what is to be reissued, and races for it.

use std::fs;
use std::thread;

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
fn nasty_024_of_two_reissues_at_once_one_is_accepted() {
    let server = Server::start();
    let id = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let attempts: Vec<_> = (0..8)
        .map(|_| {
            let (client, path) = (server.alice.clone(), path.clone());
            let body = json!({"csr": csr(&["reseal.dev", "new.dev"])});
            thread::spawn(move || client.post(&path, &body))
        })
        .collect();
    let replies: Vec<_> = attempts
        .into_iter()
        .map(|attempt| attempt.join().unwrap())
        .collect();
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 202).count(),
        1
    );
    for reply in replies.iter().filter(|reply| reply.status != 202) {
        reply.refused(400, "ObjectExists");
    }
    let processes = server.alice.get("/v2/processes?action=reissue").expect(200);
    assert_eq!(processes["pagination"]["total"], 1);
}

#[test]
fn r_1_nasty_024_of_reissues_by_reused_proofs_at_once_exactly_one_issues() {
    let server = Server::start();
    let mut id = server.certificate();
    for _ in 0..6 {
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        let bodies: Vec<_> = (0..12)
            .map(|_| json!({"csr": csr(&["reseal.dev"])}))
            .collect();
        let replies: Vec<_> = thread::scope(|scope| {
            let attempts: Vec<_> = bodies
                .iter()
                .map(|body| scope.spawn(|| server.alice.post(&path, body)))
                .collect();
            attempts
                .into_iter()
                .map(|attempt| attempt.join().unwrap())
                .collect()
        });
        let (issued, refused): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|reply| reply.status != 400);
        assert_eq!(issued.len(), 1);
        for reply in &refused {
            let error = reply.json()["type"].clone();
            assert!(
                error == "ObjectExists" || error == "ObjectStatusProhibitsOperation",
                "{error}"
            );
        }
        id = server.finish(&issued[0]);
        let active = server.alice.get("/v2/ssl/certificates?status=ACTIVE");
        assert_eq!(active.expect(200)["pagination"]["total"], 1);
    }
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
    server.publish(&info);
    server
        .alice
        .post(&format!("/v2/processes/{process}/resend"), &json!({}));
    let failed = server.wait_for(process, "FAILED");
    assert!(
        failed["statusDetail"].as_str().unwrap().contains("REVOKED"),
        "{failed}"
    );
    let total = server.alice.get("/v2/ssl/certificates").expect(200);
    assert_eq!(total["pagination"]["total"], 1);
}

#[test]
fn nasty_025_a_reissue_and_a_revocation_at_once_leave_one_consistent_end() {
    for _ in 0..4 {
        let server = Server::start();
        let id = server.certificate();
        let path = format!("/v2/ssl/certificates/{id}");
        let (reissue, revoke) = thread::scope(|scope| {
            let reissue = scope.spawn(|| {
                let body = json!({"csr": csr(&["reseal.dev"])});
                server.alice.post(&format!("{path}/reissue"), &body)
            });
            let revoke = scope.spawn(|| server.alice.delete(&path));
            (reissue.join().unwrap(), revoke.join().unwrap())
        });
        assert_eq!(revoke.status, 200, "{}", revoke.text());
        assert_eq!(server.alice.get(&path).expect(200)["status"], "REVOKED");
        let total =
            server.alice.get("/v2/ssl/certificates").expect(200)["pagination"]["total"].clone();
        if reissue.status == 400 {
            reissue.refused(400, "ObjectStatusProhibitsOperation");
            assert_eq!(total, 1);
        } else {
            // It came first: the revocation is of the old certificate alone.
            let new = server.finish(&reissue);
            let new = server
                .alice
                .get(&format!("/v2/ssl/certificates/{new}"))
                .expect(200);
            assert_eq!((&new["status"], &total), (&json!("ACTIVE"), &json!(2)));
        }
        let body = json!({"csr": csr(&["reseal.dev"])});
        server
            .alice
            .post(&format!("{path}/reissue"), &body)
            .refused(400, "ObjectStatusProhibitsOperation");
    }
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
fn x_6_of_revocations_at_once_one_is_accepted_and_the_others_hear_why_not() {
    let server = Server::start();
    for _ in 0..4 {
        let id = server.certificate();
        let path = format!("/v2/ssl/certificates/{id}");
        let replies: Vec<_> = thread::scope(|scope| {
            let attempts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| server.alice.delete(&path)))
                .collect();
            attempts
                .into_iter()
                .map(|attempt| attempt.join().unwrap())
                .collect()
        });
        let (done, refused): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|reply| reply.status == 200);
        assert_eq!(done.len(), 1);
        for reply in refused {
            reply.refused(400, "ObjectStatusProhibitsOperation");
        }
    }
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
fn nasty_027_a_cancellation_and_a_proof_at_once_have_one_winner() {
    let server = Server::start();
    for round in 0..6 {
        let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&[&format!("r{round}.dev")])});
        let reply = server.alice.post("/v2/ssl/certificates", &body);
        let process = reply.process();
        server.publish(&reply.expect(202));
        let path = format!("/v2/processes/{process}");
        let cancel = thread::scope(|scope| {
            scope.spawn(|| server.alice.post_raw(&format!("{path}/resend"), b""));
            scope.spawn(|| server.alice.delete(&path)).join().unwrap()
        });
        let ended = |body: &serde_json::Value| {
            ["COMPLETED", "CANCELLED"]
                .iter()
                .any(|status| body["status"] == *status)
        };
        let process_body = server.wait_until(&path, ended);
        let found = server
            .alice
            .get(&format!("/v2/ssl/certificates?process={process}"))
            .expect(200);
        if cancel.status == 200 {
            assert_eq!(process_body["status"], "CANCELLED");
            assert_eq!(found["pagination"]["total"], 0);
        } else {
            cancel.refused(400, "ObjectStatusProhibitsOperation");
            assert_eq!(process_body["status"], "COMPLETED");
            assert_eq!(found["pagination"]["total"], 1);
        }
    }
}

#[test]
fn r_2_names_once_paid_for_stay_paid_when_a_reissue_leaves_them_out() {
    let mut server = Server::start();
    change_catalogue(&server, |catalogue| {
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
    change_catalogue(&server, |catalogue| {
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

/// The server reads it at its next start.
#[track_caller]
fn change_catalogue(server: &Server, change: impl Fn(String) -> String) {
    let path = server.data().join("products.toml");
    let before = fs::read_to_string(&path).unwrap();
    let after = change(before.clone());
    assert_ne!(before, after);
    fs::write(path, after).unwrap();
}
