//! Campaigns that are stopped, and certificates that are replaced, at the very moment that something is begun.

use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::campaign::{
    Campaign, CampaignId, CampaignStatus, CampaignStore as _, Item, ItemEnd, KeyChoice, Outcome,
    Pace, Selection, Ticket,
};
use reseal_lifecycle::certificate::Certificate;
use reseal_lifecycle::compromise::{CompromiseStore as _, KeyBlock};
use reseal_lifecycle::idempotency::{Claim, IdempotencyStore as _, KeptAnswer, Promised};
use reseal_lifecycle::process::Process;
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

/// One that waits.
fn item(certificate: &Certificate) -> Item {
    Item {
        certificate: certificate.id,
        urgent: certificate.not_after,
        due: Timestamp::UNIX_EPOCH,
        has_place: false,
        customer: certificate.customer.clone(),
        issuer: certificate.issuer.clone(),
        outcome: Outcome::Waiting,
        process: None,
        successor: None,
        attempts: 0,
        detail: None,
        updated: now(),
    }
}

/// A running campaign that is about `certificate`.
async fn about(world: &World, certificate: &Certificate) -> CampaignId {
    let campaign = campaign();
    let begun = world.store.create_campaign(campaign, entry(), None).await;
    let id = begun.unwrap().id;
    let item = item(certificate);
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

/// The only item of the campaign.
async fn only(world: &World, id: CampaignId) -> Item {
    let mut items = world.store.items(id, 0, 2).await.unwrap();
    assert_eq!(items.len(), 1);
    items.remove(0)
}

#[tokio::test]
async fn what_is_due_comes_by_issuer_the_most_urgent_first_wherever_it_waited() {
    let world = World::new().await;
    let store = &world.store;
    let begun = store.create_campaign(campaign(), entry(), None).await;
    let id = begun.unwrap().id;
    let mut items = Vec::new();
    // In days: when each stops being of use.
    for (number, urgent) in [(1, 9), (2, 3), (3, 7), (4, 5), (5, 1)] {
        let certificate = world.import(sample::certificate("acme", number)).await;
        let issuer = if number == 5 { "other" } else { "embedded" };
        items.push(Item {
            urgent: in_days(urgent),
            issuer: issuer.to_owned(),
            ..item(&certificate)
        });
    }
    let ids: Vec<_> = items.iter().map(|item| item.certificate).collect();
    store.add_items(id, items, ids[4]).await.unwrap();
    let issuers = store.waiting_issuers(id).await.unwrap();
    assert_eq!(issuers, ["embedded", "other"]);
    let due = async |day| {
        let due = store.due_items(id, "embedded", in_days(day), 10).await;
        let due = due.unwrap().into_iter().map(|item| item.certificate);
        due.collect::<Vec<_>>()
    };
    let in_order = [ids[1], ids[3], ids[2], ids[0]];
    assert_eq!(due(0).await, in_order);
    // One has a place in the pace, one failed for a while: both come again among the others.
    let all = store.items(id, 0, 10).await.unwrap();
    store.put_off(id, &all[1], in_days(1)).await.unwrap();
    let failed = store.retry_item(id, ids[3], in_days(2), ("busy", true), now());
    failed.await.unwrap();
    assert_eq!(due(0).await, [ids[2], ids[0]]);
    assert_eq!(due(1).await, [ids[1], ids[2], ids[0]]);
    assert_eq!(due(2).await, in_order);
    assert_eq!(store.forget_places(id, "other", 10).await.unwrap(), 0);
    assert_eq!(store.forget_places(id, "embedded", 10).await.unwrap(), 1);
    assert_eq!(
        due(0).await,
        [ids[1], ids[2], ids[0]],
        "only places are forgotten"
    );
    assert_eq!(store.forget_places(id, "embedded", 10).await.unwrap(), 0);
}

/// `process` fails at `at`.
async fn fail(world: &World, process: Process, at: Timestamp) {
    let (failed, events) = process.fail("the log is down".to_owned(), at).unwrap();
    let failed = world.store.advance(Change::new(failed, events)).await;
    failed.unwrap();
}

#[tokio::test]
async fn a_certificate_whose_process_failed_is_judged_anew_three_times() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let id = about(&world, &old).await;
    // Whatever kept it waiting before does not count.
    for _ in 0..5 {
        let again = ("busy", true);
        let waits = world.store.retry_item(id, old.id, now(), again, now());
        waits.await.unwrap();
    }
    let again = ("another process is open", false);
    let waits = world.store.retry_item(id, old.id, now(), again, now());
    waits.await.unwrap();
    assert_eq!(only(&world, id).await.attempts, 5);
    for attempt in 1..=4 {
        let process = world.store.open(reissue(&old, id, attempt + 1)).await;
        let process = process.unwrap();
        let number = process.id;
        fail(&world, process, now()).await;
        let item = only(&world, id).await;
        let why = format!("process {number} failed: the log is down");
        assert_eq!(item.detail.as_deref(), Some(&*why));
        let (expected, due) = match attempt {
            4 => (Outcome::Failed, item.due),
            _ => (Outcome::Waiting, now() + SignedDuration::from_mins(10)),
        };
        assert_eq!((item.outcome, item.due), (expected, due), "{attempt}");
    }
}

