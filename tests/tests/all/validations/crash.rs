//! A decision is durable: whenever the server dies, the certificate comes, and once.

use serde_json::json;

use super::order;
use crate::support::dns_stub::DnsStub;
use crate::support::server::reseal;
use crate::world::house::House;

/// A house with an OV order whose names are proved; the server runs.
#[track_caller]
fn waiting() -> (House, DnsStub, i64) {
    let dns = DnsStub::start();
    let mut house = House::new(&format!(
        "[dcv]\nresolvers = [\"{}\"]\ndnssec = \"off\"\nallow_networks = [\"127.0.0.0/8\"]\n\
         [limits]\nenabled = false\n",
        dns.address
    ));
    house.start(None);
    let body = order("ssl_ov", &json!({}));
    let reply = house.alice.post("/v2/ssl/certificates", &body);
    let info = reply.expect(202);
    for entry in info["validations"]["dcv"].as_array().unwrap() {
        let text = |field: &str| entry[field].as_str().unwrap();
        dns.clear(text("dnsRecord"));
        dns.cname(text("dnsRecord"), text("dnsContents"));
    }
    let process = reply.process();
    house.resend(process);
    house.wait_until(process, || {
        let entries = &house.info(process)["validations"]["dcv"];
        let proved = |entry: &serde_json::Value| entry["status"] == "VALIDATED";
        entries.as_array().unwrap().iter().all(proved).then_some(())
    });
    house.wait_for(process, "SUSPENDED");
    (house, dns, process)
}

#[track_caller]
fn approve(house: &House, process: i64) {
    let data = house.data();
    let data = data.to_str().unwrap();
    reseal(&[
        "validation",
        "approve",
        &process.to_string(),
        "--data",
        data,
    ]);
}

#[track_caller]
fn completed_once(house: &mut House, process: i64) {
    house.wait_for(process, "COMPLETED");
    house.certificate_of(process);
    house.kill();
    let database = house.database();
    for (table, rows) in [
        ("certificate", 1),
        ("reservation", 1),
        ("audit WHERE action LIKE 'validation.%'", 1),
        ("vetted_check", 3),
        ("pending_validation", 0),
    ] {
        let count = format!("SELECT count(*) FROM {table}");
        let found = database.number(&count);
        assert_eq!(found, rows, "{table}");
    }
}

#[test]
fn approved_while_no_server_runs() {
    let (mut house, _dns, process) = waiting();
    house.kill();
    approve(&house, process);
    house.start(None);
    completed_once(&mut house, process);
}

#[test]
fn killed_at_each_step_after_the_approval() {
    for point in ["proved", "caa-checked", "reserved", "signed"] {
        let (mut house, _dns, process) = waiting();
        house.kill();
        house.start(Some(point));
        approve(&house, process);
        house.wait_for_line("holding at fault point");
        house.kill();
        house.start(None);
        completed_once(&mut house, process);
    }
}
