//! Steps of processes: versions, uniqueness, leases, and what issuance brings along.

use std::sync::Arc;

use reseal_lifecycle::certificate::{Certificate, CertificateStatus, Revocation};
use reseal_lifecycle::compromise::KeyBlock;
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::price::Allowance;
use reseal_lifecycle::process::{Action, ProcessStatus};
use reseal_lifecycle::store::{Change, Replacement, Store as _, StoreError};

use super::World;
use super::sample::{self, in_days, now};

#[tokio::test]
async fn a_reissue_is_two_steps_that_leave_successor_and_predecessor() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let change = sample::opening_with_reservation("acme", Some(old.subscription), 2);
    let process = world.store.open(change).await.unwrap();
    let reservation = world.store.reservation(process.id).await.unwrap();
    assert_eq!(reservation, Some(sample::reservation(2)));

    let process = world
        .store
        .advance(sample::completion(process, 2, Some(old.id)))
        .await
        .unwrap();
    assert_eq!(
        (process.version, process.status()),
        (1, ProcessStatus::Completed)
    );
    assert_eq!(process.subscription, Some(old.subscription));
    let new = world.certificate(process.certificate.unwrap()).await;
    assert_eq!(
        (new.process, new.subscription),
        (process.id, old.subscription)
    );
    assert_eq!(new.predecessor, Some(old.id));
    let old = world.certificate(old.id).await;
    assert_eq!(
        (old.stored_status, old.successor),
        (CertificateStatus::Reissued, Some(new.id))
    );
    assert_eq!(old.revocation_scheduled, None);
    assert_eq!(
        world
            .store
            .newest_certificate(old.subscription)
            .await
            .unwrap(),
        Some(new.id)
    );
    assert_eq!(
        world.store.open_process(old.subscription).await.unwrap(),
        None
    );
    assert_eq!(
        world
            .store
            .process(&Scope::Everything, process.id)
            .await
            .unwrap(),
        Some(process.clone())
    );

    let timeline = world.store.timeline(process.id).await.unwrap();
    let kinds: Vec<String> = timeline
        .iter()
        .map(|event| {
            serde_json::to_value(event).unwrap()["event"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "accepted",
            "proofReused",
            "proofReused",
            "reserved",
            "issued",
            "replaced"
        ]
    );
    assert!(timeline.iter().all(|event| event.at == now()));
}

#[tokio::test]
async fn a_request_starts_its_subscription_with_its_certificate() {
    let world = World::new().await;
    let (process, events) = sample::process("acme", Action::Request, None);
    let (process, more) = process
        .reserve("01".to_owned(), "embedded".to_owned(), b"tbs", now())
        .unwrap();
    let process = world
        .store
        .open(Change::new(process, [events, more].concat()))
        .await
        .unwrap();
    assert_eq!((process.subscription, process.certificate), (None, None));
    let mut change = sample::completion(process, 1, None);
    if let Some(issuance) = &mut change.issuance {
        issuance.subscription = Some(sample::subscription("acme"));
        issuance.allowance = Some(Allowance {
            included: 1,
            extra_domains: 7,
            extra_wildcards: 2,
        });
    }
    let process = world.store.advance(change).await.unwrap();
    let subscription = world
        .store
        .subscription(process.subscription.unwrap())
        .await
        .unwrap()
        .unwrap();
    let allowance = subscription.allowance;
    assert_eq!((allowance.extra_domains, allowance.extra_wildcards), (7, 2));
    let certificate = world.certificate(process.certificate.unwrap()).await;
    assert_eq!(certificate.subscription, subscription.id);
    assert_eq!(
        world
            .store
            .process(&Scope::Everything, process.id)
            .await
            .unwrap(),
        Some(process)
    );
}

