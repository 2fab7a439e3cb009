//! What happened to a process. One list, recorded with each change: the timeline shows it whole, audit and
//! notifications are views of it.

use std::sync::Arc;

use jiff::Timestamp;
use reseal_pki::method::Method;
use reseal_validation::caa::CaaObservation;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::process::{Check, Mpic, ProcessId, Ticket};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

impl Event {
    /// `kind` happened at `at`.
    pub fn new(at: Timestamp, kind: EventKind) -> Self {
        Self { at, kind }
    }
}

/// What something rests on, as it was seen, or as it was read back: formats change, and what was recorded stays.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Observed<T> {
    /// Shared by all that rests on it.
    Seen(Arc<T>),
    /// JSON.
    Recorded(Value),
}

impl<'de, T> Deserialize<'de> for Observed<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::Recorded)
    }
}

/// What is recorded of both is the same.
impl<T: Serialize> PartialEq for Observed<T> {
    fn eq(&self, other: &Self) -> bool {
        let recorded = |one: &Self| serde_json::to_value(one).ok();
        recorded(self) == recorded(other)
    }
}

/// What can happen. The tag is `event` in the stored and shown form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum EventKind {
    /// The request was accepted and is durable.
    Accepted {
        /// Who asked.
        user: String,
        /// Names of the certificate to be.
        names: Vec<String>,
        /// What the CSR asks for and the certificate will not have.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    /// A proof of an earlier process is relied on.
    ProofReused {
        /// The name.
        name: String,
        /// Authorization Domain Name of the earlier proof.
        adn: String,
        /// Its method.
        method: Method,
        /// When its evidence was obtained.
        obtained: Timestamp,
    },
    /// One look at what the customer published, successful or not.
    Attempt {
        /// The name.
        name: String,
        /// `DNS`, `FILE` or `EMAIL`.
        method: String,
        /// `proved`, `notYet`, `unreachable` or `refused`.
        verdict: String,
        /// What was expected.
        expected: String,
        /// What was seen.
        seen: String,
        /// What to do.
        advice: String,
        /// What was asked, of whom, what came back.
        evidence: Value,
        /// What the remote perspectives saw, and how many saw the same, when they were asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        corroboration: Option<Value>,
    },
    /// Looks that found what those before them had found, whose evidence therefore stands for theirs: a process
    /// is looked at for a month.
    SameAsBefore {
        /// `challenges` or `CAA`.
        looked_at: String,
        /// How many looks of one round.
        looks: usize,
    },
    /// Nothing goes on for a name until the customer does something: recorded when that begins, and again when
    /// something else is in the way.
    AttentionNeeded {
        /// The name.
        name: String,
        /// What was expected.
        expected: String,
        /// What was seen.
        seen: String,
        /// What to do.
        advice: String,
    },
    /// Control of a name is proved.
    Proved {
        /// The name.
        name: String,
        /// Authorization Domain Name.
        adn: String,
        /// Method.
        method: Method,
    },
    /// A mail asking for approval was handed over.
    MailSent {
        /// Recipient.
        address: String,
        /// Names it asks about.
        names: Vec<String>,
        /// What the mail server or folder said.
        receipt: String,
    },
    /// A mail could not be handed over; it is tried again unless the mail server refused it for good.
    MailFailed {
        /// Recipient.
        address: String,
        /// Why.
        reason: String,
    },
    /// Somebody answered a mail.
    MailAnswered {
        /// Recipient the link was made for.
        address: String,
        /// Whether it was an approval.
        approved: bool,
        /// Names it was about.
        names: Vec<String>,
    },
    /// CAA was looked up and decided.
    CaaChecked {
        /// The name.
        name: String,
        /// Whether issuance is permitted.
        permitted: bool,
        /// Why.
        reason: String,
        /// Each level asked and what came back.
        evidence: Observed<CaaObservation>,
        /// What the remote perspectives saw, and how many see a permission, when they were asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        corroboration: Option<Value>,
    },
    /// An earlier approval of a check of the organization is relied on.
    CheckReused {
        /// The check.
        check: Check,
        /// When what it rests on was obtained.
        obtained: Timestamp,
        /// The process in which it was approved.
        process: ProcessId,
    },
    /// A check of the organization is approved.
    CheckApproved {
        /// The check.
        check: Check,
        /// Who.
        user: String,
        /// When what it rests on was obtained.
        obtained: Timestamp,
        /// Why, if that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Nothing goes on for a check of the organization until the customer does something.
    CheckNeedsAttention {
        /// The check.
        check: Check,
        /// The operator who decided so, unless it follows from something else that happened.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        /// What is wrong.
        reason: String,
    },
    /// What a check of the organization rests on has become too old.
    CheckOutdated {
        /// The check.
        check: Check,
        /// When it was obtained.
        obtained: Timestamp,
    },
    /// An operator no longer believes what a check of the organization rests on: it is open again.
    CheckWithdrawn {
        /// The check.
        check: Check,
    },
    /// An operator refused the whole request.
    ValidationRejected {
        /// Who.
        user: String,
    },
    /// The customer chose when to be called.
    CallScheduled {
        /// Who.
        user: String,
        /// When.
        date: Timestamp,
    },
    /// The customer asked for a mail with the subscriber agreement.
    AgreementRequested {
        /// Who.
        user: String,
        /// Recipient.
        address: String,
    },
    /// A mail with the subscriber agreement was handed over.
    AgreementSent {
        /// Recipient.
        address: String,
        /// What the mail server or folder said.
        receipt: String,
    },
    /// Somebody answered a mail with the subscriber agreement.
    AgreementAnswered {
        /// Recipient the link was made for.
        address: String,
        /// Whether it was accepted.
        accepted: bool,
    },
    /// The customer changed how names are to be proved, or asked for a check now.
    Resent {
        /// Who.
        user: String,
        /// Names whose method changed.
        changed: Vec<String>,
    },
    /// The process waits.
    Waiting {
        /// For what.
        reason: String,
        /// Next look.
        next: Option<Timestamp>,
    },
    /// Serial and to-be-signed certificate are recorded.
    Reserved {
        /// Serial, hex.
        serial: String,
        /// Issuer.
        issuer: String,
        /// What the signature rests on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket: Option<Box<Ticket>>,
    },
    /// The precertificate is signed and recorded: from now on the serial number counts as issued (P-8).
    Precertified {
        /// Serial, hex.
        serial: String,
        /// SHA-256 of the precertificate, hex.
        sha256: String,
    },
    /// A log has promised to show the certificate.
    Logged {
        /// What the log is called.
        log: String,
        /// Who runs it.
        operator: String,
        /// SHA-256 of its key, hex.
        log_id: String,
        /// When it took it, as it says.
        logged: Timestamp,
    },
    /// An order was placed at the upstream that issues.
    UpstreamOrdered {
        /// Issuer.
        issuer: String,
        /// URL of the order.
        order: String,
    },
    /// The upstream was told that what proves a name is published.
    UpstreamTold {
        /// The name.
        name: String,
        /// `DNS` or `FILE`.
        method: String,
    },
    /// The upstream is about to be asked for the certificate of its order.
    UpstreamAsked {
        /// Issuer.
        issuer: String,
        /// URL of the order.
        order: String,
    },
    /// A hook has published a TXT record that proves control.
    RecordPublished {
        /// The hook.
        hook: String,
        /// Owner name of the record.
        name: String,
        /// Its text.
        value: String,
    },
    /// A hook could not publish a record; it is tried again. Recorded when that begins, and again for another reason.
    HookFailed {
        /// The hook.
        hook: String,
        /// Owner name of the record.
        name: String,
        /// Why.
        reason: String,
    },
    /// A reservation will never be signed again.
    ReservationAbandoned {
        /// Serial, hex.
        serial: String,
        /// Why.
        reason: String,
    },
    /// The certificate is issued and stored.
    Issued {
        /// Serial, hex.
        serial: String,
        /// Last second of validity.
        not_after: Timestamp,
        /// Whether what it rests on was seen from several networks.
        #[serde(default)]
        mpic: Mpic,
    },
    /// An upstream has issued for longer than the subscription lasts: how long is for it to say (V-9).
    OutlivesSubscription {
        /// Last second of validity.
        not_after: Timestamp,
        /// End of the subscription.
        subscription_end: Timestamp,
    },
    /// The certificate this one replaces has been marked.
    Replaced {
        /// Its number.
        certificate: i64,
        /// Its new status.
        status: String,
        /// When it will be revoked, if so.
        revocation_scheduled_at: Option<Timestamp>,
    },
    /// A certificate was revoked.
    Revoked {
        /// Its number.
        certificate: i64,
        /// Who asked; `reseal` for a scheduled one.
        user: String,
        /// Reason word, if one was given.
        reason: Option<String>,
        /// The caller's own words.
        note: Option<String>,
    },
    /// A note was written.
    NoteAdded {
        /// Who wrote it.
        user: String,
        /// Whether that was the house, to the customer.
        by_house: bool,
        /// Its text.
        message: String,
    },
    /// A foreign certificate was taken in.
    Imported {
        /// Fingerprint, hex.
        fingerprint: String,
    },
    /// The process ended without a certificate.
    Failed {
        /// Why.
        reason: String,
    },
    /// The process was cancelled.
    Cancelled {
        /// Who.
        user: String,
    },
}
