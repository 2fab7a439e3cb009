//! Serial numbers that were given up with a key that is compromised.

use jiff::SignedDuration;
use reseal_lifecycle::audit::AuditStore as _;
use reseal_lifecycle::certificate::RevocationReason;
use reseal_lifecycle::compromise::{CompromiseStore as _, KeyBlock};
use reseal_lifecycle::crl::CrlStore as _;
use reseal_lifecycle::ocsp::{Signed, StatusStore as _};
use reseal_lifecycle::process::Process;
use reseal_lifecycle::store::{Change, LostSerial, Store as _};
use serde_json::json;

use super::World;
use super::sample::{self, in_days, now};
use super::transparency::precertified;

/// Of every sample's order.
pub(super) const KEY: [u8; 32] = [0xab; 32];

const COMPROMISED: Option<RevocationReason> = Some(RevocationReason::KeyCompromise);
const SUPERSEDED: Option<RevocationReason> = Some(RevocationReason::Superseded);

fn proved() -> KeyBlock {
    let day = SignedDuration::from_hours(24);
    KeyBlock::certain(vec![KEY], "found", "house/op", now(), day)
}

fn claimed(customer: &str) -> KeyBlock {
    KeyBlock::claimed(customer, vec![KEY], "lost", "house/op", now())
}

/// The step in which `process` gives up serial `number`.
pub(super) fn giving_up(process: Process, number: u64) -> Change {
    let (process, events) = process.fail("a test".to_owned(), now()).unwrap();
    Change {
        lost: Some(LostSerial {
            issuer: "embedded".to_owned(),
            serial: sample::reservation(number).serial,
            at: now(),
            not_after: in_days(200),
        }),
        ..Change::new(process, events)
    }
}

impl World {
    /// A process of `customer` that has reserved serial `number`.
    async fn reserved(&self, customer: &str, number: u64) -> Process {
        let opened = sample::opening_with_reservation(customer, None, number);
        self.store.open(opened).await.unwrap()
    }

    /// What is answered about serial `number`, which has no certificate.
    async fn answered(&self, number: u64) -> Option<RevocationReason> {
        let serial = sample::reservation(number).serial;
        let known = self.store.known("embedded", &serial).await.unwrap();
        let known = known.unwrap();
        assert!(matches!(known.signed, Signed::Lost(Some(_))), "{known:?}");
        known.revocation.unwrap().1
    }

    /// Every entry is on a list now.
    fn list_all(&self) {
        let update = "UPDATE crl_entry SET listed = 7";
        self.hands().execute(update, &[]).unwrap();
    }

    async fn unlisted(&self) -> Vec<u8> {
        self.store.unlisted_endings("embedded").await.unwrap()
    }
}

fn ending(number: u64) -> u8 {
    *sample::reservation(number).serial.last().unwrap()
}

#[tokio::test]
async fn x_3_a_key_found_compromised_is_the_reason_of_serials_that_were_given_up_with_it() {
    let world = World::new().await;
    let store = &world.store;
    let logged = world.reserved("acme", 2).await;
    let logged = store.advance(precertified(logged, 2)).await.unwrap();
    let process = logged.id;
    store.advance(giving_up(logged, 2)).await.unwrap();
    let reserved = world.reserved("rival", 3).await;
    store.advance(giving_up(reserved, 3)).await.unwrap();
    world.list_all();

    // What is only claimed is nobody else's business.
    store.block_keys(claimed("rival")).await.unwrap();
    assert_eq!(world.answered(2).await, SUPERSEDED);
    assert_eq!(world.answered(3).await, COMPROMISED);
    assert_eq!(world.unlisted().await, [ending(3)]);
    world.list_all();

    store.block_keys(proved()).await.unwrap();
    assert_eq!(world.answered(2).await, COMPROMISED);
    assert_eq!(world.unlisted().await, [ending(2)], "3 says so already");
    let object = format!("key/{}", hex::encode(KEY));
    let told = store.last_audit_of(&object).await.unwrap().unwrap();
    assert_eq!(told.detail["upgradedProcesses"], json!([process]));
    assert_eq!(told.detail.get("upgraded"), None);
}

#[tokio::test]
async fn x_3_a_serial_that_is_given_up_with_a_compromised_key_is_revoked_for_that_at_once() {
    let world = World::new().await;
    let store = &world.store;
    let mut all = Vec::new();
    for (customer, number) in [("acme", 2), ("rival", 3), ("acme", 4)] {
        all.push(world.reserved(customer, number).await);
    }
    let [first, second, third] = <[Process; 3]>::try_from(all).unwrap();
    store.block_keys(claimed("rival")).await.unwrap();
    store.advance(giving_up(first, 2)).await.unwrap();
    assert_eq!(world.answered(2).await, SUPERSEDED, "claimed by another");
    store.advance(giving_up(second, 3)).await.unwrap();
    assert_eq!(world.answered(3).await, COMPROMISED);
    store.block_keys(proved()).await.unwrap();
    store.advance(giving_up(third, 4)).await.unwrap();
    assert_eq!(world.answered(4).await, COMPROMISED);
}

/// As after a restore: the list of keys knows it, the lists of certificates do not.
#[tokio::test]
async fn x_3_who_names_a_blocked_key_again_corrects_what_its_serials_say() {
    let world = World::new().await;
    let store = &world.store;
    let reserved = world.reserved("acme", 2).await;
    store.advance(giving_up(reserved, 2)).await.unwrap();
    for block in [claimed("acme"), proved()] {
        store.block_keys(block.clone()).await.unwrap();
        let restored = "UPDATE crl_entry SET reason = 'SUPERSEDED', listed = 7";
        world.hands().execute(restored, &[]).unwrap();
        store.block_keys(claimed("rival")).await.unwrap();
        assert_eq!(world.answered(2).await, SUPERSEDED);
        store.block_keys(block).await.unwrap();
        assert_eq!(world.answered(2).await, COMPROMISED);
        assert_eq!(world.unlisted().await, [ending(2)]);
    }
}
