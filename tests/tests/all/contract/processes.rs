//! `/v2/processes…`.

use serde_json::json;

use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::server::Server;

fn pending(server: &Server) -> Reply {
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    reply.expect(202);
    reply
}

#[test]
fn a_waiting_process_is_suspended_and_says_what_to_publish() {
    let server = Server::start();
    let id = pending(&server).process();
    let process = server.wait_for(id, "SUSPENDED");
    assert_eq!(process["resumeTypes"], json!(["RESEND", "CANCEL"]));
    assert_eq!(process["customer"], "alice");
    assert!(process["user"].as_str().unwrap().starts_with("alice/"));
    assert_eq!(process["command"]["product"], "ssl_dv");
    let info = server
        .alice
        .get(&format!("/v2/processes/{id}/info"))
        .expect(200);
    assert_eq!(info["commonName"], "reseal.dev");
    assert!(
        info["validations"]["dcv"][0]["dnsRecord"]
            .as_str()
            .unwrap()
            .ends_with(".reseal.dev.")
    );
    let timeline = server
        .alice
        .get(&format!("/v2/processes/{id}/timeline"))
        .expect(200);
    assert!(
        timeline.to_string().contains(
            info["validations"]["dcv"][0]["dnsContents"]
                .as_str()
                .unwrap()
                .trim_end_matches('.')
        ),
        "{timeline}"
    );
}

#[test]
fn a_list_filters_in_any_case() {
    let server = Server::start();
    let id = pending(&server).process();
    server.wait_for(id, "SUSPENDED");
    let list = |query: &str| {
        server
            .alice
            .get(&format!("/v2/processes{query}"))
            .expect(200)["pagination"]["total"]
            .clone()
    };
    assert_eq!(list("/?limit=1"), 1);
    assert_eq!(list("?status=suspended"), 1);
    assert_eq!(list("?status=COMPLETED"), 0);
    assert_eq!(
        list("?identifier=reseal.dev&type=certificate&order=-createdDate&limit=1"),
        1
    );
    assert_eq!(list("?action=reissue"), 0);
    assert_eq!(
        server.bob.get("/v2/processes").expect(200)["pagination"]["total"],
        0
    );
    assert_eq!(
        server.operator.get("/v2/processes").expect(200)["pagination"]["total"],
        1
    );
}

#[test]
fn a_cancelled_process_stays_cancelled() {
    let server = Server::start();
    let id = pending(&server).process();
    server.wait_for(id, "SUSPENDED");
    let reply = server.alice.delete(&format!("/v2/processes/{id}"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    server.wait_for(id, "CANCELLED");
    server
        .alice
        .delete(&format!("/v2/processes/{id}"))
        .refused(400, "ObjectStatusProhibitsOperation");
    server
        .alice
        .post_raw(&format!("/v2/processes/{id}/resend"), b"")
        .refused(400, "ObjectStatusProhibitsOperation");
}

#[test]
fn resending_takes_no_body_an_empty_one_or_another_method() {
    let server = Server::start();
    let reply = pending(&server);
    let id = reply.process();
    server.wait_for(id, "SUSPENDED");
    let path = format!("/v2/processes/{id}/resend");
    for body in [&b""[..], b"{}"] {
        let answer = server.alice.post_raw(&path, body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        server.wait_for(id, "SUSPENDED");
    }
    let before = server
        .alice
        .get(&format!("/v2/processes/{id}/info"))
        .expect(200);
    assert_eq!(
        before["validations"]["dcv"][0]["dnsContents"],
        reply.json()["validations"]["dcv"][0]["dnsContents"]
    );
    let other = json!({"dcv": [{"commonName": "reseal.dev", "type": "EMAIL", "email": "admin@reseal.dev"}]});
    assert_eq!(server.alice.post(&path, &other).status, 200);
    let after = server
        .alice
        .get(&format!("/v2/processes/{id}/info"))
        .expect(200);
    assert_eq!(after["validations"]["dcv"][0]["type"], "EMAIL");
    assert_eq!(after["validations"]["dcv"][0]["email"], "admin@reseal.dev");
    server
        .alice
        .post(
            &path,
            &json!({"dcv": [{"commonName": "reseal.dev", "type": "EMAIL"}]}),
        )
        .violates("dcv[0].email");
}

#[test]
fn info_stays_after_the_end() {
    let server = Server::start();
    let reply = pending(&server);
    server.finish(&reply);
    let info = server
        .alice
        .get(&format!("/v2/processes/{}/info", reply.process()))
        .expect(200);
    assert_eq!(info["requiresAttention"], false);
    for entry in info["validations"]["dcv"].as_array().unwrap() {
        assert_eq!(entry["status"], "VALIDATED");
    }
}
