//! `POST /v2/processes/{id}/send-subscriber-agreement`, and the page behind the link.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{ask, audit, decide, events, info};
use crate::support::http::{Reply, exchange, request};
use crate::support::server::Server;
use crate::support::smtp::MailServer;

const PATIENCE: Duration = Duration::from_secs(30);

/// The mails with an agreement, oldest first, once there are `count`.
#[track_caller]
fn mails(server: &Server, count: usize) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut mails = server.mails();
        mails.retain(|mail| mail.contains("/agreement/"));
        if mails.len() >= count {
            return mails;
        }
        assert!(Instant::now() < deadline, "no agreement number {count}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The token of the mail number `count`.
#[track_caller]
fn token(server: &Server, count: usize) -> String {
    let mails = mails(server, count);
    let (_, rest) = mails[count - 1].split_once("/agreement/").unwrap();
    rest.chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}

fn visit(server: &Server, method: &str, token: &str, form: &str) -> Reply {
    let path = format!("/agreement/{token}");
    let headers = ["Content-Type: application/x-www-form-urlencoded"];
    let bytes = request(method, &path, &headers, form.as_bytes());
    exchange(server.alice.address, &bytes)
}

#[track_caller]
fn form(page: &Reply, button: &str) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"form_token\" value=\"").unwrap();
    let (token, _) = rest.split_once('"').unwrap();
    format!("form_token={token}&{button}={button}")
}

/// Accepts the agreement of the mail number `count`, as whoever got it does.
#[track_caller]
pub(super) fn accept(server: &Server, count: usize) {
    let token = token(server, count);
    let page = visit(server, "GET", &token, "");
    assert_eq!(page.status, 200, "{}", page.text());
    let done = visit(server, "POST", &token, &form(&page, "approve"));
    assert_eq!(done.status, 200, "{}", done.text());
}

fn send(server: &Server, process: i64, body: &Value) -> Reply {
    let path = format!("/v2/processes/{process}/send-subscriber-agreement");
    server.alice.post(&path, body)
}

#[track_caller]
fn sent(server: &Server, process: i64, email: &str) {
    let reply = send(server, process, &json!({ "email": email }));
    assert_eq!(
        (reply.status, reply.body.len()),
        (200, 0),
        "{}",
        reply.text()
    );
}

#[test]
fn looking_at_the_page_changes_nothing_and_accepting_works_once() {
    let server = Server::start();
    let process = ask(&server, "ssl_ev").process();
    assert_eq!(server.mails().len(), 0);
    let body = json!({"email": "legal@reseal.dev", "language": "nl"});
    assert_eq!(send(&server, process, &body).status, 200);
    let mail = &mails(&server, 1)[0];
    assert!(mail.contains("To: legal@reseal.dev"), "{mail}");
    assert!(mail.contains("Content-Language: nl"), "{mail}");
    let token = token(&server, 1);
    // In the database there is its hash only.
    let holds = |text: &str| server.database().holds(&server.data(), text);
    assert!(holds("legal@reseal.dev"));
    assert!(!holds(&token));
    let before = super::timeline(&server, process).len();
    let page = visit(&server, "GET", &token, "");
    let text = page.text();
    assert_eq!(page.status, 200, "{text}");
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert!(
        text.contains("legal@reseal.dev") && text.contains("Domplatz 1"),
        "{text}"
    );
    assert!(
        !text.contains("<Müller>") && !text.contains("<script"),
        "{text}"
    );
    assert_eq!(visit(&server, "GET", &token, "").text(), text);
    assert_eq!(super::timeline(&server, process).len(), before);
    assert_eq!(
        info(&server, process)["validations"]["agreement"],
        "WAITING"
    );

    let neutral = visit(&server, "GET", &"0".repeat(32), "");
    assert_eq!(neutral.status, 404);
    let right = form(&page, "approve");
    for wrong in [
        "",
        "approve=approve",
        "form_token=x&approve=approve",
        &format!("{right}&reject=reject"),
    ] {
        let reply = visit(&server, "POST", &token, wrong);
        assert_eq!(
            (reply.status, reply.text()),
            (404, neutral.text()),
            "{wrong}"
        );
    }
    // A link to this page is none to the other one.
    let elsewhere = request("GET", &format!("/dcv/approve/{token}"), &[], b"");
    assert_eq!(exchange(server.alice.address, &elsewhere).status, 404);

    assert_eq!(visit(&server, "POST", &token, &right).status, 200);
    assert_eq!(
        info(&server, process)["validations"]["agreement"],
        "VALIDATED"
    );
    assert_eq!(
        events(&server, process, "agreementAnswered")[0]["accepted"],
        true
    );
    let log = audit(&server);
    assert_eq!(log[0][0].as_deref(), Some("mail/legal@reseal.dev"));
    assert_eq!(log[0][1].as_deref(), Some("agreement.accept"));
    for again in [
        visit(&server, "GET", &token, ""),
        visit(&server, "POST", &token, &right),
    ] {
        assert_eq!((again.status, again.text()), (404, neutral.text()));
    }
    let body = json!({"email": "legal@reseal.dev"});
    send(&server, process, &body).refused(400, "ObjectStatusProhibitsOperation");
}

