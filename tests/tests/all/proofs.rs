//! Proofs of control, found again: which there are, and which certificates rest on them.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

use std::process::Command;

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::server::{Server, binary, reseal};

/// The proofs that `filters` find.
fn found(server: &Server, filters: &[&str]) -> Vec<Value> {
    let data = server.data();
    let mut arguments = vec!["authorization", "list", "--json"];
    arguments.extend(["--data", data.to_str().unwrap()]);
    arguments.extend(filters);
    let text = reseal(&arguments);
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

/// Orders a certificate, whose record is an alias to the name that holds the contents.
fn order_via_alias(server: &Server, name: &str, held_at: &str) -> i64 {
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&[name])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    for entry in reply.json()["validations"]["dcv"].as_array().unwrap() {
        let (owner, contents) = (&entry["dnsRecord"], &entry["dnsContents"]);
        server.dns.clear(owner.as_str().unwrap());
        server.dns.cname(owner.as_str().unwrap(), held_at);
        server
            .dns
            .txt(held_at, contents.as_str().unwrap().trim_end_matches('.'));
    }
    let process = reply.process();
    server
        .alice
        .post_raw(&format!("/v2/processes/{process}/resend"), b"");
    server.wait_for(process, "COMPLETED");
    let path = format!("/v2/ssl/certificates?process={process}");
    let found = server.alice.get(&path).expect(200);
    found["entities"][0]["id"].as_i64().unwrap()
}

#[test]
fn x_13_n_24_everything_that_was_validated_via_an_alias_is_one_command_away() {
    let mut server = Server::start();
    let plain = server.order("ssl_dv", &csr(&["reseal.dev"]));
    let aliased = order_via_alias(&server, "reseal.org", "tokens.elsewhere.net");
    let body = json!({"csr": csr(&["reseal.org"])});
    let reissue = server
        .alice
        .post(&format!("/v2/ssl/certificates/{aliased}/reissue"), &body);
    let successor = server.finish(&reissue);

    let all = found(&server, &[]);
    assert_eq!(all.len(), 2, "{all:?}");
    let query = [
        "--method",
        "dns-01",
        "--via-alias",
        "--since",
        "2020-01-01",
        "--until",
        "2100-01-01",
    ];
    let via_alias = found(&server, &query);
    let [proof] = via_alias.as_slice() else {
        panic!("{via_alias:?}")
    };
    assert_eq!(proof["alias"], "tokens.elsewhere.net.");
    assert_eq!(
        (&proof["customer"], &proof["adn"], &proof["method"]),
        (&json!("alice"), &json!("reseal.org"), &json!("3.2.2.4.7"))
    );
    // Also what was signed later, without another look.
    let relying = |id: i64, name: &str| json!({"certificateId": id, "name": name});
    assert_eq!(
        proof["certificates"],
        json!([
            relying(aliased, "reseal.org"),
            relying(aliased, "www.reseal.org"),
            relying(successor, "reseal.org"),
            relying(successor, "www.reseal.org"),
        ])
    );
    let number = |filters: &[&str]| found(&server, filters).len();
    for (filters, expected) in [
        (vec!["--via-alias", "--until", "2020-01-01"], 0),
        (vec!["--via-alias", "--since", "2100-01-01"], 0),
        (vec!["--method", "3.2.2.4.18", "--via-alias"], 0),
        (vec!["--method", "3.2.2.4.18", "--method", "ca-tbr-7"], 2),
        (vec!["--alias", "%.elsewhere.net."], 1),
        (vec!["--alias", "%.other.net."], 0),
        (vec!["--adn", "reseal.dev"], 1),
        (vec!["--adn", "www.reseal.dev"], 0),
        (vec!["--name", "www.reseal.dev"], 1),
        (vec!["--name", "%.reseal.%"], 2),
        (vec!["--pruned"], 2),
        (vec!["--customer", "alice"], 2),
        (vec!["--customer", "bob"], 0),
        (vec!["--certificate", &successor.to_string()], 1),
        (vec!["--certificate", &plain.to_string(), "--via-alias"], 0),
    ] {
        assert_eq!(number(&filters), expected, "{filters:?}");
    }

    let data = server.data();
    let data = data.to_str().unwrap();
    let table = reseal(&["authorization", "list", "--via-alias", "--data", data]);
    let fields: Vec<&str> = table.split('\t').collect();
    assert_eq!(fields.len(), 10, "{table}");
    assert_eq!(
        fields[2..6],
        ["3.2.2.4.7", "alice", "reseal.org", "tokens.elsewhere.net."]
    );
    assert!(
        fields[8].starts_with(&format!("{aliased} reseal.org, ")),
        "{table}"
    );
    server.terminate();
    server.verify_audit();
}

