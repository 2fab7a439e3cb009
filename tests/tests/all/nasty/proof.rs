//! Rules section 11, numbers 13, 89, 93, 94, 131 to 133 and 135: what a proof is good for, and links in mails.

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::http::{Reply, exchange, request};
use crate::support::server::{Server, reseal};
use crate::support::web::WebHost;

/// Somebody with a browser and no key.
#[track_caller]
pub(super) fn visit(server: &Server, method: &str, link: &str, form: &str) -> Reply {
    let path = &link[link.find("/dcv/approve/").unwrap()..];
    let headers = ["Content-Type: application/x-www-form-urlencoded"];
    exchange(
        server.alice.address,
        &request(method, path, &headers, form.as_bytes()),
    )
}

/// Opens the page behind `link` and presses the button called `button`.
#[track_caller]
pub(super) fn decide(server: &Server, link: &str, button: &str) {
    let page = visit(server, "GET", link, "");
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    let (_, rest) = text.split_once("name=\"form_token\" value=\"").unwrap();
    let (token, _) = rest.split_once('"').unwrap();
    let form = format!("form_token={token}&{button}={button}");
    let answer = visit(server, "POST", link, &form);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn order(server: &Server, names: &[&str], dcv: &Value, headers: &[&str]) -> Reply {
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(names), "dcv": dcv});
    let mut all = vec!["Content-Type: application/json"];
    all.extend(headers);
    server.alice.call(
        "POST",
        "/v2/ssl/certificates",
        &all,
        body.to_string().as_bytes(),
    )
}

fn by_mail(name: &str, address: &str) -> Value {
    json!([{"commonName": name, "type": "EMAIL", "email": address}])
}

#[track_caller]
fn resend(server: &Server, process: i64, dcv: &Value) -> Reply {
    let path = format!("/v2/processes/{process}/resend");
    server.alice.post(&path, &json!({"dcv": dcv}))
}

#[test]
fn nasty_013_forged_hosts_never_get_into_a_mail() {
    let server = Server::configured("[server]\npublic_url = \"https://ca.reseal.dev\"\n");
    let forged = [
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Proto: http",
        "X-Forwarded-For: 203.0.113.7",
        "Forwarded: host=evil.example;for=203.0.113.7",
    ];
    let dcv = by_mail("reseal.dev", "admin@reseal.dev");
    order(&server, &["reseal.dev"], &dcv, &forged).expect(202);
    let link = server.wait_for_link(1);
    assert!(
        link.starts_with("https://ca.reseal.dev/dcv/approve/"),
        "{link}"
    );
    // Nor does the Host header itself, which `request` gives as `reseal.test`.
    let mail = server.mails().remove(0);
    assert!(
        !mail.contains("evil.example") && !mail.contains("reseal.test"),
        "{mail}"
    );
}

#[test]
fn nasty_089_a_file_proves_its_own_name_only() {
    let web = WebHost::start();
    let server = Server::proving(&format!(
        "allow_networks = [\"127.0.0.0/8\"]\nhttp_port = {}",
        web.address.port()
    ));
    for name in ["reseal.dev", "sub.reseal.dev"] {
        server.dns.a(name, [127, 0, 0, 1].into());
    }
    let dcv = json!([{"commonName": "reseal.dev", "type": "FILE"}]);
    let reply = order(&server, &["reseal.dev"], &dcv, &[]);
    let info = reply.expect(202);
    let entry = &info["validations"]["dcv"][0];
    web.file(
        entry["fileLocation"].as_str().unwrap(),
        entry["fileContents"].as_str().unwrap(),
    );
    let process = reply.process();
    server
        .alice
        .post_raw(&format!("/v2/processes/{process}/resend"), b"");
    server.wait_for(process, "COMPLETED");
    let found = server.alice.get("/v2/ssl/certificates").expect(200);
    let id = found["entities"][0]["id"].clone();
    let body = json!({"csr": csr(&["reseal.dev", "sub.reseal.dev"]), "dcv": [{"commonName": "sub.reseal.dev", "type": "FILE"}]});
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let info = server.alice.post(&path, &body).expect(202);
    let entries = info["validations"]["dcv"].as_array().unwrap();
    assert_eq!(entries[0]["status"], "VALIDATED", "{info}");
    assert_ne!(entries[1]["status"], "VALIDATED", "{info}");
    let location = entries[1]["fileLocation"].as_str().unwrap();
    assert!(location.starts_with("sub.reseal.dev/"), "{info}");
}

