//! From a request to a certificate: `request`, `reissue` and `renew` are the fronts (the last two share `replace`),
//! `plan` decides (pure), `run` proves, checks CAA, signs and stores (by way of `log` where logs are asked), `resend` and `cancel` are what can be done to
//! a process that waits.

mod at_hand;
mod at_once;
mod by_auth_key;
mod caa;
mod cancel;
mod candidate;
mod challenge;
mod contacts;
mod draft;
mod incident;
mod iodef;
mod launch;
mod log;
mod lose;
mod mail;
mod names;
mod persistent;
mod plan;
mod prove;
mod publish;
mod quote;
mod recheck;
mod rehearse;
mod reissue;
mod renew;
mod replace;
mod request;
mod resend;
mod run;
mod sign;
mod token;
mod upstream;
mod waiting;

use serde_json::Value;

use crate::certificate::CertificateId;
use crate::language::Language;
use crate::price::Acknowledged;
use crate::process::{Approver, Process};
use crate::product::DcvType;

pub(crate) use caa::CaaCache;
pub use caa::{CaaCorroboration, CaaFinding, CaaLook, CaaSighting};
pub(crate) use candidate::{check_key, examine, problems, unreadable};
pub(crate) use candidate::{key_blocked, key_taken};
pub(crate) use iodef::Reported;
pub(crate) use launch::LEASE;
pub use persistent::Account;
pub(crate) use plan::{domain_of, method_of};
pub use prove::looked_for;
pub(crate) use prove::{apply, attention};
pub use quote::Quote;
pub use rehearse::Rehearsal;
pub(crate) use reissue::SHORTEST_REMAINDER;
pub(crate) use token::used_before;
pub use upstream::give_up;
pub use waiting::challenges_are_dead;

/// Look-ups of one process under way at the same time.
const AT_ONCE: usize = 8;

/// How one name is to be proved, as asked for. Syntax is checked, meaning is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DcvChoice {
    /// The name.
    pub common_name: String,
    /// The method.
    pub method: DcvType,
    /// Approver address.
    pub email: Option<String>,
}

/// The fields that request, reissue and renew have in common. Syntax is checked, meaning is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRequest {
    /// The CSR as received.
    pub csr: String,
    /// Overrides the CSR's common name.
    pub domain_name: Option<String>,
    /// Overrides the CSR's names; `Some(vec![])` declines the free www counterpart.
    pub san: Option<Vec<String>>,
    /// O.
    pub organization: Option<String>,
    /// OU: accepted and never certified (C-10).
    pub department: Option<String>,
    /// ST.
    pub state: Option<String>,
    /// Street.
    pub address: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// L.
    pub city: Option<String>,
    /// C, upper case; request only.
    pub country: Option<String>,
    /// Chamber of commerce number.
    pub coc: Option<String>,
    /// Language of mails; by the country when absent.
    pub language: Option<Language>,
    /// Mixed into the challenges.
    pub unique_value: Option<String>,
    /// Prove by auth key at once.
    pub auth_key: bool,
    /// Contact of an OV or EV request.
    pub approver: Option<Approver>,
    /// Where the subscriber agreement is sent at once, if one is to be signed; request and renew only.
    pub agreement_email: Option<String>,
    /// How to prove which name.
    pub dcv: Vec<DcvChoice>,
    /// The accepted body, for the process's `command`.
    pub command: Value,
}

/// A request for a new certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCertificate {
    /// For whom: the caller's own handle, or any for an operator.
    pub customer: String,
    /// Product handle.
    pub product: String,
    /// Months.
    pub period: u32,
    /// Charges that the caller has said yes to; empty when it says nothing about them.
    pub acknowledged: Vec<Acknowledged>,
    /// The rest.
    pub request: CertificateRequest,
}

/// A request for a certificate, and a subscription, that continue others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Handle of the product, if it is to be another one.
    pub product: Option<String>,
    /// Months.
    pub period: u32,
    /// Charges that the caller has said yes to; empty when it says nothing about them.
    pub acknowledged: Vec<Acknowledged>,
    /// The rest.
    pub request: CertificateRequest,
}

/// Whether to do it or only to say what it would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Do it.
    Execute,
    /// Validate fully, change nothing, answer with the price.
    Quote,
    /// Look at everything as for the real thing, store and send nothing, answer with what would happen.
    DryRun,
}

/// What a request led to.
#[derive(Debug)]
pub enum Answer {
    /// A process was opened; `certificate` is set when it was issued within the call.
    Process {
        /// The process as it stands.
        process: Box<Process>,
        /// The new certificate.
        certificate: Option<CertificateId>,
    },
    /// The price, with [`Mode::Quote`].
    Quote(Quote),
    /// What would happen, with [`Mode::DryRun`].
    Rehearsal(Box<Rehearsal>),
    /// Nothing was done: the caller acknowledged charges, but not all of these.
    Unacknowledged(Quote),
}
