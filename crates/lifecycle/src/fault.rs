//! Places where the crash tests hold a process still, to kill it there.
//!
//! Without the feature `faults` (never on in what is shipped) a point costs nothing and does nothing. With
//! it, `RESEAL_HOLD_AT=name` makes the task that reaches the point say so on stderr and wait for ever.

/// A named step of a reissue, or of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The process is in the store; nothing has been checked.
    Accepted,
    /// Every name is proved and that is recorded.
    Proved,
    /// CAA permits, nothing is reserved.
    CaaChecked,
    /// Serial and to-be-signed certificate are recorded; nothing is signed.
    Reserved,
    /// An upstream's order is in memory only.
    Ordered,
    /// An upstream's order and what it asks for are recorded.
    OrderRecorded,
    /// It is recorded that the upstream will be asked for a certificate; it was not.
    Finalizing,
    /// The upstream was asked for a certificate; that it was is recorded nowhere.
    Finalized,
    /// It is recorded that a challenge is about to be published in the DNS; it was not.
    RecordIntended,
    /// Hooks have published challenges; that they did is recorded nowhere.
    RecordPublished,
    /// A process has ended, and what was published for it is about to be removed.
    RecordLeft,
    /// Another key for an account at an upstream is recorded; the upstream has not heard of it.
    KeyKept,
    /// The upstream was told of another key for an account; that it was is recorded nowhere.
    KeyChanged,
    /// The precertificate is signed, and in memory only.
    Precertified,
    /// The precertificate is in the store; no log was asked.
    PrecertificateRecorded,
    /// Logs have promised; that is recorded nowhere.
    Logged,
    /// The promises of the logs are recorded; the certificate is not signed.
    LoggedRecorded,
    /// Signed; the certificate is in memory only.
    Signed,
    /// The certificate is in the store; the caller has no answer.
    Completed,
    /// A campaign is in the store; the caller has no answer.
    CampaignBegun,
    /// A token has taken in a key of the CA; its file is still what it was.
    KeyTakenIn,
}

impl Point {
    /// Every point of a reissue by the embedded CA, in their order.
    pub const ALL: [Self; 6] = [
        Self::Accepted,
        Self::Proved,
        Self::CaaChecked,
        Self::Reserved,
        Self::Signed,
        Self::Completed,
    ];

    /// The name used in `RESEAL_HOLD_AT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Proved => "proved",
            Self::CaaChecked => "caa-checked",
            Self::Reserved => "reserved",
            Self::Ordered => "ordered",
            Self::OrderRecorded => "order-recorded",
            Self::Finalizing => "finalizing",
            Self::Finalized => "finalized",
            Self::RecordIntended => "record-intended",
            Self::RecordPublished => "record-published",
            Self::RecordLeft => "record-left",
            Self::KeyKept => "key-kept",
            Self::KeyChanged => "key-changed",
            Self::Precertified => "precertified",
            Self::PrecertificateRecorded => "precertificate-recorded",
            Self::Logged => "logged",
            Self::LoggedRecorded => "logged-recorded",
            Self::Signed => "signed",
            Self::Completed => "completed",
            Self::CampaignBegun => "campaign-begun",
            Self::KeyTakenIn => "key-taken-in",
        }
    }
}

/// Holds here if the environment says so.
#[cfg(feature = "faults")]
pub async fn point(point: Point) {
    use std::sync::OnceLock;
    static HOLD_AT: OnceLock<Option<String>> = OnceLock::new();
    let hold_at = HOLD_AT.get_or_init(|| std::env::var("RESEAL_HOLD_AT").ok());
    if hold_at.as_deref() == Some(point.name()) {
        tracing::warn!(point = point.name(), "holding at fault point");
        std::future::pending::<()>().await;
    }
}

/// Does nothing: the feature `faults` is off.
#[cfg(not(feature = "faults"))]
#[expect(
    clippy::unused_async,
    reason = "the same signature as with the feature"
)]
pub async fn point(_point: Point) {}