#[test]
fn nasty_093_contacts_that_are_not_exactly_one_address_open_no_mailbox() {
    let server = Server::start();
    for text in ["mailto:a@b.dev", "ceo@reseal.dev, cto@reseal.dev"] {
        server.dns.txt("_validation-contactemail.reseal.dev", text);
        for address in ["a@b.dev", "ceo@reseal.dev", "cto@reseal.dev"] {
            let dcv = by_mail("reseal.dev", address);
            order(&server, &["reseal.dev"], &dcv, &[]).violates("dcv[0].email");
        }
    }
    assert_eq!(server.mails(), [] as [String; 0]);
}

#[test]
fn d_17_nasty_094_a_mailbox_proves_its_domain_and_nothing_beside_or_above_it() {
    let server = Server::start();
    let dcv = by_mail("mail.reseal.dev", "admin@mail.reseal.dev");
    let reply = order(&server, &["mail.reseal.dev"], &dcv, &[]);
    reply.expect(202);
    decide(&server, &server.wait_for_link(1), "approve");
    server.wait_for(reply.process(), "COMPLETED");
    for (names, status) in [
        (&["reseal.dev"][..], "WAITING"),
        (&["other.reseal.dev"], "WAITING"),
        (&["deep.mail.reseal.dev"], "VALIDATED"),
    ] {
        let reply = order(&server, names, &json!([]), &[]);
        let waits = reply.status == 202;
        assert_eq!(waits, status != "VALIDATED", "{names:?}: {}", reply.text());
    }
}

#[test]
fn nasty_131_132_133_a_link_is_opened_by_its_own_form_once() {
    let server = Server::start();
    let ask = |name: &str| {
        let dcv = by_mail(name, &format!("admin@{name}"));
        order(&server, &[name], &dcv, &[]).process()
    };
    let first = ask("one.dev");
    let one = server.wait_for_link(1);
    let second = ask("two.dev");
    let two = server.wait_for_link(2);
    server.wait_for(first, "SUSPENDED");
    server.wait_for(second, "SUSPENDED");
    let form = |link: &str| {
        let text = visit(&server, "GET", link, "").text();
        let (_, rest) = text.split_once("name=\"form_token\" value=\"").unwrap();
        format!(
            "form_token={}&approve=approve",
            rest.split_once('"').unwrap().0
        )
    };
    let (form_one, form_two) = (form(&one), form(&two));
    // Looking, by whatever method, changes nothing; neither does a form that belongs to another link.
    for (method, link, body, status) in [
        ("HEAD", &one, "", 200),
        ("GET", &one, "", 200),
        ("POST", &one, "", 404),
        ("POST", &one, "approve=approve", 404),
        ("POST", &one, &*form_two, 404),
        ("POST", &two, &*form_one, 404),
        ("DELETE", &one, "", 405),
    ] {
        assert_eq!(
            visit(&server, method, link, body).status,
            status,
            "{method} {body}"
        );
    }
    for process in [first, second] {
        let body = server
            .alice
            .get(&format!("/v2/processes/{process}"))
            .expect(200);
        assert_eq!(body["status"], "SUSPENDED", "{body}");
    }
    // Rejected is rejected.
    decide(&server, &one, "reject");
    assert_eq!(visit(&server, "POST", &one, &form_one).status, 404);
    assert_eq!(visit(&server, "GET", &one, "").status, 404);
    let info = server
        .alice
        .get(&format!("/v2/processes/{first}/info"))
        .expect(200);
    assert_ne!(
        info["validations"]["dcv"][0]["status"], "VALIDATED",
        "{info}"
    );
    decide(&server, &two, "approve");
    server.wait_for(second, "COMPLETED");
}

#[test]
fn d_18_nasty_135_a_mail_approves_what_it_lists_and_says_what_else_it_opens() {
    let server = Server::start();
    let dcv = by_mail("broad.dev", "hostmaster@broad.dev");
    let names = ["broad.dev", "*.broad.dev", "deep.broad.dev"];
    let mut choices = dcv.as_array().unwrap().clone();
    choices.push(json!({"commonName": "*.broad.dev", "type": "DNS"}));
    choices.push(
        json!({"commonName": "deep.broad.dev", "type": "EMAIL", "email": "hostmaster@broad.dev"}),
    );
    let process = order(&server, &names, &json!(choices), &[]).process();
    let link = server.wait_for_link(1);
    let mail = server.mails().remove(0);
    let listed: Vec<&str> = mail
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .collect();
    assert_eq!(listed, ["broad.dev", "deep.broad.dev"], "{mail}");
    let page = visit(&server, "GET", &link, "").text();
    for text in [&mail, &page] {
        let text = text.replace("\r\n", " ");
        assert!(text.contains("every name below broad.dev"), "{text}");
        let (_, until) = text.split_once("Approval can be used until").unwrap();
        assert!(until.get(..40).unwrap().contains(" 20"), "{text}");
    }
    assert!(!page.contains("*.broad.dev"), "{page}");
    server.wait_for(process, "SUSPENDED");
    decide(&server, &link, "approve");
    let info = server
        .alice
        .get(&format!("/v2/processes/{process}/info"))
        .expect(200);
    let statuses: Vec<&str> = info["validations"]["dcv"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses[0], "VALIDATED", "{info}");
    assert_ne!(statuses[1], "VALIDATED", "{info}");
    assert_eq!(statuses[2], "VALIDATED", "{info}");
    server.wait_for(process, "SUSPENDED");
    // What the mail said it opens, it opens.
    let later = order(&server, &["*.broad.dev"], &json!([]), &[]);
    assert_eq!(later.status, 201, "{}", later.text());
}

