//! What is kept of upstreams: accounts, orders, chains, and revocations that they have yet to hear of.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Advice, Question, Reply, StoredAccount};
use crate::certificate::{CertificateId, RevocationReason};
use crate::store::StoreError;

/// An order as it is put on record: no two processes share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderUrl {
    /// Name of the issuer.
    pub issuer: String,
    /// What the upstream calls it.
    pub url: String,
    /// When it was placed.
    pub placed: Timestamp,
}

/// A certificate that an upstream has to revoke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
    /// Name of the issuer.
    pub issuer: String,
    /// Whose account ordered it.
    pub customer: String,
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// Why.
    pub reason: Option<RevocationReason>,
    /// When that was decided.
    pub created: Timestamp,
    /// How often the upstream was told in vain.
    pub attempts: u32,
}

/// The part of [`crate::store::Store`] that is about upstreams.
#[async_trait]
pub trait UpstreamStore: Send + Sync + 'static {
    /// The account at `directory` that the customer has at the issuer of that name.
    async fn upstream_account(
        &self,
        issuer: &str,
        directory: &str,
        customer: &str,
    ) -> Result<Option<StoredAccount>, StoreError>;
    /// Keeps the key of an account that is about to be made, unless there is one; the account as it is kept now.
    async fn keep_upstream_account(
        &self,
        account: StoredAccount,
    ) -> Result<StoredAccount, StoreError>;
    /// What the upstream calls `account` from now on, unless it has another name or key by now than `account` says.
    async fn name_upstream_account(
        &self,
        account: &StoredAccount,
        url: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// The customers that have an account at `directory`, at the issuer of that name.
    async fn upstream_customers(
        &self,
        issuer: &str,
        directory: &str,
    ) -> Result<Vec<String>, StoreError>;
    /// Keeps a key that is to take the place of the account's, encrypted, unless there is one; the account as it is kept now.
    async fn begin_key_change(
        &self,
        account: &StoredAccount,
        next: Vec<u8>,
    ) -> Result<StoredAccount, StoreError>;
    /// The upstream knows the next key of `account`: it takes the place of the other, unless that has happened.
    async fn finish_key_change(
        &self,
        account: &StoredAccount,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// The issuers of a certificate that came from an upstream, the issuing one first, DER; `None` for any other.
    async fn upstream_chain(&self, id: CertificateId) -> Result<Option<Vec<Vec<u8>>>, StoreError>;
    /// The first issuer, by name, behind `issuer` that is to be asked when to replace a certificate, now or later.
    async fn upstream_to_ask_behind(&self, issuer: &str) -> Result<Option<String>, StoreError>;
    /// Certificates of `issuer` that it is to be asked about at `now`, those longest overdue; nobody else takes them until
    /// `lease`.
    async fn take_questions(
        &self,
        issuer: &str,
        now: Timestamp,
        lease: Timestamp,
        limit: u32,
    ) -> Result<Vec<Question>, StoreError>;
    /// Keeps what came of a question that was taken until `lease`, and what the customer is told of it; neither when
    /// somebody else has taken it since.
    async fn answered(&self, reply: Reply, lease: Timestamp) -> Result<(), StoreError>;
    /// When the upstream of a certificate wants it replaced, as far as it has said.
    async fn upstream_advice(&self, id: CertificateId) -> Result<Option<Advice>, StoreError>;
    /// The first issuer, by name, behind `issuer` that has something to revoke, now or later.
    async fn upstream_to_tell_behind(&self, issuer: &str) -> Result<Option<String>, StoreError>;
    /// The revocation that `issuer` has to be told at `now`, of a compromised key first, then one that it was never told, of
    /// these the longest overdue; nobody else takes it until `lease`. No other than of a compromised key if
    /// `only_compromised`.
    async fn take_upstream_revocation(
        &self,
        issuer: &str,
        now: Timestamp,
        lease: Timestamp,
        only_compromised: bool,
    ) -> Result<Option<Duty>, StoreError>;
    /// The upstream has revoked it, for `reason` as far as it took one.
    async fn upstream_revoked(
        &self,
        duty: &Duty,
        reason: Option<RevocationReason>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// The upstream did not revoke it; it is told again at `next`.
    async fn upstream_not_revoked(
        &self,
        duty: &Duty,
        why: &str,
        next: Timestamp,
    ) -> Result<(), StoreError>;
}
