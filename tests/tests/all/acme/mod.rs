//! Certificates that an ACME server elsewhere issues: Debian's `pebble`, with what it does to find careless clients.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod advice;
mod doubt;
mod killed;
mod lying;
mod order;
mod refused;
mod revoked;
mod rollover;
mod unproved;

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::csr::csr;
use crate::support::dns_stub::DnsStub;
use crate::support::http::Reply;
use crate::support::pebble::{Manners, Pebble};
use crate::world::house::House;

/// The names that most tests order.
const NAMES: &[&str] = &["reseal.dev", "www.reseal.dev"];

/// A house whose products are issued elsewhere; nothing runs there yet.
struct World<U = Pebble> {
    house: House,
    dns: DnsStub,
    pebble: U,
}

impl World {
    #[track_caller]
    fn new() -> Self {
        Self::with(&Manners::default(), "")
    }

    /// With further lines below `[dcv]`.
    #[track_caller]
    fn with(manners: &Manners<'_>, dcv: &str) -> Self {
        let dns = DnsStub::start();
        let pebble = Pebble::start(dns.address, manners);
        Self::over(dns, pebble, dcv, Pebble::table)
    }
}

impl World {
    /// Revokes a certificate, for its key was seen elsewhere, and waits until the upstream has revoked it as well.
    #[track_caller]
    fn revoke(&self, certificate: i64) {
        let serial = self.serial(certificate);
        assert_eq!(self.pebble.status_of(&serial)["Status"], "Valid");
        let body = serde_json::json!({"reason": "KEY_COMPROMISE"}).to_string();
        let reply = self.house.alice.call(
            "DELETE",
            &format!("/v2/ssl/certificates/{certificate}"),
            &["Content-Type: application/json"],
            body.as_bytes(),
        );
        assert!(reply.status < 300, "{}", reply.text());
        assert_eq!(self.house.certificate(certificate)["status"], "REVOKED");
        let deadline = Instant::now() + Duration::from_secs(20);
        let status = loop {
            let status = self.pebble.status_of(&serial);
            if status["Status"] == "Revoked" || Instant::now() > deadline {
                break status;
            }
            thread::sleep(Duration::from_millis(100));
        };
        let (state, reason) = (&status["Status"], &status["Reason"]);
        assert_eq!(
            (state.as_str(), reason.as_i64()),
            (Some("Revoked"), Some(1)),
            "{status}"
        );
    }
}

impl<U> World<U> {
    /// Serial number of a certificate, hex.
    #[track_caller]
    fn serial(&self, certificate: i64) -> String {
        let select = format!("SELECT serial FROM certificate WHERE id = {certificate}");
        self.house.database().value(&select).unwrap()
    }

    #[track_caller]
    fn over(dns: DnsStub, pebble: U, dcv: &str, table: impl Fn(&U) -> String) -> Self {
        let house = House::new(&format!(
            "[dcv]\nresolvers = [\"{}\"]\ndnssec = \"off\"\nallow_networks = [\"127.0.0.0/8\"]\n{dcv}\n\
             [limits]\nenabled = false\n{}",
            dns.address,
            table(&pebble)
        ));
        let path = house.data().join("products.toml");
        let catalogue = std::fs::read_to_string(&path).unwrap();
        let catalogue = catalogue.replace(
            "validation_type = \"DOMAIN_VALIDATION\"\n",
            "validation_type = \"DOMAIN_VALIDATION\"\nissuer = \"pebble\"\n",
        );
        let catalogue = catalogue.replace("renewal_window = 30\n", "renewal_window = 400\n");
        std::fs::write(path, catalogue).unwrap();
        Self { house, dns, pebble }
    }

    /// Orders `names`, in a CSR that has them and no others.
    #[track_caller]
    fn request(&self, names: &[&str]) -> Reply {
        self.request_by(names, None)
    }

    #[track_caller]
    fn request_by(&self, names: &[&str], method: Option<&str>) -> Reply {
        let mut body = serde_json::json!({"customer": "alice", "product": "ssl_dv_md", "period": 12,
            "csr": csr(names), "san": names});
        if let Some(method) = method {
            let entry = |name: &&str| serde_json::json!({"commonName": name, "type": method});
            body["dcv"] = names.iter().map(entry).collect();
        }
        self.house.alice.post("/v2/ssl/certificates", &body)
    }

    /// What the process asks to be published, once it is known.
    #[track_caller]
    fn asked_for(&self, process: i64) -> Value {
        self.house.wait_until(process, || {
            let info = self.house.info(process);
            let entries = info["validations"]["dcv"].as_array().unwrap();
            let known = |entry: &Value| {
                entry["status"] == "VALIDATED"
                    || entry.get("dnsRecord").is_some()
                    || entry.get("fileLocation").is_some()
            };
            entries.iter().all(known).then_some(info)
        })
    }

    /// Publishes every record that is asked for.
    fn publish(&self, info: &Value) {
        publish_at(&self.dns, info);
    }

    /// Waits until the process has `status`, with `part` in the words for it.
    #[track_caller]
    fn says(&self, process: i64, status: &str, part: &str) {
        let process = self.house.wait_for(process, status);
        let said = process["statusDetail"].as_str().unwrap();
        assert!(said.contains(part), "{said}");
    }

    /// Publishes and waits until the process led to a certificate.
    #[track_caller]
    fn finish(&self, process: i64) -> i64 {
        self.publish(&self.asked_for(process));
        self.house.resend(process);
        self.house.wait_for(process, "COMPLETED");
        self.house.certificate_of(process)
    }

    /// A certificate for [`NAMES`].
    #[track_caller]
    fn order(&self) -> i64 {
        let reply = self.request(NAMES);
        assert_eq!(reply.status, 202, "{}", reply.text());
        self.finish(reply.process())
    }

    #[track_caller]
    fn download(&self, certificate: i64, format: &str) -> String {
        let path = format!("/v2/ssl/certificates/{certificate}/download?format={format}");
        let reply = self.house.alice.get(&path);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.text()
    }

    /// How often an event stands in the timeline of a process.
    #[track_caller]
    fn count(&self, process: i64, event: &str) -> usize {
        let timeline: Value = serde_json::from_str(&self.house.timeline(process)).unwrap();
        let events = timeline["entities"].as_array().unwrap();
        events.iter().filter(|one| one["event"] == event).count()
    }

    /// Nothing that is stored contradicts anything else.
    #[track_caller]
    fn is_sound(&self) {
        let (said, wrong) = crate::deep::examine(&self.house.data());
        assert!(
            wrong.is_empty() && said.contains("each certificate of an upstream was ordered"),
            "{said}"
        );
    }
}

/// Publishes every record that `info` asks for at `dns`; names may share one.
fn publish_at(dns: &DnsStub, info: &Value) {
    let entries = info["validations"]["dcv"].as_array().unwrap();
    let shown = |entry: &&Value| entry.get("dnsRecord").is_some();
    for entry in entries.iter().filter(shown) {
        dns.clear(entry["dnsRecord"].as_str().unwrap());
    }
    for entry in entries.iter().filter(shown) {
        assert_eq!(entry["dnsType"], "TXT", "{entry}");
        dns.txt(
            entry["dnsRecord"].as_str().unwrap(),
            entry["dnsContents"].as_str().unwrap(),
        );
    }
}
