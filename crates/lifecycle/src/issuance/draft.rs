//! A request whose names are decided, and what it turns into: the order, the charges, the proofs that are needed.

use jiff::Timestamp;
use reseal_pki::csr::Csr;
use reseal_pki::dn::OrganizationSubject;
use reseal_pki::name::DnsName;
use reseal_pki::profile::ValidationType;
use reseal_validation::challenge::random_value;

use super::challenge::{Tokens, fill_challenges};
use super::contacts::Contacts;
use super::names::NameSet;
use super::persistent;
use super::plan::{self, Earlier, Planning};
use super::upstream;
use super::{CertificateRequest, Mode};
use crate::authorization::Authorization;
use crate::certificate::Certificate;
use crate::error::{Error, Violation};
use crate::language::Language;
use crate::price::{self, Allowance, Billable, ChargeAction};
use crate::process::{AgreementMail, Approver, Check, Order, Vetting, Work};
use crate::product::{Product, ProductField};
use crate::services::Services;

/// The request before its proofs are planned.
pub(super) struct Draft<'a> {
    pub(super) customer: &'a str,
    pub(super) product: &'a Product,
    pub(super) request: &'a CertificateRequest,
    pub(super) csr: &'a Csr,
    pub(super) set: NameSet,
    pub(super) term: Term,
    pub(super) previous: Option<&'a Certificate>,
    pub(super) earlier: Vec<Earlier>,
    /// The organization in the certificate being replaced.
    pub(super) subject: Option<OrganizationSubject>,
    /// Who answered for the certificate being replaced.
    pub(super) approver: Option<Approver>,
}

/// Which subscription the certificate is for.
pub(super) enum Term {
    /// One of its own.
    New {
        /// `Request` or `Renew`.
        action: ChargeAction,
        months: u32,
        /// When it begins at the earliest.
        follows: Option<Timestamp>,
    },
    /// What is left of one.
    Rest {
        end: Timestamp,
        /// Its months and the names it may carry; `None` when the names come with the product anyway.
        bought: Option<(u32, Allowance)>,
    },
}

