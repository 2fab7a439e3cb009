//! Revocations that the house orders, for the causes of BR 4.9.1.1.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use rcgen::KeyPair;
use serde_json::{Value, json};

use crate::support::csr::{csr, with_key};
use crate::support::server::{Server, binary, reseal};

/// Runs `reseal revocation order`: whether it did, and what it said.
fn order(server: &Server, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(binary())
        .args(["revocation", "order"])
        .args(arguments)
        .arg("--data")
        .arg(server.data())
        .output()
        .unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    text.push_str(&String::from_utf8(output.stderr).unwrap());
    (output.status.success(), text)
}

fn due(server: &Server) -> Vec<Value> {
    let data = server.data();
    let data = data.to_str().unwrap();
    let text = reseal(&["revocation", "due", "--json", "--data", data]);
    serde_json::from_str(&text).unwrap()
}

fn status(server: &Server, id: i64) -> Value {
    let path = format!("/v2/ssl/certificates/{id}");
    server.operator.get(&path).expect(200)["status"].clone()
}

fn moment(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn listed_reasons(server: &Server) -> Vec<(i64, String)> {
    let rows = server.database().rows(
        "SELECT certificate.id, crl_entry.reason FROM crl_entry JOIN certificate USING (serial) ORDER BY 1",
    );
    let row = |row: Vec<Option<String>>| {
        let [id, reason] = row.try_into().unwrap();
        (id.unwrap().parse().unwrap(), reason.unwrap_or_default())
    };
    rows.into_iter().map(row).collect()
}

#[test]
fn x_2_x_5_what_was_ordered_is_told_of_at_once_and_done_before_the_five_days_are_over() {
    let mut server = Server::start();
    let first = server.order("ssl_dv", &csr(&["reseal.dev"]));
    let second = server.order("ssl_dv", &csr(&["reseal.org"]));
    let other = server.order("ssl_dv", &csr(&["reseal.net"]));
    let numbers = [first.to_string(), second.to_string()];
    let (done, said) = order(
        &server,
        &[
            &numbers[0],
            &numbers[1],
            "--cause",
            "mis-issued",
            "--reason",
            "the locality is wrong",
        ],
    );
    assert!(done, "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(
        said.starts_with(&format!(
            "certificate {first} of alice for reseal.dev will be revoked at "
        )),
        "{said}"
    );

    let list = due(&server);
    assert_eq!(list.len(), 2);
    for entry in &list {
        assert_eq!(
            (&entry["ground"], &entry["reason"]),
            (&json!("mis-issued"), &json!("SUPERSEDED"))
        );
        assert_eq!(entry["cause"], "the locality is wrong");
        let after =
            |field: &str| moment(&entry[field]).duration_since(moment(&entry["receivedDate"]));
        assert_eq!(after("deadline"), SignedDuration::from_hours(120));
        assert_eq!(after("revocationDate"), SignedDuration::from_hours(116));
    }
    let data = server.data();
    let shown = reseal(&["revocation", "due", "--data", data.to_str().unwrap()]);
    assert!(
        shown.contains("\tmis-issued: the locality is wrong"),
        "{shown}"
    );
    let told = server
        .alice
        .get("/v2/customers/alice/notifications?eventType=REVOCATION_SCHEDULED&order=id")
        .expect(200);
    assert_eq!(told["pagination"]["total"], 2, "{told}");
    let message = told["entities"][0]["message"].as_str().unwrap();
    assert!(
        message.contains(
            "it was not issued as the rules say: the locality is wrong. Reissue it before."
        ),
        "{message}"
    );
    let log = reseal(&["audit", "export", "--data", data.to_str().unwrap()]);
    let entry = log.lines().find(|line| line.contains("revocation.order"));
    let entry: Value = serde_json::from_str(entry.unwrap()).unwrap();
    assert!(
        entry["actor"].as_str().unwrap().starts_with("console/"),
        "{entry}"
    );
    assert_eq!(entry["detail"]["ground"], "mis-issued");
    assert_eq!(entry["detail"]["certificates"], json!([first, second]));

    server.restart_at("+115h");
    assert_eq!(status(&server, first), "ACTIVE");
    server.restart_at("+117h");
    for id in [first, second] {
        let path = format!("/v2/ssl/certificates/{id}");
        server.wait_until(&path, |body| body["status"] == "REVOKED");
    }
    assert_eq!(status(&server, other), "ACTIVE");
    let superseded = |id| (id, "SUPERSEDED".to_owned());
    assert_eq!(
        listed_reasons(&server),
        [superseded(first), superseded(second)]
    );
    let told = server
        .alice
        .get("/v2/customers/alice/notifications?eventType=REVOKED")
        .expect(200);
    assert_eq!(told["pagination"]["total"], 2, "{told}");
    assert_eq!(due(&server), [] as [Value; 0]);
    server.terminate();
    server.verify_audit();
}

#[test]
fn x_2_each_cause_is_on_the_list_under_its_own_reason() {
    let server = Server::start();
    let mut expected = Vec::new();
    for (cause, reason) in [
        ("subscriber-request", ""),
        ("not-authorized", "PRIVILEGE_WITHDRAWN"),
        ("misused", "PRIVILEGE_WITHDRAWN"),
        ("key-size", "SUPERSEDED"),
        ("name-not-allowed", "CESSATION_OF_OPERATION"),
        ("flawed-key", "KEY_COMPROMISE"),
    ] {
        let id = server.order("ssl_dv", &csr(&["reseal.dev"]));
        let (done, said) = order(
            &server,
            &[
                &id.to_string(),
                "--cause",
                cause,
                "--reason",
                "seen",
                "--now",
            ],
        );
        assert!(done, "{cause}: {said}");
        let path = format!("/v2/ssl/certificates/{id}");
        server.wait_until(&path, |body| body["status"] == "REVOKED");
        expected.push((id, reason.to_owned()));
    }
    assert_eq!(listed_reasons(&server), expected);
    // The list itself is signed anew, with the reason of the house.
    let data = server.data();
    let data = data.to_str().unwrap();
    let withdrawn = (0..128).any(|list| {
        reseal(&["ca", "crl", &list.to_string(), "--sign", "--data", data])
            .contains("privilegeWithdrawn")
    });
    assert!(withdrawn);
}

#[test]
fn x_2_time_runs_from_when_the_house_learnt_of_it_and_nothing_is_later_than_its_end() {
    let server = Server::start();
    let id = server.order("ssl_dv", &csr(&["reseal.dev"])).to_string();
    let in_hours = |hours| {
        let moment = Timestamp::now() + SignedDuration::from_hours(hours);
        format!("{moment:.0}")
    };
    let received = in_hours(-48);
    let late = in_hours(73);
    let base = [id.as_str(), "--cause", "misused", "--reason", "seen"];
    let with = |more: &[&str]| order(&server, &[&base, more].concat());
    let (done, said) = with(&["--received", &received, "--at", &late]);
    assert!(
        !done && said.contains("too late: `misused` leaves until "),
        "{said}"
    );
    let (done, said) = with(&["--at", &in_hours(-1)]);
    assert!(!done && said.contains("--now"), "{said}");
    let (done, said) = with(&["--received", &in_hours(1)]);
    assert!(!done && said.contains("is in the future"), "{said}");
    assert_eq!(due(&server), [] as [Value; 0]);
    let chosen = in_hours(71);
    let (done, said) = with(&["--received", &received, "--at", &chosen]);
    assert!(done, "{said}");
    let list = due(&server);
    assert_eq!(list[0]["receivedDate"], received);
    assert_eq!(list[0]["revocationDate"], chosen);
    let span = moment(&list[0]["deadline"]).duration_since(moment(&list[0]["receivedDate"]));
    assert_eq!(span, SignedDuration::from_hours(120));
}

#[test]
fn x_2_an_order_is_carried_out_for_all_or_for_none() {
    let server = Server::start();
    let good = server.order("ssl_dv", &csr(&["reseal.dev"])).to_string();
    let revoked = server.order("ssl_dv", &csr(&["reseal.org"]));
    server
        .alice
        .delete(&format!("/v2/ssl/certificates/{revoked}"));
    let revoked = revoked.to_string();
    for (arguments, expected) in [
        (vec![&*good, "4711"], "There is no certificate 4711"),
        (vec![&*good, &*revoked], "REVOKED already"),
    ] {
        let arguments = [arguments, vec!["--cause", "misused", "--reason", "seen"]].concat();
        let (done, said) = order(&server, &arguments);
        assert!(!done && said.contains(expected), "{said}");
    }
    let (done, said) = order(&server, &[&good, "--cause", "misused", "--reason", " "]);
    assert!(!done && said.contains("--reason: length"), "{said}");
    let (done, said) = order(&server, &[&good, "--cause", "bad", "--reason", "x"]);
    assert!(!done && said.contains("misleading-wildcard"), "{said}");
    assert_eq!(due(&server), [] as [Value; 0]);
}

#[test]
fn x_2_x_4_a_flawed_key_is_blocked_and_takes_every_certificate_with_it() {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let one = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let two = server.order("ssl_dv", &with_key(&key, &["reseal.org"]));
    let (done, said) = order(
        &server,
        &[
            &one.to_string(),
            "--cause",
            "flawed-key",
            "--reason",
            "bad entropy",
        ],
    );
    assert!(done, "{said}");
    let list = due(&server);
    let ids: Vec<&Value> = list.iter().map(|entry| &entry["certificateId"]).collect();
    assert_eq!(ids, [&json!(one), &json!(two)]);
    assert_eq!(list[1]["ground"], "flawed-key");
    let body = json!({"customer": "bob", "product": "ssl_dv", "period": 12, "csr": with_key(&key, &["reseal.net"])});
    server
        .bob
        .post("/v2/ssl/certificates", &body)
        .bad_csr_by("C-21");
}

/// Runs `reseal ca lint`: its exit code, its lines, and what it said beside them.
fn lint(server: &Server, arguments: &[&str]) -> (Option<i32>, Vec<String>, String) {
    let output = Command::new(binary())
        .args(["ca", "lint"])
        .args(arguments)
        .arg("--data")
        .arg(server.data())
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    (
        output.status.code(),
        lines.lines().map(str::to_owned).collect(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn a_9_x_2_a_finding_of_todays_linter_is_a_candidate_for_mis_issuance() {
    let mut server = Server::start();
    let good = server.order("ssl_dv", &csr(&["reseal.dev"]));
    let bad = server.order("ssl_dv", &csr(&["reseal.org"]));
    let (code, lines, _) = lint(&server, &[]);
    assert_eq!(code, Some(0), "{lines:?}");
    assert_eq!(
        lines,
        ["2 certificates, 0 with findings (0 of them not revoked)"]
    );
    // As if it had been signed on a day of shorter certificates.
    server.database().run(&format!(
        "UPDATE reservation SET created = 1805068800000 \
         WHERE serial = (SELECT serial FROM certificate WHERE id = {bad})"
    ));

    let (code, lines, said) = lint(&server, &["--json"]);
    assert_eq!((code, lines.len()), (Some(1), 1), "{lines:?}");
    let finding: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(
        (&finding["certificateId"], &finding["revoked"]),
        (&json!(bad), &json!(false))
    );
    assert_eq!(finding["findings"][0]["rule"], "V-1");
    assert!(said.contains("2 certificates, 1 with findings"), "{said}");
    assert_eq!(due(&server), [] as [Value; 0]);

    let (code, lines, _) = lint(&server, &["--open-duties"]);
    assert_eq!(code, Some(1));
    assert!(
        lines[0].starts_with(&format!("{bad}\talice\treseal.org\t\tV-1: ")),
        "{lines:?}"
    );
    let list = due(&server);
    assert_eq!(list.len(), 1);
    assert_eq!(
        (&list[0]["certificateId"], &list[0]["ground"]),
        (&json!(bad), &json!("mis-issued"))
    );
    let cause = list[0]["cause"].as_str().unwrap();
    assert!(cause.starts_with("found by the linter: V-1: "), "{cause}");
    let span = moment(&list[0]["deadline"]).duration_since(moment(&list[0]["receivedDate"]));
    assert_eq!(span, SignedDuration::from_hours(120));

    // The next run begins nothing anew.
    lint(&server, &["--open-duties"]);
    assert_eq!(due(&server), list);
    let data = server.data();
    let log = reseal(&["audit", "export", "--data", data.to_str().unwrap()]);
    let count = |action: &str| log.lines().filter(|line| line.contains(action)).count();
    assert_eq!(
        (count("\"ca.lint\""), count("\"revocation.order\"")),
        (4, 1)
    );

    server.restart_at("+117h");
    let path = format!("/v2/ssl/certificates/{bad}");
    server.wait_until(&path, |body| body["status"] == "REVOKED");
    assert_eq!(status(&server, good), "ACTIVE");
    let (code, lines, _) = lint(&server, &[]);
    assert_eq!(code, Some(0), "{lines:?}");
    assert!(lines[0].contains("\tREVOKED\t"), "{lines:?}");
    server.terminate();
    server.verify_audit();
}

#[test]
fn x_3_a_customers_word_is_heard_only_where_it_is_worse_than_what_the_house_knows() {
    let server = Server::start();
    let revoke = |id: i64, reason: &str| {
        let body = json!({"reason": reason}).to_string();
        let path = format!("/v2/ssl/certificates/{id}");
        let header = ["Content-Type: application/json"];
        let reply = server.alice.call("DELETE", &path, &header, body.as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.text());
    };
    let order = |id: i64, cause: &str| {
        let arguments = [&*id.to_string(), "--cause", cause, "--reason", "seen"];
        let (done, said) = order(&server, &arguments);
        assert!(done, "{said}");
    };
    let mut expected = Vec::new();
    for (cause, word, listed) in [
        ("misused", "SUPERSEDED", "PRIVILEGE_WITHDRAWN"),
        ("misused", "KEY_COMPROMISE", "KEY_COMPROMISE"),
        ("subscriber-request", "SUPERSEDED", "SUPERSEDED"),
    ] {
        let id = server.order("ssl_dv", &csr(&["reseal.dev"]));
        order(id, cause);
        revoke(id, word);
        expected.push((id, listed.to_owned()));
    }
    // The other certificate for the key goes with it, whatever it was to be revoked for.
    let key = KeyPair::generate().unwrap();
    let one = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let two = server.order("ssl_dv", &with_key(&key, &["reseal.org"]));
    order(two, "mis-issued");
    revoke(one, "KEY_COMPROMISE");
    for id in [one, two] {
        assert_eq!(status(&server, id), "REVOKED");
        expected.push((id, "KEY_COMPROMISE".to_owned()));
    }
    assert_eq!(listed_reasons(&server), expected);
}

#[test]
fn x_1_x_2_what_its_subscriber_lost_the_right_to_is_not_replaced() {
    let server = Server::start();
    let misused = server.order("ssl_dv", &csr(&["reseal.dev"]));
    let mis_issued = server.order("ssl_dv", &csr(&["reseal.org"]));
    for (id, cause) in [(misused, "misused"), (mis_issued, "mis-issued")] {
        let (done, said) = order(
            &server,
            &[&id.to_string(), "--cause", cause, "--reason", "seen"],
        );
        assert!(done, "{said}");
    }
    let post = |id: i64, verb: &str, name: &str| {
        let mut body = json!({"csr": csr(&[name])});
        if verb == "renew" {
            body["period"] = 12.into();
        }
        server
            .alice
            .post(&format!("/v2/ssl/certificates/{id}/{verb}"), &body)
    };
    for verb in ["reissue", "renew"] {
        let refused = post(misused, verb, "reseal.dev");
        let message = refused.refused(400, "ObjectStatusProhibitsOperation");
        let message = message["message"].as_str().unwrap();
        assert!(message.contains("no other may take its place"), "{message}");
    }
    let plan = json!({"where": "status=ACTIVE", "key": "keep", "reason": "r",
        "deadline": (Timestamp::now() + SignedDuration::from_hours(24)).to_string()});
    let plan = server
        .operator
        .post("/v2/ssl/campaigns?dryRun=true", &plan)
        .expect(200);
    assert_eq!(
        (&plan["total"], &plan["atOnce"]),
        (&json!(2), &json!(1)),
        "{plan}"
    );
    assert_eq!(post(mis_issued, "reissue", "reseal.org").status, 201);
}