#[test]
fn x_13_a_name_that_was_proved_by_itself_is_not_taken_for_a_pruned_one() {
    let server = Server::start();
    server.order("ssl_dv_wc", &csr(&["*.reseal.dev"]));
    assert_eq!(found(&server, &[]).len(), 1);
    assert_eq!(found(&server, &["--pruned"]).len(), 0);
    server.order("ssl_dv", &csr(&["a.reseal.dev"]));
    // The same proof serves a name below it.
    assert_eq!(found(&server, &["--pruned"]).len(), 1);
}

#[test]
fn x_13_a_method_that_nobody_knows_is_refused_with_those_that_are_known() {
    let server = Server::start();
    let data = server.data();
    let output = Command::new(binary())
        .args(["authorization", "list", "--method", "whois", "--data"])
        .arg(data)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("3.2.2.4.22") && text.contains("`whois`"),
        "{text}"
    );
}

#[test]
fn v_3_x_1_nothing_is_signed_on_a_proof_that_is_distrusted() {
    let mut server = Server::start();
    let first = server.order("ssl_dv", &csr(&["reseal.dev"]));
    let second = server.order("ssl_dv", &csr(&["reseal.org"]));
    let data = server.data();
    let data = data.to_str().unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(binary())
            .args(arguments)
            .args(["--data", data])
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let distrust = [
        "authorization",
        "distrust",
        "--reason",
        "aliases led astray",
    ];
    let (done, said) = run(&distrust);
    assert!(!done && said.contains("say which proofs"), "{said}");
    let (done, said) = run(&[&distrust[..], &["--adn", "reseal.dev"]].concat());
    assert!(done, "{said}");
    assert_eq!(said.trim(), "1 proofs, 1 of them trusted until now");

    let reissue = |id: i64, name: &str| {
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        server.alice.post(&path, &json!({"csr": csr(&[name])}))
    };
    // It has to be proved again, and that proof counts.
    let waits = reissue(first, "reseal.dev");
    assert_eq!(waits.status, 202, "{}", waits.text());
    let id = server.finish(&waits);
    let proofs = found(&server, &["--adn", "reseal.dev"]);
    assert_eq!(proofs.len(), 2, "{proofs:?}");
    assert!(proofs[0]["distrustedDate"].is_string() && proofs[1]["distrustedDate"].is_null());
    assert_eq!(reissue(id, "reseal.dev").status, 201);

    // A revocation for what was validated badly takes the proofs along.
    let number = second.to_string();
    let order = [
        "revocation",
        "order",
        &number,
        "--cause",
        "unreliable-validation",
    ];
    let (done, said) = run(&[&order[..], &["--reason", "aliases led astray"]].concat());
    assert!(done, "{said}");
    assert_eq!(reissue(second, "reseal.org").status, 202);
    let log = reseal(&["audit", "export", "--data", data]);
    let entries = log
        .lines()
        .filter(|line| line.contains("authorization.distrust"));
    assert_eq!(entries.count(), 2);
    server.terminate();
    server.verify_audit();
}
