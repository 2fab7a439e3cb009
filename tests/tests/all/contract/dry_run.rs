//! `dryRun=true`: the plan and what is seen of the world, and no trace (design.md section 9).

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::server::Server;

fn names(answer: &Value) -> Vec<(&str, &str)> {
    let names = answer["names"].as_array().unwrap().iter();
    names
        .map(|name| {
            (
                name["name"].as_str().unwrap(),
                name["proof"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_reissue_by_reused_proofs_is_foretold_and_then_happens() {
    let server = Server::start();
    let id = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let body = json!({"csr": csr(&["reseal.dev"])});
    let before = server.traces();
    let reply = server.alice.post(&format!("{path}?dryRun=true"), &body);
    let answer = reply.expect(200);
    assert_eq!(answer["issuedAtOnce"], true, "{answer}");
    assert_eq!(answer["obstacles"], json!([]));
    assert_eq!(names(&answer), [("reseal.dev", "REUSED")]);
    assert_eq!(answer["names"][0]["caa"]["permitted"], true);
    assert_eq!(answer["command"], "ReissueCertificateCommand");
    assert_eq!(answer["quote"]["total"], 0);
    assert!(answer["expiryDate"].is_string());
    assert_eq!(reply.header("x-process-id"), None);
    let after = server.traces();
    assert_eq!((after.0, after.1), (before.0, before.1));
    // CAA was asked for real.
    assert!(after.2 > before.2);

    let info = server.alice.post(&path, &body).expect(201);
    let new = info["certificateId"].as_i64().unwrap();
    let new = server
        .alice
        .get(&format!("/v2/ssl/certificates/{new}"))
        .expect(200);
    let second = |date: &Value| date.as_str().unwrap()[..10].to_owned();
    assert_eq!(second(&new["expiryDate"]), second(&answer["expiryDate"]));
}

#[test]
fn what_is_open_or_forbidden_is_said_with_what_was_seen() {
    let server = Server::start();
    let id = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    server.dns.txt("_wrong.other.dev", "x");
    server.dns.caa_issue("other.dev", "somebody.example");
    let path = format!("/v2/ssl/certificates/{id}/reissue?dryRun=true");
    let body = json!({"csr": csr(&["reseal.dev", "other.dev"])});
    let answer = server.alice.post(&path, &body).expect(200);
    assert_eq!(answer["issuedAtOnce"], false);
    assert_eq!(
        names(&answer),
        [("reseal.dev", "REUSED"), ("other.dev", "OPEN")]
    );
    let other = &answer["names"][1];
    assert!(
        other["location"].as_str().unwrap().ends_with(".other.dev."),
        "{other}"
    );
    assert!(
        other["seen"].as_str().unwrap().contains("no TXT record"),
        "{other}"
    );
    assert_eq!(other["caa"]["permitted"], false);
    let obstacles = answer["obstacles"].to_string();
    assert!(obstacles.contains("still to be proved"), "{obstacles}");
    assert!(obstacles.contains("CAA of `other.dev`"), "{obstacles}");
    assert!(
        answer["evidence"].to_string().contains("somebody.example"),
        "{answer}"
    );
    // Nothing is open: the real call is free to come.
    let real = format!("/v2/ssl/certificates/{id}/reissue");
    server.alice.post(&real, &body).expect(202);
}

#[test]
fn a_request_by_mail_sends_none_and_bad_input_is_refused_as_ever() {
    let server = Server::start();
    let mut body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["reseal.dev"]),
        "dcv": [{"commonName": "reseal.dev", "type": "EMAIL", "email": "admin@reseal.dev"}]});
    let path = "/v2/ssl/certificates?dryRun=true";
    let answer = server.alice.post(path, &body).expect(200);
    assert_eq!(names(&answer), [("reseal.dev", "OPEN")]);
    assert_eq!(answer["names"][0]["location"], "admin@reseal.dev");
    let (processes, mails, _) = server.traces();
    assert_eq!((processes, mails), (json!(0), 0));
    body["csr"] = "x".into();
    server.alice.post(path, &body).bad_csr();
    let both = "/v2/ssl/certificates?dryRun=true&quote=true";
    server.alice.post(both, &body).violates("dryRun");
    server
        .alice
        .post("/v2/ssl/certificates?dryRun=yes", &body)
        .violates("dryRun");
}
