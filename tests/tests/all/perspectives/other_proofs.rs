//! Hijacks of proofs by FILE and by a record that stays: seen by one network, by two, by all.

use serde_json::{Value, json};

use super::place::{AROUND, Place};
use super::{Around, Record};
use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::web::WebHost;

/// Name, the perspectives that are led elsewhere, and how many of them agree then.
const ROUNDS: [(&str, &[usize], &str); 4] = [
    ("all.good.dev", &[], "5/5"),
    ("one.good.dev", &[3], "4/5"),
    ("two.good.dev", &[0, 3], "3/5"),
    ("none.good.dev", &[0, 1, 2, 3, 4], "0/5"),
];

impl Around {
    #[track_caller]
    fn order(&self, name: &str, method: &str) -> Reply {
        let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&[name]), "san": [],
            "dcv": [{"commonName": name, "type": method}]});
        let reply = self.house.alice.post("/v2/ssl/certificates", &body);
        reply.expect(202);
        reply
    }

    /// Has the server look again, and waits for a look at `what` that found `quorum` of the perspectives to agree.
    #[track_caller]
    fn look_at(&self, process: i64, what: &str, quorum: &str) -> Value {
        self.house.resend(process);
        self.house.wait_until(process, || {
            self.attempts(process).into_iter().find(|attempt| {
                attempt["expected"].as_str().unwrap().contains(what)
                    && attempt["corroboration"]["quorum"] == quorum
            })
        })
    }

    /// Either there is a certificate, or the look names those who saw something else.
    #[track_caller]
    fn ends_as(&self, process: i64, look: &Value, hidden: &[usize]) {
        if hidden.len() < 2 {
            assert_eq!(look["verdict"], "proved", "{look}");
            self.is_issued(process, "performed");
            return;
        }
        assert_ne!(look["verdict"], "proved", "{look}");
        let seen = look["seen"].as_str().unwrap();
        for (index, place) in self.places.iter().enumerate() {
            let named = seen.contains(&format!("`{}`", place.name()));
            assert_eq!(named, hidden.contains(&index), "{seen}");
        }
        self.house.wait_for(process, "SUSPENDED");
        assert_eq!(self.events(process, "reserved"), [] as [Value; 0]);
    }
}

#[test]
fn m_1_m_4_a_file_that_two_of_five_networks_do_not_see_proves_nothing() {
    let web = WebHost::start();
    let port = web.address.port();
    let places = AROUND.map(|spot| Place::start_with_web(spot, port));
    let around = Around::start_among(
        "[policy]\nprofile = \"private\"\n",
        places.into(),
        &format!("http_port = {port}\nallow_networks = [\"127.0.0.0/8\"]\n"),
    );
    for (name, hidden, quorum) in ROUNDS {
        let owner = format!("{name}.");
        around.knot.add("good.dev.", &owner, "A", "127.0.0.1");
        let reply = around.order(name, "FILE");
        let entry = reply.json()["validations"]["dcv"][0].clone();
        let location = entry["fileLocation"].as_str().unwrap();
        let location = location.strip_prefix("http://").unwrap_or(location);
        let (host, path) = location.split_once('/').unwrap();
        let location = format!("{}/{path}", host.split(':').next().unwrap());
        let contents = entry["fileContents"].as_str().unwrap();
        web.file(&location, contents);
        for (index, place) in around.places.iter().enumerate() {
            let host = place.web.as_ref().unwrap();
            place
                .knot
                .add("good.dev.", &owner, "A", &place.web_address());
            // Whoever leads a network elsewhere has a web server there, and not the contents.
            host.file(
                &location,
                if hidden.contains(&index) {
                    "other"
                } else {
                    contents
                },
            );
        }
        let look = around.look_at(reply.process(), name, quorum);
        around.ends_as(reply.process(), &look, hidden);
        for place in &around.places {
            let asked = place.web.as_ref().unwrap().asked();
            assert!(asked.contains(&location), "{asked:?}");
        }
    }
}

#[test]
fn m_1_m_4_d_33_a_record_that_stays_and_that_two_of_five_networks_do_not_see_proves_nothing() {
    let around = Around::public();
    for (name, hidden, quorum) in ROUNDS {
        let reply = around.order(name, "DNS");
        let entry = reply.json()["validations"]["dcv"][0].clone();
        let text = |field: &str| entry[field].as_str().unwrap().to_owned();
        let record = Record {
            owner: text("persistentDnsRecord"),
            contents: format!("\"{}\"", text("persistentDnsContents")),
        };
        around
            .knot
            .add("good.dev.", &record.owner, "TXT", &record.contents);
        for (index, place) in around.places.iter().enumerate() {
            // Another account's, where somebody leads astray.
            let contents = if hidden.contains(&index) {
                record.contents.replace("acct:alice@", "acct:mallory@")
            } else {
                record.contents.clone()
            };
            place.knot.add("good.dev.", &record.owner, "TXT", &contents);
        }
        let look = around.look_at(reply.process(), &record.owner, quorum);
        around.ends_as(reply.process(), &look, hidden);
        let proofs = around.house.timeline(reply.process());
        assert_eq!(
            proofs.contains(r#""method":"3.2.2.4.22""#),
            hidden.len() < 2,
            "{proofs}"
        );
    }
}
