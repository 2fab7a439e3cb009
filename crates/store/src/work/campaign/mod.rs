//! Campaigns, and what becomes of the certificates in them.

mod along;
mod rows;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::campaign::{
    Campaign, CampaignId, CampaignStatus, CampaignStore, Item, ItemEnd, Outcome, Progress,
};
use reseal_lifecycle::certificate::{Certificate, CertificateId};
use reseal_lifecycle::idempotency::Promised;
use reseal_lifecycle::query::SelectionQuery;
use reseal_lifecycle::store::StoreError;

use super::columns::Columns;
use super::find::{many, number, one};
use super::notification::Draft;
use super::page;
use super::rows::{certificate, millis};
use super::{audit, idempotency};
use crate::SqlStore;
use crate::database::{self, Error, Lock, params};
use crate::list;
use crate::sql::campaign as sql;

pub(crate) use along::{close, hasten, settle, take_along};
use along::{is_replaceable, runs};
use rows::{campaign, item, outcome};

#[async_trait]
impl CampaignStore for SqlStore {
    async fn create_campaign(
        &self,
        campaign: Campaign,
        entry: AuditEntry,
        promised: Option<Promised<Campaign>>,
    ) -> Result<Campaign, StoreError> {
        self.writer
            .write(move |connection| {
                let values = params![
                    campaign.actor,
                    millis(campaign.created),
                    campaign.reason,
                    campaign.selection.to_string(),
                    campaign.key.as_str(),
                    millis(campaign.deadline),
                    campaign.pace.per_issuer.map(NonZeroU32::get),
                    campaign.pace.per_customer.map(NonZeroU32::get),
                    campaign.status.as_str()
                ];
                // Numbers are given before they are committed: whoever stores a certificate now is waited for.
                connection.lock(Lock::CertificatesStored);
                let id = connection.insert(sql::INSERT, values)?;
                let object = Campaign::object(id);
                let entry = entry.clone();
                audit::note(connection, AuditEntry { object, ..entry })?;
                let stored = one(connection, sql::SELECT, [id], self::campaign)?
                    .ok_or(Error::Missing("a campaign that was just stored"))?;
                if let Some(promised) = &promised {
                    idempotency::keep_promise(connection, promised, &stored)?;
                }
                Ok(stored)
            })
            .await
    }

    async fn campaign(&self, id: CampaignId) -> Result<Option<Progress>, StoreError> {
        self.duties
            .read(move |connection| {
                let _snapshot = connection.snapshot()?;
                let Some(campaign) = one(connection, sql::SELECT, [id], campaign)? else {
                    return Ok(None);
                };
                let outcomes: Vec<(Outcome, u64)> = many(connection, sql::COUNT, [id], |row| {
                    let mut columns = Columns::of(row);
                    Ok((
                        outcome(&mut columns)?,
                        columns.value::<i64>()?.unsigned_abs(),
                    ))
                })?;
                let outcomes = outcomes.into_iter().collect::<BTreeMap<_, _>>();
                Ok(Some(Progress { campaign, outcomes }))
            })
            .await
    }

