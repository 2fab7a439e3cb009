//! `/v2/ssl/certificates…`, `/v2/ssl/import`, `/v2/ssl/decodecsr`, `/v2/ssl/dcvemailaddresslist`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::csr::{self, csr, stored};
use crate::support::server::Server;

#[test]
fn a_request_without_proofs_answers_202_and_completes_when_they_are_published() {
    let server = Server::start();
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let info = reply.expect(202);
    assert_eq!(info["commonName"], "reseal.dev");
    assert_eq!(info.get("certificateId"), None);
    let entry = &info["validations"]["dcv"][0];
    assert_eq!(entry["type"], "DNS");
    assert_eq!(entry["dnsType"], "CNAME");
    assert!(entry["caaRecordStatus"].is_string());
    let location = format!("/v2/processes/{}", reply.process());
    assert_eq!(reply.header("location"), Some(&*location));
    let id = server.finish(&reply);
    let certificate = server
        .alice
        .get(&format!("/v2/ssl/certificates/{id}"))
        .expect(200);
    assert_eq!(certificate["status"], "ACTIVE");
    assert_eq!(certificate["domainName"], "reseal.dev");
    assert_eq!(certificate["publicKeyAlgorithm"], "ECDSA");
    assert_eq!(certificate["publicKeySize"], 256);
    assert_eq!(certificate["validationType"], "DOMAIN_VALIDATION");
    assert_eq!(certificate["process"], reply.process());
}

#[test]
fn a_reissue_with_fresh_proofs_answers_201_with_a_new_certificate_of_the_same_subscription() {
    let server = Server::start();
    let old = server.certificate();
    let reply = server.alice.post(
        &format!("/v2/ssl/certificates/{old}/reissue/"),
        &json!({"csr": csr(&["reseal.dev"])}),
    );
    let info = reply.expect(201);
    let new = info["certificateId"].as_i64().unwrap();
    assert_ne!(new, old);
    assert_eq!(
        reply.header("location"),
        Some(&*format!("/v2/ssl/certificates/{new}"))
    );
    assert!(reply.header("access-control-expose-headers").is_some());
    let get = |id: i64| {
        server
            .alice
            .get(&format!("/v2/ssl/certificates/{id}"))
            .expect(200)
    };
    assert_eq!(get(old)["status"], "REISSUED");
    assert_eq!(get(new)["status"], "ACTIVE");
    assert_eq!(
        get(new)["subscriptionEndDate"],
        get(old)["subscriptionEndDate"]
    );
    assert_ne!(get(new)["fingerprint"], get(old)["fingerprint"]);
    let process = server
        .alice
        .get(&format!("/v2/processes/{}", reply.process()))
        .expect(200);
    assert_eq!(
        (&process["type"], &process["action"]),
        (&json!("certificate"), &json!("reissue"))
    );
    assert_eq!(process["status"], "COMPLETED");
    assert_eq!(process["identifier"], "reseal.dev");
    assert_eq!(process["command"]["certificateId"], old);
}

#[test]
fn a_reissue_needs_a_csr_and_every_violation_is_reported_at_once() {
    let server = Server::start();
    let id = server.certificate();
    let body = json!({
        "domainName": "-bad", "organization": "", "postalCode": "12345678901", "language": "XX",
        "uniqueValue": "a.b", "approver": {"firstName": "F"}, "dcv": [{"commonName": "x", "type": "HTTP"}],
    });
    let answer = server
        .alice
        .post(&format!("/v2/ssl/certificates/{id}/reissue"), &body);
    let answer = answer.refused(400, "ConstraintViolationException");
    let fields: Vec<_> = answer["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    for field in [
        "csr",
        "domainName",
        "organization",
        "postalCode",
        "language",
        "uniqueValue",
        "approver.lastName",
        "approver.email",
        "approver.voice",
        "dcv[0].commonName",
        "dcv[0].type",
    ] {
        assert!(fields.contains(&field), "{field} is missing in {fields:?}");
    }
}

#[test]
fn every_text_field_has_its_longest_and_shortest_value_in_bytes() {
    let server = Server::start();
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}/reissue?quote=true");
    for (field, most) in [
        ("organization", 64),
        ("department", 60),
        ("state", 60),
        ("address", 60),
        ("postalCode", 10),
        ("city", 60),
        ("coc", 32),
        ("uniqueValue", 20),
    ] {
        let send = |value: String| {
            server
                .alice
                .post(&path, &json!({"csr": csr(&["reseal.dev"]), field: value}))
        };
        send("a".repeat(most)).expect(200);
        send(format!("  {}  ", "a".repeat(most))).expect(200);
        send("a".repeat(most + 1)).violates(field);
        send("  ".to_owned()).violates(field);
        if field != "uniqueValue" {
            send("é".repeat(most / 2 + 1)).violates(field);
        }
    }
}

