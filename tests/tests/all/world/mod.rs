//! The server among real parts: Knot DNS with a signed tree, a mail server, a web host, `openssl` as the judge.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod calendar;
pub(crate) mod checks;
mod contacts;
mod customer;
mod dns;
mod dnssec;
mod doctor;
pub(crate) mod house;
mod mail;
mod persistent;
mod web;
mod webhooks;

use std::fs;
use std::process::Command;

use house::House;
use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::knot::Knot;
use crate::support::smtp::MailServer;
use crate::support::web::WebHost;

/// A server and everything around it.
struct World {
    house: House,
    knot: Knot,
    web: WebHost,
    mail: MailServer,
}

impl World {
    #[track_caller]
    fn start() -> Self {
        let (knot, web, mail) = (Knot::start(), WebHost::start(), MailServer::start());
        let mut house = House::new(&format!(
            "[dcv]\nresolvers = [\"{}\"]\ndnssec = \"validate\"\ntrust_anchor_file = \"anchor\"\n\
             http_port = {}\nallow_networks = [\"127.0.0.0/8\"]\n\
             [mail]\nurl = \"smtp://{}\"\n[limits]\nenabled = false\n",
            knot.address,
            web.address.port(),
            mail.address
        ));
        fs::write(house.data().join("anchor"), &knot.trust_anchor).unwrap();
        house.start(None);
        Self {
            house,
            knot,
            web,
            mail,
        }
    }

    /// Asks for a certificate of the multi-domain product; `dcv` is how the first name is to be proved.
    #[track_caller]
    fn ask(&self, names: &[&str], method: &Value) -> Reply {
        let mut method = method.clone();
        method["commonName"] = json!(names[0]);
        let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(names), "dcv": [method]});
        let reply = self.house.alice.post("/v2/ssl/certificates", &body);
        reply.expect(202);
        reply
    }

    /// Publishes in `zone` what every name that waits for DNS has to show.
    #[track_caller]
    fn publish(&self, zone: &str, info: &Value) {
        for entry in info["validations"]["dcv"].as_array().unwrap() {
            if entry["type"] == "DNS" && entry["status"] != "VALIDATED" {
                let text = |field: &str| entry[field].as_str().unwrap();
                self.knot
                    .add(zone, text("dnsRecord"), "CNAME", text("dnsContents"));
            }
        }
    }

    /// A certificate for `names`, proved by DNS in `zone`.
    #[track_caller]
    fn certificate(&self, zone: &str, names: &[&str]) -> i64 {
        let reply = self.ask(names, &json!({"type": "DNS"}));
        self.publish(zone, &reply.json());
        self.complete(reply.process())
    }

    /// Looks again, and waits for the certificate.
    #[track_caller]
    fn complete(&self, process: i64) -> i64 {
        self.house.resend(process);
        self.house.wait_for(process, "COMPLETED");
        self.house.certificate_of(process)
    }

    #[track_caller]
    fn resend_as(&self, process: i64, name: &str, method: &str) {
        let body = json!({"dcv": [{"commonName": name, "type": method}]});
        let path = format!("/v2/processes/{process}/resend");
        let reply = self.house.alice.post(&path, &body);
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    #[track_caller]
    fn download(&self, id: i64, format: &str) -> String {
        let path = format!("/v2/ssl/certificates/{id}/download?format={format}");
        let reply = self.house.alice.get(&path);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.text()
    }

    /// `openssl verify` with this server's root and nothing else.
    #[track_caller]
    fn verifies(&self, id: i64, name: &str) {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, contents: &str| {
            let path = folder.path().join(name);
            fs::write(&path, contents).unwrap();
            path
        };
        let output = Command::new("openssl")
            .args(["verify", "-x509_strict", "-purpose", "sslserver"])
            .args(["-verify_hostname", name, "-CAfile"])
            .arg(self.house.data().join("ca").join("root.pem"))
            .arg("-untrusted")
            .arg(file("chain.pem", &self.download(id, "CA_BUNDLE")))
            .arg(file("leaf.pem", &self.download(id, "CRT")))
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&said)
        );
    }
}
