//! SIGKILL at every named step of a reissue, and at those of a renewal that differ: after a restart the process completes exactly once, and no serial
//! is lost or used twice (rules.md P-2).

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod resumed;
mod stopped;

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::dns_stub::DnsStub;
use crate::support::server::reseal;
use crate::world::house::House;

pub(crate) const HELD: &str = "holding at fault point";

/// By which call a certificate is replaced.
#[derive(Clone, Copy)]
pub(crate) enum Front {
    Reissue,
    Renew,
}

impl Front {
    /// The last part of the path, and the process's action.
    fn word(self) -> &'static str {
        match self {
            Self::Reissue => "reissue",
            Self::Renew => "renew",
        }
    }

    /// What becomes of the old certificate.
    fn status(self) -> &'static str {
        match self {
            Self::Reissue => "REISSUED",
            Self::Renew => "RENEWED",
        }
    }

    fn body(self, names: &[&str]) -> Value {
        let mut body = json!({"csr": csr(names), "san": names});
        if matches!(self, Self::Renew) {
            body["period"] = json!(12);
        }
        body
    }
}

/// Which way it takes.
#[derive(Clone, Copy)]
enum Way {
    /// Every proof is at hand: recorded and reserved in one commit, answered with 201.
    AtOnce,
    /// A new name is proved after the answer, round by round.
    Proving,
}

#[test]
fn killed_at_accepted_with_fresh_proofs() {
    survives("accepted", Way::AtOnce);
}

#[test]
fn nasty_028_killed_at_reserved_with_fresh_proofs() {
    survives("reserved", Way::AtOnce);
}

#[test]
fn nasty_028_killed_at_signed_with_fresh_proofs() {
    survives("signed", Way::AtOnce);
}

#[test]
fn killed_at_completed_with_fresh_proofs() {
    survives("completed", Way::AtOnce);
}

#[test]
fn killed_at_accepted_with_a_name_to_prove() {
    survives("accepted", Way::Proving);
}

#[test]
fn killed_at_proved() {
    survives("proved", Way::Proving);
}

#[test]
fn killed_at_caa_checked() {
    survives("caa-checked", Way::Proving);
}

#[test]
fn nasty_028_killed_at_reserved_with_a_name_to_prove() {
    survives("reserved", Way::Proving);
}

#[test]
fn nasty_028_killed_at_signed_with_a_name_to_prove() {
    survives("signed", Way::Proving);
}

#[test]
fn killed_at_completed_with_a_name_to_prove() {
    survives("completed", Way::Proving);
}

#[test]
fn a_renewal_killed_at_reserved_with_fresh_proofs() {
    renewal_survives("reserved", Way::AtOnce);
}

#[test]
fn a_renewal_killed_at_signed_with_fresh_proofs() {
    renewal_survives("signed", Way::AtOnce);
}

#[test]
fn a_renewal_killed_at_completed_with_fresh_proofs() {
    renewal_survives("completed", Way::AtOnce);
}

#[test]
fn a_renewal_killed_at_accepted_with_a_name_to_prove() {
    renewal_survives("accepted", Way::Proving);
}

#[test]
fn a_renewal_killed_at_signed_with_a_name_to_prove() {
    renewal_survives("signed", Way::Proving);
}

#[test]
fn nasty_027_what_is_being_signed_cannot_be_cancelled() {
    let (mut house, dns) = house();
    house.start(None);
    let old = order(&house, &dns);
    house.kill();
    for point in ["reserved", "signed"] {
        house.start(Some(point));
        let path = format!("/v2/ssl/certificates/{old}/reissue");
        // Open until the server has taken it: what nobody waits for need not be begun.
        let call = (point == "reserved").then(|| {
            let body = json!({"csr": csr(&["reseal.dev"])});
            house.send(&path, body.to_string().as_bytes())
        });
        // After the restart a worker comes by here again.
        house.wait_for_line(HELD);
        drop(call);
        let process = format!("/v2/processes/{}", reissue_process(&house));
        let reply = house.alice.delete(&process);
        reply.refused(400, "ObjectStatusProhibitsOperation");
        let resend = house.alice.post_raw(&format!("{process}/resend"), b"");
        resend.refused(400, "ObjectStatusProhibitsOperation");
        house.kill();
    }
    house.start(None);
    house.wait_for(reissue_process(&house), "COMPLETED");
}

pub(crate) fn house() -> (House, DnsStub) {
    let dns = DnsStub::start();
    let house = House::new(&format!(
        "[dcv]\nresolvers = [\"{}\"]\ndnssec = \"off\"\nallow_networks = [\"127.0.0.0/8\"]\n\
         [limits]\nenabled = false\n",
        dns.address
    ));
    (house, dns)
}

#[track_caller]
fn survives(point: &str, way: Way) {
    let (house, dns) = house();
    replacement_survives(Front::Reissue, point, way, house, &dns);
}

/// The subscription begins once, where the old one ends.
#[track_caller]
fn renewal_survives(point: &str, way: Way) {
    let (house, dns) = house();
    let path = house.data().join("products.toml");
    let catalogue = std::fs::read_to_string(&path).unwrap();
    let catalogue = catalogue.replace("renewal_window = 30\n", "renewal_window = 400\n");
    std::fs::write(path, catalogue).unwrap();
    let house = replacement_survives(Front::Renew, point, way, house, &dns);
    let ends = house
        .database()
        .rows("SELECT starts, ends FROM subscription ORDER BY id");
    assert_eq!(ends.len(), 2);
    assert_eq!(ends[1][0], ends[0][1]);
}

