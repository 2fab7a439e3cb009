//! What a campaign would come to, before it is begun. Reads every certificate it is about, some hundred at a time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use reseal_pki::csr::Csr;

use super::judge::{Verdict, Why, judge};
use super::{KeyChoice, NewCampaign, Pace, Selection};
use crate::certificate::{Certificate, CertificateId};
use crate::error::{Error, Kind};
use crate::issuance::{check_key, problems};
use crate::query::{Filter, FilterValue, Operator, SelectionField, SelectionQuery};
use crate::services::Services;

/// Certificates read at a time: few enough to be held, many enough to be fast.
pub(super) const SLICE: u32 = 500;

/// What a campaign would come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Certificates that it is about.
    pub total: u64,
    /// Reissued at once: every name is proved still.
    pub at_once: u64,
    /// Reissued once their customers have proved control of their names again.
    pub after_proof: u64,
    /// Reissued once another process of their subscriptions, which is open, has ended.
    pub after_process: u64,
    /// Their customers are told, by the reason why the campaign cannot reissue them itself.
    pub told: BTreeMap<String, u64>,
    /// Replaced or revoked already.
    pub settled: u64,
    /// Nothing can be done, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// How many each issuer would sign.
    pub issuers: BTreeMap<String, u64>,
    /// Reissues for the customer with the most of them.
    pub busiest: Share,
    /// How long the pace makes it last; `None` when it sets none: then it is as fast as the server.
    pub duration: Option<SignedDuration>,
    /// When those replaced are revoked, after they were; `None` when they are not.
    pub revoked_after: Option<SignedDuration>,
    /// Certificates that are revoked or end before the deadline.
    pub urgent: u64,
}

/// What falls to one customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// The customer.
    pub customer: String,
    /// Its reissues.
    pub reissues: u64,
}

