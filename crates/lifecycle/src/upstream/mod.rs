//! What the rules need from a CA elsewhere that issues in our place, over ACME (RFC 8555).
//!
//! An [`Upstream`] stands beside [`crate::issuer::Issuer`], and a product names the one or the other. The embedded CA
//! reserves a serial and signs; an upstream is sent an order, which is what is on record before anything can be issued:
//! it leads to one certificate at most, however often it is asked about. `issuance::upstream` is the way of a process
//! through it.

mod account;
mod advice;
mod revoke;
mod store;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reseal_pki::name::DnsName;
use serde::{Deserialize, Serialize};

use crate::certificate::RevocationReason;
use crate::product::DcvType;

pub use account::{Accounts, KeyChange, NoAccount, StoredAccount};
pub(crate) use advice::ask;
pub use advice::{Advice, Advised, Question, Reply};
pub(crate) use revoke::work;
pub use store::{Duty, OrderUrl, UpstreamStore};

/// An account at an upstream: its URL, and the key that every request is signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// What the upstream calls it.
    pub url: String,
    /// The private key, PKCS #8.
    pub key: Vec<u8>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// An order as the upstream shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderState {
    /// How far it is.
    pub status: OrderStatus,
    /// URLs of the authorizations, one a name.
    pub authorizations: Vec<String>,
    /// Where the CSR goes.
    pub finalize: String,
    /// Where the certificate is, once there is one.
    pub certificate: Option<String>,
    /// Until when it can be used.
    pub expires: Option<Timestamp>,
    /// Why it cannot be fulfilled, in the upstream's words.
    pub error: Option<String>,
    /// How long to wait before it is looked at again, as the upstream says.
    pub retry_after: Option<Duration>,
}

/// How far an order is (RFC 8555 section 7.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderStatus {
    /// Names are to be proved.
    Pending,
    /// Waits for the CSR.
    Ready,
    /// The certificate is being made.
    Processing,
    /// The certificate is there.
    Valid,
    /// Nothing comes of it.
    Invalid,
}

/// What the upstream asks for as proof of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationState {
    /// The name, without `*.`.
    pub name: String,
    /// Whether it is for the wildcard of that name.
    pub wildcard: bool,
    /// How far it is.
    pub status: AuthorizationStatus,
    /// The ways that we can take.
    pub offers: Vec<Offer>,
    /// How and when it was proved, as far as the upstream says.
    pub validated: Option<Validated>,
    /// Why the last attempt failed, in the upstream's words.
    pub error: Option<String>,
    /// How long to wait before it is looked at again.
    pub retry_after: Option<Duration>,
}

/// The proof that an upstream has accepted (RFC 8555 section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validated {
    /// How.
    pub method: DcvType,
    /// When.
    pub at: Option<Timestamp>,
}

/// How far an authorization is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationStatus {
    /// Not proved yet.
    Pending,
    /// Proved.
    Valid,
    /// Of no use any more: failed, expired, withdrawn.
    Dead,
}

/// One way to prove a name: dns-01 as DNS, http-01 as FILE (rules.md D-36).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// How.
    pub method: DcvType,
    /// Where the upstream is told to look.
    pub url: String,
    /// The token in what is published.
    pub token: String,
}

/// A certificate as it came, DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The certificate.
    pub leaf: Vec<u8>,
    /// Its issuers, the issuing one first.
    pub chain: Vec<Vec<u8>>,
}

/// Why an upstream did not do what it was asked to. Texts come from elsewhere and are fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// It was not reached, or cannot answer now: nothing was done.
    #[error("the upstream is not available: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
        /// When to ask again, if it said so.
        retry_after: Option<Duration>,
        /// Whether it would answer nothing else either: it was not reached, or wants to be left alone.
        is_general: bool,
    },
    /// It was asked and no answer came: perhaps it was done.
    #[error("the upstream's answer was lost: {0}")]
    Lost(String),
    /// It refuses.
    #[error("{detail} ({kind})")]
    Refused {
        /// Its name for the problem, without the prefix of ACME, such as `badCSR`.
        kind: String,
        /// Its words.
        detail: String,
    },
}

impl UpstreamError {
    /// It cannot do this one thing now, because of `reason`.
    pub fn not_now(reason: impl Into<String>) -> Self {
        Self::Unavailable {
            reason: reason.into(),
            retry_after: None,
            is_general: false,
        }
    }

