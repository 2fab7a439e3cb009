//! Campaigns that are stopped, and certificates that are replaced, at the very moment that something is begun.

use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::campaign::{
    Campaign, CampaignId, CampaignStatus, CampaignStore as _, Item, ItemEnd, KeyChoice, Outcome,
    Pace, Selection, Ticket,
};
use reseal_lifecycle::certificate::Certificate;
use reseal_lifecycle::idempotency::{Claim, IdempotencyStore as _, KeptAnswer, Promised};
use reseal_lifecycle::store::{Change, Store as _, StoreError};

use super::World;
use super::idempotency;
use super::sample::{self, in_days, now};

fn entry() -> AuditEntry {
    AuditEntry::new(now(), "house/op", "campaign.change", "campaign")
}

/// A running one.
fn campaign() -> Campaign {
    Campaign {
        id: 0,
        actor: "house/op".to_owned(),
        created: now(),
        reason: "the root is distrusted".to_owned(),
        selection: Selection::parse("status=ACTIVE").unwrap(),
        key: KeyChoice::Keep,
        deadline: in_days(1),
        pace: Pace::default(),
        status: CampaignStatus::Running,
        ended: None,
        last: 0,
        through: 0,
    }
}

/// A running campaign that is about `certificate`.
async fn about(world: &World, certificate: &Certificate) -> CampaignId {
    let campaign = campaign();
    let begun = world.store.create_campaign(campaign, entry(), None).await;
    let id = begun.unwrap().id;
    let item = Item {
        certificate: certificate.id,
        urgent: certificate.not_after,
        customer: certificate.customer.clone(),
        issuer: certificate.issuer.clone(),
        outcome: Outcome::Waiting,
        process: None,
        successor: None,
        had_its_place: false,
        attempts: 0,
        detail: None,
        updated: now(),
    };
    world
        .store
        .add_items(id, vec![item], certificate.id)
        .await
        .unwrap();
    id
}

async fn outcome(world: &World, id: CampaignId) -> Vec<Outcome> {
    let progress = world.store.campaign(id).await.unwrap().unwrap();
    progress.outcomes.into_keys().collect()
}

fn told() -> ItemEnd {
    ItemEnd {
        outcome: Outcome::Notified,
        successor: None,
        detail: "its key is blocked".to_owned(),
        at: now(),
        notification: None,
    }
}

/// The first step of a reissue of `certificate` for the campaign.
fn reissue(certificate: &Certificate, campaign: CampaignId, number: u64) -> Change {
    let subscription = Some(certificate.subscription);
    let mut change = sample::opening_with_reservation("acme", subscription, number);
    change.process.source = Some(certificate.id);
    change.ticket = Some(Ticket {
        campaign,
        certificate: certificate.id,
    });
    change
}

#[tokio::test]
async fn a_campaign_that_was_stopped_begins_and_ends_nothing() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let id = about(&world, &old).await;
    let change = async |from, to| {
        let from = [from];
        let changed = world.store.change_campaign(id, &from, to, now(), entry());
        assert!(changed.await.unwrap());
    };
    change(CampaignStatus::Running, CampaignStatus::Paused).await;
    let refused = world.store.open(reissue(&old, id, 2)).await;
    assert!(matches!(refused, Err(StoreError::Stale)), "{refused:?}");
    world.store.end_item(id, old.id, told()).await.unwrap();
    assert_eq!(outcome(&world, id).await, [Outcome::Waiting]);

    change(CampaignStatus::Paused, CampaignStatus::Running).await;
    world.store.open(reissue(&old, id, 3)).await.unwrap();
    assert_eq!(outcome(&world, id).await, [Outcome::Open]);
}

#[tokio::test]
async fn whoever_has_replaced_a_certificate_is_not_told_to() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let id = about(&world, &old).await;
    // By its customer, while the campaign made up its mind.
    let own = Change {
        ticket: None,
        ..reissue(&old, id, 2)
    };
    let process = world.store.open(own).await.unwrap();
    let completion = sample::completion(process, 2, Some(old.id));
    world.store.advance(completion).await.unwrap();
    world.store.end_item(id, old.id, told()).await.unwrap();
    assert_eq!(outcome(&world, id).await, [Outcome::Waiting], "judged anew");
}

#[tokio::test]
async fn r_9_a_campaign_is_stored_with_the_answer_to_the_call_for_it() {
    let world = World::new().await;
    let answer = |campaign: &Campaign| {
        Ok(KeptAnswer {
            status: 201,
            headers: Vec::new(),
            body: campaign.id.to_string().into(),
        })
    };
    let promised = |claim| Some(Promised { claim, answer });
    let begin = |claim| {
        world
            .store
            .create_campaign(campaign(), entry(), promised(claim))
    };
    let call = || idempotency::call("acme", 1);
    let Claim::First(late) = world.store.claim_key(call()).await.unwrap() else {
        panic!("taken");
    };
    world.store.free_key(late).await.unwrap();
    let refused = begin(late).await;
    assert!(matches!(refused, Err(StoreError::Stale)), "{refused:?}");
    assert_eq!(world.store.campaigns().await.unwrap(), []);
    let Claim::First(claim) = world.store.claim_key(call()).await.unwrap() else {
        panic!("taken");
    };
    let begun = begin(claim).await.unwrap();
    let all = world.store.campaigns().await.unwrap();
    assert_eq!(all, std::slice::from_ref(&begun));
    let again = world.store.claim_key(call()).await.unwrap();
    assert_eq!(again, Claim::Answered(answer(&begun).unwrap()));
}
