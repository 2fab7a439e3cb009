//! What is stored is read back equal, by those who may read it.

use reseal_lifecycle::authorization::Authorization;
use reseal_lifecycle::certificate::{Certificate, Revocation, RevocationReason};
use reseal_lifecycle::compromise::{CompromiseStore as _, KeyBlock};
use reseal_lifecycle::customer::{AccountStore as _, ApiKey, Customer, Role, Scope};
use reseal_lifecycle::import;
use reseal_lifecycle::store::{Change, KeyHistory, Store as _, StoreError};
use reseal_pki::corroboration::{Region, Witness};
use reseal_pki::method::Method;

use super::sample::{self, hash, in_days, now};
use super::{SqlStore, World};

#[tokio::test]
async fn customers_are_listed_by_handle_and_unique() {
    let world = World::new().await;
    let handles: Vec<String> = world
        .store
        .customers()
        .await
        .unwrap()
        .into_iter()
        .map(|customer| customer.handle)
        .collect();
    assert_eq!(handles, ["acme", "rival"]);
    assert!(world.store.customer_exists("acme").await.unwrap());
    assert!(!world.store.customer_exists("ACME").await.unwrap());
    let again = Customer {
        handle: "acme".to_owned(),
        created: now(),
    };
    let error = world
        .store
        .create_customer(again, "house/op")
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Exists("customer")), "{error}");
}

#[tokio::test]
async fn an_api_key_is_found_by_its_hash_until_it_is_revoked() {
    let world = World::new().await;
    let store = &world.store;
    let id = store
        .add_api_key("acme", "admin", Role::Operator, hash(1), now(), "house/op")
        .await
        .unwrap();
    let key = ApiKey {
        id,
        customer: "acme".to_owned(),
        login: "admin".to_owned(),
        role: Role::Operator,
        created: now(),
        revoked: None,
    };
    assert_eq!(store.api_key(&hash(1)).await.unwrap(), Some(key.clone()));
    assert_eq!(store.api_key(&hash(2)).await.unwrap(), None);
    let twice = store
        .add_api_key("rival", "admin", Role::Customer, hash(1), now(), "house/op")
        .await
        .unwrap_err();
    assert!(matches!(twice, StoreError::Exists("API key")), "{twice}");
    let nobody = store
        .add_api_key(
            "nobody",
            "admin",
            Role::Customer,
            hash(3),
            now(),
            "house/op",
        )
        .await
        .unwrap_err();
    assert!(matches!(nobody, StoreError::Fault(_)), "{nobody}");

    assert!(
        store
            .revoke_api_key(id, in_days(1), "house/op")
            .await
            .unwrap()
    );
    assert!(
        store
            .revoke_api_key(id, in_days(2), "house/op")
            .await
            .unwrap()
    );
    assert!(
        !store
            .revoke_api_key(id + 1, in_days(1), "house/op")
            .await
            .unwrap()
    );
    assert_eq!(store.api_key(&hash(1)).await.unwrap(), None);
    assert_eq!(
        store.api_keys().await.unwrap(),
        [ApiKey {
            revoked: Some(in_days(1)),
            ..key
        }]
    );
}

#[tokio::test]
async fn a_certificate_is_read_back_equal_inside_its_scope_only() {
    let world = World::new().await;
    let foreign = Certificate {
        organization: Some(sample::organization()),
        coc: Some("12345678".to_owned()),
        names: ["a.example", "b.example", "a.example"]
            .map(str::to_owned)
            .to_vec(),
        csr: None,
        ..sample::certificate("acme", 1)
    };
    let process = world
        .store
        .open(sample::import(foreign.clone()))
        .await
        .unwrap();
    let id = process.certificate.unwrap();
    let expected = Certificate {
        id,
        process: process.id,
        subscription: process.subscription.unwrap(),
        ..foreign
    };
    let own = Scope::Customer("acme".to_owned());
    assert_eq!(
        world.store.certificate(&own, id).await.unwrap(),
        Some(expected.clone())
    );
    assert_eq!(
        world
            .store
            .certificate(&Scope::Everything, id)
            .await
            .unwrap(),
        Some(expected)
    );
    let other = Scope::Customer("rival".to_owned());
    assert_eq!(world.store.certificate(&other, id).await.unwrap(), None);
    assert_eq!(
        world
            .store
            .certificate_by_fingerprint("acme", &hash(1))
            .await
            .unwrap(),
        Some(id)
    );
    assert_eq!(
        world
            .store
            .certificate_by_fingerprint("acme", &hash(2))
            .await
            .unwrap(),
        None
    );
    let again = world
        .store
        .open(sample::import(sample::certificate("acme", 1)))
        .await
        .unwrap_err();
    assert!(
        matches!(again, StoreError::Exists("certificate")),
        "{again}"
    );
    assert_eq!(
        world.store.process(&own, process.id + 1).await.unwrap(),
        None,
        "nothing of it is left"
    );
    // What one customer has says nothing to another.
    let rivals = sample::import(sample::certificate("rival", 1));
    world.store.open(rivals).await.unwrap();
}

