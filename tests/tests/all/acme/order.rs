//! Orders, reissues and renewals that go as they should.

use std::fs;
use std::process::Command;

use serde_json::json;

use super::{NAMES, World};
use crate::support::acme_stub::AcmeStub;
use crate::support::csr::csr;
use crate::support::dns_stub::DnsStub;
use crate::support::pebble::Manners;
use crate::support::server::reseal;
use crate::support::web::WebHost;

/// The chain that is served with a certificate, which `openssl` follows to the upstream's root.
#[track_caller]
fn verify(world: &World, certificate: i64) {
    let folder = tempfile::tempdir().unwrap();
    let (leaf, bundle) = (
        folder.path().join("leaf.pem"),
        folder.path().join("bundle.pem"),
    );
    fs::write(&leaf, world.download(certificate, "CRT")).unwrap();
    fs::write(&bundle, world.download(certificate, "CA_BUNDLE")).unwrap();
    let verified = Command::new("openssl")
        .args(["verify", "-CAfile"])
        .arg(world.pebble.own_root())
        .arg("-untrusted")
        .args([&bundle, &leaf])
        .output()
        .unwrap();
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
    let shown = Command::new("openssl")
        .args(["x509", "-noout", "-issuer", "-in"])
        .arg(&leaf)
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("Pebble Intermediate CA"), "{shown}");
}

#[test]
fn d_36_d_37_an_order_is_proved_here_and_there_and_a_reissue_takes_its_place() {
    let mut world = World::new();
    world.house.start(None);
    let reply = world.request(NAMES);
    assert_eq!(reply.status, 202, "{}", reply.text());
    let process = reply.process();
    let info = world.asked_for(process);
    for entry in info["validations"]["dcv"].as_array().unwrap() {
        let name = entry["commonName"].as_str().unwrap();
        assert_eq!(entry["dnsRecord"], format!("_acme-challenge.{name}."));
        assert_eq!(entry["dnsContents"].as_str().unwrap().len(), 43, "{entry}");
    }
    // A mistake is explained by us, and the upstream hears nothing of it.
    world
        .dns
        .txt("_acme-challenge.reseal.dev", "something else");
    world.house.resend(process);
    world.house.wait_until(process, || {
        let info = world.house.info(process);
        (info["validations"]["dcv"][0]["status"] == "ATTENTION").then_some(())
    });
    assert_eq!(world.count(process, "upstreamTold"), 0);
    let old = world.finish(process);
    assert_eq!(world.count(process, "upstreamTold"), 2);
    assert_eq!(world.count(process, "upstreamAsked"), 1);
    verify(&world, old);

    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let reply = world.house.alice.post(&path, &json!({"csr": csr(NAMES)}));
    assert_eq!(reply.status, 202, "{}", reply.text());
    let new = world.finish(reply.process());
    verify(&world, new);
    assert_eq!(world.house.certificate(old)["status"], "REISSUED");
    assert_eq!(world.house.certificate(new)["status"], "ACTIVE");
    assert_eq!(world.pebble.issued(), 2, "{}", world.pebble.log());

    let path = format!("/v2/ssl/certificates/{new}/renew");
    let body = json!({"csr": csr(NAMES), "period": 12});
    let reply = world.house.alice.post(&path, &body);
    assert_eq!(reply.status, 202, "{}", reply.text());
    let renewed = world.finish(reply.process());
    verify(&world, renewed);
    assert_eq!(world.house.certificate(new)["status"], "RENEWED");
    world.is_sound();
}

#[test]
fn d_36_a_name_is_proved_by_a_file_and_a_wildcard_by_dns_beside_its_base_name() {
    let web = WebHost::start();
    let manners = Manners {
        http_port: web.address.port(),
        ..Manners::default()
    };
    let mut world = World::with(&manners, &format!("http_port = {}", web.address.port()));
    world.house.start(None);
    world.dns.a("files.reseal.dev", [127, 0, 0, 1].into());
    let reply = world.request_by(&["files.reseal.dev"], Some("FILE"));
    assert_eq!(reply.status, 202, "{}", reply.text());
    let process = reply.process();
    let info = world.asked_for(process);
    let entry = &info["validations"]["dcv"][0];
    let location = entry["fileLocation"].as_str().unwrap();
    assert!(
        location.starts_with("files.reseal.dev/.well-known/acme-challenge/"),
        "{entry}"
    );
    web.file(location, entry["fileContents"].as_str().unwrap());
    world.house.resend(process);
    world.house.wait_for(process, "COMPLETED");
    assert!(world.house.timeline(process).contains("3.2.2.4.19"));

    let reply = world.request(&["reseal.org", "*.reseal.org"]);
    assert_eq!(reply.status, 202, "{}", reply.text());
    let process = reply.process();
    let info = world.asked_for(process);
    let entries = info["validations"]["dcv"].as_array().unwrap();
    assert_eq!(entries[0]["dnsRecord"], entries[1]["dnsRecord"]);
    assert_ne!(entries[0]["dnsContents"], entries[1]["dnsContents"]);
    world.finish(process);
    world.is_sound();
}

