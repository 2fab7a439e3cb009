//! A store that was filled is one that a server goes on with.

use reseal_lifecycle::authorization::Authorization;
use reseal_lifecycle::certificate::{Certificate, CertificateStatus, Revocation, RevocationReason};
use reseal_lifecycle::crl::{CrlStore as _, Revoked};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::event::{Event, EventKind};
use reseal_lifecycle::process::{Action, Opening, Process};
use reseal_lifecycle::query::{CertificateQuery, ProcessQuery};
use reseal_lifecycle::store::{LostSerial, Store as _, StoreError, Subscription};
use reseal_pki::method::Method;
use serde_json::json;

use super::World;
use super::sample::{
    certificate, completion, in_days, now, opening_with_reservation, organization, subscription,
};
use crate::{Batch, Filling, SqlStore};

/// Certificate 1 was replaced by 2; 3 was revoked.
fn batch() -> Batch {
    let number = |id: i64, subscription: i64, certificate: Certificate| Certificate {
        id,
        process: id,
        subscription,
        ..certificate
    };
    let first = Certificate {
        stored_status: CertificateStatus::Reissued,
        successor: Some(2),
        organization: Some(organization()),
        ..number(1, 1, certificate("acme", 1))
    };
    let second = Certificate {
        predecessor: Some(1),
        ..number(2, 1, certificate("acme", 2))
    };
    let third = Certificate {
        stored_status: CertificateStatus::Revoked,
        revocation: Some(Revocation {
            at: now(),
            reason: Some(RevocationReason::Superseded),
            note: None,
        }),
        ..number(3, 2, certificate("acme", 3))
    };
    let certificates = vec![first, second, third];
    let proof = |id: i64| Authorization {
        id,
        customer: "acme".to_owned(),
        adn: "reseal-sample.com".to_owned(),
        method: Method::DnsChange,
        only_itself: false,
        obtained: in_days(-10),
        process: id,
        witnesses: Vec::new(),
        alias: None,
        distrusted: None,
    };
    let rests_on = |proof, certificate| (proof, certificate, "reseal-sample.com".to_owned());
    Batch {
        subscriptions: (1..=2)
            .map(|id| Subscription {
                id,
                ..subscription("acme")
            })
            .collect(),
        processes: certificates.iter().map(process).collect(),
        certificates,
        lost: vec![LostSerial {
            issuer: "embedded".to_owned(),
            serial: vec![7, 7],
            at: now(),
            not_after: in_days(90),
        }],
        authorizations: vec![proof(1)],
        reliances: vec![rests_on(1, 1), rests_on(1, 2), rests_on(1, 3)],
    }
}

fn process(certificate: &Certificate) -> (Process, Vec<Vec<Event>>) {
    let opening = Opening {
        customer: certificate.customer.clone(),
        user: "acme/admin".to_owned(),
        action: Action::Reissue,
        command: json!({ "certificateId": certificate.predecessor }),
        source: certificate.predecessor,
        subscription: Some(certificate.subscription),
    };
    let accepted = Event::new(
        now(),
        EventKind::Accepted {
            user: "acme/admin".to_owned(),
            names: certificate.names.clone(),
            warnings: Vec::new(),
        },
    );
    let replaced = EventKind::Replaced {
        certificate: 1,
        status: "REISSUED".to_owned(),
        revocation_scheduled_at: None,
    };
    let name = certificate.domain_name.clone();
    let (mut process, first) = Process::done(opening, name, vec![accepted], now());
    process.id = certificate.id;
    process.version = 1;
    process.certificate = Some(certificate.id);
    (process, vec![first, vec![Event::new(now(), replaced)]])
}

/// The names of all indexes.
fn indexes(world: &World) -> Vec<String> {
    let sql = match &world.source {
        crate::Source::Sqlite(_) => {
            "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY 1"
        }
        crate::Source::Postgres(_) => {
            "SELECT indexname::TEXT FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1"
        }
    };
    world.hands().rows(sql, &[], |row| row.get(0))
}

async fn filled() -> World {
    let mut world = World::new().await;
    let before = indexes(&world);
    world.store.close();
    let mut seen = Vec::new();
    let stored = SqlStore::fill(&world.source, [batch()].into_iter(), &mut |filling| {
        seen.push(filling);
    });
    assert_eq!(stored.unwrap(), 3);
    assert_eq!(seen.first(), Some(&Filling::Rows(3)));
    assert_eq!(seen.last(), Some(&Filling::Indexes(1)));
    world.restart().await;
    assert_eq!(indexes(&world), before);
    world
}

#[tokio::test]
async fn what_a_store_is_filled_with_is_read_as_it_was_given() {
    let world = filled().await;
    let batch = batch();
    for certificate in &batch.certificates {
        assert_eq!(world.certificate(certificate.id).await, *certificate);
    }
    for (process, steps) in &batch.processes {
        let found = world.store.process(&Scope::Everything, process.id).await;
        assert_eq!(found.unwrap().as_ref(), Some(process));
        let events = world.store.timeline(process.id).await.unwrap();
        assert_eq!(events, steps.concat());
    }
    let scope = Scope::Customer("acme".to_owned());
    let certificates = CertificateQuery::default();
    let page = world.store.certificates(&scope, &certificates, now()).await;
    let page = page.unwrap();
    let newest: Vec<i64> = page.entities.iter().map(|found| found.id).collect();
    assert_eq!((newest, page.total), (vec![3, 2, 1], Some(3)));
    let page = world
        .store
        .processes(&scope, &ProcessQuery::default())
        .await;
    assert_eq!(page.unwrap().total, Some(3));
    let names = ["reseal-sample.com".to_owned()];
    let known = world.store.authorizations("acme", &names).await;
    assert_eq!(known.unwrap(), batch.authorizations);
    let lost = Revoked {
        serial: vec![7, 7],
        at: now(),
        reason: Some(RevocationReason::Superseded),
        not_after: in_days(90),
        listed: false,
    };
    let listed = world.store.revoked("embedded", 7).await;
    assert_eq!(listed.unwrap(), [lost]);
}

#[tokio::test]
async fn a_server_goes_on_with_what_a_store_was_filled_with() {
    let world = filled().await;
    // The number was given out already: it is in no other certificate.
    let again = opening_with_reservation("acme", Some(1), 2);
    let refused = world.store.open(again).await;
    assert!(
        matches!(refused, Err(StoreError::Exists("serial"))),
        "{refused:?}"
    );
    let change = opening_with_reservation("acme", Some(1), 4);
    let process = world.store.open(change).await.unwrap();
    // PostgreSQL gives the number of what was refused to nobody else.
    assert!(process.id > 3, "{}", process.id);
    let done = world.store.advance(completion(process, 4, Some(2))).await;
    assert_eq!(done.unwrap().certificate, Some(4));
    assert_eq!(world.certificate(2).await.successor, Some(4));
}

#[tokio::test]
async fn only_a_store_without_processes_is_filled() {
    let world = filled().await;
    world.store.close();
    let again = SqlStore::fill(&world.source, [batch()].into_iter(), &mut |_| {});
    assert!(matches!(again, Err(StoreError::Exists(_))), "{again:?}");
}
