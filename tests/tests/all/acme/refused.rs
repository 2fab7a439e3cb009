//! What an upstream cannot be asked for, and what it refuses.

use serde_json::json;

use super::World;
use crate::support::csr::csr;
use crate::support::pebble::{Manners, Pebble};

#[test]
fn d_1_mail_proves_nothing_to_an_upstream() {
    let mut world = World::new();
    world.house.start(None);
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["reseal.dev"]),
        "dcv": [{"commonName": "reseal.dev", "type": "EMAIL", "email": "admin@reseal.dev"}]});
    let reply = world.house.alice.post("/v2/ssl/certificates", &body);
    let refused = reply.violates("dcv[0].type");
    let message = refused["violations"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("takes FILE, DNS") || message.contains("takes DNS, FILE"),
        "{refused}"
    );
}

#[test]
fn a_csr_has_exactly_the_names_that_are_ordered() {
    let mut world = World::new();
    world.house.start(None);
    let post = |body| world.house.alice.post("/v2/ssl/certificates", &body);
    let order = |product: &str, names: &[&str]| json!({"customer": "alice", "product": product, "period": 12, "csr": csr(names)});
    // The free www name is in no CSR that does not ask for it.
    let refused = post(order("ssl_dv", &["reseal.dev"])).violates("csr");
    let message = refused["violations"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("`www.reseal.dev`") && message.contains("\"san\": []"),
        "{refused}"
    );
    let mut declined = order("ssl_dv", &["reseal.dev"]);
    declined["san"] = json!([]);
    assert_eq!(post(declined).status, 202);
    let mut fewer = order("ssl_dv_md", &["a.reseal.dev", "b.reseal.dev"]);
    fewer["san"] = json!(["a.reseal.dev"]);
    post(fewer).violates("csr");
}

#[test]
fn nasty_140_a_name_that_the_upstream_does_not_certify_fails_with_its_words() {
    let manners = Manners {
        settings: json!({"domainBlocklist": ["blocked.dev"]}),
        ..Manners::default()
    };
    let mut world = World::with(&manners, "");
    world.house.start(None);
    let reply = world.request(&["blocked.dev"]);
    let failed = world.house.wait_for(reply.process(), "FAILED");
    let detail = failed["statusDetail"].as_str().unwrap();
    assert!(
        detail.contains("pebble") && detail.contains("rejectedIdentifier"),
        "{detail}"
    );
}

#[test]
fn an_upstream_that_is_not_there_is_waited_for() {
    let dns = crate::support::dns_stub::DnsStub::start();
    let pebble = Pebble::start(dns.address, &Manners::default());
    let nobody = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
    let mut world = World::over(dns, pebble, "", |pebble| pebble.table_at(nobody));
    world.house.start(None);
    let reply = world.request(&["reseal.dev"]);
    let waits = world.house.wait_for(reply.process(), "SUSPENDED");
    let detail = waits["statusDetail"].as_str().unwrap();
    assert!(
        detail.contains("issuer `pebble`") && detail.contains("no connection"),
        "{detail}"
    );
    world.house.kill();
    // It is there again: what was accepted goes on.
    let path = world.house.data().join("reseal.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let there = text.replace(
        "https://127.0.0.1:1/",
        &format!("https://{}/", world.pebble.address()),
    );
    std::fs::write(path, there).unwrap();
    world.house.start(None);
    world.house.resend(reply.process());
    world.finish(reply.process());
}

#[test]
fn an_upstream_whose_certificate_nobody_vouches_for_is_not_spoken_to() {
    let dns = crate::support::dns_stub::DnsStub::start();
    let pebble = Pebble::start(dns.address, &Manners::default());
    let mut world = World::over(dns, pebble, "", |pebble| {
        let lines = pebble.table();
        let lines = lines.lines().filter(|line| !line.starts_with("ca_file"));
        lines.collect::<Vec<_>>().join("\n")
    });
    world.house.start(None);
    let reply = world.request(&["reseal.dev"]);
    let waits = world.house.wait_for(reply.process(), "SUSPENDED");
    let detail = waits["statusDetail"].as_str().unwrap();
    assert!(detail.contains("certificate"), "{detail}");
}