#[test]
fn v_7_r_12_what_one_customer_has_proved_there_proves_nothing_for_another() {
    let manners = Manners {
        variables: &[("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_AUTHZREUSE", "100")],
        ..Manners::default()
    };
    let mut world = World::with(&manners, "");
    let data = world.house.data();
    let data = data.to_str().unwrap();
    reseal(&["customer", "create", "bob", "--data", data]);
    let bob = reseal(&["api-key", "create", "--customer", "bob", "--data", data]);
    world.house.start(None);
    world.order();
    let body = json!({"customer": "bob", "product": "ssl_dv_md", "period": 12,
        "csr": csr(NAMES), "san": NAMES});
    let alice = std::mem::replace(&mut world.house.alice.key, bob);
    let reply = world.house.alice.post("/v2/ssl/certificates", &body);
    assert_eq!(reply.status, 202, "{}", reply.text());
    let process = reply.process();
    let info = world.asked_for(process);
    for entry in info["validations"]["dcv"].as_array().unwrap() {
        assert_ne!(entry["status"], "VALIDATED", "{info}");
    }
    // What the first one has published is for the first one's account.
    world.house.resend(process);
    world.house.wait_for(process, "SUSPENDED");
    assert_eq!(world.count(process, "proved"), 0);
    world.finish(process);
    world.house.alice.key = alice;
    let accounts = "SELECT count(DISTINCT url) FROM upstream_account";
    assert_eq!(world.house.database().number(accounts), 2);
}

#[test]
fn what_the_account_has_proved_before_is_not_asked_for_again() {
    let manners = Manners {
        variables: &[
            ("PEBBLE_VA_SLEEPTIME", "3"),
            ("PEBBLE_WFE_NONCEREJECT", "30"),
            ("PEBBLE_AUTHZREUSE", "100"),
        ],
        ..Manners::default()
    };
    let mut world = World::with(&manners, "");
    world.house.start(None);
    let old = world.order();
    world.dns.clear("_acme-challenge.reseal.dev");
    world.dns.clear("_acme-challenge.www.reseal.dev");
    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let reply = world.house.alice.post(&path, &json!({"csr": csr(NAMES)}));
    world.house.wait_for(reply.process(), "COMPLETED");
    assert_eq!(world.count(reply.process(), "upstreamTold"), 0);
}

#[test]
fn an_account_is_bound_to_one_elsewhere_where_the_upstream_wants_that() {
    let dns = DnsStub::start();
    let manners = Manners {
        settings: json!({"externalAccountBindingRequired": true, "externalAccountMACKeys":
            {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}}),
        ..Manners::default()
    };
    let pebble = crate::support::pebble::Pebble::start(dns.address, &manners);
    let mut world = World::over(dns, pebble, "", |pebble| {
        format!(
            "{}eab_key_id = \"kid-1\"\neab_key_file = \"eab\"\n",
            pebble.table()
        )
    });
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W\n";
    fs::write(world.house.data().join("eab"), key).unwrap();
    world.house.start(None);
    world.order();
    // The account's key is nowhere to be read.
    let sealed = world
        .house
        .database()
        .value("SELECT sealed FROM upstream_account")
        .unwrap();
    assert!(
        !sealed.contains("2a8648ce3d030107"),
        "a key in the clear: {sealed}"
    );
}

#[test]
fn v_9_that_a_certificate_outlives_its_subscription_stands_in_the_timeline() {
    let mut world = World::over(DnsStub::start(), AcmeStub::start(), "", AcmeStub::table);
    world.house.start(None);
    // The upstream's certificates are good for 90 days.
    for (months, noted) in [(1, 1), (12, 0)] {
        let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": months,
            "csr": csr(NAMES), "san": NAMES});
        let process = world.house.alice.post("/v2/ssl/certificates", &body);
        let process = process.process();
        world.finish(process);
        assert_eq!(world.count(process, "outlivesSubscription"), noted);
    }
    world.is_sound();
}

#[test]
fn nasty_141_what_leads_to_another_root_is_not_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign.pem");
    fs::write(&foreign, crate::support::csr::self_signed("reseal.dev")).unwrap();
    let mut world = World::over(DnsStub::start(), AcmeStub::start(), "", |stub| {
        format!("{}roots_file = \"{}\"\n", stub.table(), foreign.display())
    });
    world.house.start(None);
    let process = world.request(NAMES).process();
    world.publish(&world.asked_for(process));
    world.house.resend(process);
    let failed = world.house.wait_for(process, "FAILED");
    let said = failed["statusDetail"].as_str().unwrap();
    assert!(said.contains("none of the roots"), "{said}");
}
