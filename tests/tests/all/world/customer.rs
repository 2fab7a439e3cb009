//! A customer with `reseal reissue`, a signed zone, a web host and a mailbox.

use super::World;
use super::mail::{approval_form, visit};
use crate::client::Desk;

#[test]
fn v_3_a_customer_proves_anew_by_each_method_with_one_command() {
    let mut world = World::start();
    let old = world.certificate("good.dev.", &["www.good.dev"]);
    // The proof is too old by then, the certificate is over, the subscription is not.
    world.house.kill();
    world.house.start_at("+250d");
    let desk = Desk::with(&world.house.alice);
    let by_dns = ["--dcv", "dns", "--out", "dns"];
    let said = desk.reissue(old, &by_dns);
    said.has(0, &["www.good.dev: publish this DNS record"]);
    world
        .knot
        .add("good.dev.", said.row("name"), "CNAME", said.row("contents"));
    let said = desk.reissue(old, &[&by_dns[..], &["--wait"]].concat());
    said.has(0, &["replaces"]);
    assert!(desk.read("dns/key.pem").contains("PRIVATE KEY"));

    let newest = world
        .house
        .alice
        .get("/v2/ssl/certificates?limit=1")
        .expect(200);
    let next = newest["entities"][0]["id"].as_i64().unwrap();
    assert_ne!(next, old);
    world.house.kill();
    world.house.start_at("+360d");
    // Where the server listens is another place now.
    let desk = Desk::with(&world.house.alice);
    world
        .knot
        .add("good.dev.", "www.good.dev.", "A", "127.0.0.1");
    let by_file = ["--dcv", "file", "--out", "file"];
    let said = desk.reissue(next, &by_file);
    said.has(0, &["put this file on the web server"]);
    let place = said.row("at").strip_prefix("http://").unwrap();
    let lines = said
        .out
        .lines()
        .skip_while(|line| !line.starts_with("  lines"));
    let lines = lines.take_while(|line| line.starts_with("  "));
    let lines: Vec<&str> = lines.map(|line| &line[12..]).collect();
    world.web.file(place, &lines.join("\n"));
    desk.reissue(next, &[&by_file[..], &["--wait"]].concat())
        .has(0, &["replaces"]);
}

#[test]
fn d_19_a_customer_waits_for_the_answer_to_a_mail() {
    let mut world = World::start();
    let old = world.certificate("good.dev.", &["www.good.dev"]);
    world.house.kill();
    world.house.start_at("+250d");
    let desk = Desk::with(&world.house.alice);
    let by_mail = ["--dcv", "email", "--out", "mail"];
    desk.reissue(old, &by_mail).has(
        0,
        &[
            "hostmaster@good.dev is asked",
            "to        hostmaster@good.dev",
        ],
    );
    let mail = world.mail.wait_for_mail("hostmaster@good.dev");
    let form = approval_form(&visit(&world, "GET", &mail.token(), ""));
    assert_eq!(visit(&world, "POST", &mail.token(), &form).status, 200);
    desk.reissue(old, &[&by_mail[..], &["--wait"]].concat())
        .has(0, &["replaces"]);
    assert_eq!(world.house.certificate(old)["status"], "REISSUED");
}
