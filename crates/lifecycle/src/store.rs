//! What the rules need from a store, as intents. Each write is one transaction and durable when it returns;
//! an implementation may commit many callers' writes together.
//!
//! Uniqueness is the database's business, not the caller's: one open process a subscription, serials,
//! customer handles.

mod error;

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::audit::{AuditEntry, AuditStore};
use crate::auth_key::{AuthKeyId, AuthKeyStore};
use crate::authorization::{Authorization, AuthorizationStore};
use crate::campaign::{CampaignStore, Ticket};
use crate::certificate::{Certificate, CertificateId, Revocation, SubscriptionId};
use crate::compromise::{CompromiseStore, KeyBlock};
use crate::crl::CrlStore;
use crate::customer::{AccountStore, Scope};
use crate::dns_hook::{HookStore, Out};
use crate::event::Event;
use crate::hands::Taken;
use crate::idempotency::{ClaimId, IdempotencyStore};
use crate::issued::IssuedStore;
use crate::metrics::{Ended, Figures};
use crate::note::NoteStore;
use crate::notification::{self, Notification, NotificationStore};
use crate::ocsp::StatusStore;
use crate::price::Allowance;
use crate::process::{Check, Process, ProcessId};
use crate::query::{CertificateQuery, Page, ProcessQuery};
use crate::slots::Capacity;
use crate::transparency::{Precertificate, TransparencyStore};
use crate::upstream::{Duty, OrderUrl, UpstreamStore};
use crate::vetting::{VettedCheck, VettingStore};

pub use error::StoreError;

/// A serial and the certificate to be signed under it, recorded before any signature is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Serial number, big-endian.
    pub serial: Vec<u8>,
    /// Who will sign.
    pub issuer: String,
    /// The exact bytes that may be signed.
    pub tbs: Vec<u8>,
    /// When it was made.
    pub created: Timestamp,
}

/// A new subscription that starts with the certificate stored in the same step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its number; 0 until it is stored.
    pub id: SubscriptionId,
    /// Whose it is.
    pub customer: String,
    /// Handle of the product.
    pub product: String,
    /// First second.
    pub start: Timestamp,
    /// Last second.
    pub end: Timestamp,
    /// Months bought.
    pub months: u32,
    /// How many names it may carry.
    pub allowance: Allowance,
}

/// What becomes of the certificate that the new one replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The old certificate.
    pub certificate: CertificateId,
    /// `Reissued` or `Renewed`.
    pub status: crate::certificate::CertificateStatus,
    /// When the old certificate is to be revoked, if that follows (rules.md R-4).
    pub revoke_at: Option<Timestamp>,
    /// Every older certificate of the subscription that is still valid and carries one of these names is to
    /// be revoked at `revoke_at` too.
    pub siblings_with: Vec<String>,
}

impl Replacement {
    /// Whether older certificates of the subscription may have to be revoked too.
    pub fn revokes_siblings(&self) -> bool {
        self.revoke_at.is_some() && !self.siblings_with.is_empty()
    }
}

/// A freshly signed certificate and what its storing brings along.
#[derive(Clone, Debug)]
pub struct Issuance {
    /// The certificate; `id` and `process` are filled in by the store, `subscription` too when
    /// [`Issuance::subscription`] is given.
    pub certificate: Certificate,
    /// A subscription that starts now.
    pub subscription: Option<Subscription>,
    /// How many names the running subscription may carry from now on, when that changed.
    pub allowance: Option<Allowance>,
    /// The certificate it replaces.
    pub replaces: Option<Replacement>,
    /// Its issuers, the issuing one first, DER, when it came from an upstream.
    pub chain: Option<Vec<Vec<u8>>>,
    /// Time has passed since its serial was reserved: the proofs and approvals that it rests on have to stand still. Not what
    /// an upstream issued, which rests on its own.
    pub is_late: bool,
}

/// A serial under which a certificate was signed, or may have been, that is not in the store and never will be: its list
/// shows it as revoked, as if it had been issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostSerial {
    /// Who signed.
    pub issuer: String,
    /// Serial number, big-endian.
    pub serial: Vec<u8>,
    /// Since when it is revoked: as superseded, or because its key is compromised if that is refused to the customer.
    pub at: Timestamp,
    /// The certificate has expired by then.
    pub not_after: Timestamp,
}