#[test]
fn d_19_the_form_cannot_be_made_from_the_link_alone() {
    let server = Server::start();
    let dcv = by_mail("reseal.dev", "admin@reseal.dev");
    let process = order(&server, &["reseal.dev"], &dcv, &[]).process();
    let link = server.wait_for_link(1);
    server.wait_for(process, "SUSPENDED");
    let (_, token) = link.rsplit_once('/').unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("reseal approval form {token}")).unwrap();
    let digest = std::process::Command::new("sha256sum")
        .arg(file.path())
        .output()
        .unwrap();
    let digest = String::from_utf8(digest.stdout).unwrap();
    let digest = digest.split_whitespace().next().unwrap();
    for guess in [token, digest] {
        let form = format!("form_token={guess}&approve=approve");
        assert_eq!(visit(&server, "POST", &link, &form).status, 404, "{guess}");
    }
    decide(&server, &link, "approve");
    server.wait_for(process, "COMPLETED");
}

#[test]
fn d_12_asking_again_and_again_sends_one_mail_and_says_so() {
    let mut server = Server::start();
    let dcv = by_mail("reseal.dev", "admin@reseal.dev");
    let process = order(&server, &["reseal.dev"], &dcv, &[]).process();
    let link = server.wait_for_link(1);
    server.wait_for(process, "SUSPENDED");
    for _ in 0..5 {
        let body = resend(&server, process, &json!([])).expect(200);
        let warning = body["warning"].as_str().unwrap();
        assert!(warning.contains("no new mail"), "{warning}");
        assert!(warning.contains("admin@reseal.dev"), "{warning}");
    }
    assert_eq!(server.mails().len(), 1);
    assert_eq!(visit(&server, "GET", &link, "").status, 200);
    // Another mailbox is written to at once, and going to and fro writes no more to the first one.
    for (address, mails) in [("webmaster", 2), ("admin", 2), ("webmaster", 2)] {
        let dcv = by_mail("reseal.dev", &format!("{address}@reseal.dev"));
        resend(&server, process, &dcv).expect(200);
        assert_eq!(server.mails().len(), mails, "{address}");
    }
    // Later it may be sent again, but not for ever.
    for (hours, mails) in [(1, 3), (2, 4), (3, 5), (4, 5)] {
        server.restart_at(&format!("+{hours}h"));
        resend(&server, process, &json!([])).expect(200);
        // The answer may come before the mail, when the machine is busy.
        server.wait_for_link(mails);
        server.wait_for(process, "SUSPENDED");
        assert_eq!(server.mails().len(), mails, "after {hours} h");
    }
}

#[test]
fn d_19_a_mailbox_that_rejected_is_not_asked_again() {
    let server = Server::start();
    let dcv = by_mail("reseal.dev", "admin@reseal.dev");
    let process = order(&server, &["reseal.dev"], &dcv, &[]).process();
    let link = server.wait_for_link(1);
    server.wait_for(process, "SUSPENDED");
    decide(&server, &link, "reject");
    let body = resend(&server, process, &json!([])).expect(200);
    let warning = body["warning"].as_str().unwrap();
    assert!(warning.contains("rejected"), "{warning}");
    resend(&server, process, &dcv).violates("dcv[0].email");
    assert_eq!(server.mails().len(), 1);
    // There, and nowhere else.
    let dcv = by_mail("reseal.dev", "webmaster@reseal.dev");
    resend(&server, process, &dcv).expect(200);
    decide(&server, &server.wait_for_link(2), "approve");
    server.wait_for(process, "COMPLETED");
}