    async fn campaign_window(
        &self,
        certificate: CertificateId,
    ) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
        self.points
            .read(move |connection| {
                let values = params![certificate, CampaignStatus::Cancelled.as_str()];
                let found = many(connection, sql::SELECT_WINDOW, values, |row| {
                    let mut columns = Columns::of(row);
                    let window = (columns.moment()?, columns.moment()?);
                    Ok((window, outcome(&mut columns)?))
                })?;
                let wanted = found.into_iter().filter(|(_, outcome)| outcome.wants_it());
                let windows = wanted.map(|(window, _)| window);
                Ok(windows.min_by_key(|(_, deadline)| *deadline))
            })
            .await
    }

    async fn campaign_runs(&self, id: CampaignId) -> Result<bool, StoreError> {
        self.points
            .read(move |connection| {
                let values = params![id, CampaignStatus::Running.as_str()];
                Ok(number(connection, sql::HAS_STATUS, values)?.is_some())
            })
            .await
    }

    async fn campaigns(&self) -> Result<Vec<Campaign>, StoreError> {
        self.lists
            .read(|connection| many(connection, sql::SELECT_ALL, params![], campaign))
            .await
    }

    async fn change_campaign(
        &self,
        id: CampaignId,
        from: &[CampaignStatus],
        to: CampaignStatus,
        now: Timestamp,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        let from: Vec<&str> = from.iter().map(|status| status.as_str()).collect();
        let ended = matches!(to, CampaignStatus::Cancelled | CampaignStatus::Completed);
        let ended = ended.then(|| millis(now));
        self.writer
            .write(move |connection| {
                let hold = database::Hold::ForChange;
                if !connection.hold(hold, sql::SELECT_STATUS, [id])? {
                    return Ok(false);
                }
                let status = one(connection, sql::SELECT_STATUS, [id], |row| {
                    Ok(Columns::of(row).text()?.to_owned())
                })?;
                if status.is_none_or(|status| !from.contains(&status.as_str())) {
                    return Ok(false);
                }
                connection.send(sql::SET_STATUS, params![to.as_str(), ended, id])?;
                audit::note(connection, entry.clone())?;
                Ok(true)
            })
            .await
    }

    async fn claim_campaigns(
        &self,
        owner: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Vec<Campaign>, StoreError> {
        let running = CampaignStatus::Running.as_str();
        let running: Vec<i64> = self
            .points
            .read(move |connection| {
                many(connection, sql::SELECT_BY_STATUS, [running], |row| {
                    row.get(0)
                })
            })
            .await?;
        if running.is_empty() {
            return Ok(Vec::new());
        }
        let owner = owner.to_owned();
        self.writer
            .write(move |connection| {
                let mut claimed = Vec::new();
                for id in &running {
                    let values = params![owner, millis(lease), id, millis(now)];
                    if connection.execute(sql::CLAIM, values)? > 0 {
                        claimed.extend(one(connection, sql::SELECT, [id], campaign)?);
                    }
                }
                Ok(claimed)
            })
            .await
    }

    async fn selected(
        &self,
        query: &SelectionQuery,
        now: Timestamp,
    ) -> Result<Vec<Certificate>, StoreError> {
        let select = list::selection(self.dialect, query, now)?;
        let tally = Arc::clone(&self.tally);
        let page = self
            .duties
            .read(move |connection| page::read(connection, &select, &tally, certificate))
            .await?;
        Ok(page.entities)
    }

    async fn add_items(
        &self,
        id: CampaignId,
        items: Vec<Item>,
        through: CertificateId,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                for item in &items {
                    let values = params![
                        id,
                        item.certificate,
                        item.customer,
                        item.issuer,
                        millis(item.urgent),
                        item.outcome.as_str(),
                        millis(item.updated)
                    ];
                    connection.send(sql::INSERT_ITEM, values)?;
                }
                connection.send(sql::SET_THROUGH, params![through, id])?;
                Ok(())
            })
            .await
    }

    async fn waiting_issuers(&self, id: CampaignId) -> Result<Vec<String>, StoreError> {
        self.duties
            .read(move |connection| {
                let waiting = Outcome::Waiting.as_str();
                let mut issuers: Vec<String> = Vec::new();
                loop {
                    let last = issuers.last().map_or("", String::as_str);
                    let values = params![id, waiting, last];
                    let next = one(connection, sql::SELECT_ISSUER, values, |row| row.get(0))?;
                    let Some(issuer) = next else {
                        return Ok(issuers);
                    };
                    issuers.push(issuer);
                }
            })
            .await
    }

    async fn due_items(
        &self,
        id: CampaignId,
        issuer: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Item>, StoreError> {
        let issuer = issuer.to_owned();
        self.duties
            .read(move |connection| {
                let waiting = Outcome::Waiting.as_str();
                let values = params![id, waiting, issuer, limit];
                let mut due = many(connection, sql::SELECT_FRESH, values, item)?;
                let values = params![id, waiting, issuer, millis(now), limit];
                due.extend(many(connection, sql::SELECT_RETURNED, values, item)?);
                due.sort_unstable_by_key(|item| (item.urgent, item.certificate));
                Ok(due)
            })
            .await
    }

    async fn put_off(
        &self,
        id: CampaignId,
        item: &Item,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let (certificate, urgent) = (item.certificate, millis(item.urgent));
        self.writer
            .write(move |connection| {
                let waiting = Outcome::Waiting.as_str();
                let values = params![millis(until), id, certificate, waiting, urgent];
                Ok(connection.send(sql::PUT_OFF, values)?)
            })
            .await
    }

    async fn forget_places(
        &self,
        id: CampaignId,
        issuer: &str,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let issuer = issuer.to_owned();
        self.writer
            .write(move |connection| {
                let values = params![id, Outcome::Waiting.as_str(), issuer, limit];
                Ok(connection.execute(sql::FORGET_PLACES, values)? as u64)
            })
            .await
    }

    async fn end_item(
        &self,
        id: CampaignId,
        certificate: CertificateId,
        end: ItemEnd,
    ) -> Result<(), StoreError> {
        let told = Draft::all_of(end.notification.into_iter().collect())?;
        self.writer
            .write(move |connection| {
                let values = params![
                    end.outcome.as_str(),
                    end.successor,
                    end.detail,
                    millis(end.at),
                    id,
                    certificate,
                    Outcome::Waiting.as_str()
                ];
                // Stopped, or replaced at the same moment: its turn comes again, or is judged anew.
                let tells = end.outcome == Outcome::Notified;
                if !runs(connection, id)? || tells && !is_replaceable(connection, certificate)? {
                    return Ok(());
                }
                if connection.execute(sql::END, values)? > 0 {
                    for draft in &told {
                        draft.write(connection, None, None)?;
                    }
                }
                Ok(())
            })
            .await
    }

    async fn retry_item(
        &self,
        id: CampaignId,
        certificate: CertificateId,
        again: Timestamp,
        (detail, is_failure): (&str, bool),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let detail = detail.to_owned();
        self.writer
            .write(move |connection| {
                let waiting = Outcome::Waiting.as_str();
                let (again, now) = (millis(again), millis(now));
                let failures = i64::from(is_failure);
                let values = params![again, detail, now, failures, id, certificate, waiting];
                connection.execute(sql::RETRY, values)?;
                Ok(())
            })
            .await
    }

    async fn end_missed(
        &self,
        id: CampaignId,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.writer
            .write(move |connection| {
                let notified = Outcome::Notified.as_str();
                let values = params![id, notified, limit];
                let left: Vec<CertificateId> =
                    many(connection, sql::SELECT_WITH_OUTCOME, values, |row| {
                        row.get(0)
                    })?;
                let missed = Outcome::Missed.as_str();
                for certificate in &left {
                    let values = params![missed, millis(now), id, certificate, notified];
                    connection.send(sql::MISS, values)?;
                }
                Ok(left.len() as u64)
            })
            .await
    }

    async fn has_unfinished(&self, id: CampaignId) -> Result<bool, StoreError> {
        self.duties
            .read(move |connection| {
                let [waiting, open, notified] =
                    [Outcome::Waiting, Outcome::Open, Outcome::Notified].map(Outcome::as_str);
                let values = params![id, waiting, open, notified];
                Ok(number(connection, sql::HAS_UNFINISHED, values)?.is_some())
            })
            .await
    }

    async fn items(
        &self,
        id: CampaignId,
        after: CertificateId,
        limit: u32,
    ) -> Result<Vec<Item>, StoreError> {
        self.duties
            .read(move |connection| {
                let values = params![id, after, limit];
                many(connection, sql::SELECT_ITEMS, values, item)
            })
            .await
    }
}
