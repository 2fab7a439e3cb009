//! Keys that turn out to be compromised: the list of blocked keys, what becomes of certificates, and what is to be
//! revoked by when.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::{Value, json};

use crate::support::csr::{csr, with_key};
use crate::support::database::bytes;
use crate::support::http::Client;
use crate::support::server::{Server, binary, reseal};

const KEYS: &str = "/v2/blocked-keys";

fn status(server: &Server, id: i64) -> String {
    let found = server
        .alice
        .get(&format!("/v2/ssl/certificates/{id}"))
        .expect(200);
    found["status"].as_str().unwrap().to_owned()
}

fn due(server: &Server) -> Vec<Value> {
    let data = server.data();
    let text = reseal(&[
        "revocation",
        "due",
        "--json",
        "--data",
        data.to_str().unwrap(),
    ]);
    serde_json::from_str(&text).unwrap()
}

fn moment(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// A request that says what became of its key.
fn confession(key: &KeyPair) -> String {
    let mut params = CertificateParams::default();
    let text = "This key is compromised";
    params.distinguished_name.push(DnType::CommonName, text);
    params.serialize_request(key).unwrap().pem().unwrap()
}

#[test]
fn x_1_x_5_certificates_of_a_blocked_key_are_told_of_at_once_and_revoked_within_a_day() {
    let mut server = Server::start();
    let key = KeyPair::generate().unwrap();
    let first = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let second = server.order("ssl_dv", &with_key(&key, &["reseal.org"]));
    let other = server.order("ssl_dv", &csr(&["reseal.net"]));
    let before = Timestamp::now();
    let body = json!({"keys": [key.public_key_pem()], "reason": "found in a repository"});
    let answer = server.operator.post(KEYS, &body).expect(200);
    assert_eq!((&answer["new"], &answer["known"]), (&json!(1), &json!(0)));
    let affected = answer["certificates"].as_array().unwrap();
    let ids: Vec<i64> = affected
        .iter()
        .map(|one| one["certificateId"].as_i64().unwrap())
        .collect();
    assert_eq!(ids, [first, second]);
    for (field, hours) in [("revocationDate", 20), ("deadline", 24)] {
        let after = moment(&affected[0][field]).duration_since(before);
        let expected = SignedDuration::from_hours(hours);
        assert!(
            (after - expected).abs() < SignedDuration::from_secs(60),
            "{field}: {after:?}"
        );
    }
    // Doing it again moves nothing and tells nobody twice.
    let again = server.operator.post(KEYS, &body).expect(200);
    assert_eq!(
        (&again["known"], &again["certificates"]),
        (&json!(1), &json!([]))
    );
    let told = server
        .alice
        .get("/v2/customers/alice/notifications?eventType=REVOCATION_SCHEDULED&order=id")
        .expect(200);
    assert_eq!(told["pagination"]["total"], 2, "{told}");
    let told = &told["entities"][0];
    assert_eq!(told["certificateId"], first);
    assert_eq!(
        told["payload"]["revocationDate"],
        affected[0]["revocationDate"]
    );
    assert!(
        told["message"]
            .as_str()
            .unwrap()
            .contains("found in a repository"),
        "{told}"
    );

    let list = due(&server);
    assert_eq!(list.len(), 2);
    assert_eq!(
        (&list[0]["certificateId"], &list[0]["overdue"]),
        (&json!(first), &json!(false))
    );
    assert_eq!(list[0]["reason"], "KEY_COMPROMISE");
    let span = moment(&list[0]["deadline5d"]).duration_since(moment(&list[0]["receivedDate"]));
    assert_eq!(span, SignedDuration::from_hours(120));

    // One is replaced in time; both are revoked before the deadline, by nobody's hand.
    let body = json!({"csr": csr(&["reseal.dev"])});
    let reissue = server
        .alice
        .post(&format!("/v2/ssl/certificates/{first}/reissue"), &body);
    let successor = server.finish(&reissue);
    server.restart_at("+19h");
    assert_eq!(status(&server, second), "ACTIVE");
    server.restart_at("+21h");
    for id in [first, second] {
        let path = format!("/v2/ssl/certificates/{id}");
        server.wait_until(&path, |body| body["status"] == "REVOKED");
    }
    assert_eq!(
        (
            status(&server, successor).as_str(),
            status(&server, other).as_str()
        ),
        ("ACTIVE", "ACTIVE")
    );
    let revoked = server
        .operator
        .get("/v2/processes?action=revoke&order=id")
        .expect(200);
    assert_eq!(revoked["pagination"]["total"], 2, "{revoked}");
    let reasons = server
        .database()
        .rows("SELECT DISTINCT reason FROM crl_entry");
    assert_eq!(reasons, [[Some("KEY_COMPROMISE".to_owned())]]);
    assert_eq!(due(&server), [] as [Value; 0]);
    server.verify_audit();
}

#[test]
fn x_1_what_should_have_been_revoked_is_marked_and_removed_names_are_in_the_list() {
    let mut server = Server::start();
    let id = server.order("ssl_dv_md", &csr(&["reseal.dev", "gone.dev"]));
    let body = json!({"csr": csr(&["reseal.dev"]), "san": ["reseal.dev"]});
    let reissue = server
        .alice
        .post(&format!("/v2/ssl/certificates/{id}/reissue"), &body);
    server.finish(&reissue);
    let list = due(&server);
    assert_eq!(list.len(), 1, "{list:?}");
    assert_eq!(
        (&list[0]["certificateId"], &list[0]["cause"]),
        (&json!(id), &json!("replaced by a reissue"))
    );
    assert_eq!(list[0]["overdue"], false);
    server.terminate();
    let data = server.data();
    let shown = Command::new(binary())
        .args(["revocation", "due", "--data", data.to_str().unwrap()])
        .env("RESEAL_CLOCK_OFFSET", "+80h")
        .output()
        .unwrap();
    assert!(shown.status.success());
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.contains("\tOVERDUE\t"), "{text}");
}