#[tokio::test]
async fn a_process_that_fails_after_the_deadline_is_the_end() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let id = about(&world, &old).await;
    let process = world.store.open(reissue(&old, id, 2)).await.unwrap();
    fail(&world, process, in_days(1)).await;
    assert_eq!(only(&world, id).await.outcome, Outcome::Failed);
}

#[tokio::test]
async fn a_process_that_fails_in_a_cancelled_campaign_is_the_end() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let id = about(&world, &old).await;
    let process = world.store.open(reissue(&old, id, 2)).await.unwrap();
    let (from, to) = ([CampaignStatus::Running], CampaignStatus::Cancelled);
    let cancelled = world.store.change_campaign(id, &from, to, now(), entry());
    assert!(cancelled.await.unwrap());
    fail(&world, process, now()).await;
    assert_eq!(only(&world, id).await.outcome, Outcome::Failed);
}

#[tokio::test]
async fn a_process_that_was_cancelled_is_the_end_and_says_so() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let id = about(&world, &old).await;
    let mut opening = sample::opening("acme", Some(old.subscription));
    opening.process.source = Some(old.id);
    opening.ticket = reissue(&old, id, 2).ticket;
    let process = world.store.open(opening).await.unwrap();
    let number = process.id;
    let (cancelled, events) = process.cancel("acme/api".to_owned(), now()).unwrap();
    world
        .store
        .advance(Change::new(cancelled, events))
        .await
        .unwrap();
    let item = only(&world, id).await;
    let why = format!("process {number} was cancelled");
    assert_eq!(item.outcome, Outcome::Failed);
    assert_eq!(item.detail.as_deref(), Some(&*why));
}

/// who was told and did nothing is still to replace it, however the campaign ended, unless an operator gave it up.
#[tokio::test]
async fn a_window_lasts_until_the_certificate_is_replaced_or_the_campaign_cancelled() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let id = about(&world, &old).await;
    let window = async || world.store.campaign_window(old.id).await.unwrap();
    let wanted = Some((now(), in_days(1)));
    let change = async |from, to| {
        let from = [from];
        let changed = world.store.change_campaign(id, &from, to, now(), entry());
        assert!(changed.await.unwrap());
    };
    assert_eq!(window().await, wanted);
    world.store.end_item(id, old.id, told()).await.unwrap();
    assert_eq!(world.store.end_missed(id, in_days(2), 10).await.unwrap(), 1);
    let missed = only(&world, id).await;
    assert_eq!(missed.outcome, Outcome::Missed);
    assert_eq!(missed.detail, Some(told().detail), "why it was told stays");
    assert_eq!(window().await, wanted);
    change(CampaignStatus::Running, CampaignStatus::Completed).await;
    assert_eq!(window().await, wanted);
    change(CampaignStatus::Completed, CampaignStatus::Cancelled).await;
    assert_eq!(window().await, None);
}

/// what must be revoked by tomorrow goes before what ends next week.
#[tokio::test]
async fn a_revocation_that_is_ordered_later_makes_a_certificate_more_urgent() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let id = about(&world, &old).await;
    assert_eq!(only(&world, id).await.urgent, old.not_after);
    let key = old.spki_sha256;
    let delay = SignedDuration::from_hours(20);
    let block = KeyBlock::certain(vec![key], "leaked", "house/op", now(), delay);
    let place = in_days(9);
    let before = only(&world, id).await;
    world.store.put_off(id, &before, place).await.unwrap();
    let waiting = only(&world, id).await;
    assert_eq!((waiting.due, waiting.has_place), (place, true));
    world.store.block_keys(block).await.unwrap();
    let hastened = only(&world, id).await;
    assert_eq!(hastened.urgent, now() + delay);
    assert!(
        hastened.due < now(),
        "it waits for a place beyond its revocation"
    );
    // By somebody who had read it before.
    world.store.put_off(id, &before, place).await.unwrap();
    assert_eq!(only(&world, id).await, hastened);
}
