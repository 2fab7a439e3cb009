//! What is kept of CAs elsewhere.

use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::certificate::RevocationReason;
use reseal_lifecycle::compromise::{CompromiseStore as _, KeyBlock};
use reseal_lifecycle::store::{Change, Store as _};
use reseal_lifecycle::upstream::{Advice, Duty, Reply, StoredAccount, UpstreamStore as _};

use super::World;
use super::examine::sound;
use super::notifications::{all, draft};
use super::sample::{in_days, now, opening};

fn account(sealed: &[u8]) -> StoredAccount {
    StoredAccount {
        issuer: "le".to_owned(),
        directory: "https://ca.example/dir".to_owned(),
        customer: "acme".to_owned(),
        sealed: sealed.to_vec(),
        url: None,
        created: now(),
        next: None,
    }
}

#[tokio::test]
async fn of_two_nodes_that_make_an_account_the_first_ones_key_stays() {
    let world = World::new().await;
    let store = &world.store;
    let first = store
        .keep_upstream_account(account(b"first"))
        .await
        .unwrap();
    assert_eq!(first, account(b"first"));
    let second = store
        .keep_upstream_account(account(b"second"))
        .await
        .unwrap();
    assert_eq!(second.sealed, b"first");
    let (issuer, directory) = ("le", "https://ca.example/dir");
    let url = "https://ca.example/account/1";
    store
        .name_upstream_account(&first, url, now())
        .await
        .unwrap();
    let named = store
        .upstream_account(issuer, directory, "acme")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (named.url.as_deref(), &*named.sealed),
        (Some(url), &b"first"[..])
    );
    // Whoever registered the key too, and comes late.
    let late = "https://ca.example/account/2";
    store
        .name_upstream_account(&first, late, now())
        .await
        .unwrap();
    let still = store.upstream_account(issuer, directory, "acme").await;
    assert_eq!(still.unwrap().as_ref(), Some(&named));
    // The upstream has lost it and made another one of its key.
    let another = "https://ca.example/account/3";
    let renamed = store.name_upstream_account(&named, another, now());
    renamed.await.unwrap();
    let renamed = store.upstream_account(issuer, directory, "acme").await;
    assert_eq!(renamed.unwrap().unwrap().url.as_deref(), Some(another));
    for (directory, customer) in [("https://other.example/dir", "acme"), (directory, "rival")] {
        let other = store.upstream_account(issuer, directory, customer).await;
        assert_eq!(other.unwrap(), None, "{directory}, {customer}");
    }
}

#[tokio::test]
async fn x_1_a_revocation_at_an_upstream_is_one_nodes_at_a_time_and_stays_until_it_is_done() {
    let world = sound().await;
    let store = &world.store;
    let chain = store.upstream_chain(6).await.unwrap();
    assert_eq!(chain, Some(vec![b"issuer".to_vec(), b"root".to_vec()]));
    assert_eq!(store.upstream_chain(2).await.unwrap(), None);
    let take = async |day| {
        let taken = store.take_upstream_revocation("le", in_days(day), in_days(day + 1), false);
        taken.await.unwrap()
    };
    let behind = async |issuer| store.upstream_to_tell_behind(issuer).await.unwrap();
    assert_eq!(behind("").await.as_deref(), Some("le"));
    assert_eq!(behind("le").await, None);
    let others = store.take_upstream_revocation("other", in_days(1), in_days(2), false);
    assert_eq!(others.await.unwrap(), None);
    let duty = &take(1).await.unwrap();
    assert_eq!((&*duty.issuer, &*duty.customer), ("le", "acme"));
    assert_eq!(take(1).await, None, "taken by somebody else");
    store
        .upstream_not_revoked(duty, "busy", in_days(3))
        .await
        .unwrap();
    assert_eq!(take(2).await, None, "before its time");
    let again = &take(3).await.unwrap();
    assert_eq!(again.attempts, 1);
    store
        .upstream_revoked(again, None, in_days(5))
        .await
        .unwrap();
    store
        .upstream_not_revoked(again, "late", in_days(4))
        .await
        .unwrap();
    assert_eq!(take(9).await, None, "done");
    assert_eq!(behind("").await, None);
}

/// The upstream has to revoke what is not stored here, since `created`.
async fn unwanted(world: &World, number: u8, reason: Option<RevocationReason>, created: Timestamp) {
    let process = world.store.open(opening("acme", None)).await.unwrap();
    let (process, events) = process.fail("not ordered".to_owned(), now()).unwrap();
    let mut change = Change::new(process, events);
    change.unwanted = Some(Duty {
        fingerprint: [number; 32],
        issuer: "le".to_owned(),
        customer: "acme".to_owned(),
        der: vec![number],
        reason,
        created,
        attempts: 0,
    });
    world.store.advance(change).await.unwrap();
}

