//! Campaigns that are stopped, and certificates that are replaced, at the very moment that something is begun.

use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::campaign::{
    Campaign, CampaignId, CampaignStatus, CampaignStore as _, Item, ItemEnd, KeyChoice, Outcome,
    Pace, Selection, Ticket,
};
use reseal_lifecycle::certificate::Certificate;
use reseal_lifecycle::store::{Change, Store as _, StoreError};

use super::World;
use super::sample::{self, in_days, now};

fn entry() -> AuditEntry {
    AuditEntry::new(now(), "house/op", "campaign.change", "campaign")
}

/// A running campaign that is about `certificate`.
async fn about(world: &World, certificate: &Certificate) -> CampaignId {
    let campaign = Campaign {
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
    };
    let id = world
        .store
        .create_campaign(campaign, entry())
        .await
        .unwrap();
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