/// A certificate for `reseal.dev`, approved by `address`.
fn approved(server: &Server, address: &str) -> i64 {
    let dcv = by_mail("reseal.dev", address);
    let reply = order(server, &["reseal.dev"], &dcv, &[]);
    reply.expect(202);
    decide(server, &server.wait_for_link(1), "approve");
    server.wait_for(reply.process(), "COMPLETED");
    let found = server.alice.get("/v2/ssl/certificates").expect(200);
    found["entities"][0]["id"].as_i64().unwrap()
}

/// Takes the approval back, and has the process look again.
fn distrust(server: &Server, process: i64) {
    let data = server.data();
    let by = [
        "authorization",
        "distrust",
        "--adn",
        "reseal.dev",
        "--reason",
        "drill",
    ];
    reseal(&[&by[..], &["--data", data.to_str().unwrap()]].concat());
    resend(server, process, &json!([]));
}

/// The entry of `reseal.dev`.
fn entry(info: &Value) -> Value {
    let entries = info["validations"]["dcv"].as_array().unwrap();
    let own = entries
        .iter()
        .find(|entry| entry["commonName"] == "reseal.dev");
    own.unwrap().clone()
}

#[test]
fn who_approved_is_shown_with_the_proof_and_asked_again_when_it_falls() {
    let server = Server::start();
    let first = approved(&server, "admin@reseal.dev");
    let reissue = |id: i64, names: &[&str]| {
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        server.alice.post(&path, &json!({"csr": csr(names)}))
    };
    let by_admin = |info: &Value, status: &str| {
        let entry = entry(info);
        assert_eq!(
            (&entry["type"], &entry["email"], &entry["status"]),
            (&json!("EMAIL"), &json!("admin@reseal.dev"), &json!(status)),
            "{info}"
        );
    };
    let info = reissue(first, &["reseal.dev"]).expect(201);
    by_admin(&info, "VALIDATED");
    // The one after the next knows it as well.
    let second = info["certificateId"].as_i64().unwrap();
    let reply = reissue(second, &["reseal.dev", "reseal.org"]);
    by_admin(&reply.expect(202), "VALIDATED");
    let process = reply.process();
    server.wait_for(process, "SUSPENDED");
    assert_eq!(server.mails().len(), 1);
    distrust(&server, process);
    decide(&server, &server.wait_for_link(2), "approve");
    assert!(server.mails()[1].contains("admin@reseal.dev"));
    let path = format!("/v2/processes/{process}/info");
    let info = server.wait_until(&path, |info| entry(info)["status"] == "VALIDATED");
    by_admin(&info, "VALIDATED");
}

/// A new order relies on the approval, and nobody has said whom to ask otherwise.
#[test]
fn an_approval_that_falls_and_names_nobody_becomes_a_proof_by_dns() {
    let server = Server::start();
    approved(&server, "admin@reseal.dev");
    let reply = order(&server, &["reseal.dev", "reseal.org"], &json!([]), &[]);
    assert_eq!(entry(&reply.expect(202))["status"], "VALIDATED");
    let process = reply.process();
    server.wait_for(process, "SUSPENDED");
    distrust(&server, process);
    let path = format!("/v2/processes/{process}/info");
    let info = server.wait_until(&path, |info| entry(info)["status"] != "VALIDATED");
    assert_eq!(entry(&info)["type"], "DNS", "{info}");
    server.publish(&info);
    resend(&server, process, &json!([]));
    server.wait_for(process, "COMPLETED");
}

#[test]
fn d_14_who_approved_and_is_not_published_any_more_is_not_asked_again() {
    let server = Server::start();
    let published = "_validation-contactemail.reseal.dev";
    server.dns.txt(published, "owner@mailer.dev");
    let id = approved(&server, "owner@mailer.dev");
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let body = json!({"csr": csr(&["reseal.dev", "reseal.org"])});
    let reply = server.alice.post(&path, &body);
    let info = reply.expect(202);
    assert_eq!(entry(&info)["email"], "owner@mailer.dev", "{info}");
    assert_eq!(entry(&info)["status"], "VALIDATED", "{info}");
    let process = reply.process();
    server.wait_for(process, "SUSPENDED");
    server.dns.clear(published);
    distrust(&server, process);
    let path = format!("/v2/processes/{process}/info");
    server.wait_until(&path, |info| entry(info)["status"] == "ATTENTION");
    assert_eq!(server.mails().len(), 1);
    server.dns.txt(published, "owner@mailer.dev");
    resend(&server, process, &json!([]));
    server.wait_for_link(2);
    assert!(server.mails()[1].contains("owner@mailer.dev"));
}
