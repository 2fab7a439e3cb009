//! Challenges that the server publishes by itself: Knot takes its updates, or a program of the operator's.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod embedded;
mod killed;
mod program;
mod trouble;
mod upstream;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::knot::{Knot, OPEN, TSIG};
use crate::world::house::House;

/// A house with a hook, and the name server that it writes to; nothing runs in the house yet.
struct World {
    house: House,
    knot: Knot,
}

/// The lines of a hook that updates `good.dev` for alice, each of which `changes` may replace.
fn hook(knot: &Knot, changes: &[(&str, &str)]) -> String {
    let server = format!("\"{}\"", knot.address);
    let usual = [
        ("kind", "\"rfc2136\""),
        ("zones", "[\"good.dev\"]"),
        ("customers", "[\"alice\"]"),
        ("server", &server),
        ("key_name", "\"reseal\""),
        ("key_file", "\"tsig\""),
        ("ttl", "1"),
        ("timeout", "\"2s\""),
    ];
    let mut text = "[dns_hook.knot]\n".to_owned();
    for (key, value) in usual {
        let changed = changes.iter().find(|(changed, _)| *changed == key);
        let value = changed.map_or(value, |(_, value)| value);
        writeln!(text, "{key} = {value}").unwrap();
    }
    for (key, value) in changes {
        if usual.iter().all(|(known, _)| known != key) {
            writeln!(text, "{key} = {value}").unwrap();
        }
    }
    text
}

impl World {
    #[track_caller]
    fn new() -> Self {
        Self::with(&[])
    }

    #[track_caller]
    fn with(changes: &[(&str, &str)]) -> Self {
        let knot = Knot::start();
        let lines = hook(&knot, changes);
        Self::over(knot, &lines)
    }

    #[track_caller]
    fn over(knot: Knot, tables: &str) -> Self {
        let house = House::new(&format!(
            "[dcv]\nresolvers = [\"{}\"]\ntrust_anchor_file = \"anchor\"\nallow_networks = [\"127.0.0.0/8\"]\n\
             [limits]\nenabled = false\n{tables}",
            knot.address
        ));
        fs::write(house.data().join("anchor"), &knot.trust_anchor).unwrap();
        let key = house.data().join("tsig");
        fs::write(&key, format!("{TSIG}\n")).unwrap();
        fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
        Self { house, knot }
    }

    /// Orders `names`, all proved by DNS.
    #[track_caller]
    fn request(&self, names: &[&str]) -> Reply {
        let reply = self.house.alice.post("/v2/ssl/certificates", &body(names));
        assert!(reply.status < 300, "{}", reply.text());
        reply
    }

    /// The certificate of what was asked for, which nobody had to do anything for.
    #[track_caller]
    fn completes(&self, reply: &Reply) -> i64 {
        self.house.wait_for(reply.process(), "COMPLETED");
        self.house.certificate_of(reply.process())
    }

    #[track_caller]
    fn reissue(&self, certificate: i64, names: &[&str]) -> Reply {
        let path = format!("/v2/ssl/certificates/{certificate}/reissue");
        let body = json!({"csr": csr(names), "san": names});
        let reply = self.house.alice.post(&path, &body);
        assert!(reply.status < 300, "{}", reply.text());
        reply
    }

    /// The events of that kind in the timeline of a process.
    #[track_caller]
    fn events(&self, process: i64, event: &str) -> Vec<Value> {
        let timeline: Value = serde_json::from_str(&self.house.timeline(process)).unwrap();
        let events = timeline["entities"].as_array().unwrap();
        let wanted = events.iter().filter(|one| one["event"] == event);
        wanted.cloned().collect()
    }

    /// Waits until the hook has failed for a reason with that part.
    #[track_caller]
    fn fails(&self, process: i64, part: &str) {
        self.house.wait_until(process, || {
            let events = self.events(process, "hookFailed");
            let reasons = events.iter().filter_map(|event| event["reason"].as_str());
            reasons
                .into_iter()
                .any(|reason| reason.contains(part))
                .then_some(())
        });
    }

    /// Waits until nothing is left to be removed; rows that are to be looked at once more may stay.
    #[track_caller]
    fn is_clean(&self, process: i64) {
        self.knot.wait_for_texts(OPEN, 0);
        self.house.wait_until(process, || {
            let select = "SELECT count(*) FROM dns_record WHERE due IS NULL OR again = 1";
            (self.house.database().number(select) == 0).then_some(())
        });
    }

    /// Nothing that is stored contradicts anything else.
    #[track_caller]
    fn is_sound(&self) {
        let (said, wrong) = crate::deep::examine(&self.house.data());
        assert!(
            wrong.is_empty() && said.contains("what was published in the DNS"),
            "{said}"
        );
    }
}

fn body(names: &[&str]) -> Value {
    let dcv = names
        .iter()
        .map(|name| json!({"commonName": name, "type": "DNS"}));
    json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(names), "san": names,
        "dcv": dcv.collect::<Vec<_>>()})
}
