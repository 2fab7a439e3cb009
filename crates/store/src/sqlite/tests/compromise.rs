//! Blocked keys, and what must be revoked because of them.

use jiff::SignedDuration;
use reseal_lifecycle::certificate::{Certificate, CertificateStatus, Revocation, RevocationReason};
use reseal_lifecycle::compromise::{CompromiseStore as _, Duty, KeyBlock};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::import;
use reseal_lifecycle::notification::{NotificationStore as _, Occasion};
use reseal_lifecycle::query::{BlockedKeyField, BlockedKeyQuery, NotificationQuery};
use reseal_lifecycle::store::{Change, Store as _};
use rusqlite::Connection;

use super::World;
use super::sample::{self, hash, in_days, now};

const TWENTY_HOURS: SignedDuration = SignedDuration::from_hours(20);

fn certain(keys: Vec<[u8; 32]>) -> KeyBlock {
    KeyBlock::certain(keys, "found", "house/op", now(), TWENTY_HOURS)
}

#[tokio::test]
async fn x_4_x_5_every_customers_certificate_with_the_key_has_a_clock_from_the_commit_that_blocks_it()
 {
    let world = World::new().await;
    let store = &world.store;
    let key = hash(77);
    let certificate = |customer: &str, number: u64| Certificate {
        spki_sha256: key,
        ..sample::certificate(customer, number)
    };
    let of_acme = world.import(certificate("acme", 1)).await;
    let of_rival = world.import(certificate("rival", 2)).await;
    let sooner = Certificate {
        revocation_scheduled: Some(now() + SignedDuration::from_hours(1)),
        ..certificate("acme", 3)
    };
    let sooner = world.import(sooner).await;
    let foreign = Certificate {
        issuer: import::ISSUER.to_owned(),
        ..certificate("acme", 4)
    };
    let expired = Certificate {
        not_after: in_days(-1),
        ..certificate("acme", 5)
    };
    let revoked = Certificate {
        stored_status: CertificateStatus::Revoked,
        revocation: Some(Revocation {
            at: now(),
            reason: None,
            note: None,
        }),
        ..certificate("acme", 6)
    };
    for untouched in [foreign, expired, revoked, sample::certificate("acme", 7)] {
        world.import(untouched).await;
    }

    let blocked = store.block_keys(certain(vec![key])).await.unwrap();
    assert_eq!(blocked.new, 1);
    let ids: Vec<i64> = blocked
        .certificates
        .iter()
        .map(|one| one.certificate)
        .collect();
    assert_eq!(ids, [of_acme.id, of_rival.id, sooner.id]);
    let moments: Vec<_> = blocked
        .certificates
        .iter()
        .map(|one| one.scheduled)
        .collect();
    let wished = now() + TWENTY_HOURS;
    assert_eq!(
        moments,
        [wished, wished, sooner.revocation_scheduled.unwrap()]
    );
    for one in &blocked.certificates {
        let stored = world.certificate(one.certificate).await;
        assert_eq!(stored.revocation_scheduled, Some(one.scheduled));
    }

    let due = store.scheduled_revocations().await.unwrap();
    let order: Vec<i64> = due.iter().map(|due| due.certificate).collect();
    assert_eq!(order, [sooner.id, of_acme.id, of_rival.id]);
    let duty = Duty::key_compromise(now(), "found");
    assert!(due.iter().all(|due| due.duty.as_ref() == Some(&duty)));
    assert!(due[0].is_overdue(in_days(1)) && !due[0].is_overdue(now()));
    let cause = store.revocation_duty(of_rival.id).await.unwrap();
    assert_eq!(
        cause,
        Some((Some(RevocationReason::KeyCompromise), "found".to_owned()))
    );

    let told = store
        .notifications(&Scope::Everything, &NotificationQuery::default())
        .await
        .unwrap();
    let scheduled: Vec<_> = told
        .entities
        .iter()
        .filter(|told| told.occasion == Occasion::RevocationScheduled)
        .map(|told| (told.customer.as_str(), told.certificate.unwrap()))
        .collect();
    let expected = [
        ("acme", sooner.id),
        ("rival", of_rival.id),
        ("acme", of_acme.id),
    ];
    assert_eq!(scheduled, expected);

    // The clock is not set anew.
    let again = store
        .block_keys(KeyBlock {
            at: in_days(3),
            ..certain(vec![key])
        })
        .await
        .unwrap();
    assert_eq!((again.new, again.certificates.len()), (0, 0));
}

#[tokio::test]
async fn x_4_a_claim_blocks_the_key_and_a_later_proof_starts_the_clock() {
    let world = World::new().await;
    let store = &world.store;
    let certificate = world.import(sample::certificate("acme", 1)).await;
    let key = certificate.spki_sha256;
    let claimed = KeyBlock::claimed(vec![key], "they say", "rival/api", now());
    let claimed = store.block_keys(claimed).await.unwrap();
    assert_eq!((claimed.new, claimed.certificates.len()), (1, 0));
    assert_eq!(
        world.certificate(certificate.id).await.revocation_scheduled,
        None
    );
    let proved = store.block_keys(certain(vec![key])).await.unwrap();
    assert_eq!((proved.new, proved.certificates.len()), (0, 1));
}

#[tokio::test]
async fn c_21_the_list_keeps_the_first_reason_and_nobody_takes_a_key_off_it() {
    let world = World::new().await;
    let store = &world.store;
    store
        .block_keys(certain(vec![hash(1), hash(2), hash(1)]))
        .await
        .unwrap();
    let other = KeyBlock::claimed(vec![hash(2), hash(3)], "other", "house/two", in_days(1));
    assert_eq!(store.block_keys(other).await.unwrap().new, 1);
    let query = BlockedKeyQuery {
        order: vec![(BlockedKeyField::Id, false)],
        ..BlockedKeyQuery::default()
    };
    let page = store.blocked_keys(&query).await.unwrap();
    let found: Vec<_> = page
        .entities
        .iter()
        .map(|key| (key.spki_sha256, key.reason.as_str(), key.actor.as_str()))
        .collect();
    let expected = [
        (hash(1), "found", "house/op"),
        (hash(2), "found", "house/op"),
        (hash(3), "other", "house/two"),
    ];
    assert_eq!(found, expected);
    let connection = Connection::open(world.path()).unwrap();
    let refused = connection
        .execute("DELETE FROM blocked_key", [])
        .unwrap_err();
    assert!(refused.to_string().contains("stays blocked"), "{refused}");
}

#[tokio::test]
async fn x_4_an_operator_who_revokes_for_compromise_starts_the_clock_of_everybody_else() {
    let world = World::new().await;
    let store = &world.store;
    let own = world.import(sample::certificate("acme", 1)).await;
    let key = own.spki_sha256;
    let others = Certificate {
        spki_sha256: key,
        ..sample::certificate("rival", 2)
    };
    let others = world.import(others).await;
    let revocation = Revocation {
        at: now(),
        reason: Some(RevocationReason::KeyCompromise),
        note: None,
    };
    let change = Change {
        revocation: Some((own.id, revocation)),
        ..sample::opening("acme", None)
    };
    store
        .open_with_key_blocked(vec![change], certain(vec![key]))
        .await
        .unwrap();
    assert!(world.certificate(own.id).await.revocation.is_some());
    let due = store.scheduled_revocations().await.unwrap();
    let due: Vec<i64> = due.iter().map(|due| due.certificate).collect();
    assert_eq!(due, [others.id]);
}
