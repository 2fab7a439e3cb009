//! What was accepted weeks ago and is forbidden when it is to be signed (C-24).

use serde_json::json;

use super::{approve_all, certificate_of, decide, order, proved_as};
use crate::support::csr::{csr, stored};
use crate::support::server::Server;

/// Approves everything, and the reason for which no certificate comes of it.
#[track_caller]
fn refused(server: &Server, process: i64) -> String {
    decide(server, process, "approve", &json!({})).expect(200);
    let failed = server.wait_for(process, "FAILED");
    let found = server.alice.get("/v2/ssl/certificates").expect(200);
    assert_eq!(found["pagination"]["total"], 0, "{found}");
    failed["statusDetail"].as_str().unwrap().to_owned()
}

#[test]
fn c_24_a_name_that_is_internal_no_more_is_not_certified() {
    let san = json!(["reseal.dev", "box.test"]);
    for request in [csr(&["reseal.dev"]), csr(&["reseal.dev", "box.test"])] {
        let mut server = Server::start();
        let body = order("ssl_ov_md", &json!({"csr": request, "san": san}));
        let process = proved_as(&server, &body);
        server.change_configuration(|text| {
            text.replace("internal_names = [\"test\"]", "internal_names = []")
        });
        server.restart_at("");
        let reason = refused(&server, process);
        for part in ["box.test", "[N-12]"] {
            assert!(reason.contains(part), "{reason}");
        }
    }
}

#[test]
fn c_24_a_key_that_is_known_to_be_weak_by_now_is_not_certified() {
    let server = Server::start();
    let process = proved_as(&server, &order("ssl_ov", &json!({})));
    // As if the key in it had been taken before it was on a list.
    let weak = stored("debian/p256.csr.pem");
    let weak: String = weak.lines().filter(|line| !line.starts_with('-')).collect();
    let database = server.database();
    let of = format!("FROM process WHERE id = {process}");
    let state = database.value(&format!("SELECT state {of}")).unwrap();
    let (_, rest) = state.split_once("\"csr\":\"").unwrap();
    let (taken, _) = rest.split_once('"').unwrap();
    database.run(&format!(
        "UPDATE process SET state = replace(state, '{taken}', '{weak}') WHERE id = {process}"
    ));
    let reason = refused(&server, process);
    assert!(reason.contains("[C-20]"), "{reason}");
}

#[test]
fn p_5_ev_is_not_on_offer_under_public_trust() {
    let mut server = Server::start();
    let process = proved_as(&server, &order("ssl_ev", &json!({})));
    approve_all(&server, process);
    let id = certificate_of(&server, process);
    server.change_configuration(|text| {
        text.replace("internal_names = [\"test\"]", "profile = \"public\"")
    });
    server.restart_at("");
    let offered = server.alice.get("/v2/ssl/products").expect(200);
    assert_eq!(offered["pagination"]["total"], 6, "{offered}");
    assert!(!offered.to_string().contains("ssl_ev"), "{offered}");
    server
        .alice
        .get("/v2/ssl/products/ssl_ev")
        .refused(400, "ObjectDoesNotExist");

    let reissue = format!("/v2/ssl/certificates/{id}/reissue");
    let csr = json!({"csr": csr(&["reseal.dev"])});
    for (path, body) in [
        ("/v2/ssl/certificates", &order("ssl_ev", &json!({}))),
        (reissue.as_str(), &csr),
    ] {
        let refused = server.alice.post(path, body);
        let refused = refused.refused(400, "ValidationError");
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains("`ssl_ev`"), "{message}");
    }
    let md = order("ssl_ev_md", &json!({}));
    let refused = server.alice.post("/v2/ssl/certificates?quote=true", &md);
    refused.refused(400, "ValidationError");
}