#[test]
fn x_4_a_customer_proves_what_it_says_of_a_key() {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let id = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let post = |keys: Value| {
        server
            .bob
            .post(KEYS, &json!({"keys": keys, "reason": "I have it"}))
    };
    // A name of the key proves nothing, and neither does a request made for a certificate.
    let names = [
        key.public_key_pem(),
        with_key(&key, &["reseal.dev"]),
        // Whatever a domain is called.
        with_key(&key, &["compromise.dev"]),
        with_key(&key, &["this-key-is-compromised.dev"]),
    ];
    for name in names {
        post(json!([name])).violates("keys[0]");
    }
    assert_eq!(due(&server), [] as [Value; 0]);
    // Bob does not hear whose certificate goes.
    let answer = post(json!([confession(&key)])).expect(200);
    assert_eq!(
        (&answer["new"], &answer["certificates"]),
        (&json!(1), &json!([]))
    );
    // What Bob wrote is for the house.
    let told = server.alice.get("/v2/customers/alice/notifications").text();
    assert!(
        told.contains("it was proved that its key is compromised"),
        "{told}"
    );
    assert!(!told.contains("I have it"), "{told}");
    assert_eq!(due(&server)[0]["certificateId"], id);
    server.bob.get(KEYS).refused(403, "AuthorizationError");
}

#[test]
fn x_4_without_proof_only_the_claimants_own_certificates_go() {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let id = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let reply = server.alice.call(
        "DELETE",
        &format!("/v2/ssl/certificates/{id}"),
        &["Content-Type: application/json"],
        br#"{"reason":"KEY_COMPROMISE"}"#,
    );
    assert_eq!(reply.status, 200);
    assert_eq!(status(&server, id), "REVOKED");
    let listed = server.operator.get(KEYS).expect(200);
    assert_eq!(listed["pagination"]["total"], 0);
    assert_eq!(due(&server), [] as [Value; 0]);
    let again = |client: &Client, customer: &str| {
        let csr = with_key(&key, &["reseal.dev"]);
        let body = json!({"customer": customer, "product": "ssl_dv", "period": 12, "csr": csr});
        client.post("/v2/ssl/certificates", &body)
    };
    again(&server.alice, "alice").bad_csr_by("C-21");
    again(&server.bob, "bob").bad_csr_by("C-23");
}

