//! Approval by addresses that the DNS names (BR 3.2.2.4.13 and .14), with a signed zone and a real mail server.

use serde_json::{Value, json};

use super::World;
use super::mail::{approval_form, visit};

const TXT: &str = "_validation-contactemail.good.dev.";

impl World {
    /// Approves by the link of the only mail to `address`.
    #[track_caller]
    fn approve(&self, process: i64, address: &str) {
        let mail = self.mail.wait_for_mail(address);
        self.house.wait_for(process, "SUSPENDED");
        let form = approval_form(&visit(self, "GET", &mail.token(), ""));
        assert_eq!(visit(self, "POST", &mail.token(), &form).status, 200);
        self.house.wait_for(process, "COMPLETED");
    }

    fn approvers(&self, name: &str) -> Vec<String> {
        let path = format!("/v2/ssl/dcvemailaddresslist/{name}");
        let list = self.house.alice.get(&path).expect(200);
        serde_json::from_value(list).unwrap()
    }
}

fn by_mail(address: &str) -> Value {
    json!({"type": "EMAIL", "email": address})
}

#[test]
fn d_14_d_17_d_20_nasty_094_a_contact_approves_for_the_domain_that_names_it() {
    let world = World::start();
    world
        .knot
        .add("good.dev.", TXT, "TXT", "\"Owner@Mailer.dev\"");
    let caa = r#"0 contactemail "hostmaster@corp.dev""#;
    world.knot.add("good.dev.", "good.dev.", "CAA", caa);
    let listed = world.approvers("www.good.dev");
    assert_eq!(listed.len(), 12, "{listed:?}");
    assert_eq!(
        listed[9..],
        [
            "postmaster@good.dev",
            "hostmaster@corp.dev",
            "owner@mailer.dev"
        ]
    );

    let reply = world.ask(&["www.good.dev"], &by_mail("owner@mailer.dev"));
    let process = reply.process();
    let mail = world.mail.wait_for_mail("owner@mailer.dev");
    assert_eq!(mail.recipients, ["owner@mailer.dev"]);
    world.approve(process, "owner@mailer.dev");
    let timeline = world.house.timeline(process);
    assert!(timeline.contains(r#""method":"3.2.2.4.14""#), "{timeline}");
    assert!(timeline.contains(r#""security":"secure""#), "{timeline}");

    // It proved good.dev and what is below; of the mailbox's own domain it says nothing.
    let below = world.house.alice.post(
        "/v2/ssl/certificates",
        &json!({"customer": "alice", "product": "ssl_dv_md", "period": 12,
            "csr": crate::support::csr::csr(&["*.other.good.dev"])}),
    );
    below.expect(201);
    world.ask(&["mailer.dev"], &json!({"type": "DNS"}));

    let reply = world.ask(&["caa.plain.dev"], &json!({"type": "DNS"}));
    world.knot.add(
        "plain.dev.",
        "plain.dev.",
        "CAA",
        r#"0 contactemail "ops@corp.dev""#,
    );
    let path = format!("/v2/processes/{}/resend", reply.process());
    let mut choice = by_mail("ops@corp.dev");
    choice["commonName"] = json!("caa.plain.dev");
    let answer = world.house.alice.post(&path, &json!({"dcv": [choice]}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    world.approve(reply.process(), "ops@corp.dev");
    let timeline = world.house.timeline(reply.process());
    assert!(timeline.contains(r#""method":"3.2.2.4.13""#), "{timeline}");
}

#[test]
fn nasty_091_nasty_093_who_is_not_named_properly_gets_no_mail() {
    let world = World::start();
    let refused = |address: &str| {
        let mut entry = by_mail(address);
        entry["commonName"] = json!("good.dev");
        let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12,
            "csr": crate::support::csr::csr(&["good.dev"]), "dcv": [entry]});
        let answer = world
            .house
            .alice
            .post("/v2/ssl/certificates", &body)
            .refused(400, "ConstraintViolationException");
        assert_eq!(answer["violations"][0]["field"], "dcv[0].email", "{answer}");
        answer
    };
    refused("ceo@good.dev");
    for text in [
        "mailto:ceo@good.dev",
        "ceo@good.dev cto@good.dev",
        "ceo@good.dev,",
    ] {
        world
            .knot
            .add("good.dev.", TXT, "TXT", &format!("\"{text}\""));
        refused("ceo@good.dev");
        world.knot.remove("good.dev.", TXT, "TXT");
    }
    // What a bogus zone names is not believed, and the refusal says so (S-3).
    let mut entry = by_mail("ceo@corp.dev");
    entry["commonName"] = json!("www.bogus.dev");
    world.knot.add(
        "bogus.dev.",
        "_validation-contactemail.bogus.dev.",
        "TXT",
        "\"ceo@corp.dev\"",
    );
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12,
        "csr": crate::support::csr::csr(&["www.bogus.dev"]), "dcv": [entry]});
    let answer = world
        .house
        .alice
        .post("/v2/ssl/certificates", &body)
        .refused(400, "ConstraintViolationException");
    let message = answer["violations"][0]["message"].as_str().unwrap();
    assert!(message.contains("bogus"), "{message}");
    assert!(world.mail.mails_to("ceo@good.dev").is_empty());
    assert!(world.mail.mails_to("ceo@corp.dev").is_empty());
}

#[test]
fn d_14_a_contact_that_is_gone_gets_no_further_mail() {
    let mut world = World::start();
    world
        .knot
        .add("good.dev.", TXT, "TXT", "\"owner@mailer.dev\"");
    let reply = world.ask(&["good.dev"], &by_mail("owner@mailer.dev"));
    world.mail.wait_for_mail("owner@mailer.dev");
    world.house.wait_for(reply.process(), "SUSPENDED");
    world.knot.remove("good.dev.", TXT, "TXT");
    // Another mail may go after ten minutes.
    world.house.kill();
    world.house.start_at("+1h");
    world.house.resend(reply.process());
    let info = world.house.wait_until(reply.process(), || {
        let info = world.house.info(reply.process());
        (info["validations"]["dcv"][0]["status"] == "ATTENTION").then_some(info)
    });
    assert_eq!(info["requiresAttention"], true, "{info}");
    assert_eq!(world.mail.mails_to("owner@mailer.dev").len(), 1);
}

#[test]
fn r_2_a_quote_asks_nobody_about_an_address() {
    let world = World::start();
    let quote = |address: &str| {
        let mut entry = by_mail(address);
        entry["commonName"] = json!("good.dev");
        let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12,
            "csr": crate::support::csr::csr(&["good.dev"]), "dcv": [entry]});
        world
            .house
            .alice
            .post("/v2/ssl/certificates?quote=true", &body)
    };
    world
        .knot
        .add("good.dev.", TXT, "TXT", "\"owner@mailer.dev\"");
    let refusal = quote("owner@mailer.dev").refused(400, "ConstraintViolationException");
    let message = refusal["violations"][0]["message"].as_str().unwrap();
    assert!(message.contains("a quote asks nobody"), "{message}");
    quote("admin@good.dev").expect(200);
    assert!(world.mail.mails_to("owner@mailer.dev").is_empty());
}
