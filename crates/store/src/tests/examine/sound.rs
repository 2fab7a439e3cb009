//! A database in which everything is as it should be.

use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::certificate::{Certificate, CertificateStatus, Revocation, RevocationReason};
use reseal_lifecycle::event::{Event, EventKind};
use reseal_lifecycle::idempotency::{Claim, IdempotencyStore as _, KeyedCall};
use reseal_lifecycle::note::NoteStore as _;
use reseal_lifecycle::process::{Action, Opening, Process, UpstreamOrder};
use reseal_lifecycle::store::{Change, Issuance, LostSerial, Store as _};
use reseal_lifecycle::upstream::OrderUrl;
use serde_json::json;

use super::super::World;
use super::super::hands::Hands;
use super::super::sample::{self, hash, in_days, now};
use super::super::transparency::precertified;
use crate::database::Dialect;

fn opening(action: Action, customer: &str, source: Option<&Certificate>) -> Opening {
    Opening {
        customer: customer.to_owned(),
        user: format!("{customer}/api"),
        action,
        command: json!({}),
        source: source.map(|source| source.id),
        subscription: source.map(|source| source.subscription),
    }
}

impl World {
    /// A process that has reserved serial `number`, opened by a call with a key of that number.
    async fn signing(
        &self,
        action: Action,
        customer: &str,
        source: Option<&Certificate>,
        number: u64,
    ) -> Process {
        let work = sample::work(&["reseal-sample.com"]);
        let (process, mut events) = Process::open(opening(action, customer, source), work, now());
        let serial = hex::encode(&sample::reservation(number).serial);
        let reserved = process.reserve(serial, "embedded".to_owned(), b"tbs", now());
        let (process, more) = reserved.unwrap();
        events.extend(more);
        let call = KeyedCall {
            customer: customer.to_owned(),
            key: hash(number),
            fingerprint: hash(number),
            at: now(),
        };
        let Claim::First(claim) = self.store.claim_key(call).await.unwrap() else {
            panic!("taken");
        };
        let change = Change {
            reservation: Some(sample::reservation(number)),
            mail_tokens: vec![hash(number)],
            request_token: Some(hash(number)),
            claim: Some(claim),
            ..Change::new(process, events)
        };
        self.store.open(change).await.unwrap()
    }

    /// The certificate of a process that has been through everything.
    async fn issued(
        &self,
        action: Action,
        source: Option<&Certificate>,
        number: u64,
    ) -> Certificate {
        let process = self.signing(action, "acme", source, number).await;
        let mut change = sample::completion(process, number, source.map(|source| source.id));
        let issuance = change.issuance.as_mut().unwrap();
        if action != Action::Reissue {
            issuance.subscription = Some(sample::subscription("acme"));
        }
        if let (Action::Renew, Some(replaced)) = (action, &mut issuance.replaces) {
            replaced.status = CertificateStatus::Renewed;
        }
        let process = self.store.advance(change).await.unwrap();
        self.certificate(process.certificate.unwrap()).await
    }

    /// A certificate that an upstream issued, of a process that has been through everything.
    async fn issued_upstream(&self, number: u64) -> Certificate {
        let mut work = sample::work(&["reseal-sample.com"]);
        let order = OrderUrl {
            issuer: "le".to_owned(),
            url: "https://ca.example/order/1".to_owned(),
            placed: now(),
        };
        work.upstream = Some(UpstreamOrder {
            url: order.url.clone(),
            account: "https://ca.example/account/1".to_owned(),
            placed: now(),
            expires: None,
            caa_identities: Vec::new(),
            asked: None,
            first_asked: None,
            lost: 0,
            authorizations: Vec::new(),
        });
        let (process, events) = Process::open(opening(Action::Request, "acme", None), work, now());
        let change = Change {
            order: Some(order),
            ..Change::new(process, events)
        };
        let process = self.store.open(change).await.unwrap();
        let (process, events) = process.finalize(now()).unwrap();
        let process = self
            .store
            .advance(Change::new(process, events))
            .await
            .unwrap();
        let certificate = Certificate {
            issuer: "le".to_owned(),
            ..sample::certificate("acme", number)
        };
        let serial = hex::encode(&certificate.serial);
        let completed = process.complete_upstream(serial, certificate.not_after, now());
        let (process, events) = completed.unwrap();
        let issuance = Issuance {
            certificate,
            subscription: Some(sample::subscription("acme")),
            allowance: None,
            replaces: None,
            chain: Some(vec![b"issuer".to_vec(), b"root".to_vec()]),
            is_late: false,
        };
        let change = Change {
            issuance: Some(Box::new(issuance)),
            ..Change::new(process, events)
        };
        let process = self.store.advance(change).await.unwrap();
        self.certificate(process.certificate.unwrap()).await
    }

    async fn revoke(&self, certificate: &Certificate) {
        let opening = opening(Action::Revoke, "acme", Some(certificate));
        let event = EventKind::Revoked {
            certificate: certificate.id,
            user: "acme/api".to_owned(),
            reason: None,
            note: None,
        };
        let events = vec![Event::new(now(), event)];
        let (process, events) =
            Process::done(opening, "reseal-sample.com".to_owned(), events, now());
        let revocation = Revocation {
            at: now(),
            reason: Some(RevocationReason::Superseded),
            note: None,
        };
        let change = Change {
            revocation: Some((certificate.id, revocation)),
            ..Change::new(process, events)
        };
        self.store.open(change).await.unwrap();
    }

