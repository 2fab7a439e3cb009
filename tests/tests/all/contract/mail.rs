//! Mails as a mailbox gets them (contract.md section 4, LANG): in the right language, with the headers of D-18, and
//! to the letter as the golden files beside the texts.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::http::{Reply, exchange, request};
use crate::support::server::Server;
use crate::support::smtp::{Mail, MailServer};

/// The contract's words and the tags of mails and pages.
const LANGUAGES: [(&str, &str); 14] = [
    ("EN", "en"),
    ("NL", "nl"),
    ("FR", "fr"),
    ("CN", "zh-Hans"),
    ("DE", "de"),
    ("IT", "it"),
    ("JP", "ja"),
    ("KR", "ko"),
    ("PT", "pt"),
    ("RU", "ru"),
    ("ES", "es"),
    ("DK", "da"),
    ("SE", "sv"),
    ("TR", "tr"),
];

const ADDRESS: &str = "admin@reseal.dev";

fn start(mail: &MailServer) -> Server {
    Server::configured(&format!(
        "[server]\npublic_url = \"https://ca.example\"\n[mail]\nurl = \"smtp://{}\"\n",
        mail.address
    ))
}

/// Asks for a certificate to be approved by mail; `more` are further fields.
#[track_caller]
fn order(server: &Server, more: &Value) -> Reply {
    let names = ["reseal.dev", "*.reseal.dev"];
    let dcv = names.map(|name| json!({"commonName": name, "type": "EMAIL", "email": ADDRESS}));
    let mut body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&names), "dcv": dcv});
    for (field, value) in more.as_object().unwrap() {
        body[field] = value.clone();
    }
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    reply.expect(202);
    reply
}

/// Orders and takes the mail. No order is ever approved, so that the next one needs a mail as well.
#[track_caller]
fn mail_of(server: &Server, mailbox: &MailServer, more: &Value) -> (Mail, i64) {
    let before = mailbox.mails_to(ADDRESS).len();
    let process = order(server, more).process();
    server.wait_for(process, "SUSPENDED");
    let mut mails = mailbox.mails_to(ADDRESS);
    assert_eq!(mails.len(), before + 1);
    (mails.pop().unwrap(), process)
}

/// What a golden file says, with this process's own values.
fn golden(file: &str, process: i64, token: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/lifecycle/src/mail/golden/approval")
        .join(file);
    fs::read_to_string(path)
        .unwrap()
        .replace("4711", &process.to_string())
        .replace("0123456789abcdef0123456789abcdef", token)
}

/// Line by line; of a date, which depends on today, only that it is there.
#[track_caller]
fn assert_same(seen: &str, golden: &str) {
    assert_eq!(seen.lines().count(), golden.lines().count(), "{seen}");
    for (seen, golden) in seen.lines().zip(golden.lines()) {
        if golden.contains("2027") {
            let is_digit = |byte: u8| byte.is_ascii_digit();
            let text = |line: &str| line.bytes().filter(|byte| !is_digit(*byte)).count();
            assert!(seen.contains("20") && text(seen) > 10, "{seen}");
        } else {
            assert_eq!(seen, golden);
        }
    }
}

#[test]
fn d_18_each_language_arrives_as_its_golden_file() {
    let mailbox = MailServer::start();
    let server = start(&mailbox);
    for (code, tag) in LANGUAGES {
        let (mail, process) = mail_of(&server, &mailbox, &json!({"language": code}));
        assert!(mail.text.is_ascii(), "{code}");
        assert_eq!(mail.header("To"), ADDRESS);
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        assert_eq!(mail.header("Content-Language"), tag);
        assert_eq!(mail.header("MIME-Version"), "1.0");
        let kind = mail.header("Content-Type");
        assert!(kind.starts_with("multipart/alternative;"), "{kind}");
        // The last of the alternatives is the one that is shown.
        let position = |kind: &str| {
            mail.text
                .find(&format!("Content-Type: {kind}; charset=utf-8"))
        };
        let (text, html) = (
            position("text/plain").unwrap(),
            position("text/html").unwrap(),
        );
        assert!(text < html, "{}", mail.text);

        let token = mail.token();
        let text = format!("Subject: {}\n\n{}", mail.subject(), mail.part("text/plain"));
        assert_same(&text, &golden(&format!("{tag}.txt"), process, &token));
        let html = mail.part("text/html");
        assert_same(&html, &golden(&format!("{tag}.html"), process, &token));

        let path = format!("/dcv/approve/{token}");
        let page = exchange(server.alice.address, &request("GET", &path, &[], b""));
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.text();
        assert!(page.contains(&format!("<html lang=\"{tag}\">")), "{page}");
        let (_, rest) = page.split_once("name=\"form_token\" value=\"").unwrap();
        let (form_token, _) = rest.split_once('"').unwrap();
        let form = format!("form_token={form_token}&reject=reject");
        let headers = ["Content-Type: application/x-www-form-urlencoded"];
        let bytes = request("POST", &path, &headers, form.as_bytes());
        let thanks = exchange(server.alice.address, &bytes);
        assert_eq!(thanks.status, 200, "{}", thanks.text());
        assert!(thanks.text().contains(&format!("<html lang=\"{tag}\">")));
    }
}

#[test]
fn the_language_is_the_one_asked_for_or_that_of_the_country_or_english() {
    let mailbox = MailServer::start();
    let server = start(&mailbox);
    for (more, tag) in [
        (json!({}), "en"),
        (json!({"language": "nl"}), "nl"),
        (json!({"language": null, "country": "SE"}), "sv"),
        (json!({"country": "br"}), "pt"),
        (json!({"country": "CH"}), "en"),
        (json!({"country": "GB"}), "en"),
        (json!({"language": "FR", "country": "DE"}), "fr"),
        (json!({"saLanguage": "TR"}), "tr"),
        (json!({"saLanguage": "tr", "language": "It"}), "it"),
    ] {
        let (mail, _) = mail_of(&server, &mailbox, &more);
        assert_eq!(mail.header("Content-Language"), tag, "{more}");
    }
}
