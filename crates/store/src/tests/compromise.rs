//! Blocked keys, and what must be revoked because of them.

use aws_lc_rs::digest;
use jiff::SignedDuration;
use reseal_lifecycle::audit::AuditStore as _;
use reseal_lifecycle::certificate::{Certificate, CertificateStatus, Revocation, RevocationReason};
use reseal_lifecycle::compromise::{CompromiseStore as _, Duty, KeyBlock, StandingDuty};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::import;
use reseal_lifecycle::notification::{NotificationStore as _, Occasion};
use reseal_lifecycle::query::{BlockedKeyField, BlockedKeyQuery, NotificationQuery};
use reseal_lifecycle::store::{Change, Store as _, StoreError};
use serde_json::json;

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
    let expected = StandingDuty {
        reason: Some(RevocationReason::KeyCompromise),
        cause: "found".to_owned(),
        bar: None,
    };
    assert_eq!(cause, Some(expected));

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
async fn x_4_a_key_is_dealt_with_once_and_again_when_there_is_more_to_do() {
    let world = World::new().await;
    let store = &world.store;
    let key = hash(77);
    let certificate = |number: u64| Certificate {
        spki_sha256: key,
        ..sample::certificate("acme", number)
    };
    let first = world.import(certificate(1)).await;
    let (known, other) = (hash(1), hash(2));
    let blocked = store.block_keys(certain(vec![known])).await.unwrap();
    assert_eq!((blocked.new, blocked.known), (1, 0));
    let block = certain(vec![known, other, key, key, known]);
    let blocked = store.block_keys(block).await.unwrap();
    assert_eq!((blocked.new, blocked.known), (2, 1));
    assert_eq!(blocked.certificates.len(), 1);
    // As after a restore: each is dealt with although the key is on the list.
    let hands = world.hands();
    let undo = |sql: &str| assert_eq!(hands.execute(sql, &[]).unwrap(), 1, "{sql}");
    let again = async || store.block_keys(certain(vec![key])).await.unwrap();
    assert_eq!(again().await.certificates, []);
    for news in [
        "UPDATE certificate SET revocation_scheduled = NULL",
        "UPDATE certificate SET revocation_scheduled = revocation_scheduled + 3600000",
        "UPDATE revocation_duty SET deadline = deadline + 3600000",
        "UPDATE revocation_duty SET reason = NULL",
        "DELETE FROM revocation_duty",
    ] {
        undo(news);
        let blocked = again().await;
        assert_eq!((blocked.new, blocked.known), (0, 1), "{news}");
        assert_eq!(again().await.certificates, [], "{news}");
        let due = store.scheduled_revocations().await.unwrap();
        let duty = Duty::key_compromise(now(), "found");
        assert_eq!(due[0].duty.as_ref(), Some(&duty), "{news}");
        assert_eq!(due[0].scheduled, now() + TWENTY_HOURS, "{news}");
    }
    assert_eq!(due_ids(&world).await, [first.id]);
}

async fn due_ids(world: &World) -> Vec<i64> {
    let due = world.store.scheduled_revocations().await.unwrap();
    due.iter().map(|due| due.certificate).collect()
}

#[tokio::test]
async fn c_21_x_4_a_claim_blocks_the_key_for_whoever_says_so_and_a_later_proof_starts_the_clock() {
    let world = World::new().await;
    let store = &world.store;
    let certificate = world.import(sample::certificate("acme", 1)).await;
    let key = certificate.spki_sha256;
    let blocked = async |customer| store.key_history(customer, &key).await.unwrap().blocked;
    let claimed = KeyBlock::claimed("rival", vec![key], "they say", "rival/api", now());
    let claimed = store.block_keys(claimed).await.unwrap();
    assert_eq!((claimed.new, claimed.certificates.len()), (1, 0));
    assert_eq!(
        world.certificate(certificate.id).await.revocation_scheduled,
        None
    );
    assert!(blocked("rival").await && !blocked("acme").await);
    let proved = store.block_keys(certain(vec![key])).await.unwrap();
    assert_eq!((proved.new, proved.certificates.len()), (1, 1));
    assert!(blocked("acme").await);
    let hands = world.hands();
    let refused = hands.execute("DELETE FROM claimed_key", &[]).unwrap_err();
    assert!(refused.to_string().contains("stays blocked"), "{refused}");
}

/// What the list shows of `certificate`: its reason, and whether one has shown it.
fn entry(world: &World, certificate: &Certificate) -> (Option<String>, Option<i64>) {
    let select = "SELECT reason, listed FROM crl_entry WHERE serial = $1";
    let serial = [certificate.serial.clone().into()];
    let mut found = world
        .hands()
        .rows(select, &serial, |row| Ok((row.get(0)?, row.get(1)?)));
    found.remove(0)
}

/// Everything is on list 7.
fn list_all(world: &World) {
    let update = "UPDATE crl_entry SET listed = 7";
    world.hands().execute(update, &[]).unwrap();
}

