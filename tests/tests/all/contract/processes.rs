//! `/v2/processes…`: what changes while a process waits.

use serde_json::json;

use crate::support::csr::csr;
use crate::support::server::Server;

/// A process that waits for a record, and what it asked for.
fn pending(server: &Server) -> (i64, serde_json::Value) {
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "san": [], "csr": csr(&["reseal.dev"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let info = reply.expect(202);
    server.wait_for(reply.process(), "SUSPENDED");
    (reply.process(), info)
}

#[test]
fn the_timeline_of_a_waiting_process_says_what_to_publish() {
    let server = Server::start();
    let (id, info) = pending(&server);
    let timeline = server
        .alice
        .get(&format!("/v2/processes/{id}/timeline"))
        .expect(200)
        .to_string();
    let contents = info["validations"]["dcv"][0]["dnsContents"]
        .as_str()
        .unwrap();
    assert!(
        timeline.contains(contents.trim_end_matches('.')),
        "{timeline}"
    );
}

#[test]
fn a_challenge_stays_while_the_method_does() {
    let server = Server::start();
    let (id, before) = pending(&server);
    let resend = |body: &[u8]| {
        let reply = server
            .alice
            .post_raw(&format!("/v2/processes/{id}/resend"), body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        server.wait_for(id, "SUSPENDED");
        let info = server.alice.get(&format!("/v2/processes/{id}/info"));
        info.expect(200)["validations"]["dcv"][0]["dnsContents"].clone()
    };
    let contents = &before["validations"]["dcv"][0]["dnsContents"];
    for body in [
        &b""[..],
        b"{}",
        br#"{"dcv": [{"commonName": "reseal.dev", "type": "DNS"}]}"#,
    ] {
        assert_eq!(resend(body), *contents);
    }
    resend(
        br#"{"dcv": [{"commonName": "reseal.dev", "type": "EMAIL", "email": "admin@reseal.dev"}]}"#,
    );
    let anew = resend(br#"{"dcv": [{"commonName": "reseal.dev", "type": "DNS"}]}"#);
    assert!(anew.is_string() && anew != *contents, "{anew}");
}

#[test]
fn a_choice_for_a_name_that_is_validated_is_not_ignored_in_silence() {
    let server = Server::start();
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["reseal.dev", "reseal.org"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let (id, mut info) = (reply.process(), reply.expect(202));
    info["validations"]["dcv"]
        .as_array_mut()
        .unwrap()
        .truncate(1);
    assert_eq!(info["validations"]["dcv"][0]["commonName"], "reseal.dev");
    server.publish(&info);
    let resend = |entry: serde_json::Value| {
        let path = format!("/v2/processes/{id}/resend");
        let reply = server.alice.post(&path, &json!({"dcv": [entry]}));
        reply.expect(200)["warning"].as_str().unwrap().to_owned()
    };
    resend(json!({"commonName": "reseal.org", "type": "DNS"}));
    let path = format!("/v2/processes/{id}/info");
    server.wait_until(&path, |info| {
        info["validations"]["dcv"][0]["status"] == "VALIDATED"
    });
    // The method that it has is no other choice.
    let same = resend(json!({"commonName": "reseal.dev", "type": "DNS"}));
    assert!(!same.contains("reseal.dev"), "{same}");
    let warning = resend(json!({"commonName": "reseal.dev", "type": "FILE"}));
    assert!(
        warning.contains("reseal.dev: validated already"),
        "{warning}"
    );
    // What is still missing is said as well.
    assert!(warning.contains("reseal.org"), "{warning}");
    let info = server.alice.get(&path).expect(200);
    assert_eq!(info["validations"]["dcv"][0]["type"], "DNS", "{info}");
}