impl Draft<'_> {
    /// Whether the product's certificates name an organization.
    pub(super) fn needs_organization(&self) -> bool {
        self.product.validation_type != ValidationType::Domain
    }

    /// The organization as asked for: the request's fields, else the CSR's, else the old certificate's.
    pub(super) fn subject_now(&self) -> Option<OrganizationSubject> {
        if !self.needs_organization() {
            return None;
        }
        let (request, csr, old) = (self.request, self.csr.subject(), self.subject.as_ref());
        let pick = |json: &Option<String>, csr: &Option<String>, old: Option<String>| {
            json.clone().or_else(|| csr.clone()).or(old)
        };
        Some(OrganizationSubject {
            organization: pick(
                &request.organization,
                &csr.organization,
                old.map(|old| old.organization.clone()),
            )?,
            country: pick(
                &request.country,
                &csr.country,
                old.map(|old| old.country.clone()),
            )?
            .to_ascii_uppercase(),
            state: pick(
                &request.state,
                &csr.state,
                old.and_then(|old| old.state.clone()),
            ),
            locality: pick(
                &request.city,
                &csr.locality,
                old.and_then(|old| old.locality.clone()),
            ),
            postal_code: pick(
                &request.postal_code,
                &csr.postal_code,
                old.and_then(|old| old.postal_code.clone()),
            ),
            street: pick(
                &request.address,
                &csr.street.first().cloned(),
                old.and_then(|old| old.street.clone()),
            ),
        })
    }

    /// The language asked for, else that of the country, else English (contract.md section 4.1).
    fn language(&self) -> Language {
        let old = self.previous.and_then(|old| old.organization.as_ref());
        let country = (self.request.country.as_ref())
            .or(self.csr.subject().country.as_ref())
            .or(old.map(|old| &old.country));
        self.request
            .language
            .or_else(|| Language::of_country(country?))
            .unwrap_or_default()
    }

    /// Fields that the product requires and neither the request, nor the CSR, nor the certificate being replaced
    /// has (decision 3), and what is wrong with the organization.
    pub(super) fn missing_fields(&self) -> Vec<Violation> {
        let (request, csr) = (self.request, self.csr.subject());
        let old = self.subject.as_ref();
        let present = |field: ProductField| match field {
            ProductField::DomainName => request.domain_name.is_some(),
            ProductField::Dcv => !request.dcv.is_empty(),
            ProductField::Address => {
                request.address.is_some()
                    || !csr.street.is_empty()
                    || old.is_some_and(|old| old.street.is_some())
            }
            ProductField::PostalCode => {
                request.postal_code.is_some()
                    || csr.postal_code.is_some()
                    || old.is_some_and(|old| old.postal_code.is_some())
            }
            ProductField::Approver => self.approver().is_some(),
            ProductField::Organization => {
                request.organization.is_some() || csr.organization.is_some() || old.is_some()
            }
            ProductField::City => {
                request.city.is_some()
                    || csr.locality.is_some()
                    || old.is_some_and(|old| old.locality.is_some())
            }
            ProductField::State => {
                request.state.is_some()
                    || csr.state.is_some()
                    || old.is_some_and(|old| old.state.is_some())
            }
            ProductField::Country => {
                request.country.is_some() || csr.country.is_some() || old.is_some()
            }
            ProductField::Coc => self.coc().is_some(),
            // OU is never certified (C-10), agreements come with EV, authKey is a switch.
            ProductField::Department | ProductField::SaEmail | ProductField::AuthKey => true,
        };
        let missing = self.product.required_fields.iter();
        let mut violations: Vec<Violation> = missing
            .filter(|field| !present(**field))
            .map(|field| {
                let name = field.wire_name();
                let message = format!("product `{}` requires it", self.product.product);
                Violation::new(name, message, None)
            })
            .collect();
        let named =
            |problem: &Violation| violations.iter().any(|known| known.field == problem.field);
        let problems = self.subject_problems();
        let further: Vec<Violation> = problems.into_iter().filter(|one| !named(one)).collect();
        violations.extend(further);
        violations
    }

    /// What keeps the organization out of a certificate (P-4), and would be found only after an operator has
    /// looked at it.
    pub(super) fn subject_problems(&self) -> Vec<Violation> {
        if !self.needs_organization() {
            return Vec::new();
        }
        let Some(subject) = self.subject_now() else {
            let named = self.request.organization.is_some()
                || self.csr.subject().organization.is_some()
                || self.subject.is_some();
            let field = if named { "country" } else { "organization" };
            let message = format!("product `{}` certifies it", self.product.product);
            return vec![Violation::new(field, message, None)];
        };
        let problems = subject.problems();
        problems
            .iter()
            .map(|problem| {
                let field = match problem.field() {
                    "locality" => "city",
                    "street" => "address",
                    other => other,
                };
                Violation::new(field, format!("{problem} [P-4]"), None)
            })
            .collect()
    }

    fn approver(&self) -> Option<&Approver> {
        self.request.approver.as_ref().or(self.approver.as_ref())
    }

    fn coc(&self) -> Option<&String> {
        let old = self.previous.and_then(|old| old.coc.as_ref());
        self.request.coc.as_ref().or(old)
    }

    /// What is charged, and how many names the subscription may carry afterwards, when that is new.
    fn charges(&self) -> (Vec<Billable>, Option<Allowance>) {
        let (product, names) = (self.product, &self.set.names);
        match &self.term {
            Term::New { action, months, .. } => {
                let included = Allowance::included_in(product);
                let (billables, allowance) =
                    price::charges(product, names, *months, Some(*action), included);
                (billables, Some(allowance))
            }
            Term::Rest {
                bought: Some((months, allowance)),
                ..
            } => {
                let allowance = allowance.or_included_in(product);
                let (billables, after) = price::charges(product, names, *months, None, allowance);
                (billables, Some(after))
            }
            Term::Rest { bought: None, .. } => (Vec::new(), None),
        }
    }

    /// Nothing is checked yet; the agreement goes out at once if the request says where to.
    fn vetting(&self) -> Vetting {
        let needed = Check::needed_for(self.product.validation_type);
        let email =
            (self.request.agreement_email.clone()).filter(|_| needed.contains(&Check::Agreement));
        Vetting::new(email.map(|email| AgreementMail::new(email, None)))
    }

    /// What the CSR asks for and the certificate will not have (C-7, C-9).
    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.csr.warnings();
        let will_have = |name: &str| self.set.names.iter().any(|one| one.as_str() == name);
        let listed = self.csr.dns_names().iter().map(String::as_str);
        let unlisted = self.csr.common_name().into_iter();
        let unlisted = unlisted.filter(|name| !self.csr.dns_names().iter().any(|one| one == name));
        let ignored = unlisted.chain(listed).filter(|name| !will_have(name));
        let ignored: Vec<String> = ignored.map(|name| format!("`{name}`")).collect();
        if !ignored.is_empty() {
            let names = ignored.join(", ");
            warnings.push(format!(
                "the request asks for names that the certificate will not have; they are ignored: {names}"
            ));
        }
        warnings
    }

    /// The order as it will stand in the process.
    fn order(&self) -> Order {
        let previous: Vec<&str> = self
            .previous
            .map(|old| old.names.iter().map(String::as_str).collect())
            .unwrap_or_default();
        let names = &self.set.names;
        let added = names
            .iter()
            .filter(|name| self.previous.is_some() && !previous.contains(&name.as_str()));
        let removed = previous
            .iter()
            .filter(|old| !names.iter().any(|name| name.as_str() == **old))
            .filter_map(|old| serde_json::from_value::<DnsName>((*old).into()).ok());
        let (billables, allowance) = self.charges();
        let (months, follows, subscription_end) = match &self.term {
            Term::New {
                months, follows, ..
            } => (Some(*months), *follows, None),
            Term::Rest { end, .. } => (None, None, Some(*end)),
        };
        Order {
            product: self.product.product.clone(),
            validation: self.product.validation_type,
            certificate_type: self.product.certificate_type,
            issuer: self.product.issuer.clone(),
            common_name: self.set.common_name.clone(),
            common_name_in_subject: self.product.common_name_in_subject,
            removed: removed.collect(),
            added: added.cloned().collect(),
            common_name_moved: self
                .previous
                .is_some_and(|old| old.domain_name != self.set.common_name.as_str()),
            names: names.clone(),
            csr: self.csr.der().to_vec(),
            warnings: self.warnings(),
            spki_sha256: hex::encode(self.csr.public_key().spki_sha256()),
            subject: self.subject_now(),
            coc: self.coc().cloned(),
            approver: self.approver().cloned(),
            language: self.language(),
            months,
            follows,
            subscription_end,
            billables,
            allowance,
        }
    }
}

