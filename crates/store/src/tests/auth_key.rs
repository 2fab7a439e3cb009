//! Auth keys: one at a time, and for one certificate.

use reseal_lifecycle::auth_key::{AuthKey, AuthKeyStore as _};
use reseal_lifecycle::store::{Change, Store as _, StoreError};

use super::World;
use super::sample::{self, hash, in_days, now};

fn key(token: &str) -> AuthKey {
    AuthKey {
        id: 0,
        customer: "acme".to_owned(),
        product: "ssl_dv".to_owned(),
        csr: hash(1),
        token: token.to_owned(),
        created: now(),
    }
}

impl World {
    async fn usable(&self, customer: &str, since: i64) -> Vec<AuthKey> {
        let (csr, since) = (hash(1), in_days(since));
        let found = self.store.auth_keys(customer, "ssl_dv", &csr, since);
        found.await.unwrap()
    }
}

#[tokio::test]
async fn d_10_a_key_stands_until_its_time_is_nearly_over() {
    let world = World::new().await;
    let first = world
        .store
        .add_auth_key(key("one"), in_days(-23))
        .await
        .unwrap();
    let again = world
        .store
        .add_auth_key(key("two"), in_days(-23))
        .await
        .unwrap();
    assert_eq!(again, first);
    let late = AuthKey {
        created: in_days(24),
        ..key("three")
    };
    let late = world.store.add_auth_key(late, in_days(1)).await.unwrap();
    assert_eq!(world.usable("acme", -1).await, [late.clone(), first]);
    assert_eq!(world.usable("acme", 1).await, [late]);
    assert_eq!(world.usable("rival", -1).await, []);
}

#[tokio::test]
async fn d_10_one_key_leads_to_one_certificate() {
    let world = World::new().await;
    let stored = world
        .store
        .add_auth_key(key("one"), in_days(-1))
        .await
        .unwrap();
    let by_key = || Change {
        auth_keys: vec![stored.id],
        ..sample::opening("acme", None)
    };
    let process = world.store.open(by_key()).await.unwrap();
    assert_eq!(world.usable("acme", -1).await, []);
    let late = world.store.open(by_key()).await;
    assert!(matches!(late, Err(StoreError::AuthKeyUsed)), "{late:?}");
    // Ended without a certificate, it has used nothing up.
    let (failed, events) = process.fail("no".to_owned(), now()).unwrap();
    world
        .store
        .advance(Change::new(failed, events))
        .await
        .unwrap();
    assert_eq!(
        world.usable("acme", -1).await,
        std::slice::from_ref(&stored)
    );
    world.store.open(by_key()).await.unwrap();
}
