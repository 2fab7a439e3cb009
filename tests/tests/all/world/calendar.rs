//! A subscription that lives through every date of the calendar (V-1, V-3, D-39), by a clock that is shifted.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::server::Server;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn at(date: &str) -> Timestamp {
    format!("{date}T06:00:00Z").parse().unwrap()
}

/// The server, at a date of its own.
struct Life {
    server: Server,
    certificate: i64,
}

impl Life {
    fn sleep_until(&mut self, moment: Timestamp) {
        let shift = moment.duration_since(Timestamp::now()).as_secs();
        self.server.restart_at(&format!("{shift:+}s"));
    }

    fn reissue(&self) -> Reply {
        let path = format!("/v2/ssl/certificates/{}/reissue", self.certificate);
        let body = json!({"csr": csr(&["reseal.dev"])});
        self.server.alice.post(&path, &body)
    }

    /// Goes on with the certificate `id`, and tells how many days it is good for and when it ends.
    #[track_caller]
    fn hold(&mut self, id: i64) -> (i64, Timestamp) {
        self.certificate = id;
        let path = format!("/v2/ssl/certificates/{id}");
        let certificate = self.server.alice.get(&path).expect(200);
        let date =
            |field: &str| -> Timestamp { certificate[field].as_str().unwrap().parse().unwrap() };
        let valid = date("expiryDate").duration_since(date("startDate"));
        // Both end seconds count (V-2).
        ((valid.as_secs() + 1) / 86_400, date("expiryDate"))
    }

    /// A reissue that relies on what was proved before.
    #[track_caller]
    fn reissue_at_once(&mut self) -> (i64, Timestamp) {
        let id = self.reissue().expect(201)["certificateId"]
            .as_i64()
            .unwrap();
        self.hold(id)
    }

    /// A reissue that has to prove the names again.
    #[track_caller]
    fn reissue_with_proof(&mut self) -> (i64, Timestamp) {
        let reply = self.reissue();
        reply.expect(202);
        let id = self.server.finish(&reply);
        self.hold(id)
    }
}

#[test]
fn v_1_v_3_a_subscription_lives_through_2027_2028_and_2029() {
    let mut life = Life {
        server: Server::start(),
        certificate: 0,
    };
    life.sleep_until(at("2027-03-10"));
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 36, "csr": csr(&["reseal.dev"])});
    let reply = life.server.alice.post("/v2/ssl/certificates", &body);
    let first = life.server.finish(&reply);
    assert_eq!(life.hold(first).0, 199);

    life.sleep_until(at("2027-03-15"));
    let (days, end) = life.reissue_at_once();
    assert_eq!(days, 99);
    // Evidence of 100 days, a day of margin taken off, is dead when the certificate ends.
    life.sleep_until(end);
    assert_eq!(life.reissue_with_proof().0, 99);

    life.sleep_until(at("2028-03-15"));
    let by_mail = json!({"csr": csr(&["reseal.dev"]),
        "dcv": [{"commonName": "reseal.dev", "type": "EMAIL", "email": "admin@reseal.dev"}]});
    let path = format!("/v2/ssl/certificates/{}/reissue", life.certificate);
    let refused = life.server.alice.post(&path, &by_mail);
    refused.violates("dcv[0].type");
    assert!(refused.text().contains("3.2.2.4.4"), "{}", refused.text());
    assert_eq!(life.reissue_with_proof().0, 99);

    life.sleep_until(at("2029-03-15"));
    let (days, end) = life.reissue_with_proof();
    assert_eq!(days, 46);
    // Ten days of evidence, less the margin: on the ninth it serves, on the tenth it does not.
    life.sleep_until(at("2029-03-23"));
    assert_eq!(life.reissue_at_once().0, 46);
    life.sleep_until(at("2029-03-25"));
    let waiting = life.reissue();
    waiting.expect(202);
    let path = format!("/v2/processes/{}", waiting.process());
    let cancelled = life.server.alice.delete(&path);
    assert_eq!(cancelled.status, 200, "{}", cancelled.text());
    life.sleep_until(end - DAY);
    // From then on every 47 days, to the end of what was bought.
    let mut reissues = 0;
    loop {
        let (days, end) = life.reissue_with_proof();
        reissues += 1;
        if days < 46 {
            break;
        }
        life.sleep_until(end);
    }
    assert!(reissues >= 7, "{reissues}");
    let path = format!("/v2/ssl/certificates/{}", life.certificate);
    let last = life.server.alice.get(&path).expect(200);
    assert_eq!(last["expiryDate"], last["subscriptionEndDate"], "{last}");
}
