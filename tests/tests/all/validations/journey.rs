//! From the order to the certificate, as a customer and an operator go through it.

use serde_json::{Value, json};

use super::{
    POLICY, approve_all, ask, audit, certificate_of, console, decide, events, info, order, proved,
};
use crate::support::csr::csr;
use crate::support::server::Server;

/// The subject that `openssl` shows has each of these.
#[track_caller]
fn certifies_the_organization(shown: &str, level: u8) {
    let subject = shown.lines().find(|line| line.contains("Subject:"));
    let subject = subject.unwrap().replace(" = ", "=");
    for part in [
        "C=DE",
        "L=K\\C3\\B6ln",
        "postalCode=50667",
        "street=Domplatz 1",
        "CN=reseal.dev",
    ] {
        assert!(subject.contains(part), "{part}: {subject}");
    }
    assert!(subject.contains("ckerei"), "{subject}");
    assert!(shown.contains(&format!("{POLICY}{level}\n")), "{shown}");
}

#[test]
fn an_ov_order_goes_on_by_itself_once_everything_is_approved() {
    let server = Server::start();
    let reply = ask(&server, "ssl_ov");
    let process = reply.process();
    let validations = &reply.json()["validations"];
    for check in ["organization", "docs", "voice"] {
        assert_eq!(validations[check], "WAITING", "{validations}");
    }
    assert_eq!(validations.get("agreement"), None);
    assert_eq!(validations.get("whois"), None);

    // Approved before the names are proved: that alone issues nothing.
    let body =
        json!({"checks": ["organization", "docs"], "reason": "HRB 12345", "note": "by phone"});
    let shown = decide(&server, process, "approve", &body).expect(200);
    assert_eq!(shown["open"], json!(["voice"]));
    assert_eq!(info(&server, process)["validations"]["docs"], "VALIDATED");
    decide(&server, process, "approve", &json!({})).expect(200);
    assert_eq!(info(&server, process)["validations"]["voice"], "VALIDATED");
    assert_ne!(
        server
            .alice
            .get(&format!("/v2/processes/{process}"))
            .expect(200)["status"],
        "COMPLETED"
    );

    let id = server.finish(&reply);
    certifies_the_organization(&server.issued(id), 2);
    let certificate = server
        .alice
        .get(&format!("/v2/ssl/certificates/{id}"))
        .expect(200);
    assert_eq!(certificate["organization"], "Bäckerei <Müller> GmbH");
    assert_eq!(certificate["addressLine"], json!(["Domplatz 1"]));
    assert_eq!(certificate["coc"], "HRB 12345");
    assert_eq!(events(&server, process, "checkApproved").len(), 3);
    let log = audit(&server);
    assert_eq!(log.len(), 2);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        log[0][1..],
        [
            text("validation.approve"),
            text(&format!("process/{process}")),
            text("HRB 12345"),
            text("by phone"),
        ]
    );
    assert!(log[0][0].as_ref().unwrap().starts_with("house/"));
}

