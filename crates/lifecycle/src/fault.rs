//! Places where the crash tests hold a process still, to kill it there.
//!
//! Without the feature `faults` (never on in what is shipped) a point costs nothing and does nothing. With
//! it, `RESEAL_HOLD_AT=name` makes the task that reaches the point say so on stderr and wait for ever.

/// A named step of a reissue.
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
    /// Signed; the certificate is in memory only.
    Signed,
    /// The certificate is in the store; the caller has no answer.
    Completed,
}

impl Point {
    /// Every point, in the order of a reissue.
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
            Self::Signed => "signed",
            Self::Completed => "completed",
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