/// What is refused again and again was due first and is due again all the time.
#[tokio::test]
async fn x_1_compromised_keys_come_first_then_what_the_upstream_was_never_told() {
    let world = sound().await;
    let store = &world.store;
    let take = async |only_compromised| {
        let taken = store.take_upstream_revocation("le", in_days(9), in_days(99), only_compromised);
        taken.await.unwrap()
    };
    let refused = take(false).await.unwrap();
    let told = store.upstream_not_revoked(&refused, "no", in_days(1));
    told.await.unwrap();
    unwanted(&world, 1, None, in_days(2)).await;
    let compromised = Some(RevocationReason::KeyCompromise);
    unwanted(&world, 2, compromised, in_days(3)).await;
    assert_eq!(take(true).await.unwrap().fingerprint, [2; 32]);
    assert_eq!(take(true).await, None, "of compromised keys only");
    assert_eq!(take(false).await.unwrap().fingerprint, [1; 32]);
    let last = take(false).await.unwrap();
    assert_eq!(last.fingerprint, refused.fingerprint);
    assert_eq!(take(false).await, None);
}

/// While an upstream is told of a revocation, the key turns out to be compromised: it is told that too, at once.
#[tokio::test]
async fn x_3_an_upstream_hears_of_a_compromise_that_was_found_while_it_was_told() {
    for was_told in [true, false] {
        let world = sound().await;
        let store = &world.store;
        let take = async || {
            let taken = store.take_upstream_revocation("le", in_days(1), in_days(2), false);
            taken.await.unwrap()
        };
        let duty = &take().await.unwrap();
        assert_ne!(duty.reason, Some(RevocationReason::KeyCompromise));
        let keys = vec![world.certificate(6).await.spki_sha256];
        let delay = SignedDuration::from_hours(20);
        let block = KeyBlock::certain(keys, "found", "house/op", now(), delay);
        store.block_keys(block).await.unwrap();
        if was_told {
            let told = store.upstream_revoked(duty, None, in_days(1));
            told.await.unwrap();
        } else {
            let refused = store.upstream_not_revoked(duty, "busy", in_days(3));
            refused.await.unwrap();
        }
        let again = &take().await.unwrap();
        assert_eq!(again.reason, Some(RevocationReason::KeyCompromise));
        store
            .upstream_revoked(again, again.reason, in_days(1))
            .await
            .unwrap();
        assert_eq!(take().await, None, "done");
    }
}

#[tokio::test]
async fn x_11_an_upstream_is_asked_by_one_node_at_a_time_until_nobody_needs_its_advice() {
    let world = sound().await;
    let store = &world.store;
    let take = async |day| {
        let taken = store
            .take_questions("le", in_days(day), in_days(day + 1), 10)
            .await;
        taken.unwrap()
    };
    let [question] = &*take(1).await else {
        panic!("not one question");
    };
    assert_eq!((question.certificate, &question.known), (6, &None));
    assert_eq!(take(1).await, [], "asked by somebody else");
    let others = store.take_questions("other", in_days(9), in_days(10), 10);
    assert_eq!(others.await.unwrap(), []);
    let behind = async |issuer| store.upstream_to_ask_behind(issuer).await.unwrap();
    assert_eq!(behind("").await.as_deref(), Some("le"));
    assert_eq!(behind("le").await, None);
    let advice = Advice {
        start: in_days(10),
        end: in_days(11),
        explanation: Some("https://ca.example/why".to_owned()),
    };
    let reply = |next: Option<Timestamp>| Reply {
        certificate: 6,
        advice: Some(advice.clone()),
        next,
        attempts: 2,
        told: None,
    };
    assert_eq!(store.upstream_advice(6).await.unwrap(), None);
    let next = Some(in_days(3));
    store.answered(reply(next), in_days(2)).await.unwrap();
    assert_eq!(
        store.upstream_advice(6).await.unwrap().as_ref(),
        Some(&advice)
    );
    assert_eq!(take(2).await, [], "before its time");
    let [again] = &*take(3).await else {
        panic!("forgotten");
    };
    assert_eq!((again.attempts, again.known.as_ref()), (2, Some(&advice)));
    store.answered(reply(None), in_days(4)).await.unwrap();
    assert_eq!(take(99).await, [], "asked without need");
}

/// A node that was stopped for longer than its lease wakes up with what its upstream said then.
#[tokio::test]
async fn x_11_an_answer_that_comes_after_a_later_question_is_neither_kept_nor_told() {
    let world = sound().await;
    let store = &world.store;
    let told = draft(&world).await;
    let before = all(&world).await.len();
    for lease in [in_days(2), in_days(4)] {
        let asked = store.take_questions("le", in_days(3), lease, 10);
        assert_eq!(asked.await.unwrap().len(), 1, "asked again after its lease");
    }
    let reply = |end| Reply {
        certificate: 6,
        advice: Some(Advice {
            start: in_days(1),
            end,
            explanation: None,
        }),
        next: Some(in_days(9)),
        attempts: 0,
        told: Some(told.clone()),
    };
    let late = reply(in_days(5));
    store.answered(late, in_days(2)).await.unwrap();
    assert_eq!(store.upstream_advice(6).await.unwrap(), None);
    assert_eq!(all(&world).await.len(), before);
    store.answered(reply(in_days(6)), in_days(4)).await.unwrap();
    let kept = store.upstream_advice(6).await.unwrap();
    assert_eq!(kept.map(|advice| advice.end), Some(in_days(6)));
    assert_eq!(all(&world).await.len(), before + 1);
}
