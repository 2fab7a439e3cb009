//! An approved check serves later certificates of the same customer for the same organization (V-5, V-7, R-7).

use jiff::Timestamp;
use reseal_pki::calendar;
use reseal_pki::dn::OrganizationSubject;
use reseal_pki::name::DnsName;
use reseal_pki::profile::ValidationType;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::process::{Approver, Check, Order, Process, ProcessId, Work};
use crate::services::Services;

/// What an approval is about: it serves what says the same, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Level for which it was checked.
    pub level: ValidationType,
    /// The organization.
    pub subject: OrganizationSubject,
    /// Its chamber of commerce number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coc: Option<String>,
    /// Who answered for the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<Approver>,
    /// Names of the certificate, without `*.`.
    pub names: Vec<String>,
    /// The mailbox from which the agreement was accepted; `None` when an operator recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
}

impl Facts {
    /// What an approval for `order` is about; `None` when it names no organization.
    pub fn of(order: &Order) -> Option<Self> {
        let names = order.names.iter().map(|name| name.fqdn().to_owned());
        Some(Self {
            level: order.validation,
            subject: order.subject.clone()?,
            coc: order.coc.clone(),
            approver: order.approver.clone(),
            names: names.collect(),
            signer: None,
        })
    }

    /// Whether `check`, approved on these facts, holds for `order` too.
    fn serve(&self, check: Check, order: &Order) -> bool {
        let same_organization = Some(&self.subject) == order.subject.as_ref()
            && self.coc == order.coc
            && self.level >= order.validation;
        same_organization
            && match check {
                Check::Organization | Check::Docs => true,
                // A person was spoken to, or has signed.
                Check::Voice => self.approver == order.approver,
                Check::Agreement => {
                    self.approver == order.approver
                        && (self.is_signed_by_approver() || self.show_all_names_of(order))
                }
                Check::Whois => order.names.iter().all(|name| self.knows(name.fqdn())),
            }
    }

    /// Whether the approver signed, as far as mailboxes tell, or an operator recorded it. The customer says where the
    /// agreement goes: whoever else signed did so for the names that the page showed.
    fn is_signed_by_approver(&self) -> bool {
        let approver = self.approver.as_ref().map(|approver| &approver.email);
        self.signer.is_none() || self.signer.as_ref() == approver
    }

    fn show_all_names_of(&self, order: &Order) -> bool {
        let shown = |name: &DnsName| self.names.iter().any(|known| known == name.fqdn());
        order.names.iter().all(shown)
    }

    /// Whether the registration of `name`'s domain was looked at.
    fn knows(&self, name: &str) -> bool {
        self.names.iter().any(|known| {
            name.strip_suffix(known.as_str())
                .is_some_and(|below| below.is_empty() || below.ends_with('.'))
        })
    }
}

/// An approved check, kept for later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VettedCheck {
    /// Whose: never anybody else's (V-7).
    pub customer: String,
    /// Which.
    pub check: Check,
    /// What it is about.
    pub facts: Facts,
    /// When what it rests on was obtained; using it never refreshes this (V-4).
    pub obtained: Timestamp,
    /// The process in which it was approved.
    pub process: ProcessId,
}

impl VettedCheck {
    /// `check` of `process`, approved on what was obtained then.
    pub(super) fn of(process: &Process, check: Check, obtained: Timestamp) -> Option<Self> {
        Some(Self {
            customer: process.customer.clone(),
            check,
            facts: Facts::of(&process.work()?.order)?,
            obtained,
            process: process.id,
        })
    }

    /// The same, accepted from the mailbox `address`.
    pub(super) fn signed_by(mut self, address: String) -> Self {
        self.facts.signer = Some(address);
        self
    }
}

/// Approves the open checks of `work` that one of `known` serves for a certificate signed at `signing`.
fn rely_on(work: &mut Work, known: &[VettedCheck], signing: Timestamp) {
    let open: Vec<Check> = work.open_checks().collect();
    for check in open {
        let newest = known
            .iter()
            .filter(|vetted| {
                vetted.check == check
                    && calendar::organization_usable(vetted.obtained, signing)
                    && vetted.facts.serve(check, &work.order)
            })
            .max_by_key(|vetted| vetted.obtained);
        if let Some(vetted) = newest {
            work.vetting.rely_on(check, vetted.obtained, vetted.process);
        }
    }
}

impl Services {
    /// Approves the checks of a planned `work` that the customer's earlier approvals serve.
    pub(crate) async fn reuse_checks(
        &self,
        customer: &str,
        mut work: Work,
        now: Timestamp,
    ) -> Result<Work, Error> {
        let Some(subject) = &work.order.subject else {
            return Ok(work);
        };
        let limit = calendar::rules_at(now).organization_reuse;
        let since = now.saturating_sub(limit).unwrap_or(Timestamp::MIN);
        let known = self
            .store
            .vetted_checks(customer, &subject.organization, since)
            .await?;
        rely_on(&mut work, &known, now);
        Ok(work)
    }
}

#[cfg(test)]
mod tests;