#[test]
fn c_21_the_list_is_filtered_as_every_list_and_shows_who_and_why() {
    let server = Server::start();
    let hash = |digit: &str| digit.repeat(64);
    let post = |digits: &[&str], reason: &str| {
        let keys: Vec<String> = digits.iter().map(|digit| hash(digit)).collect();
        server
            .operator
            .post(KEYS, &json!({"keys": keys, "reason": reason}))
            .expect(200)
    };
    post(&["a", "b"], "first");
    let answer = post(&["b", "c"], "second");
    assert_eq!((&answer["new"], &answer["known"]), (&json!(1), &json!(1)));
    let list = |query: &str| server.operator.get(&format!("{KEYS}{query}")).expect(200);
    let all = list("");
    assert_eq!(all["pagination"]["total"], 3);
    let newest = &all["entities"][0];
    assert_eq!(
        (&newest["key"], &newest["reason"]),
        (&json!(hash("c")), &json!("second"))
    );
    assert!(
        newest["user"].as_str().unwrap().starts_with("house/"),
        "{newest}"
    );
    let found = |query: &str| list(query)["pagination"]["total"].clone();
    assert_eq!(found(&format!("?key={}", hash("a"))), 1);
    assert_eq!(found("?key%3Alike=bb%25"), 1);
    assert_eq!(found("?reason=first"), 2);
    assert_eq!(found("?q=second"), 1);
    assert_eq!(
        found("?createdDate%3Agt=2020-01-01T00:00:00Z&user%3Alike=house%25"),
        3
    );
    assert_eq!(
        list("?fields=key&limit=1&order=id")["entities"],
        json!([{"id": 1, "key": hash("a")}])
    );
    server
        .operator
        .get(&format!("{KEYS}?spki=1"))
        .violates("spki");
}

#[test]
fn c_2_nothing_of_a_private_key_comes_back_and_it_is_blocked() {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let secret = key.serialize_pem();
    let inside = secret.lines().nth(1).unwrap();
    let reply = server.operator.post(
        KEYS,
        &json!({"keys": [secret, "nonsense"], "reason": "leaked"}),
    );
    let text = reply.text();
    assert!(!text.contains(inside), "{text}");
    reply.violates("keys[1]");
    // Nothing was done for the sake of the good one.
    assert_eq!(
        server.operator.get(KEYS).expect(200)["pagination"]["total"],
        0
    );
    let answer = server
        .operator
        .post(KEYS, &json!({"keys": [secret], "reason": "leaked"}))
        .expect(200);
    assert_eq!(answer["new"], 1);
    let order = json!({"customer": "bob", "product": "ssl_dv", "period": 12, "csr": with_key(&key, &["reseal.dev"])});
    server
        .bob
        .post("/v2/ssl/certificates", &order)
        .bad_csr_by("C-21");
}

#[test]
fn c_21_thousands_of_keys_are_taken_at_once_and_more_are_refused() {
    let server = Server::start();
    let keys =
        |count: u32| -> Vec<String> { (0..count).map(|number| format!("{number:064x}")).collect() };
    let answer = server
        .operator
        .post(KEYS, &json!({"keys": keys(3000), "reason": "a list"}))
        .expect(200);
    assert_eq!(answer["new"], 3000);
    server
        .operator
        .post(KEYS, &json!({"keys": keys(3001), "reason": "a list"}))
        .violates("keys");
    for keys in [json!([]), json!(null)] {
        server
            .operator
            .post(KEYS, &json!({"keys": keys, "reason": "x"}))
            .violates("keys");
    }
    server
        .operator
        .post(KEYS, &json!({"keys": keys(1)}))
        .violates("reason");
}

#[test]
fn x_4_a_customer_proves_a_few_keys_in_a_call_each_counted_once() {
    let server = Server::start();
    let secret = KeyPair::generate().unwrap().serialize_pem();
    let keys = |count: usize| json!({"keys": vec![&secret; count], "reason": "leaked"});
    let refused = server.alice.post(KEYS, &keys(21));
    assert!(refused.text().contains("at most 20"), "{}", refused.text());
    refused.violates("keys");
    for (new, known) in [(1, 0), (0, 1)] {
        let answer = server.alice.post(KEYS, &keys(20)).expect(200);
        let expected = (&json!(new), &json!(known));
        assert_eq!((&answer["new"], &answer["known"]), expected);
    }
}

