//! Campaigns as they are shown.

use std::collections::BTreeMap;

use reseal_lifecycle::campaign::{Campaign, Item, Outcome, Plan, Progress};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::date::Date;

/// What a campaign would come to, as the API shows it.
///
/// # Errors
/// It cannot be written as JSON.
pub fn campaign_plan(plan: &Plan) -> serde_json::Result<Value> {
    serde_json::to_value(PlanBody::of(plan))
}

/// A campaign as the API lists it.
///
/// # Errors
/// It cannot be written as JSON.
pub fn campaign_summary(campaign: &Campaign) -> serde_json::Result<Value> {
    serde_json::to_value(SummaryBody::of(campaign))
}

/// A campaign and how far it is, as the API shows it.
///
/// # Errors
/// It cannot be written as JSON.
pub fn campaign_progress(progress: &Progress) -> serde_json::Result<Value> {
    serde_json::to_value(CampaignBody::of(progress))
}

/// A certificate of a campaign, as the API lists it.
///
/// # Errors
/// It cannot be written as JSON.
pub fn campaign_item(item: &Item) -> serde_json::Result<Value> {
    serde_json::to_value(ItemBody::of(item))
}

/// A campaign.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Campaign")]
#[serde(rename_all = "camelCase")]
pub(super) struct SummaryBody<'a> {
    id: i64,
    /// `RUNNING`, `PAUSED`, `CANCELLED` or `COMPLETED`.
    status: &'static str,
    /// Which certificates.
    r#where: String,
    /// `keep` or `notify`.
    key: &'static str,
    reason: &'a str,
    /// Who began it.
    user: &'a str,
    created_date: Date,
    deadline: Date,
    /// Reissues an hour by one issuer, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_issuer: Option<u32>,
    /// Reissues an hour for one customer, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_customer: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_date: Option<Date>,
}

impl<'a> SummaryBody<'a> {
    pub(super) fn of(campaign: &'a Campaign) -> Self {
        Self {
            id: campaign.id,
            status: campaign.status.as_str(),
            r#where: campaign.selection.to_string(),
            key: campaign.key.as_str(),
            reason: &campaign.reason,
            user: &campaign.actor,
            created_date: Date(campaign.created),
            deadline: Date(campaign.deadline),
            per_issuer: campaign.pace.per_issuer.map(u32::from),
            per_customer: campaign.pace.per_customer.map(u32::from),
            ended_date: campaign.ended.map(Date),
        }
    }
}

/// A campaign and how far it is.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "CampaignProgress")]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignBody<'a> {
    #[serde(flatten)]
    summary: SummaryBody<'a>,
    /// Whether all its certificates are known.
    collected: bool,
    /// Certificates known so far.
    total: u64,
    /// Of these, with an outcome that is final.
    done: u64,
    /// How many have which outcome.
    outcomes: BTreeMap<&'static str, u64>,
}

impl<'a> CampaignBody<'a> {
    pub(super) fn of(progress: &'a Progress) -> Self {
        let outcomes = Outcome::ALL.map(|outcome| (outcome.as_str(), progress.count(outcome)));
        Self {
            summary: SummaryBody::of(&progress.campaign),
            collected: progress.campaign.is_collected(),
            total: progress.total(),
            done: progress.done(),
            outcomes: outcomes.into_iter().collect(),
        }
    }
}

/// What a campaign would come to.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "CampaignPlan")]
#[serde(rename_all = "camelCase")]
pub(super) struct PlanBody<'a> {
    /// Certificates that it is about.
    total: u64,
    /// Reissued at once: every name is proved still.
    at_once: u64,
    /// Reissued once their customers have proved control of their names again.
    after_proof: u64,
    /// Reissued once another process of their subscriptions, which is open, has ended.
    after_process: u64,
    /// Their customers are told, by reason.
    told: &'a BTreeMap<String, u64>,
    /// Replaced or revoked already.
    settled: u64,
    /// Nothing can be done, by reason.
    skipped: &'a BTreeMap<String, u64>,
    /// Reissues by issuer.
    issuers: &'a BTreeMap<String, u64>,
    /// The customer with the most reissues, and how many.
    busiest_customer: &'a str,
    busiest_customer_reissues: u64,
    /// Seconds that the pace makes it last; absent without a pace.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<i64>,
    /// Seconds after which a replaced certificate is revoked; absent when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_after: Option<i64>,
    /// Certificates that are revoked or end before the deadline.
    urgent: u64,
}

impl<'a> PlanBody<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        Self {
            total: plan.total,
            at_once: plan.at_once,
            after_proof: plan.after_proof,
            after_process: plan.after_process,
            told: &plan.told,
            settled: plan.settled,
            skipped: &plan.skipped,
            issuers: &plan.issuers,
            busiest_customer: &plan.busiest.customer,
            busiest_customer_reissues: plan.busiest.reissues,
            duration: plan.duration.map(|span| span.as_secs()),
            revoked_after: plan.revoked_after.map(|span| span.as_secs()),
            urgent: plan.urgent,
        }
    }
}

/// A page of a campaign's certificates.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "CampaignCertificates")]
pub(super) struct ItemsBody<'a> {
    entities: Vec<ItemBody<'a>>,
    /// `after` for the next page; absent on a page that is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

impl<'a> ItemsBody<'a> {
    pub(super) fn of(items: &'a [Item]) -> Self {
        Self {
            entities: items.iter().map(ItemBody::of).collect(),
            next: items.last().map(|item| item.certificate),
        }
    }
}

/// What became of a certificate.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "CampaignCertificate")]
#[serde(rename_all = "camelCase")]
struct ItemBody<'a> {
    certificate_id: i64,
    customer: &'a str,
    issuer: &'a str,
    /// When it stops being of use.
    urgent_date: Date,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_id: Option<i64>,
    /// The certificate in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    successor_id: Option<i64>,
    /// Attempts that failed.
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    updated_date: Date,
}

impl<'a> ItemBody<'a> {
    fn of(item: &'a Item) -> Self {
        Self {
            certificate_id: item.certificate,
            customer: &item.customer,
            issuer: &item.issuer,
            urgent_date: Date(item.urgent),
            outcome: item.outcome.as_str(),
            process_id: item.process,
            successor_id: item.successor,
            attempts: item.attempts,
            detail: item.detail.as_deref(),
            updated_date: Date(item.updated),
        }
    }
}
