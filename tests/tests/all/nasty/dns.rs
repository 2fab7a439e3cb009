//! Rules section 11, numbers 119 to 126 and 130: CAA records, and what a name server may answer.

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::server::Server;

/// A CAA record: whether it is critical, its tag and its value.
type Property<'a> = (bool, &'a str, String);

/// One process for names beside each other, each to be proved by DNS for itself.
fn ask(server: &Server, count: usize) -> (Reply, Vec<Value>) {
    let names: Vec<String> = (0..count)
        .map(|number| format!("n{number}.reseal.dev"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    ask_for(server, &names)
}

/// One process for `names`, and how each is to be proved.
#[track_caller]
fn ask_for(server: &Server, names: &[&str]) -> (Reply, Vec<Value>) {
    let body =
        json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(names)});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let entries = reply.expect(202)["validations"]["dcv"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(entries.len(), names.len());
    (reply, entries)
}

#[track_caller]
fn look(server: &Server, reply: &Reply) -> Vec<Value> {
    let process = format!("/v2/processes/{}", reply.process());
    server.alice.post_raw(&format!("{process}/resend"), b"");
    let info = server.alice.get(&format!("{process}/info")).expect(200);
    info["validations"]["dcv"].as_array().unwrap().clone()
}

#[test]
fn nasty_119_120_121_122_caa_records_that_do_not_permit_us_hold_the_issuance() {
    let server = Server::start();
    let ours = |more: &str| format!("reseal.invalid{more}");
    // The record set of each name, and what becomes of it.
    let sets: Vec<(Vec<Property>, &str)> = vec![
        (vec![(false, "issue", ";".to_owned())], "INVALID"),
        (
            vec![(false, "issue", "other-ca.example".to_owned())],
            "INVALID",
        ),
        (
            vec![(true, "tbs", "x".to_owned())],
            "UNRECOGNIZED_CRITICAL_TAG",
        ),
        (
            vec![(false, "issue", ours("; accounturi=acct:bob@reseal.invalid"))],
            "INVALID",
        ),
        (
            vec![(
                false,
                "issue",
                ours("; accounturi=acct:alice@reseal.invalid; accounturi=acct:bob@reseal.invalid"),
            )],
            "INVALID",
        ),
        (
            vec![(false, "issue", ours("; validationmethods=http-01"))],
            "INVALID",
        ),
        (
            vec![(
                false,
                "issue",
                ours("; accounturi=acct:alice@reseal.invalid"),
            )],
            "VALID",
        ),
        (
            vec![(false, "issue", ours("; validationmethods=dns-01"))],
            "VALID",
        ),
        (
            vec![(false, "issue", ours("; validationmethods=ca-tbr-7"))],
            "VALID",
        ),
        (vec![(false, "tbs", "x".to_owned())], "VALID"),
        (
            vec![(false, "issue", ";".to_owned()), (false, "issue", ours(""))],
            "VALID",
        ),
        (vec![(false, "issuewild", ";".to_owned())], "VALID"),
    ];
    for (number, (set, _)) in sets.iter().enumerate() {
        for (critical, tag, value) in set {
            server
                .dns
                .caa(&format!("n{number}.reseal.dev"), *critical, tag, value);
        }
    }
    let (reply, entries) = ask(&server, sets.len());
    for (entry, (set, status)) in entries.iter().zip(&sets) {
        assert_eq!(entry["caaRecordStatus"], *status, "{set:?}: {entry}");
    }
    // Every name proved, and still nothing is signed.
    server.publish(&reply.json());
    let entries = look(&server, &reply);
    assert!(
        entries.iter().all(|entry| entry["status"] == "VALIDATED"),
        "{entries:?}"
    );
    server.wait_for(reply.process(), "SUSPENDED");
    for (number, (_, status)) in sets.iter().enumerate() {
        if *status != "VALID" {
            server.dns.clear(&format!("n{number}.reseal.dev"));
        }
    }
    server
        .alice
        .post_raw(&format!("/v2/processes/{}/resend", reply.process()), b"");
    server.wait_for(reply.process(), "COMPLETED");
}

#[test]
fn s_7_nasty_123_caa_that_changes_after_the_proof_is_seen_before_signing() {
    let server = Server::start();
    let id = server.certificate();
    server.dns.caa_issue("reseal.dev", "other-ca.example");
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let reply = server
        .alice
        .post(&path, &json!({"csr": csr(&["reseal.dev"])}));
    let info = reply.expect(202);
    assert_eq!(
        info["validations"]["dcv"][0]["status"], "VALIDATED",
        "{info}"
    );
    assert_eq!(
        info["validations"]["dcv"][0]["caaRecordStatus"], "INVALID",
        "{info}"
    );
    assert_eq!(info["requiresAttention"], true, "{info}");
    let old = server
        .alice
        .get(&format!("/v2/ssl/certificates/{id}"))
        .expect(200);
    assert_eq!(old["status"], "ACTIVE");
    server.dns.clear("reseal.dev");
    server.finish(&reply);
}

#[test]
fn s_15_the_method_of_evidence_that_is_reused_is_the_one_that_counts() {
    let server = Server::start();
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let body =
        json!({"csr": csr(&["reseal.dev"]), "dcv": [{"commonName": "reseal.dev", "type": "FILE"}]});
    // The proof at hand is one by DNS, whatever is asked for now.
    server
        .dns
        .caa_issue("reseal.dev", "reseal.invalid; validationmethods=ca-tbr-18");
    let reply = server.alice.post(&path, &body);
    let info = reply.expect(202);
    assert_eq!(
        info["validations"]["dcv"][0]["caaRecordStatus"], "INVALID",
        "{info}"
    );
    server.dns.clear("reseal.dev");
    server
        .dns
        .caa_issue("reseal.dev", "reseal.invalid; validationmethods=ca-tbr-7");
    server.finish(&reply);
}

#[test]
fn d_29_one_record_at_the_base_proves_wildcards_and_names_below() {
    let server = Server::start();
    let names = [
        "reseal.dev",
        "*.reseal.dev",
        "a.b.reseal.dev",
        "*.c.reseal.dev",
    ];
    let (reply, entries) = ask_for(&server, &names);
    let records: Vec<&Value> = entries.iter().map(|entry| &entry["dnsRecord"]).collect();
    assert!(
        records.iter().all(|record| *record == records[0]),
        "{records:?}"
    );
    let owner = records[0].as_str().unwrap();
    server
        .dns
        .cname(owner, entries[0]["dnsContents"].as_str().unwrap());
    server.finish(&reply);
}

#[test]
fn nasty_125_126_texts_in_parts_and_in_crowds_are_read_and_aliases_end() {
    let server = Server::start();
    let (reply, entries) = ask(&server, 6);
    let text = |number: usize, field: &str| entries[number][field].as_str().unwrap();
    let contents = text(0, "dnsContents");
    // Three strings of one record are one text; one of two hundred records is enough.
    let (first, rest) = contents.split_at(20);
    let (second, third) = rest.split_at(30);
    server
        .dns
        .txt_in_parts(text(0, "dnsRecord"), &[first, second, third]);
    for number in 0..200 {
        server.dns.txt(
            text(1, "dnsRecord"),
            &format!("record number {number} {}", "x".repeat(100)),
        );
    }
    server.dns.txt(text(1, "dnsRecord"), text(1, "dnsContents"));
    // The parts as records of their own, and the text with a word more, are not the text.
    for part in [first, second, third] {
        server.dns.txt(text(2, "dnsRecord"), part);
    }
    server.dns.txt(
        text(3, "dnsRecord"),
        &format!("{} x", text(3, "dnsContents")),
    );
    // An alias to itself, and one that leads round.
    server.dns.cname(text(4, "dnsRecord"), text(4, "dnsRecord"));
    server.dns.cname(text(5, "dnsRecord"), "round.reseal.dev");
    server.dns.cname("round.reseal.dev", text(5, "dnsRecord"));
    let seen: Vec<bool> = look(&server, &reply)
        .iter()
        .map(|entry| entry["status"] == "VALIDATED")
        .collect();
    assert_eq!(seen, [true, true, false, false, false, false]);
    let process = server
        .alice
        .get(&format!("/v2/processes/{}", reply.process()))
        .expect(200);
    assert_eq!(process["status"], "SUSPENDED", "{process}");
}

#[test]
fn looking_again_and_again_at_the_same_keeps_the_evidence_once() {
    let server = Server::start();
    let (reply, _) = ask(&server, 3);
    let path = format!("/v2/processes/{}/timeline", reply.process());
    let told = |event: &str| {
        let timeline = server.alice.get(&path).expect(200);
        let events = timeline["entities"].as_array().unwrap().clone();
        let told: Vec<Value> = events
            .into_iter()
            .filter(|one| one["event"] == event)
            .collect();
        told
    };
    let wait = || server.wait_for(reply.process(), "SUSPENDED");
    wait();
    for _ in 0..4 {
        look(&server, &reply);
        wait();
    }
    assert_eq!(told("attempt").len(), 3);
    let repeated = told("sameAsBefore");
    assert!(repeated.len() >= 4, "{repeated:?}");
    assert!(
        repeated
            .iter()
            .all(|one| one["lookedAt"] == "challenges" && one["looks"] == 3),
        "{repeated:?}"
    );
    // What is new is told whole, and what a certificate is signed upon is kept, however often it was seen.
    let info = server
        .alice
        .get(&format!("/v2/processes/{}/info", reply.process()))
        .expect(200);
    server.dns.caa_issue("n0.reseal.dev", "other-ca.example");
    server.publish(&info);
    for _ in 0..3 {
        look(&server, &reply);
        wait();
    }
    let refused = told("caaChecked")
        .iter()
        .filter(|one| one["permitted"] == false)
        .count();
    assert_eq!(refused, 1);
    server.dns.clear("n0.reseal.dev");
    look(&server, &reply);
    server.wait_for(reply.process(), "COMPLETED");
    let checks = told("caaChecked");
    let last: Vec<&Value> = checks[checks.len() - 3..].iter().collect();
    assert!(
        last.iter().all(|one| one["permitted"] == true),
        "{checks:?}"
    );
}

#[test]
fn n_21_nasty_130_an_alias_of_the_domain_above_is_no_place_for_a_proof() {
    let server = Server::start();
    // The attacker's own domain is proved, and the victim's domain is an alias to it.
    server.order("ssl_dv_md", &csr(&["attacker.dev"]));
    server.dns.cname("victim.dev.", "attacker.dev.");
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["sub.victim.dev"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let entry = reply.expect(202)["validations"]["dcv"][0].clone();
    assert_eq!(entry["status"], "WAITING", "{entry}");
    // What is published below the attacker's domain, at any name that the alias could lead to, proves nothing.
    let text = |field: &str| entry[field].as_str().unwrap().to_owned();
    let label = text("dnsRecord").split('.').next().unwrap().to_owned();
    for owner in ["attacker.dev", "sub.attacker.dev"] {
        server
            .dns
            .cname(&format!("{label}.{owner}."), &text("dnsContents"));
        let persistent = "reseal.invalid; accounturi=acct:alice@reseal.invalid; policy=wildcard";
        server
            .dns
            .txt(&format!("_validation-persist.{owner}."), persistent);
    }
    let entries = look(&server, &reply);
    assert_ne!(entries[0]["status"], "VALIDATED", "{entries:?}");
}

#[test]
fn s_18_a_refusal_is_reported_once_where_the_operator_wants_that() {
    for (wanted, mails) in [(true, 1), (false, 0)] {
        let dcv = format!("allow_networks = [\"127.0.0.0/8\"]\niodef = {wanted}");
        let server = Server::proving(&dcv);
        server.dns.caa_issue("reseal.dev", "other-ca.example");
        for address in [
            "mailto:security@reseal.dev",
            "mailto:x@reseal.dev?bcc=y@reseal.dev",
        ] {
            server.dns.caa("reseal.dev", false, "iodef", address);
        }
        let (reply, entries) = ask(&server, 2);
        assert_eq!(entries[0]["caaRecordStatus"], "INVALID");
        if wanted {
            server.wait_until(&format!("/v2/processes/{}", reply.process()), |_| {
                !server.mails().is_empty()
            });
        }
        // Neither another name of the domain, nor another look, nor another request tells it again.
        look(&server, &reply);
        ask(&server, 1);
        let sent = server.mails();
        assert_eq!(sent.len(), mails, "{sent:?}");
        for mail in sent {
            for part in [
                "To: security@reseal.dev",
                "n0.reseal.dev",
                "other-ca.example",
                &reply.process().to_string(),
            ] {
                assert!(mail.contains(part), "{part}: {mail}");
            }
        }
    }
}