#[tokio::test]
async fn a_process_is_read_back_equal_inside_its_scope_only() {
    let world = World::new().await;
    let stored = world
        .store
        .open(sample::opening("acme", None))
        .await
        .unwrap();
    let own = Scope::Customer("acme".to_owned());
    assert_eq!(
        world.store.process(&own, stored.id).await.unwrap(),
        Some(stored.clone())
    );
    let other = Scope::Customer("rival".to_owned());
    assert_eq!(world.store.process(&other, stored.id).await.unwrap(), None);
    assert_eq!(stored.version, 0);
    let command = stored.command.to_string();
    assert!(
        command.find("csr").unwrap() < command.find("certificateId").unwrap(),
        "the order stays: {command}"
    );
}

#[tokio::test]
async fn everything_answered_is_there_after_reopening() {
    let world = World::new().await;
    let certificate = world.import(sample::certificate("acme", 1)).await;
    let open = world
        .store
        .open(sample::opening("acme", Some(certificate.subscription)))
        .await
        .unwrap();
    let World {
        store,
        source,
        _folder,
    } = world;
    drop(store);
    let store = SqlStore::open(&source).unwrap();
    let everything = Scope::Everything;
    assert_eq!(
        store
            .certificate(&everything, certificate.id)
            .await
            .unwrap(),
        Some(certificate.clone())
    );
    assert_eq!(
        store.process(&everything, open.id).await.unwrap(),
        Some(open.clone())
    );
    assert_eq!(
        store.open_process(certificate.subscription).await.unwrap(),
        Some(open.id)
    );
    assert_eq!(
        store
            .newest_certificate(certificate.subscription)
            .await
            .unwrap(),
        Some(certificate.id)
    );
    let subscription = store
        .subscription(certificate.subscription)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        subscription,
        reseal_lifecycle::store::Subscription {
            id: certificate.subscription,
            ..sample::subscription("acme")
        }
    );
}

#[tokio::test]
async fn n_24_v_7_authorizations_are_the_customers_own_and_the_newest_of_each_method() {
    let world = World::new().await;
    let witness = |name: &str, region, agrees| Witness {
        name: name.to_owned(),
        region,
        agrees,
    };
    let witnesses = vec![
        witness("fra", Some(Region::Ripe), true),
        witness("nyc", None, false),
    ];
    let proof = |customer: &str, adn: &str, method, days| Authorization {
        id: 0,
        customer: customer.to_owned(),
        adn: adn.to_owned(),
        method,
        only_itself: false,
        obtained: in_days(days),
        process: 0,
        witnesses: match method {
            Method::Website => Vec::new(),
            _ => witnesses.clone(),
        },
        alias: None,
        distrusted: None,
    };
    let own = vec![
        proof("acme", "reseal-sample.com", Method::DnsChange, -5),
        proof("acme", "reseal-sample.com", Method::DnsChange, -9),
        proof("acme", "reseal-sample.com", Method::Website, -20),
        proof("acme", "www.reseal-sample.com", Method::Website, -3),
        proof("acme", "other.example", Method::DnsChange, -1),
    ];
    let process = world
        .store
        .open(Change {
            authorizations: own,
            ..sample::opening("acme", None)
        })
        .await
        .unwrap();
    let foreign = vec![proof("rival", "reseal-sample.com", Method::DnsChange, 0)];
    world
        .store
        .open(Change {
            authorizations: foreign,
            ..sample::opening("rival", None)
        })
        .await
        .unwrap();

    let adns = [
        "www.reseal-sample.com",
        "reseal-sample.com",
        "com",
        "reseal-sample.com",
    ]
    .map(str::to_owned);
    let mut found = world.store.authorizations("acme", &adns).await.unwrap();
    found.sort_by_key(|authorization| authorization.obtained);
    let summary: Vec<_> = found
        .iter()
        .map(|found| {
            (
                found.adn.as_str(),
                found.method,
                found.obtained,
                found.process,
            )
        })
        .collect();
    assert_eq!(
        summary,
        [
            (
                "reseal-sample.com",
                Method::Website,
                in_days(-20),
                process.id
            ),
            (
                "reseal-sample.com",
                Method::DnsChange,
                in_days(-5),
                process.id
            ),
            (
                "www.reseal-sample.com",
                Method::Website,
                in_days(-3),
                process.id
            ),
        ]
    );
    assert!(
        found
            .iter()
            .all(|authorization| authorization.id > 0 && authorization.customer == "acme")
    );
    for authorization in &found {
        let expected = match authorization.method {
            Method::Website => &[][..],
            _ => &witnesses,
        };
        assert_eq!(authorization.witnesses, expected);
    }
    assert_eq!(world.store.authorizations("acme", &[]).await.unwrap(), []);
}