    /// The operator may have taken it out by mistake.
    pub(crate) fn not_configured(issuer: &str) -> Self {
        Self::Unavailable {
            reason: format!("issuer `{issuer}` is not configured any more"),
            retry_after: None,
            is_general: true,
        }
    }

    /// Whether it does not know the account with which it was asked.
    pub(crate) fn lacks_account(&self) -> bool {
        self.is("accountDoesNotExist")
    }

    /// Whether it would answer nothing else either.
    pub(crate) fn is_general(&self) -> bool {
        matches!(
            self,
            Self::Unavailable {
                is_general: true,
                ..
            }
        )
    }

    /// How long it wants to be left alone, if it said so.
    pub(crate) fn asked_to_wait(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Lost(_) | Self::Refused { .. } => None,
        }
    }

    /// Whether it refused with the problem `wanted`.
    pub fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { kind, .. } if kind == wanted)
    }
}

/// The moment `wait` after `now`.
pub(crate) fn after(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait)
        .ok()
        .and_then(|wait| now.checked_add(wait).ok())
        .unwrap_or(now)
}

/// A CA elsewhere.
#[async_trait]
pub trait Upstream: Send + Sync + 'static {
    /// What accounts and orders belong to: the directory's URL.
    fn directory(&self) -> &str;
    /// The longest validity of a certificate that is taken from it, if that is limited by the operator.
    fn longest_validity(&self) -> Option<SignedDuration>;
    /// The roots that its certificates have to lead to, DER; none: any will do.
    fn roots(&self) -> &[Vec<u8>];
    /// A new account key, PKCS #8.
    fn new_key(&self) -> Result<Vec<u8>, UpstreamError>;
    /// The URL of the account of `key`, which is made if there is none.
    async fn register(&self, key: &[u8]) -> Result<String, UpstreamError>;
    /// The URL of the account of `key`, if there is one; none is made.
    async fn find(&self, key: &[u8]) -> Result<Option<String>, UpstreamError>;
    /// Gives the account the key `next` in place of the one that it has (RFC 8555 section 7.3.5).
    async fn change_key(&self, account: &Account, next: &[u8]) -> Result<(), UpstreamError>;
    /// Whether accounts can be given other keys there.
    async fn changes_keys(&self) -> Result<bool, UpstreamError>;
    /// What `token` of one of the account's challenges looks like when it is published (RFC 8555 section 8.1).
    fn key_authorization(&self, account: &Account, token: &str) -> Result<String, UpstreamError>;
    /// The names by which CAA records may permit it, as far as it publishes them.
    async fn caa_identities(&self) -> Result<Vec<String>, UpstreamError>;
    /// Orders a certificate for `names`, in place of the certificate `replaces` (DER) where it takes notice of that
    /// (RFC 9773 section 5); the URL of the order.
    async fn place(
        &self,
        account: &Account,
        names: &[DnsName],
        replaces: Option<&[u8]>,
    ) -> Result<(String, OrderState), UpstreamError>;
    /// How far an order is.
    async fn order(&self, account: &Account, url: &str) -> Result<OrderState, UpstreamError>;
    /// How far an authorization is.
    async fn authorization(
        &self,
        account: &Account,
        url: &str,
    ) -> Result<AuthorizationState, UpstreamError>;
    /// Tells it that what a challenge asks for is published.
    async fn tell(&self, account: &Account, challenge: &str) -> Result<(), UpstreamError>;
    /// Has it make the certificate of an order that is ready.
    async fn finalize(
        &self,
        account: &Account,
        finalize: &str,
        csr: &[u8],
    ) -> Result<(), UpstreamError>;
    /// The certificate of a fulfilled order, with the chain that the operator prefers.
    async fn download(&self, account: &Account, url: &str) -> Result<Delivered, UpstreamError>;
    /// When the certificate (DER) should be replaced (RFC 9773 section 4.1); `None` where the upstream does not say.
    async fn renewal_info(&self, certificate: &[u8]) -> Result<Option<Advised>, UpstreamError>;
    /// Revokes a certificate; one that is revoked already counts as done. The answer is the reason it took: an upstream may
    /// let subscribers name only some.
    async fn revoke(
        &self,
        account: &Account,
        certificate: &[u8],
        reason: Option<RevocationReason>,
    ) -> Result<Option<RevocationReason>, UpstreamError>;
}
