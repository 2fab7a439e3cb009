//! What customers are told: one notification for each change that they would act on (design decision 16).
//!
//! - [`Notification`]: one of them, as it is kept
//! - `compose`: from the events of a step, so that it is written in the very commit that changes the process
//! - `expiry`: from the calendar: certificates and subscriptions that come to their end
//! - `inbox`: listing, polling, acknowledging
//! - [`webhook`], `delivery`: where a customer wants them sent, and sending them
//! - [`store`]: what all this needs from the database
//!
//! What survives: a notification exists exactly when what it tells of is recorded.

mod compose;
mod delivery;
mod expiry;
mod inbox;
pub mod store;
pub mod webhook;

use jiff::Timestamp;
use reseal_pki::profile::ValidationType;
use serde_json::{Map, Value};

use crate::certificate::{Certificate, CertificateId};
use crate::process::ProcessId;

pub(crate) use compose::of_step;
pub(crate) use delivery::deliver;
pub(crate) use expiry::watch;
pub use store::{Health, Mark, NotificationStore, Unread};
pub use webhook::{SealKey, Webhook, WebhookSetting, Webhooks};

/// Number of a notification. Later ones have greater numbers.
pub type NotificationId = i64;

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// A request was accepted and is durable.
    Accepted,
    /// Nothing goes on until the customer does something.
    AttentionNeeded,
    /// Everything is proved; what follows is the CA's work.
    Validated,
    /// The certificate is there.
    Issued,
    /// The process ended without a certificate.
    Failed,
    /// The process was withdrawn.
    Cancelled,
    /// A certificate must be revoked, and will be.
    RevocationScheduled,
    /// A certificate was revoked.
    Revoked,
    /// A certificate in force ends soon.
    Expiring,
    /// What was bought ends soon.
    SubscriptionEnding,
    /// The CA elsewhere that issued a certificate wants it replaced sooner than it did before.
    ReissueAdvised,
}

impl Occasion {
    /// Every occasion.
    pub const ALL: [Self; 11] = [
        Self::Accepted,
        Self::AttentionNeeded,
        Self::Validated,
        Self::Issued,
        Self::Failed,
        Self::Cancelled,
        Self::RevocationScheduled,
        Self::Revoked,
        Self::Expiring,
        Self::SubscriptionEnding,
        Self::ReissueAdvised,
    ];

    /// As stored, and as `eventType` on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::AttentionNeeded => "ATTENTION_NEEDED",
            Self::Validated => "VALIDATED",
            Self::Issued => "ISSUED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::RevocationScheduled => "REVOCATION_SCHEDULED",
            Self::Revoked => "REVOKED",
            Self::Expiring => "EXPIRING",
            Self::SubscriptionEnding => "SUBSCRIPTION_ENDING",
            Self::ReissueAdvised => "REISSUE_ADVISED",
        }
    }

    /// The occasion of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// `subjectStatus` (contract.md section 5.8).
    pub fn subject_status(self) -> &'static str {
        match self {
            Self::Accepted => "NEW",
            Self::Validated => "PENDING",
            Self::Issued => "COMPLETED",
            Self::Failed | Self::Cancelled => "FAILED",
            Self::AttentionNeeded
            | Self::RevocationScheduled
            | Self::Revoked
            | Self::Expiring
            | Self::SubscriptionEnding
            | Self::ReissueAdvised => "WARNING",
        }
    }
}

/// One notification. `id` is 0 until it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// Its number.
    pub id: NotificationId,
    /// Who is told.
    pub customer: String,
    /// What it is about.
    pub occasion: Occasion,
    /// When that happened.
    pub fired: Timestamp,
    /// For a person.
    pub message: String,
    /// Why, where there is a why of its own.
    pub reason: Option<String>,
    /// The process; filled in by the store when a step of one brings the notification along.
    pub process: Option<ProcessId>,
    /// The process's explanation of its status at that moment.
    pub status_detail: Option<String>,
    /// The certificate; filled in by the store with the one that the step stores.
    pub certificate: Option<CertificateId>,
    /// Common name.
    pub domain_name: String,
    /// Handle of the product.
    pub product: Option<String>,
    /// Validation level.
    pub validation: Option<ValidationType>,
    /// Last second of the certificate.
    pub expires: Option<Timestamp>,
    /// Further facts, for programs.
    pub payload: Map<String, Value>,
    /// When the customer first fetched it.
    pub read: Option<Timestamp>,
    /// When the customer acknowledged it.
    pub acknowledged: Option<Timestamp>,
    /// When the customer's webhook took it.
    pub delivered: Option<Timestamp>,
}

impl Notification {
    pub(crate) fn new(
        customer: &str,
        occasion: Occasion,
        domain_name: &str,
        fired: Timestamp,
    ) -> Self {
        Self {
            id: 0,
            customer: customer.to_owned(),
            occasion,
            fired,
            message: String::new(),
            reason: None,
            process: None,
            status_detail: None,
            certificate: None,
            domain_name: domain_name.to_owned(),
            product: None,
            validation: None,
            expires: None,
            payload: Map::new(),
            read: None,
            acknowledged: None,
            delivered: None,
        }
    }

    /// The same, saying which certificate it is about.
    pub(crate) fn about(self, certificate: &Certificate) -> Self {
        Self {
            certificate: Some(certificate.id),
            domain_name: certificate.domain_name.clone(),
            product: Some(certificate.product.clone()),
            validation: Some(certificate.validation),
            expires: Some(certificate.not_after),
            ..self
        }
    }
}