/// The answer is the house, with nobody in it.
#[track_caller]
fn replacement_survives(
    front: Front,
    point: &str,
    way: Way,
    mut house: House,
    dns: &DnsStub,
) -> House {
    house.start(None);
    let old = order(&house, dns);
    house.kill();

    house.start(Some(point));
    let names: &[&str] = match way {
        Way::AtOnce => &["reseal.dev"],
        Way::Proving => &["reseal.dev", "reseal.org"],
    };
    let body = front.body(names);
    let path = format!("/v2/ssl/certificates/{old}/{}", front.word());
    let call = house.send(&path, body.to_string().as_bytes());
    let mut looking = None;
    if matches!(way, Way::Proving) && point != "accepted" {
        let process = process_of(&house, front);
        house.wait_for(process, "SUSPENDED");
        publish(dns, &house.info(process));
        looking = Some(house.send(&format!("/v2/processes/{process}/resend"), b""));
    }
    house.wait_for_line(HELD);
    house.kill();
    drop((call, looking));
    let before = reserved(&house);
    // The order's serial, and the reissue's once it is recorded.
    let recorded =
        matches!(way, Way::AtOnce) || matches!(point, "reserved" | "signed" | "completed");
    assert_eq!(before.len(), 1 + usize::from(recorded));

    house.start(None);
    let process = process_of(&house, front);
    if matches!(way, Way::Proving) && point == "accepted" {
        house.wait_for(process, "SUSPENDED");
        publish(dns, &house.info(process));
        house.resend(process);
    }
    house.wait_for(process, "COMPLETED");
    let new = house.certificate_of(process);
    assert_eq!(house.certificate(old)["status"], front.status());
    assert_eq!(house.certificate(new)["status"], "ACTIVE");
    house.kill();
    completed_once(&house, front, old, process, &before);
    house
}

/// The store after the end: one process, one successor, one end, and each serial of a certificate was reserved.
#[track_caller]
pub(crate) fn completed_once(
    house: &House,
    front: Front,
    old: i64,
    process: i64,
    reserved_before: &[String],
) {
    let database = house.database();
    let count = |query: &str| database.number(query);
    let word = front.word();
    let processes = format!("SELECT count(*) FROM process WHERE action = '{word}'");
    assert_eq!(count(&processes), 1);
    assert_eq!(count("SELECT count(*) FROM process WHERE open = 1"), 0);
    assert_eq!(count("SELECT count(*) FROM certificate"), 2);
    let successors = format!(
        "SELECT count(*) FROM certificate WHERE predecessor = {old} AND process = {process}"
    );
    assert_eq!(count(&successors), 1);
    assert_eq!(count("SELECT count(DISTINCT serial) FROM certificate"), 2);
    assert_eq!(
        count(
            "SELECT count(*) FROM certificate c JOIN reservation r ON r.serial = c.serial AND r.process = c.process"
        ),
        2
    );
    let after = reserved(house);
    for serial in reserved_before {
        assert!(after.contains(serial), "a serial was lost");
    }
    // What was reserved for the process before the kill is what was issued: nothing was signed twice.
    let own = format!("SELECT count(*) FROM reservation WHERE process = {process}");
    assert_eq!(count(&own), 1);
    // The customer was told of each change once.
    let told = |occasion: &str| {
        count(&format!(
            "SELECT count(*) FROM notification WHERE process = {process} AND occasion = '{occasion}'"
        ))
    };
    assert_eq!((told("ACCEPTED"), told("ISSUED")), (1, 1));
    assert!(told("VALIDATED") <= 1);
    // Each step that survived has its entry in the log, and no other.
    let data = house.data();
    let shown = reseal(&["audit", "verify", "--data", data.to_str().unwrap()]);
    assert!(shown.starts_with("as it was written"), "{shown}");
}

/// The serial numbers that were reserved, in hexadecimal.
pub(crate) fn reserved(house: &House) -> Vec<String> {
    let rows = house
        .database()
        .rows("SELECT serial FROM reservation ORDER BY id");
    rows.into_iter()
        .map(|mut row| row.remove(0).unwrap())
        .collect()
}

#[track_caller]
pub(crate) fn order(house: &House, dns: &DnsStub) -> i64 {
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["reseal.dev"])});
    let reply = house.alice.post("/v2/ssl/certificates", &body);
    publish(dns, &reply.expect(202));
    house.resend(reply.process());
    house.wait_for(reply.process(), "COMPLETED");
    house.certificate_of(reply.process())
}

/// The only reissue there is, once it is recorded.
#[track_caller]
pub(crate) fn reissue_process(house: &House) -> i64 {
    process_of(house, Front::Reissue)
}

/// The only process of that kind, once it is recorded.
#[track_caller]
fn process_of(house: &House, front: Front) -> i64 {
    let path = format!("/v2/processes?action={}", front.word());
    house.wait_until(1, || {
        let found = house.alice.get(&path).expect(200);
        found["entities"][0]["id"].as_i64()
    })
}

pub(crate) fn publish(dns: &DnsStub, info: &Value) {
    for entry in info["validations"]["dcv"].as_array().unwrap() {
        if let (Some(owner), Some(target)) =
            (entry["dnsRecord"].as_str(), entry["dnsContents"].as_str())
        {
            dns.clear(owner);
            dns.cname(owner, target);
        }
    }
}