impl Services {
    /// Says what `new` would come to, and changes nothing. `progress` hears how many certificates were looked at.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn plan_campaign(
        &self,
        new: &NewCampaign,
        mut progress: impl FnMut(u64),
    ) -> Result<Plan, Error> {
        let now = self.clock.now();
        let mut plan = Plan {
            revoked_after: self.settings.revoke_replaced_after,
            ..Plan::default()
        };
        let mut customers: BTreeMap<String, u64> = BTreeMap::new();
        let mut after = 0;
        loop {
            let query = slice(&new.selection, after, CertificateId::MAX, true);
            let certificates = self.store.selected(&query, now).await?;
            let Some(last) = certificates.last() else {
                break;
            };
            after = last.id;
            for certificate in &certificates {
                self.count(certificate, new, now, &mut plan, &mut customers)
                    .await?;
            }
            progress(plan.total);
        }
        let busiest = customers.into_iter().max_by_key(|(_, reissues)| *reissues);
        plan.busiest = busiest.map_or_else(Share::default, |(customer, reissues)| Share {
            customer,
            reissues,
        });
        plan.duration = duration(&plan, new.pace);
        Ok(plan)
    }

    async fn count(
        &self,
        certificate: &Certificate,
        new: &NewCampaign,
        now: Timestamp,
        plan: &mut Plan,
        customers: &mut BTreeMap<String, u64>,
    ) -> Result<(), Error> {
        plan.total += 1;
        match self.verdict(certificate, new.key, now).await? {
            Verdict::Reissue if self.is_refused_today(certificate).await? => {
                *plan
                    .told
                    .entry("its request is refused today".to_owned())
                    .or_default() += 1;
            }
            Verdict::Reissue => {
                let open = self.store.open_process(certificate.subscription).await?;
                if open.is_some() {
                    plan.after_process += 1;
                } else if self.has_proofs_at_hand(certificate, now).await? {
                    plan.at_once += 1;
                } else {
                    plan.after_proof += 1;
                }
                *plan.issuers.entry(self.signer_of(certificate)).or_default() += 1;
                *customers.entry(certificate.customer.clone()).or_default() += 1;
            }
            Verdict::Tell(why) => *plan.told.entry(why).or_default() += 1,
            Verdict::Settled(..) => {
                plan.settled += 1;
                return Ok(());
            }
            Verdict::Skip(why) => *plan.skipped.entry(why.reason).or_default() += 1,
        }
        if urgency(certificate, now) < new.deadline {
            plan.urgent += 1;
        }
        Ok(())
    }

    /// Whether the request that is kept does not do under today's rules.
    pub(super) async fn is_refused_today(&self, certificate: &Certificate) -> Result<bool, Error> {
        let der = certificate.csr.as_deref().unwrap_or_default();
        if Csr::from_der(der).map_or(true, |csr| problems(self, &csr).is_some()) {
            return Ok(true);
        }
        match check_key(self, &certificate.customer, &certificate.spki_sha256).await {
            Ok(()) => Ok(false),
            Err(error) if error.kind == Kind::InvalidCsr => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The issuer that would sign in the place of `certificate`: the one that its product has now.
    pub(super) fn signer_of(&self, certificate: &Certificate) -> String {
        let product = self.catalogue.get(&certificate.product);
        match product {
            Some(product) => self.signs_for(&product.issuer).to_owned(),
            None => certificate.issuer.clone(),
        }
    }

    /// What can be done about `certificate` now.
    pub(super) async fn verdict(
        &self,
        certificate: &Certificate,
        key: KeyChoice,
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        if let Some(why) = self.barred(certificate).await? {
            return Ok(Verdict::Skip(Why {
                reason: "it must be revoked, and no other may take its place".to_owned(),
                detail: Some(why),
            }));
        }
        let known = self
            .store
            .key_history(&certificate.customer, &certificate.spki_sha256)
            .await?;
        Ok(judge(certificate, key, known.blocked, &self.catalogue, now))
    }
}

/// The certificates of `selection` with numbers above `after`, up to `last`, the oldest first.
pub(super) fn slice(
    selection: &Selection,
    after: CertificateId,
    last: CertificateId,
    documents: bool,
) -> SelectionQuery {
    let number = |operator, id| Filter {
        field: SelectionField::Id,
        operator,
        values: vec![FilterValue::Integer(id)],
    };
    let mut filters = selection.filters().to_vec();
    filters.push(number(Operator::Gt, after));
    filters.push(number(Operator::Lte, last));
    SelectionQuery {
        filters,
        order: vec![(SelectionField::Id, false)],
        limit: Some(SLICE),
        total: false,
        documents,
        ..SelectionQuery::default()
    }
}

/// How urgent it is to replace `certificate` at `now`: what is of use no more is so last, when its subscription ends.
pub(super) fn urgency(certificate: &Certificate, now: Timestamp) -> Timestamp {
    if certificate.not_after < now {
        return certificate.subscription_end;
    }
    end_of_use(certificate)
}

/// When `certificate` stops being of use.
pub(super) fn end_of_use(certificate: &Certificate) -> Timestamp {
    let scheduled = certificate.revocation_scheduled;
    scheduled.map_or(certificate.not_after, |at| at.min(certificate.not_after))
}

/// How long the slowest issuer or the busiest customer makes it last.
fn duration(plan: &Plan, pace: Pace) -> Option<SignedDuration> {
    let seconds = |reissues: u64, an_hour: u32| {
        let seconds = reissues.saturating_mul(3600) / u64::from(an_hour);
        SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
    };
    let busiest = plan.issuers.values().copied().max().unwrap_or(0);
    let by_issuer = pace.per_issuer.map(|pace| seconds(busiest, pace.get()));
    let by_customer = pace
        .per_customer
        .map(|pace| seconds(plan.busiest.reissues, pace.get()));
    by_issuer.max(by_customer)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn the_slowest_pace_says_how_long_it_lasts() {
        let plan = Plan {
            issuers: BTreeMap::from([("a".to_owned(), 1200), ("b".to_owned(), 10)]),
            busiest: Share {
                customer: "acme".to_owned(),
                reissues: 300,
            },
            ..Plan::default()
        };
        let pace = |per_issuer, per_customer| Pace {
            per_issuer: NonZeroU32::new(per_issuer),
            per_customer: NonZeroU32::new(per_customer),
        };
        let hours = SignedDuration::from_hours;
        assert_eq!(duration(&plan, pace(0, 0)), None);
        assert_eq!(duration(&plan, pace(600, 0)), Some(hours(2)));
        assert_eq!(duration(&plan, pace(600, 100)), Some(hours(3)));
    }
}
