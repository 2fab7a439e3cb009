//! Perspectives on several networks: each in a network namespace with a DNS of its own, which may tell something else.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod caa;
mod hijack;
mod other_proofs;
mod place;
mod trust;

use std::fs;

use place::Spot;
pub(crate) use place::{AROUND, Place};
use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::knot::Knot;
use crate::world::house::House;

/// A server, its own DNS, and perspectives elsewhere.
pub(crate) struct Around {
    pub(crate) house: House,
    pub(crate) knot: Knot,
    places: Vec<Place>,
}

impl Around {
    /// With a perspective at each of `spots`; `tables` come first in the configuration.
    #[track_caller]
    fn start(tables: &str, spots: &[Spot]) -> Self {
        let places = spots.iter().map(|spot| Place::start(*spot)).collect();
        Self::start_among(tables, places, "")
    }

    /// With perspectives that were started before, and further lines for the table `dcv`.
    #[track_caller]
    pub(crate) fn start_among(tables: &str, places: Vec<Place>, dcv: &str) -> Self {
        let knot = Knot::start();
        let entries: Vec<String> = places.iter().map(Place::entry).collect();
        let mut house = House::new(&format!(
            "{tables}[limits]\nenabled = false\n\
             [dcv]\nresolvers = [\"{}\"]\ntrust_anchor_file = \"anchor\"\n\
             location = {{ latitude = 50.11, longitude = 8.68 }}\nperspectives = [{}]\n{dcv}",
            knot.address,
            entries.join(", ")
        ));
        fs::write(house.data().join("anchor"), &knot.trust_anchor).unwrap();
        house.start(None);
        Self {
            house,
            knot,
            places,
        }
    }

    /// As publicly trusted CAs must be placed: five around the world, whatever today's date asks for.
    #[track_caller]
    fn public() -> Self {
        Self::start("[policy]\nprofile = \"public\"\n", &AROUND)
    }

    /// Asks for a certificate for `name` below `good.dev`; the process and the record to be published.
    #[track_caller]
    pub(crate) fn ask(&self, name: &str) -> (i64, Record) {
        let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&[name]), "san": [],
            "dcv": [{"commonName": name, "type": "DNS"}]});
        let reply = self.house.alice.post("/v2/ssl/certificates", &body);
        let info = reply.expect(202);
        let entry = &info["validations"]["dcv"][0];
        let text = |field: &str| entry[field].as_str().unwrap().to_owned();
        let record = Record {
            owner: text("dnsRecord"),
            contents: text("dnsContents"),
        };
        (reply.process(), record)
    }

    /// Publishes `record` as the server sees the DNS, and elsewhere but at the perspectives numbered in `hidden`.
    #[track_caller]
    pub(crate) fn publish(&self, record: &Record, hidden: &[usize]) {
        record.add(&self.knot);
        for (index, place) in self.places.iter().enumerate() {
            if !hidden.contains(&index) {
                record.add(&place.knot);
            }
        }
    }

    /// Has the server look again, and waits for the look that found `quorum` of the perspectives to agree.
    #[track_caller]
    fn look(&self, process: i64, quorum: &str) -> Value {
        self.house.resend(process);
        self.house.wait_until(process, || {
            let found = self.attempts(process).pop()?;
            (found["corroboration"]["quorum"] == quorum).then_some(found)
        })
    }

    /// The looks at challenges, oldest first.
    #[track_caller]
    fn attempts(&self, process: i64) -> Vec<Value> {
        self.events(process, "attempt")
    }

    #[track_caller]
    pub(crate) fn events(&self, process: i64, kind: &str) -> Vec<Value> {
        let timeline: Value = serde_json::from_str(&self.house.timeline(process)).unwrap();
        let all = timeline["entities"].as_array().unwrap();
        all.iter()
            .filter(|event| event["event"] == kind)
            .cloned()
            .collect()
    }

    /// Waits for the certificate, whose record says `mpic`.
    #[track_caller]
    pub(crate) fn is_issued(&self, process: i64, mpic: &str) -> i64 {
        self.house.wait_for(process, "COMPLETED");
        let issued = self.events(process, "issued").remove(0);
        assert_eq!(issued["mpic"], mpic, "{issued}");
        let id = self.house.certificate_of(process);
        let select = format!("SELECT mpic FROM certificate WHERE id = {id}");
        let stored = self.house.database().value(&select).unwrap();
        assert_eq!(stored, mpic);
        id
    }

    /// Nothing was issued, and the customer is told about each of `dissenting` what it saw.
    #[track_caller]
    fn is_refused(&self, process: i64, dissenting: &[usize]) {
        let info = self.house.info(process);
        assert_ne!(
            info["validations"]["dcv"][0]["status"], "VALIDATED",
            "{info}"
        );
        let last = self.attempts(process).pop().unwrap();
        assert_ne!(last["verdict"], "proved", "{last}");
        let seen = last["seen"].as_str().unwrap();
        for (index, place) in self.places.iter().enumerate() {
            let named = seen.contains(&format!("`{}`", place.name()));
            assert_eq!(named, dissenting.contains(&index), "{seen}");
        }
        assert_eq!(self.events(process, "issued"), [] as [Value; 0]);
    }
}

/// What a customer is to publish.
pub(crate) struct Record {
    owner: String,
    contents: String,
}

impl Record {
    #[track_caller]
    fn add(&self, knot: &Knot) {
        knot.add("good.dev.", &self.owner, "CNAME", &self.contents);
    }

    #[track_caller]
    fn remove(&self, knot: &Knot) {
        knot.remove("good.dev.", &self.owner, "CNAME");
    }
}