#[test]
fn a_new_mail_kills_the_link_before_and_declining_is_the_customers_matter() {
    let server = Server::start();
    let process = ask(&server, "ssl_ev").process();
    sent(&server, process, "legal@reseal.dev");
    let first = token(&server, 1);
    sent(&server, process, "ceo@reseal.dev");
    let second = token(&server, 2);
    assert_eq!(visit(&server, "GET", &first, "").status, 404);
    let page = visit(&server, "GET", &second, "");
    let declined = visit(&server, "POST", &second, &form(&page, "reject"));
    assert_eq!(declined.status, 200, "{}", declined.text());
    let body = info(&server, process);
    assert_eq!(body["validations"]["agreement"], "ATTENTION");
    assert_eq!(body["requiresAttention"], true);
    let told = server
        .alice
        .get("/v2/customers/alice/notifications?eventType=ATTENTION_NEEDED&limit=1")
        .expect(200);
    assert_eq!(
        told["entities"][0]["reason"],
        "it was declined by ceo@reseal.dev"
    );

    send(&server, process, &json!({"email": "ceo@reseal.dev"})).violates("email");
    sent(&server, process, "legal@reseal.dev");
    assert_eq!(
        info(&server, process)["validations"]["agreement"],
        "WAITING"
    );
    accept(&server, 3);
    assert_eq!(
        info(&server, process)["validations"]["agreement"],
        "VALIDATED"
    );
}

#[test]
fn one_mailbox_is_not_written_to_without_end() {
    let server = Server::start();
    let process = ask(&server, "ssl_ev").process();
    for _ in 0..5 {
        sent(&server, process, "legal@reseal.dev");
    }
    mails(&server, 5);
    let body = json!({"email": "legal@reseal.dev"});
    send(&server, process, &body).refused(400, "ObjectStatusProhibitsOperation");
    // The operator records what was signed on paper; the link is dead then.
    let token = token(&server, 5);
    assert_eq!(visit(&server, "GET", &token, "").status, 200);
    decide(
        &server,
        process,
        "approve",
        &json!({"checks": ["agreement"]}),
    )
    .expect(200);
    assert_eq!(visit(&server, "GET", &token, "").status, 404);
    assert_eq!(mails(&server, 5).len(), 5);
}

#[test]
fn requests_that_make_no_sense_are_refused_and_send_nothing() {
    let server = Server::start();
    let process = ask(&server, "ssl_ev").process();
    for body in [
        json!({}),
        json!({"email": null}),
        json!({"email": "nobody"}),
        json!({"email": "Legal@reseal.dev"}),
        json!({"email": "legal@reseal.dev\r\nBcc: x@evil.dev"}),
        json!({"email": format!("{}@reseal.dev", "a".repeat(65))}),
    ] {
        send(&server, process, &body).violates("email");
    }
    for language in ["IT", "DUTCH", ""] {
        let body = json!({"email": "legal@reseal.dev", "language": language});
        send(&server, process, &body).violates("language");
    }
    for body in [
        json!({"email": ["legal@reseal.dev"]}),
        json!({"email": "legal@reseal.dev", "subject": "x"}),
    ] {
        send(&server, process, &body).refused(400, "UnrecognizedPropertyException");
    }
    let path = format!("/v2/processes/{process}/send-subscriber-agreement");
    server
        .alice
        .post_raw(&path, b"")
        .refused(400, "InvalidMessage");
    let body = json!({"email": "legal@reseal.dev"});
    let foreign = server.bob.post(&path, &body);
    let unknown = server
        .bob
        .post("/v2/processes/999999/send-subscriber-agreement", &body);
    foreign.refused(400, "ObjectDoesNotExist");
    assert_eq!(foreign.body, unknown.body);
    let ov = {
        let order = super::order(
            "ssl_ov",
            &json!({"csr": crate::support::csr::csr(&["reseal.org"])}),
        );
        server.alice.post("/v2/ssl/certificates", &order).process()
    };
    send(&server, ov, &body).refused(400, "ObjectStatusProhibitsOperation");
    server.alice.delete(&format!("/v2/processes/{process}"));
    send(&server, process, &body).refused(400, "ObjectStatusProhibitsOperation");
    assert_eq!(server.mails().len(), 0);
}