#[tokio::test]
async fn c_21_c_23_a_key_is_known_when_blocked_or_another_customers() {
    let world = World::new().await;
    let store = &world.store;
    let certificate = world.import(sample::certificate("acme", 1)).await;
    let key = certificate.spki_sha256;
    assert_eq!(
        store.key_history("acme", &key).await.unwrap(),
        KeyHistory::default()
    );
    let foreign = KeyHistory {
        used_by_another_customer: true,
        blocked: false,
    };
    // Handles before and after the owner's.
    assert_eq!(store.key_history("aaa", &key).await.unwrap(), foreign);
    assert_eq!(store.key_history("rival", &key).await.unwrap(), foreign);
    assert_eq!(
        store.key_history("rival", &hash(99)).await.unwrap(),
        KeyHistory::default()
    );
    let mut public = sample::certificate("rival", 2);
    public.issuer = import::ISSUER.to_owned();
    let public = world.import(public).await;
    assert_eq!(
        store
            .key_history("acme", &public.spki_sha256)
            .await
            .unwrap(),
        KeyHistory::default(),
        "anybody can import anybody's certificate"
    );

    let block = |why: &str| KeyBlock::claimed("acme", vec![hash(99)], why, "acme/api", now());
    store.block_keys(block("seen in public")).await.unwrap();
    store.block_keys(block("and again")).await.unwrap();
    assert!(store.key_history("acme", &hash(99)).await.unwrap().blocked);
    let revocation = Revocation {
        at: now(),
        reason: Some(RevocationReason::KeyCompromise),
        note: None,
    };
    let change = Change {
        revocation: Some((certificate.id, revocation)),
        ..sample::opening("acme", None)
    };
    let block = KeyBlock::claimed("acme", vec![key], "compromised", "acme/api", now());
    store
        .open_with_key_blocked(vec![change], block)
        .await
        .unwrap();
    assert!(store.key_history("acme", &key).await.unwrap().blocked);
}

#[tokio::test]
async fn a_mail_token_leads_to_its_process() {
    let world = World::new().await;
    let change = Change {
        mail_tokens: vec![hash(1), hash(2)],
        ..sample::opening("acme", None)
    };
    let process = world.store.open(change).await.unwrap();
    assert_eq!(
        world.store.process_of_mail_token(&hash(2)).await.unwrap(),
        Some(process.id)
    );
    assert_eq!(
        world.store.process_of_mail_token(&hash(3)).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn ping_reads_and_writes() {
    let world = World::new().await;
    let before = world.store.commits();
    world.store.ping().await.unwrap();
    assert_eq!(world.store.commits(), before + 1);
}

#[tokio::test]
async fn a_closed_store_is_unavailable() {
    let world = World::new().await;
    world.store.close();
    world.store.close();
    let error = world.store.ping().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let customer = Customer {
        handle: "late".to_owned(),
        created: now(),
    };
    let error = world
        .store
        .create_customer(customer, "house/op")
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}