/// Everything one step of a process writes.
#[derive(Clone, Debug)]
pub struct Change {
    /// The process after the step, with the version it was read at.
    pub process: Process,
    /// What happened.
    pub events: Vec<Event>,
    /// Proofs obtained; `process` is filled in by the store.
    pub authorizations: Vec<Authorization>,
    /// Hashes of mail tokens made in this step.
    pub mail_tokens: Vec<[u8; 32]>,
    /// The Request Token that the customer is asked to publish: never again by another process.
    pub request_token: Option<[u8; 32]>,
    /// A serial to reserve.
    pub reservation: Option<Reservation>,
    /// A precertificate to record: [`StoreError::Exists`] when its serial has another.
    pub precertificate: Option<Precertificate>,
    /// A certificate to store.
    pub issuance: Option<Box<Issuance>>,
    /// A revocation to record.
    pub revocation: Option<(CertificateId, Revocation)>,
    /// What was signed and not stored.
    pub lost: Option<LostSerial>,
    /// Records that are about to be published in the DNS.
    pub out: Vec<Out>,
    /// An order that was placed at an upstream: [`StoreError::Exists`] when another process has it.
    pub order: Option<OrderUrl>,
    /// What an upstream has issued and must revoke, as it is not stored.
    pub unwanted: Option<Duty>,
    /// Checks of the organization approved in this step, for later certificates.
    pub vetted: Vec<VettedCheck>,
    /// Checks of the customer's organization that nothing may rely on any more, whenever they were approved.
    pub withdrawn: Vec<Check>,
    /// For the audit log, beside the entry that the step itself has.
    pub audit: Vec<AuditEntry>,
    /// What the customer is told.
    pub notifications: Vec<Notification>,
    /// Auth keys by which the process that is opened proved its names.
    pub auth_keys: Vec<AuthKeyId>,
    /// The key of the call that opens the process.
    pub claim: Option<ClaimId>,
    /// The certificate of a campaign that the process is for.
    pub ticket: Option<Ticket>,
    /// Until when no worker may take the process; `None` releases it.
    pub lease: Option<Timestamp>,
}

impl Change {
    /// A step that writes the process, its events, and what the customer is told of them.
    pub fn new(process: Process, events: Vec<Event>) -> Self {
        Self {
            notifications: notification::of_step(&process, &events),
            process,
            events,
            authorizations: Vec::new(),
            mail_tokens: Vec::new(),
            request_token: None,
            reservation: None,
            precertificate: None,
            issuance: None,
            revocation: None,
            lost: None,
            out: Vec::new(),
            order: None,
            unwanted: None,
            vetted: Vec::new(),
            withdrawn: Vec::new(),
            audit: Vec::new(),
            auth_keys: Vec::new(),
            claim: None,
            ticket: None,
            lease: None,
        }
    }
}

/// Facts that decide whether a key may be certified (rules.md C-21, C-23).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyHistory {
    /// On the blocked list, or compromised as the customer itself says.
    pub blocked: bool,
    /// Certified for another customer.
    pub used_by_another_customer: bool,
}