#[test]
fn what_an_operator_rejects_no_mailbox_approves() {
    let server = Server::start();
    let process = ask(&server, "ssl_ev").process();
    let doubt = json!({"checks": ["agreement"], "reason": "she may not sign"});
    decide(&server, process, "reject", &doubt).expect(200);
    assert_eq!(
        info(&server, process)["validations"]["agreement"],
        "ATTENTION"
    );
    sent(&server, process, "another@reseal.dev");
    accept(&server, 1);
    assert_eq!(
        info(&server, process)["validations"]["agreement"],
        "WAITING"
    );
    assert_eq!(
        events(&server, process, "agreementAnswered")[0]["accepted"],
        true
    );
    // The operator sees who signed now, and decides.
    let path = format!("/v2/validations/{process}");
    let shown = server.operator.get(&path).expect(200);
    assert_eq!(shown["agreementSigner"], "another@reseal.dev");
    let open = shown["open"].as_array().unwrap();
    assert!(open.contains(&json!("agreement")), "{shown}");
    decide(
        &server,
        process,
        "approve",
        &json!({"checks": ["agreement"]}),
    )
    .expect(200);
    assert_eq!(
        info(&server, process)["validations"]["agreement"],
        "VALIDATED"
    );
}

#[test]
fn an_agreement_that_somebody_else_signed_serves_the_names_that_were_shown() {
    let server = Server::start();
    let process = super::proved(&server, "ssl_ev_md");
    sent(&server, process, "secretary@reseal.dev");
    accept(&server, 1);
    let rest = json!({"checks": ["organization", "docs", "voice", "whois"]});
    decide(&server, process, "approve", &rest).expect(200);
    server.wait_for(process, "COMPLETED");
    let order = |names: &[&str]| {
        let csr = crate::support::csr::csr(names);
        let body = super::order("ssl_ev_md", &json!({ "csr": csr }));
        server.alice.post("/v2/ssl/certificates", &body)
    };
    order(&["reseal.dev"]).expect(201);
    let names = ["reseal.dev", "new.reseal.dev"];
    let more = order(&names);
    let agreement = more.expect(202)["validations"]["agreement"].clone();
    assert_eq!(agreement, "WAITING");
    // The approver of the order: from now on it is good for other names, too.
    sent(&server, more.process(), "anna@reseal.dev");
    accept(&server, 2);
    server.wait_for(more.process(), "COMPLETED");
    order(&["reseal.dev", "other.reseal.dev"]).expect(201);
}

/// An operator decides something while the mail server takes its time: the agreement is sent once, and known to be.
#[test]
fn an_agreement_that_took_its_time_is_sent_once() {
    let mail = MailServer::start();
    let server = Server::configured(&format!("[mail]\nurl = \"smtp://{}\"\n", mail.address));
    let process = ask(&server, "ssl_ev").process();
    mail.hesitate(true);
    sent(&server, process, "legal@reseal.dev");
    mail.wait_for_mail("legal@reseal.dev");
    decide(&server, process, "approve", &json!({"checks": ["docs"]})).expect(200);
    mail.hesitate(false);
    let path = format!("/v2/processes/{process}/timeline");
    server.wait_until(&path, |timeline| {
        timeline.to_string().contains(r#""event":"agreementSent""#)
    });
    server.wait_for(process, "SUSPENDED");
    assert_eq!(events(&server, process, "agreementSent").len(), 1);
    assert_eq!(mail.mails_to("legal@reseal.dev").len(), 1);
    assert_eq!(info(&server, process)["validations"]["docs"], "VALIDATED");
}
