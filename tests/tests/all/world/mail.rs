//! EMAIL: a real SMTP conversation, the page behind the link, and a mail server that is out of order or refuses.

use serde_json::json;

use super::World;
use crate::support::http::{Reply, exchange, request};

const ADDRESS: &str = "hostmaster@good.dev";
const NAME: &str = "good.dev";

/// Somebody with a browser and no key.
pub(super) fn visit(world: &World, method: &str, token: &str, form: &str) -> Reply {
    let path = format!("/dcv/approve/{token}");
    let headers = ["Content-Type: application/x-www-form-urlencoded"];
    exchange(
        world.house.alice.address,
        &request(method, &path, &headers, form.as_bytes()),
    )
}

#[track_caller]
pub(super) fn approval_form(page: &Reply) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"form_token\" value=\"").unwrap();
    let (token, _) = rest.split_once('"').unwrap();
    format!("form_token={token}&approve=approve")
}

#[test]
fn d_19_reading_the_page_changes_nothing_and_approving_works_once() {
    let world = World::start();
    let reply = world.ask(&[NAME], &json!({"type": "EMAIL", "email": ADDRESS}));
    let process = reply.process();
    let mail = world.mail.wait_for_mail(ADDRESS);
    assert_eq!(mail.recipients, [ADDRESS]);
    assert!(mail.text.contains(NAME), "{}", mail.text);
    let token = mail.token();

    world.house.wait_for(process, "SUSPENDED");
    let before = world.house.timeline(process);
    let page = visit(&world, "GET", &token, "");
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(visit(&world, "GET", &token, "").text(), page.text());
    assert_eq!(world.house.timeline(process), before);
    world.house.wait_for(process, "SUSPENDED");

    let form = approval_form(&page);
    let answer = visit(&world, "POST", &token, &form);
    assert_eq!(answer.status, 200, "{}", answer.text());
    world.house.wait_for(process, "COMPLETED");
    world.verifies(world.house.certificate_of(process), NAME);

    let neutral = visit(&world, "GET", "00000000000000000000000000000000", "");
    assert_eq!(neutral.status, 404);
    for again in [
        visit(&world, "GET", &token, ""),
        visit(&world, "POST", &token, &form),
    ] {
        assert_eq!(again.status, neutral.status);
        assert_eq!(again.text(), neutral.text());
    }
}

#[test]
fn d_12_changing_the_method_kills_the_link_that_is_out() {
    let world = World::start();
    let reply = world.ask(&[NAME], &json!({"type": "EMAIL", "email": ADDRESS}));
    let process = reply.process();
    let token = world.mail.wait_for_mail(ADDRESS).token();
    world.house.wait_for(process, "SUSPENDED");
    let form = approval_form(&visit(&world, "GET", &token, ""));
    world.resend_as(process, NAME, "DNS");
    assert_eq!(visit(&world, "GET", &token, "").status, 404);
    assert_eq!(visit(&world, "POST", &token, &form).status, 404);
    let info = world.house.info(process);
    assert_eq!(info["validations"]["dcv"][0]["type"], "DNS");
    assert_ne!(info["validations"]["dcv"][0]["status"], "VALIDATED");
    world.publish("good.dev.", &info);
    world.complete(process);
}

#[test]
fn an_outage_of_the_mail_server_delays_and_does_not_fail() {
    let world = World::start();
    world.mail.out_of_order(true);
    let reply = world.ask(&[NAME], &json!({"type": "EMAIL", "email": ADDRESS}));
    let process = reply.process();
    let timeline = world.house.wait_until(process, || {
        let timeline = world.house.timeline(process);
        timeline
            .contains(r#""event":"mailFailed""#)
            .then_some(timeline)
    });
    assert!(timeline.contains("421"), "{timeline}");
    world.house.wait_for(process, "SUSPENDED");
    assert!(world.mail.mails_to(ADDRESS).is_empty());

    // Nobody resends: the server tries again by itself.
    world.mail.out_of_order(false);
    let token = world.mail.wait_for_mail(ADDRESS).token();
    let form = approval_form(&world.house.wait_until(process, || {
        let page = visit(&world, "GET", &token, "");
        (page.status == 200).then_some(page)
    }));
    assert_eq!(visit(&world, "POST", &token, &form).status, 200);
    world.house.wait_for(process, "COMPLETED");
}

#[test]
fn a_mailbox_that_does_not_exist_is_the_customers_to_mend_and_tried_once() {
    let world = World::start();
    world.mail.refuse(true);
    // The second name is looked at every few seconds, and with it the mail would be tried again.
    let reply = world.ask(
        &[NAME, "www.good.dev"],
        &json!({"type": "EMAIL", "email": ADDRESS}),
    );
    let process = reply.process();
    world.resend_as(process, "www.good.dev", "DNS");
    let failures = || {
        let timeline = world.house.timeline(process);
        timeline.matches(r#""event":"mailFailed""#).count()
    };
    world
        .house
        .wait_until(process, || (failures() > 0).then_some(()));
    world.house.wait_for(process, "SUSPENDED");
    let info = world.house.info(process);
    assert_eq!(
        info["validations"]["dcv"][0]["status"], "ATTENTION",
        "{info}"
    );
    let before = (failures(), world.mail.refused());
    world.house.wait_until(process, || {
        let rounds = world
            .house
            .timeline(process)
            .matches(r#""event":"waiting""#)
            .count();
        (rounds > 3).then_some(())
    });
    assert_eq!((failures(), world.mail.refused()), before);
}

/// What became of a mail is recorded on top of what was asked for while the mail server took its time.
#[test]
fn a_mail_that_took_its_time_is_sent_once_and_known_to_be() {
    let world = World::start();
    world.mail.hesitate(true);
    let reply = world.ask(&[NAME], &json!({"type": "EMAIL", "email": ADDRESS}));
    let process = reply.process();
    let token = world.mail.wait_for_mail(ADDRESS).token();
    world.house.resend(process);
    world.mail.hesitate(false);
    let sent = || {
        let timeline = world.house.timeline(process);
        timeline.matches(r#""event":"mailSent""#).count()
    };
    world
        .house
        .wait_until(process, || (sent() > 0).then_some(()));
    world.house.wait_for(process, "SUSPENDED");
    assert_eq!((sent(), world.mail.mails_to(ADDRESS).len()), (1, 1));
    assert_eq!(visit(&world, "GET", &token, "").status, 200);
}