    /// Gives up the serial that `process` has reserved as `number`, on record.
    async fn give_up(&self, process: Process, number: u64) {
        let serial = sample::reservation(number).serial;
        let object = AuditEntry::process(process.id);
        let entry = AuditEntry::new(now(), "reseal", "incident.abandoned", object)
            .with("serial", hex::encode(&serial));
        let (process, events) = process.abandon("a test".to_owned(), now()).unwrap();
        let mut change = Change::new(process, events);
        change.audit.push(entry);
        change.lost = Some(LostSerial {
            issuer: "embedded".to_owned(),
            serial,
            at: now(),
            not_after: in_days(200),
        });
        self.store.advance(change).await.unwrap();
    }
}

/// A world with rows in every table: certificate 1 is imported, 2 was ordered, 3 is its reissue and 4 its renewal; 2 is
/// revoked, and for 4 a reissue is open, process 6, that gave one serial up. Certificate 5 is rival's, and process 7 its
/// open order, which has a precertificate. Certificate 6 came from an upstream, and is revoked.
pub(in crate::tests) async fn sound() -> World {
    let world = World::new().await;
    let imported = |customer, number| Certificate {
        issuer: "import".to_owned(),
        ..sample::certificate(customer, number)
    };
    world.import(imported("acme", 101)).await;
    let ordered = world.issued(Action::Request, None, 2).await;
    let reissued = world.issued(Action::Reissue, Some(&ordered), 3).await;
    let renewed = world.issued(Action::Renew, Some(&reissued), 4).await;
    world.revoke(&ordered).await;
    let open = world
        .signing(Action::Reissue, "acme", Some(&renewed), 5)
        .await;
    world.give_up(open, 5).await;
    let signing = world.signing(Action::Request, "rival", None, 6).await;
    let signed = world.store.advance(precertified(signing, 6)).await;
    signed.unwrap();
    world.import(imported("rival", 102)).await;
    let elsewhere = world.issued_upstream(7).await;
    world.revoke(&elsewhere).await;
    let note = EventKind::NoteAdded {
        user: "acme/api".to_owned(),
        by_house: false,
        message: "hello".to_owned(),
    };
    let note = Event::new(now(), note);
    world.store.add_note(6, note).await.unwrap();
    let key = |number: u64| literal(&world.hands(), &hash(number));
    world
        .hands()
        .batch(&format!(
            "INSERT INTO api_key (customer, login, role, secret_hash, created) VALUES ('acme', 'api', 'customer', {0}, 0);
             INSERT INTO domain_authorization (customer, adn, method, obtained, process) VALUES
                 ('acme', 'reseal-sample.com', '3.2.2.4.7', 0, 2), ('rival', 'reseal-rival.com', '3.2.2.4.7', 0, 7);
             INSERT INTO reliance VALUES (1, 2, 'reseal-sample.com');
             INSERT INTO webhook (customer, url, sealed, created, failures, next_attempt) VALUES ('acme', 'u', {0}, 0, 0, 0);
             INSERT INTO process_billable VALUES (2, 'request', 'ssl_dv', 1);
             INSERT INTO auth_key (customer, product, csr, token, created, process) VALUES ('acme', 'ssl_dv', {0}, 't', 0, 2);
             INSERT INTO pending_validation VALUES (6);
             INSERT INTO vetted_check (customer, organization, kind, facts, obtained, process)
                 VALUES ('acme', 'o', 'k', '{{}}', 0, 2);
             INSERT INTO blocked_key (spki_sha256, reason, actor, created) VALUES ({0}, 'r', 'a', 0);
             INSERT INTO claimed_key VALUES ({0}, 'acme', 'r', 'a', 0);
             INSERT INTO revocation_duty (certificate, received, deadline_24h, deadline_5d, deadline, cause, ground)
                 VALUES (2, 0, 0, 0, 0, 'c', 'key-compromise');
             INSERT INTO dns_record (process, hook, name, value, created, due) VALUES
                 (2, 'knot', '_x.reseal-sample.com.', 'v', 0, 0), (6, 'knot', '_x.reseal-sample.com.', 'w', 0, NULL);
             INSERT INTO campaign (actor, created, reason, selection, key_choice, deadline, status, last, through)
                 VALUES ('a', 0, 'r', '', 'keep', 0, 'RUNNING', 5, 5);
             INSERT INTO campaign_item (campaign, certificate, customer, issuer, urgent, due, placed, outcome, process, \
                 successor, attempts, updated) VALUES (1, 2, 'acme', 'embedded', 0, 0, 0, 'REISSUED', 3, 3, 0, 0), \
                 (1, 4, 'acme', 'embedded', 0, 0, 0, 'OPEN', 6, NULL, 0, 0);",
            key(900)
        ))
        .unwrap();
    world
}

/// Bytes as both databases read them in a statement.
fn literal(hands: &Hands, bytes: &[u8]) -> String {
    match hands.dialect() {
        Dialect::Sqlite => format!("X'{}'", hex::encode(bytes)),
        Dialect::Postgres => format!("'\\x{}'::bytea", hex::encode(bytes)),
    }
}