#[tokio::test]
async fn a_step_decided_on_an_older_version_is_refused_whole() {
    let world = World::new().await;
    let read = world
        .store
        .open(sample::opening_with_reservation("acme", None, 1))
        .await
        .unwrap();
    let (cancelled, events) = {
        let (abandoned, _) = read.clone().abandon("too old".to_owned(), now()).unwrap();
        abandoned.cancel("acme/admin".to_owned(), now()).unwrap()
    };
    let stored = world
        .store
        .advance(Change::new(cancelled, events))
        .await
        .unwrap();
    assert_eq!(stored.version, 1);

    let mut late = sample::completion(read, 5, None);
    if let Some(issuance) = &mut late.issuance {
        issuance.subscription = Some(sample::subscription("acme"));
    }
    late.mail_tokens.push([7; 32]);
    let error = world.store.advance(late).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale), "{error}");
    assert_eq!(
        world
            .store
            .process(&Scope::Everything, stored.id)
            .await
            .unwrap(),
        Some(stored)
    );
    assert_eq!(
        world
            .store
            .certificate_by_fingerprint("acme", &sample::hash(5))
            .await
            .unwrap(),
        None
    );
    assert_eq!(world.store.subscription(1).await.unwrap(), None);
    assert_eq!(
        world.store.process_of_mail_token(&[7; 32]).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn of_fifty_reissues_at_once_one_is_opened_and_named_to_the_others() {
    let world = World::new().await;
    let subscription = world
        .import(sample::certificate("acme", 1))
        .await
        .subscription;
    let store = Arc::new(world.store);
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                store
                    .open(sample::opening("acme", Some(subscription)))
                    .await
            })
        })
        .collect();
    let (mut opened, mut refused) = (Vec::new(), Vec::new());
    for call in calls {
        match call.await.unwrap() {
            Ok(process) => opened.push(process.id),
            Err(StoreError::OpenProcess(id)) => refused.push(id),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((opened.len(), refused.len()), (1, 49));
    assert!(refused.iter().all(|id| *id == opened[0]));
    assert_eq!(
        store.open_process(subscription).await.unwrap(),
        Some(opened[0])
    );
}

#[tokio::test]
async fn p_1_a_serial_is_reserved_once() {
    let world = World::new().await;
    world
        .store
        .open(sample::opening_with_reservation("acme", None, 1))
        .await
        .unwrap();
    let error = world
        .store
        .open(sample::opening_with_reservation("rival", None, 1))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Exists("serial")), "{error}");
    assert_eq!(
        world.store.process(&Scope::Everything, 2).await.unwrap(),
        None
    );
    let next = world
        .store
        .open(sample::opening("acme", None))
        .await
        .unwrap();
    // PostgreSQL does not take numbers back.
    if !super::cluster::is_wanted() {
        assert_eq!(next.id, 2, "a refused step uses up no number");
    }
}

#[tokio::test]
async fn r_4_the_predecessor_and_older_siblings_with_its_names_are_scheduled() {
    let world = World::new().await;
    let named = |number, names: &[&str]| Certificate {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        ..sample::certificate("acme", number)
    };
    let old = world
        .import(named(1, &["reseal-sample.com", "shop.reseal-sample.com"]))
        .await;
    let mut siblings = Vec::new();
    for (number, names, not_after) in [
        (2, &["shop.reseal-sample.com"][..], in_days(20)),
        (3, &["reseal-sample.com"][..], in_days(20)),
        (4, &["shop.reseal-sample.com"][..], in_days(-1)),
    ] {
        let sibling = Certificate {
            subscription: old.subscription,
            not_after,
            ..named(number, names)
        };
        let mut change = sample::import(sibling);
        if let Some(issuance) = &mut change.issuance {
            issuance.subscription = None;
        }
        siblings.push(world.store.open(change).await.unwrap().certificate.unwrap());
    }
    let elsewhere = world.import(named(5, &["shop.reseal-sample.com"])).await;

    let process = world
        .store
        .open(sample::opening_with_reservation(
            "acme",
            Some(old.subscription),
            6,
        ))
        .await
        .unwrap();
    let mut change = sample::completion(process, 6, Some(old.id));
    if let Some(issuance) = &mut change.issuance {
        issuance.replaces = Some(Replacement {
            certificate: old.id,
            status: CertificateStatus::Reissued,
            revoke_at: Some(in_days(3)),
            siblings_with: vec![
                "shop.reseal-sample.com".to_owned(),
                "none.reseal-sample.com".to_owned(),
            ],
        });
    }
    let new = world
        .store
        .advance(change)
        .await
        .unwrap()
        .certificate
        .unwrap();

    let mut scheduled = Vec::new();
    for id in [
        old.id,
        siblings[0],
        siblings[1],
        siblings[2],
        elsewhere.id,
        new,
    ] {
        scheduled.push(world.certificate(id).await.revocation_scheduled);
    }
    assert_eq!(
        scheduled,
        [Some(in_days(3)), Some(in_days(3)), None, None, None, None]
    );
    assert_eq!(
        world.store.due_revocations(in_days(2), 10).await.unwrap(),
        [0_i64; 0]
    );
    assert_eq!(
        world.store.due_revocations(in_days(3), 10).await.unwrap(),
        [old.id, siblings[0]]
    );
    assert_eq!(
        world.store.due_revocations(in_days(3), 1).await.unwrap(),
        [old.id]
    );
}