#[test]
fn a_quote_prices_and_changes_nothing() {
    let server = Server::start();
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}/reissue?quote=true");
    let reply = server
        .alice
        .post(&path, &json!({"csr": csr(&["reseal.dev"])}));
    let answer = reply.expect(200);
    assert_eq!(answer["command"], "ReissueCertificateCommand");
    assert_eq!(answer["quote"]["total"], 0);
    assert_eq!(reply.header("x-process-id"), None);
    let order = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"])});
    let answer = server
        .alice
        .post("/v2/ssl/certificates?quote=true", &order)
        .expect(200);
    assert_eq!(answer["command"], "RequestCertificateCommand");
    let list = server.alice.get("/v2/processes").expect(200);
    assert_eq!(list["pagination"]["total"], 1);
}

#[test]
fn an_import_is_a_completed_process_with_a_certificate() {
    let server = Server::start();
    let pem = csr::self_signed("elsewhere.dev");
    let reply = server.bob.post(
        "/v2/ssl/import/",
        &json!({"customer": "bob", "certificate": pem}),
    );
    assert_eq!((reply.status, reply.text().as_str()), (201, ""));
    let process = server
        .bob
        .get(&format!("/v2/processes/{}", reply.process()))
        .expect(200);
    assert_eq!(
        (&process["action"], &process["status"]),
        (&json!("import"), &json!("COMPLETED"))
    );
    let imported = server
        .bob
        .get(reply.header("location").unwrap())
        .expect(200);
    assert_eq!(imported["process"], reply.process());
    let nonsense = json!({"customer": "bob", "certificate": "x"});
    assert_eq!(server.bob.post("/v2/ssl/import", &nonsense).status, 400);
}

#[test]
fn a_list_filters_pages_sorts_and_projects() {
    let server = Server::start();
    let first = server.certificate();
    let second = server.order("ssl_dv", &csr(&["other.dev"]));
    let list = |query: &str| {
        server
            .alice
            .get(&format!("/v2/ssl/certificates{query}"))
            .expect(200)
    };
    let ids = |query: &str| -> Vec<i64> {
        list(query)["entities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["id"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(ids("/"), [second, first]);
    assert_eq!(ids("?order=id"), [first, second]);
    assert_eq!(ids("?order=-id&limit=1&offset=1"), [first]);
    assert_eq!(ids("?domainName=other.dev"), [second]);
    assert_eq!(ids("?domainName%3Alike=%25seal%25"), [first]);
    assert_eq!(ids("?status%3Ain=ACTIVE%2CEXPIRED"), [second, first]);
    assert_eq!(ids("?status=REVOKED"), [] as [i64; 0]);
    assert_eq!(ids("?q=other"), [second]);
    assert_eq!(ids("?export=true"), [second, first]);
    assert_eq!(list("?limit=0")["entities"], json!([]));
    assert_eq!(
        list("?limit=0")["pagination"],
        json!({"limit": 0, "offset": 0, "total": 2})
    );
    assert_eq!(list("?total=false")["pagination"].get("total"), None);
    let entity = list("?fields=status&fields=product&limit=1")["entities"][0].clone();
    assert_eq!(
        entity,
        json!({"id": second, "product": "ssl_dv", "status": "ACTIVE"})
    );
    for wrong in [
        "?limit=251",
        "?limit=-1",
        "?limit=x",
        "?export=true&limit=1",
        "?nosuchfield=1",
        "?id%3Ano=1",
    ] {
        let reply = server.alice.get(&format!("/v2/ssl/certificates{wrong}"));
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.text());
    }
    assert_eq!(
        server.bob.get("/v2/ssl/certificates").expect(200)["pagination"]["total"],
        0
    );
    let alias = server
        .alice
        .get("/v2/customers/alice/certificates")
        .expect(200);
    assert_eq!(alias["pagination"]["total"], 2);
    let one = format!("/v2/customers/alice/certificates/{first}");
    assert_eq!(server.alice.get(&one).expect(200)["id"], first);
}

#[test]
fn a_download_comes_in_six_formats() {
    let server = Server::start();
    let request = csr(&["reseal.dev"]);
    let id = server.order("ssl_dv", &request);
    let download = |format: &str| {
        let reply = server
            .alice
            .get(&format!("/v2/ssl/certificates/{id}/download{format}"));
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(
            reply.header("content-type"),
            Some("application/octet-stream")
        );
        assert!(
            reply
                .header("content-disposition")
                .unwrap()
                .contains("reseal_dev")
        );
        reply.text()
    };
    let blocks =
        |text: &str, label: &str| text.matches(&format!("-----BEGIN {label}-----")).count();
    assert_eq!(blocks(&download("?format=CRT"), "CERTIFICATE"), 1);
    assert_eq!(blocks(&download("?format=CA"), "CERTIFICATE"), 1);
    assert_eq!(blocks(&download("?format=CA_BUNDLE"), "CERTIFICATE"), 2);
    assert_eq!(blocks(&download("?format=PKCS7"), "PKCS7"), 1);
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&download("?format=CSR")), lines(&request));
    let archive = STANDARD.decode(download("?format=ZIP").trim()).unwrap();
    assert!(archive.starts_with(b"PK\x03\x04"));
    // The file's name follows a header of 30 bytes.
    assert!(archive[30..].starts_with(b"Linux/reseal_dev.ca-bundle"));
    assert!(
        STANDARD
            .decode(download("").trim())
            .unwrap()
            .starts_with(b"PK")
    );
}