fn revoking(certificate: &Certificate, reason: Option<RevocationReason>) -> Change {
    let revocation = Revocation {
        at: now(),
        reason,
        note: None,
    };
    Change {
        revocation: Some((certificate.id, revocation)),
        ..sample::opening(&certificate.customer, None)
    }
}

const COMPROMISED: Option<RevocationReason> = Some(RevocationReason::KeyCompromise);

#[tokio::test]
async fn x_3_a_later_proof_of_compromise_is_the_reason_of_what_was_revoked_before() {
    let world = World::new().await;
    let store = &world.store;
    let key = hash(77);
    let mut all = Vec::new();
    let reasons = [None, Some(RevocationReason::Superseded), COMPROMISED];
    for (number, (customer, reason)) in
        (1..).zip(["acme", "rival", "acme"].into_iter().zip(reasons))
    {
        let certificate = Certificate {
            spki_sha256: key,
            ..sample::certificate(customer, number)
        };
        let certificate = world.import(certificate).await;
        store.open(revoking(&certificate, reason)).await.unwrap();
        all.push(certificate);
    }
    list_all(&world);

    // What is only claimed is nobody else's business.
    let claim = KeyBlock::claimed("rival", vec![key], "lost", "rival/api", now());
    store.block_keys(claim).await.unwrap();
    assert_eq!(entry(&world, &all[0]), (None, Some(7)));
    let compromised = Some("KEY_COMPROMISE".to_owned());
    assert_eq!(entry(&world, &all[1]), (compromised.clone(), None));
    list_all(&world);

    let blocked = store.block_keys(certain(vec![key])).await.unwrap();
    assert_eq!(blocked.certificates, []);
    assert_eq!(entry(&world, &all[0]), (compromised.clone(), None));
    // Shown with that reason already.
    assert_eq!(entry(&world, &all[1]), (compromised.clone(), Some(7)));
    assert_eq!(entry(&world, &all[2]), (compromised, Some(7)));
    for certificate in &all {
        let stored = world.certificate(certificate.id).await.revocation.unwrap();
        assert_eq!((stored.reason, stored.at), (COMPROMISED, now()));
    }
    let object = format!("key/{}", hex::encode(key));
    let told = store.last_audit_of(&object).await.unwrap().unwrap();
    assert_eq!(told.action, "key.block");
    assert_eq!(told.detail["upgraded"], json!([all[0].id]));
}

#[tokio::test]
async fn x_3_who_revokes_while_the_key_is_found_compromised_has_to_look_again() {
    let world = World::new().await;
    let store = &world.store;
    let certificate = world.import(sample::certificate("acme", 1)).await;
    let block = certain(vec![certificate.spki_sha256]);
    store.block_keys(block).await.unwrap();
    for reason in [None, Some(RevocationReason::Superseded)] {
        let late = store.open(revoking(&certificate, reason)).await;
        assert!(matches!(late, Err(StoreError::Stale)), "{late:?}");
    }
    let known = revoking(&certificate, COMPROMISED);
    store.open(known).await.unwrap();
    let (reason, _) = entry(&world, &certificate);
    assert_eq!(reason.as_deref(), Some("KEY_COMPROMISE"));
}

#[tokio::test]
async fn a_1_however_many_certificates_have_to_go_the_log_proves_which() {
    let world = World::new().await;
    let store = &world.store;
    let key = hash(77);
    let mut all = digest::Context::new(&digest::SHA256);
    for number in 1..=1001 {
        let certificate = Certificate {
            spki_sha256: key,
            ..sample::certificate("acme", number)
        };
        all.update(&world.import(certificate).await.id.to_be_bytes());
    }
    store.block_keys(certain(vec![key])).await.unwrap();
    let object = format!("key/{}", hex::encode(key));
    let told = store.last_audit_of(&object).await.unwrap().unwrap();
    assert_eq!(told.detail["certificates"].as_array().unwrap().len(), 1000);
    assert_eq!(told.detail["certificatesCount"], 1001);
    assert_eq!(told.detail["certificatesSha256"], hex::encode(all.finish()));
}

#[tokio::test]
async fn c_21_the_list_keeps_the_first_reason_and_nobody_takes_a_key_off_it() {
    let world = World::new().await;
    let store = &world.store;
    store
        .block_keys(certain(vec![hash(1), hash(2), hash(1)]))
        .await
        .unwrap();
    let other = KeyBlock {
        reason: "other".to_owned(),
        actor: "house/two".to_owned(),
        ..certain(vec![hash(2), hash(3)])
    };
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
    // Of one call in the order of their bytes.
    let (mut first, third) = ([hash(1), hash(2)], (hash(3), "other", "house/two"));
    first.sort_unstable();
    let [first, second] = first.map(|key| (key, "found", "house/op"));
    assert_eq!(found, [first, second, third]);
    let hands = world.hands();
    let refused = hands.execute("DELETE FROM blocked_key", &[]).unwrap_err();
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