#[tokio::test]
async fn a_revocation_is_recorded_once_and_outlives_a_replacement() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let process = world
        .store
        .open(sample::opening_with_reservation(
            "acme",
            Some(old.subscription),
            2,
        ))
        .await
        .unwrap();
    let revocation = Revocation {
        at: now(),
        reason: None,
        note: Some("moved house".to_owned()),
    };
    let revoke = || {
        let (process, events) = sample::process("acme", Action::Revoke, None);
        Change {
            revocation: Some((old.id, revocation.clone())),
            ..Change::new(process, events)
        }
    };
    world.store.open(revoke()).await.unwrap();
    let revoked = world.certificate(old.id).await;
    assert_eq!(revoked.stored_status, CertificateStatus::Revoked);
    assert_eq!(revoked.revocation, Some(revocation.clone()));
    let error = world.store.open(revoke()).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale), "{error}");

    let mut change = sample::completion(process, 2, Some(old.id));
    if let Some(replaces) = change
        .issuance
        .as_mut()
        .and_then(|issuance| issuance.replaces.as_mut())
    {
        replaces.revoke_at = Some(in_days(3));
    }
    let process = world.store.advance(change).await.unwrap();
    let old = world.certificate(old.id).await;
    assert_eq!(old.stored_status, CertificateStatus::Revoked);
    assert_eq!(
        (old.successor, old.revocation_scheduled),
        (process.certificate, None)
    );
}

#[tokio::test]
async fn x_4_a_key_is_blocked_with_all_its_certificates_or_not_at_all() {
    let world = World::new().await;
    let store = &world.store;
    let one = world.import(sample::certificate("acme", 1)).await;
    let same_key = Certificate {
        spki_sha256: one.spki_sha256,
        ..sample::certificate("acme", 2)
    };
    let other = world.import(same_key).await;
    let revoking = |certificate: &Certificate| {
        let revocation = Revocation {
            at: now(),
            reason: None,
            note: None,
        };
        Change {
            revocation: Some((certificate.id, revocation)),
            ..sample::opening("acme", None)
        }
    };
    let key = one.spki_sha256;
    let block = |changes| {
        let block = KeyBlock::claimed("acme", vec![key], "lost", "acme/api", now());
        store.open_with_key_blocked(changes, block)
    };
    let partly = block(vec![revoking(&one)]).await;
    assert!(matches!(partly, Err(StoreError::Stale)), "{partly:?}");
    assert!(!store.key_history("acme", &key).await.unwrap().blocked);
    assert_eq!(world.certificate(one.id).await, one);

    let found = store.unrevoked_with_key("acme", &key).await.unwrap();
    assert_eq!(found, [one.clone(), other.clone()]);
    block(vec![revoking(&one), revoking(&other)]).await.unwrap();
    assert_eq!(store.unrevoked_with_key("acme", &key).await.unwrap(), []);
    assert!(store.key_history("acme", &key).await.unwrap().blocked);
}