#[test]
fn c_21_keys_are_blocked_imported_and_listed_by_command_line() {
    let server = Server::start();
    let data = server.data();
    let data = data.to_str().unwrap();
    let key = KeyPair::generate().unwrap();
    let id = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let file = server.data().join("keys.txt");
    let hashes: Vec<String> = (0..2500).map(|number| format!("{number:064x}\n")).collect();
    let text = format!("# from a scan\n{}{}", hashes.concat(), key.public_key_pem());
    fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let import = [
        "key",
        "import",
        path,
        "--reason",
        "seen in a scan",
        "--data",
        data,
    ];
    let shown = reseal(&import);
    assert!(shown.contains("2501 new, 0 known before"), "{shown}");
    assert!(
        shown.contains(&format!(
            "certificate {id} of alice for reseal.dev will be revoked at "
        )),
        "{shown}"
    );
    assert_eq!(reseal(&import), "0 new, 2501 known before");
    let one = "ab".repeat(32);
    let block = [
        "key",
        "block",
        &one,
        "--reason",
        "told by phone",
        "--data",
        data,
    ];
    assert_eq!(reseal(&block), format!("{one} is blocked"));
    assert_eq!(reseal(&block), format!("{one} was blocked already"));
    let listed = reseal(&["key", "list", "--data", data]);
    assert_eq!(listed.lines().count(), 2502);
    let last = listed.lines().last().unwrap();
    assert!(
        last.starts_with(&one) && last.contains("\tconsole/") && last.ends_with("\ttold by phone"),
        "{last}"
    );

    // A mistake is named, and what stands before it counts.
    let mut child = Command::new(binary())
        .args(["key", "import", "-", "--reason", "x", "--data", data])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let good = "cd".repeat(32);
    child
        .stdin
        .take()
        .unwrap()
        .write_all(format!("{good}\nwhat is this\n").as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("line 2: expected SHA-256"), "{text}");
    assert_eq!(
        reseal(&["key", "list", "--data", data]).lines().count(),
        2503
    );

    // The running server refuses what the command line has blocked.
    let order = json!({"customer": "bob", "product": "ssl_dv", "period": 12, "csr": with_key(&key, &["bob.dev"])});
    server
        .bob
        .post("/v2/ssl/certificates", &order)
        .bad_csr_by("C-21");
    server.verify_audit();
}

#[test]
fn x_1_x_3_what_the_ca_knows_of_a_key_stands_on_the_list_whatever_its_holder_says() {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let id = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let body = json!({"keys": [confession(&key)], "reason": "found"});
    server.bob.post(KEYS, &body).expect(200);
    let path = format!("/v2/ssl/certificates/{id}");
    assert_eq!(server.alice.delete(&path).status, 200);
    assert_eq!(status(&server, id), "REVOKED");
    let reason = server.database().value("SELECT reason FROM crl_entry");
    assert_eq!(reason.as_deref(), Some("KEY_COMPROMISE"));
}

#[test]
fn x_1_certificates_that_cannot_be_revoked_keep_none_of_those_behind_them_waiting() {
    let server = Server::start();
    let good = server.order("ssl_dv", &csr(&["reseal.dev"]));
    let copies = (1..=150).map(|number| {
        let (serial, fingerprint) = (format!("{number:032x}"), format!("{number:064x}"));
        let (serial, fingerprint) = (bytes(&serial), bytes(&fingerprint));
        format!(
            "UPDATE broken SET id = {good} + {number}, serial = {serial}, fingerprint = {fingerprint}; \
             INSERT INTO certificate SELECT * FROM broken; "
        )
    });
    server.database().run(&format!(
        "CREATE TEMP TABLE broken AS SELECT * FROM certificate WHERE id = {good}; \
         UPDATE broken SET names = 'nobody can read this', revocation_scheduled = 1; {} \
         UPDATE certificate SET revocation_scheduled = 2 WHERE id = {good}",
        copies.collect::<String>()
    ));
    let path = format!("/v2/ssl/certificates/{good}");
    server.wait_until(&path, |body| body["status"] == "REVOKED");
    assert_eq!(server.operator.get("/readyz").status, 200);
}
