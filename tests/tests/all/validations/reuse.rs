//! Approved checks serve later certificates (rules.md V-5, V-7, R-7).

use serde_json::{Value, json};

use super::{approve_all, ask, certificate_of, decide, events, info, order, proved};
use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::server::Server;

#[track_caller]
fn reissue(server: &Server, id: i64, further: &Value) -> Reply {
    let mut body = json!({"csr": csr(&["reseal.dev"])});
    for (name, value) in further.as_object().unwrap() {
        body[name] = value.clone();
    }
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    server.alice.post(&path, &body)
}

fn checks(info: &Value) -> [Value; 3] {
    ["organization", "docs", "voice"].map(|check| info["validations"][check].clone())
}

#[test]
fn a_reissue_with_everything_fresh_is_answered_with_the_certificate() {
    let server = Server::start();
    let first = proved(&server, "ssl_ov");
    approve_all(&server, first);
    let id = certificate_of(&server, first);
    let reply = reissue(&server, id, &json!({}));
    let body = reply.expect(201);
    assert_eq!(checks(&body), ["VALIDATED"; 3].map(Value::from));
    assert_eq!(body["requiresAttention"], false);
    let reused = events(&server, reply.process(), "checkReused");
    assert_eq!(reused.len(), 3);
    for event in &reused {
        assert_eq!(event["process"], first);
        assert!(event["obtained"].as_str().unwrap().ends_with('Z'));
    }
    // A new order of the same organization needs nobody either.
    let body = order("ssl_ov", &json!({}));
    let again = server.alice.post("/v2/ssl/certificates", &body);
    assert_eq!(
        checks(&again.expect(201)),
        ["VALIDATED"; 3].map(Value::from)
    );
}

#[test]
fn a_renewal_relies_on_what_was_approved_for_the_certificate_before() {
    let mut server = Server::start();
    let body = order("ssl_ov", &json!({"period": 1}));
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    decide(&server, reply.process(), "approve", &json!({})).expect(200);
    let id = server.finish(&reply);
    server.restart_at("+10d");
    let body = json!({"csr": csr(&["reseal.dev"]), "period": 12});
    let path = format!("/v2/ssl/certificates/{id}/renew");
    let renewed = server.alice.post(&path, &body);
    assert_eq!(
        checks(&renewed.expect(201)),
        ["VALIDATED"; 3].map(Value::from)
    );
    assert_eq!(events(&server, renewed.process(), "checkReused").len(), 3);
}

#[test]
fn r_7_another_organization_or_person_is_looked_at_anew() {
    let server = Server::start();
    let first = proved(&server, "ssl_ov");
    approve_all(&server, first);
    let id = certificate_of(&server, first);
    let reply = reissue(&server, id, &json!({"organization": "Konditorei GmbH"}));
    assert_eq!(checks(&reply.expect(202)), ["WAITING"; 3].map(Value::from));
    let path = format!("/v2/processes/{}", reply.process());
    assert_eq!(server.alice.delete(&path).status, 200);

    let approver = json!({"approver": {"firstName": "Eva", "lastName": "Maier",
        "email": "eva@reseal.dev", "voice": "+49.30999999"}});
    let reply = reissue(&server, id, &approver);
    assert_eq!(
        checks(&reply.expect(202)),
        ["VALIDATED", "VALIDATED", "WAITING"].map(Value::from)
    );
    approve_all(&server, reply.process());
    // The person stays with the next one, and so does what is known of her.
    let new = certificate_of(&server, reply.process());
    reissue(&server, new, &json!({})).expect(201);
}

#[test]
fn v_7_nobody_elses_approval_serves() {
    let server = Server::start();
    let first = proved(&server, "ssl_ov");
    approve_all(&server, first);
    let mut body = order("ssl_ov", &json!({}));
    body["customer"] = json!("bob");
    let reply = server.bob.post("/v2/ssl/certificates", &body);
    assert_eq!(checks(&reply.expect(202)), ["WAITING"; 3].map(Value::from));
}