/// The store.
#[async_trait]
pub trait Store:
    AccountStore
    + NotificationStore
    + CrlStore
    + IdempotencyStore
    + AuthKeyStore
    + NoteStore
    + VettingStore
    + AuditStore
    + CompromiseStore
    + CampaignStore
    + AuthorizationStore
    + IssuedStore
    + StatusStore
    + UpstreamStore
    + HookStore
    + TransparencyStore
{
    /// How long a write that comes now has to wait for its turn, as far as can be seen.
    fn backlog(&self) -> Duration;
    /// How many writes wait for their turn.
    fn waiting_writes(&self) -> usize;
    /// The processes that ended by what was stored here.
    fn ended(&self) -> &Ended;
    /// What is open and what waits, counted now.
    async fn figures(&self) -> Result<Figures, StoreError>;

    /// A certificate, if it is inside `scope`.
    async fn certificate(
        &self,
        scope: &Scope,
        id: CertificateId,
    ) -> Result<Option<Certificate>, StoreError>;
    /// The certificate of that serial number that was issued here.
    async fn certificate_by_serial(&self, serial: &[u8])
    -> Result<Option<Certificate>, StoreError>;
    /// Certificates that match; statuses are compared as they are at `now`.
    async fn certificates(
        &self,
        scope: &Scope,
        query: &CertificateQuery,
        now: Timestamp,
    ) -> Result<Page<Certificate>, StoreError>;
    /// The customer's certificate with that fingerprint.
    async fn certificate_by_fingerprint(
        &self,
        customer: &str,
        fingerprint: &[u8; 32],
    ) -> Result<Option<CertificateId>, StoreError>;
    /// A subscription.
    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, StoreError>;
    /// When the process that led to the `nth` newest certificate of a subscription was accepted; 1 is the newest.
    async fn nth_newest(
        &self,
        subscription: SubscriptionId,
        nth: NonZeroU32,
    ) -> Result<Option<Timestamp>, StoreError>;
    /// The newest certificate of a subscription.
    async fn newest_certificate(
        &self,
        subscription: SubscriptionId,
    ) -> Result<Option<CertificateId>, StoreError>;

    /// A process, if it is inside `scope`.
    async fn process(&self, scope: &Scope, id: ProcessId) -> Result<Option<Process>, StoreError>;
    /// Processes that match.
    async fn processes(
        &self,
        scope: &Scope,
        query: &ProcessQuery,
    ) -> Result<Page<Process>, StoreError>;
    /// What happened to a process, oldest first.
    async fn timeline(&self, process: ProcessId) -> Result<Vec<Event>, StoreError>;
    /// The open process of a subscription.
    async fn open_process(
        &self,
        subscription: SubscriptionId,
    ) -> Result<Option<ProcessId>, StoreError>;
    /// The process whose mail carried the token of that hash.
    async fn process_of_mail_token(
        &self,
        token_hash: &[u8; 32],
    ) -> Result<Option<ProcessId>, StoreError>;
    /// Whether a Request Token was given out to any process.
    async fn request_token_exists(&self, fingerprint: &[u8; 32]) -> Result<bool, StoreError>;
    /// The customer's unrevoked certificates for that key, imported ones left out.
    async fn unrevoked_with_key(
        &self,
        customer: &str,
        spki_sha256: &[u8; 32],
    ) -> Result<Vec<Certificate>, StoreError>;
    /// The customer's proofs for any of `adns`, the newest of each method and name.
    async fn authorizations(
        &self,
        customer: &str,
        adns: &[String],
    ) -> Result<Vec<Authorization>, StoreError>;
    /// What is known of a key.
    async fn key_history(
        &self,
        customer: &str,
        spki_sha256: &[u8; 32],
    ) -> Result<KeyHistory, StoreError>;
    /// The reservation that a signing process made.
    async fn reservation(&self, process: ProcessId) -> Result<Option<Reservation>, StoreError>;

    /// Stores a new process (version 0) and whatever its first step writes. The process comes back with its
    /// number, `certificate` and `subscription` filled in. [`StoreError::OpenProcess`] when its
    /// subscription has an open one, [`StoreError::SourceGone`] when a reissue's certificate has a successor or
    /// was revoked. A step that reserves a serial is refused with [`StoreError::KeyBlocked`] or [`StoreError::KeyTaken`] when
    /// its key may not be certified for the customer (C-24).
    async fn open(&self, change: Change) -> Result<Process, StoreError>;
    /// Stores new processes together, all or none, and blocks the key they are about as
    /// [`CompromiseStore::block_keys`] does; the answer is the first. [`StoreError::Stale`] when a certificate was revoked meanwhile, or
    /// when one of the first process's customer for that key would stay unrevoked.
    async fn open_with_key_blocked(
        &self,
        changes: Vec<Change>,
        block: KeyBlock,
    ) -> Result<Process, StoreError>;
    /// Stores a step of a known process, raising its version. [`StoreError::Stale`] when it was changed
    /// since it was read; [`StoreError::SourceGone`] as with `open`, when the step reserves a serial or stores a
    /// certificate; [`StoreError::KeyTaken`] and [`StoreError::KeyBlocked`] as there, the latter also when it stores a
    /// certificate with such a key. Then nothing is written.
    async fn advance(&self, change: Change) -> Result<Process, StoreError>;
    /// Processes whose time has come and that nobody works on, as far as there is room; leased until `lease`. One
    /// that cannot be read is logged and left alone as long.
    async fn claim_due(
        &self,
        now: Timestamp,
        lease: Timestamp,
        room: Capacity,
    ) -> Result<Vec<Process>, StoreError>;
    /// One open process for this worker alone, leased until `lease`; `None` while somebody works on it.
    async fn claim(
        &self,
        id: ProcessId,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Option<Process>, StoreError>;
    /// Moves the end of a lease that this node still holds to `lease`.
    async fn extend_lease(&self, id: ProcessId, lease: Timestamp) -> Result<(), StoreError>;
    /// What this node has taken and not given back: leases that end before the first moment, keys of calls taken before
    /// the second. Nothing when no other node can use the store.
    async fn taken(
        &self,
        leased_before: Timestamp,
        called_before: Timestamp,
    ) -> Result<Taken, StoreError>;
    /// Gives up a lease of this node that ends before a moment.
    async fn release_lease(&self, id: ProcessId, before: Timestamp) -> Result<(), StoreError>;
    /// Gives up the leases of nodes that are no more, webhooks' too, and forgets the keys of calls they did not answer;
    /// how many processes wait again. A store that only one node can use gives up all there are: it is called at start,
    /// and later only if the store is shared.
    async fn release_leases(&self) -> Result<u64, StoreError>;
    /// Whether other nodes may work on it at the same time.
    fn is_shared(&self) -> bool;
    /// Tells the other nodes `word`, of less than 8,000 bytes, if they hear it: nobody keeps it.
    fn tell_others(&self, word: String);
    /// The next word of another node; without others it never comes.
    async fn hear_others(&self) -> String;
    /// Returns when some node has left a process to whoever has time. A hint: it may come for nothing, or not at all.
    async fn work_arrives(&self);
    /// Certificates whose scheduled revocation is due.
    async fn due_revocations(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<CertificateId>, StoreError>;

    /// A cheap read and a cheap write: can requests be served?
    async fn ping(&self) -> Result<(), StoreError>;
}