impl Services {
    /// The customer's proofs that could serve the draft's names: for public trust, those alone that were seen from
    /// enough networks.
    pub(super) async fn authorizations_for(
        &self,
        draft: &Draft<'_>,
    ) -> Result<Vec<Authorization>, Error> {
        // Whose challenges are good for one request shows them with each.
        if draft.product.challenge.is_single_use() {
            return Ok(Vec::new());
        }
        // What an upstream relies on, it knows itself (D-37).
        if self.sells_upstream(draft.product) {
            return Ok(Vec::new());
        }
        let adns = plan::candidate_domain_names(&draft.set.names, &self.settings.names);
        let mut known = self.store.authorizations(draft.customer, &adns).await?;
        known.retain(|one| {
            self.settings
                .is_corroborated(one.method, &one.witnesses, one.obtained)
        });
        Ok(known)
    }

    /// The whole plan of a draft, or everything that is wrong with its `dcv`.
    pub(super) async fn plan(
        &self,
        draft: &Draft<'_>,
        authorizations: &[Authorization],
        mode: Mode,
        now: Timestamp,
    ) -> Result<Work, Error> {
        let planning = Planning {
            names: &draft.set.names,
            product: draft.product,
            policy: &self.settings.names,
            choices: &draft.request.dcv,
            authorizations,
            earlier: &draft.earlier,
            contacts: &Contacts::Unasked,
            mailboxes: &[],
            now,
        };
        let contacts = self.contacts_for(draft.customer, &planning, mode).await?;
        let planning = Planning {
            contacts: &contacts,
            ..planning
        };
        let mut proofs = plan::proofs(&planning).map_err(Error::constraint)?;
        let random = random_value().map_err(Error::internal)?;
        let unique_value = draft.request.unique_value.clone();
        let elsewhere = self.sells_upstream(draft.product);
        let order = draft.order();
        if elsewhere && let Some(violation) = upstream::names_problem(draft.csr, &order) {
            return Err(Error::constraint(vec![violation]));
        }
        if !elsewhere && proofs.iter().any(|proof| !proof.is_proved()) {
            fill_challenges(
                &mut proofs,
                &Tokens {
                    scheme: draft.product.challenge,
                    csr: draft.csr,
                    unique_value: unique_value.as_deref(),
                    random: &random,
                    domain: &self.settings.dcv_domain,
                },
            );
        }
        if !draft.request.auth_key {
            self.check_token(draft, &proofs).await?;
        }
        let account = self.persistent_account(draft.customer, &draft.product.product);
        persistent::offer(&mut proofs, account.as_ref());
        Ok(Work {
            order,
            mails: plan::mails_for(&proofs, &[], &[]),
            mailboxes: Vec::new(),
            proofs,
            caa: Vec::new(),
            vetting: draft.vetting(),
            upstream: None,
            persistent_looks: Vec::new(),
            publications: Vec::new(),
            scheme: draft.product.challenge,
            random,
            unique_value,
            challenges_created: now,
            rounds: 0,
        })
    }
}