#[test]
fn the_chain_is_accepted_by_openssl() {
    let server = Server::start();
    let id = server.certificate();
    let folder = tempfile::TempDir::new().unwrap();
    let save = |format: &str| {
        let path = folder.path().join(format);
        let reply = server.alice.get(&format!(
            "/v2/ssl/certificates/{id}/download?format={format}"
        ));
        std::fs::write(&path, reply.body).unwrap();
        path
    };
    let root = server.data().join("ca/root.pem");
    let output = std::process::Command::new("openssl")
        .args([
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-verify_hostname",
            "www.reseal.dev",
            "-CAfile",
        ])
        .arg(root)
        .arg("-untrusted")
        .arg(save("CA"))
        .arg(save("CRT"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_revocation_is_visible_and_final() {
    let server = Server::start();
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}");
    let body = br#"{"reason": "keyCompromise"}"#;
    let reply = server
        .alice
        .call("DELETE", &path, &["Content-Type: application/json"], body);
    assert!(matches!(reply.status, 200 | 202), "{}", reply.text());
    assert_eq!(server.alice.get(&path).expect(200)["status"], "REVOKED");
    server
        .alice
        .delete(&path)
        .refused(400, "ObjectStatusProhibitsOperation");
    let other = server.order("ssl_dv", &csr(&["other.dev"]));
    let reply = server
        .alice
        .delete(&format!("/v2/ssl/certificates/{other}/"));
    assert!(
        matches!(reply.status, 200 | 202),
        "without a body: {}",
        reply.text()
    );
}

#[test]
fn a_csr_is_decoded() {
    let server = Server::start();
    let answer = server
        .alice
        .post(
            "/v2/ssl/decodecsr",
            &json!({"csr": stored("csr/rsa-2048.pem")}),
        )
        .expect(200);
    assert_eq!(answer["publicKeyAlgorithm"], "RSA");
    assert_eq!(answer["publicKeySize"], 2048);
    assert_eq!(answer["commonName"], "www.reseal.dev");
    assert_eq!(answer["md5"].as_str().unwrap().len(), 32);
    assert_eq!(answer["sha256"].as_str().unwrap().len(), 64);
    server
        .alice
        .post("/v2/ssl/decodecsr", &json!({}))
        .violates("csr");
    server
        .alice
        .post("/v2/ssl/decodecsr", &json!({"csr": "x"}))
        .bad_csr();
    let names = server
        .alice
        .post(
            "/v2/ssl/decodecsr",
            &json!({"csr": csr(&["a.dev", "b.dev"])}),
        )
        .expect(200);
    assert_eq!(names["altNames"], json!(["a.dev", "b.dev"]));
}

#[test]
fn approver_addresses_are_the_five_of_each_level() {
    let server = Server::start();
    let text = server
        .alice
        .get("/v2/ssl/dcvemailaddresslist/www.reseal.dev?product=ssl_dv")
        .expect(200)
        .to_string();
    for local in [
        "admin",
        "administrator",
        "hostmaster",
        "postmaster",
        "webmaster",
    ] {
        assert!(text.contains(&format!("{local}@reseal.dev")), "{text}");
    }
    assert_eq!(
        server.alice.get("/v2/ssl/dcvemailaddresslist/-bad").status,
        400
    );
}

#[test]
fn a_caa_record_for_another_authority_holds_the_issuance_until_it_changes() {
    let server = Server::start();
    server.dns.caa_issue("reseal.dev", "other-ca.example");
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let process = reply.process();
    server.publish(&reply.expect(202));
    let resend = || {
        server
            .alice
            .post_raw(&format!("/v2/processes/{process}/resend"), b"")
    };
    assert_eq!(resend().status, 200);
    server.wait_for(process, "SUSPENDED");
    let path = format!("/v2/processes/{process}/info");
    let info = server.wait_until(&path, |info| {
        info["validations"]["dcv"][0]["caaRecordStatus"] == "INVALID"
    });
    assert_eq!(info["requiresAttention"], true, "{info}");
    server.dns.clear("reseal.dev");
    server.finish(&reply);
}
