//! The upstream's own validation fails: it asks another DNS than we do, in which what was published is missing or wrong.
//! It sleeps before it looks, and rejects nonces meanwhile.

use std::cell::Cell;

use serde_json::{Value, json};

use super::{NAMES, World, publish_at};
use crate::support::csr::csr;
use crate::support::dns_stub::DnsStub;
use crate::support::pebble::{Manners, Pebble};

/// A world with two views of the DNS.
struct Split {
    world: World,
    /// What the upstream sees.
    theirs: DnsStub,
    /// How many processes were given up.
    given_up: Cell<i64>,
}

impl Split {
    #[track_caller]
    fn start() -> Self {
        let (ours, theirs) = (DnsStub::start(), DnsStub::start());
        let manners = Manners {
            variables: &[
                ("PEBBLE_VA_SLEEPTIME", "3"),
                ("PEBBLE_WFE_NONCEREJECT", "30"),
                ("PEBBLE_AUTHZREUSE", "0"),
            ],
            ..Manners::default()
        };
        let pebble = Pebble::start(theirs.address, &manners);
        let mut world = World::over(ours, pebble, "", Pebble::table);
        world.house.start(None);
        Self {
            world,
            theirs,
            given_up: Cell::default(),
        }
    }

    /// A new process of `path`, and what it asks to be published: a record for each name. One time in a hundred pebble takes a
    /// proof that it has, however rarely it is told to; then there is nothing to refuse, and the process is given up.
    #[track_caller]
    fn ask(&self, path: &str, further: &Value) -> (i64, Value) {
        let mut body = json!({"csr": csr(NAMES)});
        let fields = further.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        loop {
            let reply = self.world.house.alice.post(path, &body);
            assert_eq!(reply.status, 202, "{}", reply.text());
            let process = reply.process();
            let info = self.world.asked_for(process);
            let asked = info["validations"]["dcv"].as_array().unwrap();
            if asked.iter().all(|entry| entry["status"] != "VALIDATED") {
                return (process, info);
            }
            let given_up = self
                .world
                .house
                .alice
                .delete(&format!("/v2/processes/{process}"));
            assert_eq!(given_up.status, 200, "{}", given_up.text());
            self.given_up.set(self.given_up.get() + 1);
        }
    }

    /// We see what is asked for, the upstream has what it has: it refuses, and that is the end. What is said of it.
    #[track_caller]
    fn is_refused(&self, process: i64, info: &Value) -> String {
        let world = &self.world;
        let orders = world.pebble.orders();
        world.publish(info);
        world.house.resend(process);
        let failed = world.house.wait_for(process, "FAILED");
        let detail = failed["statusDetail"].as_str().unwrap().to_owned();
        // We found it, told the upstream once of each name, and did not ask for a certificate.
        assert!(
            detail.contains("issuer `pebble` did not accept the proof of control of")
                && detail.contains("which we saw: "),
            "{detail}"
        );
        assert_eq!(world.count(process, "upstreamOrdered"), 1);
        assert_eq!(world.count(process, "upstreamTold"), NAMES.len());
        assert_eq!(world.count(process, "upstreamAsked"), 0);
        assert_eq!(world.pebble.orders(), orders);
        // The customer hears it in the same words.
        let path =
            format!("/v2/customers/alice/notifications?eventType=FAILED&process%3Aeq={process}");
        let told = world.house.alice.get(&path).expect(200);
        assert_eq!(told["pagination"]["total"], 1, "{told}");
        let message = &told["entities"][0];
        assert!(message.to_string().contains(&detail), "{message}");
        detail
    }

    /// The same names once more, with the right records for everybody.
    #[track_caller]
    fn succeeds(&self, path: &str, further: &Value) -> i64 {
        let (process, info) = self.ask(path, further);
        publish_at(&self.theirs, &info);
        self.world.finish(process)
    }

    fn status(&self, certificate: i64) -> String {
        let body = self.world.house.certificate(certificate);
        body["status"].as_str().unwrap().to_owned()
    }

    /// Takes away what the upstream sees of both names.
    fn hide(&self) {
        for name in NAMES {
            self.theirs.clear(&format!("_acme-challenge.{name}"));
        }
    }
}

#[test]
fn d_37_what_the_upstream_does_not_see_ends_the_process_in_its_words_and_nothing_else() {
    let split = Split::start();
    let world = &split.world;
    let orders = "/v2/ssl/certificates";
    let first = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "san": NAMES});

    // An order, of which the upstream sees nothing.
    let (process, info) = split.ask(orders, &first);
    let said = split.is_refused(process, &info);
    assert!(said.contains("TXT records"), "{said}");
    let database = world.house.database();
    assert_eq!(database.number("SELECT count(*) FROM certificate"), 0);
    let old = split.succeeds(orders, &first);

    // A reissue, of which it sees other records.
    let reissue = |id: i64| format!("{orders}/{id}/reissue");
    let (process, info) = split.ask(&reissue(old), &json!({}));
    split.hide();
    for name in NAMES {
        split
            .theirs
            .txt(&format!("_acme-challenge.{name}"), "of somebody else");
    }
    let said = split.is_refused(process, &info);
    assert!(said.contains("Correct value not found"), "{said}");
    assert_eq!(split.status(old), "ACTIVE");
    split.hide();
    let new = split.succeeds(&reissue(old), &json!({}));
    assert_eq!(
        (split.status(old), split.status(new)),
        ("REISSUED".to_owned(), "ACTIVE".to_owned())
    );

    // A renewal, of which it sees the record of one name only.
    let renew = format!("{orders}/{new}/renew");
    let (process, info) = split.ask(&renew, &json!({"period": 12}));
    publish_at(&split.theirs, &info);
    split.theirs.clear(&format!("_acme-challenge.{}", NAMES[1]));
    let said = split.is_refused(process, &info);
    assert!(said.contains(NAMES[1]), "{said}");
    assert_eq!(split.status(new), "ACTIVE");
    let renewed = split.succeeds(&renew, &json!({"period": 12}));
    assert_eq!(
        (split.status(new), split.status(renewed)),
        ("RENEWED".to_owned(), "ACTIVE".to_owned())
    );

    // What it has issued is revoked there, whatever else it refuses.
    let (process, info) = split.ask(&reissue(renewed), &json!({}));
    split.hide();
    split.is_refused(process, &info);
    assert_eq!(split.status(renewed), "ACTIVE");
    world.revoke(renewed);

    // One order for each process, none behind anybody's back; a certificate for each that the upstream accepted.
    let processes = "SELECT count(*) FROM process WHERE action <> 'revoke'";
    let opened = 7 + split.given_up.get();
    assert_eq!(database.number(processes), opened);
    let orders = i64::try_from(world.pebble.orders()).unwrap();
    assert_eq!(orders, opened, "{}", world.pebble.log());
    assert_eq!(world.pebble.issued(), 3, "{}", world.pebble.log());
    world.is_sound();
}