#[test]
fn an_ov_order_with_proved_names_waits_for_the_operator_alone() {
    let server = Server::start();
    let process = proved(&server, "ssl_ov");
    let shown = server.alice.get(&format!("/v2/processes/{process}"));
    assert_eq!(
        shown.expect(200)["statusDetail"],
        "waits for the validation of the organization, its documents, the telephone call"
    );
    assert_eq!(info(&server, process)["requiresAttention"], false);
    // In the call: the operator sees what came of it.
    let shown = decide(&server, process, "approve", &json!({})).expect(200);
    assert_eq!(shown["status"], "COMPLETED", "{shown}");
    certifies_the_organization(&server.issued(certificate_of(&server, process)), 2);
    let told = server
        .alice
        .get("/v2/customers/alice/notifications?order=id&limit=250")
        .expect(200);
    let occasions: Vec<_> = told["entities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["eventType"].clone())
        .collect();
    assert_eq!(occasions.last(), Some(&json!("ISSUED")));
    assert_eq!(occasions[occasions.len() - 2], "VALIDATED");
}

#[test]
fn what_is_rejected_waits_for_the_customer_with_the_reason() {
    let server = Server::start();
    let process = proved(&server, "ssl_ov");
    let reason = "the extract is older than a year: send a new one";
    let body = json!({"checks": ["docs"], "reason": reason, "note": "looks edited"});
    let shown = decide(&server, process, "reject", &body).expect(200);
    assert_eq!(shown["open"], json!(["organization", "docs", "voice"]));
    let body = info(&server, process);
    assert_eq!(body["validations"]["docs"], "ATTENTION");
    assert_eq!(body["validations"]["voice"], "WAITING");
    assert_eq!(body["requiresAttention"], true);
    let path = format!("/v2/processes/{process}");
    let shown = server.wait_until(&path, |body| {
        body["statusDetail"]
            .to_string()
            .contains("needs your attention")
    });
    assert!(
        shown["statusDetail"].to_string().contains(reason),
        "{shown}"
    );
    let list = server
        .alice
        .get("/v2/processes?detailStatus=SSL_REQUIRES_ATTENTION");
    assert_eq!(list.expect(200)["pagination"]["total"], 1);
    let told = server
        .alice
        .get("/v2/customers/alice/notifications?eventType=ATTENTION_NEEDED&limit=1")
        .expect(200);
    assert_eq!(told["entities"][0]["reason"], reason, "{told}");
    assert_eq!(told["entities"][0]["payload"]["checks"][0]["check"], "docs");
    let everything = format!("{told}{}", json!(super::timeline(&server, process)));
    assert!(!everything.contains("looks edited"), "{everything}");

    approve_all(&server, process);
}

#[test]
fn a_rejected_request_fails_with_the_reason() {
    let server = Server::start();
    let process = proved(&server, "ssl_ov");
    let body = json!({"reason": "no such organization"});
    let shown = decide(&server, process, "reject", &body).expect(200);
    assert_eq!(shown["status"], "FAILED");
    let shown = server.alice.get(&format!("/v2/processes/{process}"));
    assert_eq!(shown.expect(200)["statusDetail"], "no such organization");
    let told = server
        .alice
        .get("/v2/customers/alice/notifications?eventType=FAILED")
        .expect(200);
    assert_eq!(told["entities"][0]["reason"], "no such organization");
    let waiting = server.operator.get("/v2/validations").expect(200);
    assert_eq!(waiting["pagination"]["total"], 0);
    decide(&server, process, "approve", &json!({})).refused(400, "ObjectStatusProhibitsOperation");
}

#[test]
fn an_ev_order_by_command_line_and_agreement() {
    let server = Server::start();
    let body = order("ssl_ev", &json!({"saEmail": "legal@reseal.dev"}));
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let validations = &reply.expect(202)["validations"];
    for check in ["organization", "docs", "voice", "whois", "agreement"] {
        assert_eq!(validations[check], "WAITING", "{validations}");
    }
    let process = reply.process();
    let number = process.to_string();

    let listed = console(&server, &["list"]);
    let fields: Vec<&str> = listed.split('\t').collect();
    assert_eq!(
        fields,
        [
            &*number,
            "alice",
            "ssl_ev",
            "reseal.dev",
            "Bäckerei <Müller> GmbH (HRB 12345)",
            "Domplatz 1, 50667, Köln, DE",
            "Anna Müller (CEO) <anna@reseal.dev> +49.221123456",
            "-",
            "organization,docs,voice,whois,agreement",
        ]
    );
    let said = console(
        &server,
        &[
            "approve",
            &number,
            "--check",
            "organization",
            "--check",
            "docs",
            "--check",
            "voice",
            "--check",
            "whois",
            "--reason",
            "register seen",
            "--note",
            "file 7",
        ],
    );
    assert_eq!(said, format!("process {number} still needs agreement"));
    let shown = console(&server, &["show", &number]);
    for part in [
        "register seen",
        "file 7",
        "console/",
        "agreement to legal@reseal.dev",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }

    server.publish(&reply.json());
    server
        .alice
        .post_raw(&format!("/v2/processes/{process}/resend"), b"");
    let path = format!("/v2/processes/{process}");
    server.wait_until(&path, |body| {
        body["statusDetail"] == "waits for the validation of the subscriber agreement"
    });
    super::agreement::accept(&server, 1);
    server.wait_for(process, "COMPLETED");
    let id = certificate_of(&server, process);
    certifies_the_organization(&server.issued(id), 3);
    assert_eq!(console(&server, &["list"]), "");

    // Everything is known: the reissue needs nobody, and no `saEmail`.
    let body = json!({"csr": csr(&["reseal.dev"])});
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let again = server.alice.post(&path, &body);
    let new = again.expect(201)["certificateId"].as_i64().unwrap();
    certifies_the_organization(&server.issued(new), 3);
    let reused: Vec<Value> = events(&server, again.process(), "checkReused");
    assert_eq!(reused.len(), 5);
    assert!(reused.iter().all(|event| event["process"] == process));
}