#[test]
fn what_was_rejected_later_is_relied_on_no_more() {
    let server = Server::start();
    let first = proved(&server, "ssl_ov");
    approve_all(&server, first);
    let id = certificate_of(&server, first);
    // A name that is to be proved keeps this one open; its checks rest on the first.
    let other = order("ssl_ov", &json!({"csr": csr(&["reseal.org"])}));
    let second = server.alice.post("/v2/ssl/certificates", &other);
    assert_eq!(
        checks(&second.expect(202)),
        ["VALIDATED"; 3].map(Value::from)
    );
    let body = json!({"checks": ["docs"], "reason": "the extract was forged"});
    decide(&server, second.process(), "reject", &body).expect(200);
    let reply = reissue(&server, id, &json!({}));
    assert_eq!(
        checks(&reply.expect(202)),
        ["VALIDATED", "WAITING", "VALIDATED"].map(Value::from)
    );
}

#[test]
fn v_5_approvals_serve_by_the_date_of_issuance() {
    let mut server = Server::start();
    let body = order("ssl_ov", &json!({"period": 36}));
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    decide(&server, reply.process(), "approve", &json!({})).expect(200);
    let id = server.finish(&reply);

    // The proof of control is too old, the organization is not: it goes on by itself once the name is proved.
    server.restart_at("+396d");
    let reply = reissue(&server, id, &json!({}));
    assert_eq!(
        checks(&reply.expect(202)),
        ["VALIDATED"; 3].map(Value::from)
    );
    let id = server.finish(&reply);

    server.restart_at("+399d");
    let reply = reissue(&server, id, &json!({}));
    assert_eq!(checks(&reply.expect(202)), ["WAITING"; 3].map(Value::from));
    let process = reply.process();
    assert_eq!(
        info(&server, process)["validations"]["dcv"][0]["status"],
        "VALIDATED"
    );
    assert_eq!(events(&server, process, "checkReused").len(), 0);
    approve_all(&server, process);
}

#[test]
fn what_cannot_be_certified_is_refused_before_anybody_looks_at_it() {
    let server = Server::start();
    let before = server.traces();
    for (further, field) in [
        (json!({"organization": "N/A"}), "organization"),
        (json!({"city": "-"}), "city"),
        (json!({"address": "."}), "address"),
    ] {
        let body = order("ssl_ov", &further);
        server
            .alice
            .post("/v2/ssl/certificates", &body)
            .violates(field);
    }
    assert_eq!(server.traces(), before);
    let process = ask(&server, "ssl_ov").process();
    server.publish(&info(&server, process));
    approve_all(&server, process);
    let id = certificate_of(&server, process);
    reissue(&server, id, &json!({"organization": "n/a"})).violates("organization");
}

#[test]
fn v_5_what_an_operator_withdraws_serves_no_process_that_is_open_already() {
    let server = Server::start();
    let first = proved(&server, "ssl_ov");
    approve_all(&server, first);
    let ask = |name: &str| {
        let body = order("ssl_ov", &json!({"csr": csr(&[name])}));
        server.alice.post("/v2/ssl/certificates", &body)
    };
    // Relies on the approval, and waits for its name only.
    let open = ask("other.dev");
    assert_eq!(checks(&open.expect(202)), ["VALIDATED"; 3].map(Value::from));
    let elsewhere = ask("third.dev");
    elsewhere.expect(202);
    let fraud = json!({"checks": ["organization"], "reason": "it does not exist"});
    decide(&server, elsewhere.process(), "reject", &fraud).expect(200);

    server.publish(&open.json());
    let process = open.process();
    let resend = format!("/v2/processes/{process}/resend");
    server.alice.post_raw(&resend, b"");
    server.wait_until(&format!("/v2/processes/{process}"), |body| {
        body["statusDetail"] == "waits for the validation of the organization"
    });
    let expected = ["WAITING", "VALIDATED", "VALIDATED"].map(Value::from);
    assert_eq!(checks(&info(&server, process)), expected);
    assert_eq!(events(&server, process, "checkWithdrawn").len(), 1);
    assert!(events(&server, process, "reserved").is_empty());
    let listed = server.operator.get("/v2/validations").expect(200);
    let listed = listed["entities"].as_array().unwrap();
    assert!(
        listed.iter().any(|one| one["process"] == process),
        "{listed:?}"
    );
    approve_all(&server, process);
}
