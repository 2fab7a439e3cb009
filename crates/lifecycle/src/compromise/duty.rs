//! What must be revoked by when. BR 4.9.1.1 leaves 24 hours for some causes and five days for others; both
//! ends are kept, so that a cause that turns out to be worse needs no new clock.

use jiff::{SignedDuration, Timestamp};

use super::Cause;
use crate::certificate::{Certificate, CertificateId, RevocationReason};
use crate::notification::{Notification, Occasion};

/// A revocation for a compromised key may wait no longer than this.
pub const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(24);
const FIVE_DAYS: SignedDuration = SignedDuration::from_hours(5 * 24);
/// What is left until the deadline, for whatever goes wrong, when nobody said when a certificate is to be revoked.
const MARGIN: SignedDuration = SignedDuration::from_hours(4);

/// Why a certificate is going to be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingDuty {
    /// What its revocation list will say.
    pub reason: Option<RevocationReason>,
    /// The words beside it.
    pub cause: String,
    /// Why no other certificate may take its place, if so: that stands whatever else it is revoked for later.
    pub bar: Option<String>,
}

/// Why a certificate must be revoked, since when that is known, and by when it has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// When the CA learnt of it.
    pub received: Timestamp,
    /// 24 hours later.
    pub deadline_24h: Timestamp,
    /// Five days later.
    pub deadline_5d: Timestamp,
    /// The one that counts.
    pub deadline: Timestamp,
    /// What the list will show.
    pub reason: Option<RevocationReason>,
    /// The cause, as the BR have it.
    pub ground: Cause,
    /// In words.
    pub cause: String,
}

impl Duty {
    /// The key is compromised: 24 hours.
    pub fn key_compromise(received: Timestamp, cause: &str) -> Self {
        Self::of(Cause::KeyCompromise, received, cause)
    }

    /// For `ground`, which the CA learnt of at `received`: 24 hours or five days. `cause` are the words that
    /// customers read.
    pub fn of(ground: Cause, received: Timestamp, cause: &str) -> Self {
        let after = |span| received.saturating_add(span).unwrap_or(Timestamp::MAX);
        let (deadline_24h, deadline_5d) = (after(LONGEST_DELAY), after(FIVE_DAYS));
        Self {
            received,
            deadline_24h,
            deadline_5d,
            deadline: if ground.is_urgent() {
                deadline_24h
            } else {
                deadline_5d
            },
            reason: ground.reason(),
            ground,
            cause: cause.to_owned(),
        }
    }

    /// When the certificate is revoked if nobody said when: some hours before the deadline.
    pub fn usual_moment(&self) -> Timestamp {
        self.deadline
            .saturating_sub(MARGIN)
            .unwrap_or(self.received)
    }

    /// When the certificate is revoked if it is to be `delay` after the CA learnt of it: never behind the deadline.
    pub fn moment(&self, delay: SignedDuration) -> Timestamp {
        let wished = self
            .received
            .saturating_add(delay)
            .unwrap_or(Timestamp::MAX);
        wished.min(self.deadline)
    }

    /// For the customer. What is said of a key says all; other causes have a name that customers should know.
    fn in_words(&self) -> String {
        match self.ground {
            Cause::KeyCompromise => self.cause.clone(),
            ground => format!("{}: {}", ground.in_words(), self.cause),
        }
    }

    /// What the certificate's customer is told at once, when it will be revoked at `scheduled`.
    pub fn notice(&self, certificate: &Certificate, scheduled: Timestamp) -> Notification {
        Notification::of_revocation(certificate, self, scheduled)
    }
}

/// A certificate whose revocation is scheduled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRevocation {
    /// The certificate.
    pub certificate: CertificateId,
    /// Whose it is.
    pub customer: String,
    /// Common name.
    pub domain_name: String,
    /// Serial number, big-endian.
    pub serial: Vec<u8>,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// When it will be revoked.
    pub scheduled: Timestamp,
    /// Why it must be; `None` when a reissue left it behind, which no rule asks for.
    pub duty: Option<Duty>,
}

impl DueRevocation {
    /// By when it must be revoked.
    pub fn deadline(&self) -> Timestamp {
        self.duty
            .as_ref()
            .map_or(self.scheduled, |duty| duty.deadline)
    }

    /// Whether it should have been revoked by `now`.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.scheduled < now
    }
}

impl Notification {
    fn of_revocation(certificate: &Certificate, duty: &Duty, scheduled: Timestamp) -> Self {
        let customer = &certificate.customer;
        let name = &certificate.domain_name;
        let mut told = Self::new(customer, Occasion::RevocationScheduled, name, duty.received)
            .about(certificate);
        told.message = format!(
            "Certificate {} for {name} will be revoked at {scheduled:.0}: {}.{}",
            certificate.id,
            duty.in_words(),
            duty.ground.advice()
        );
        told.reason = Some(duty.cause.clone());
        for (field, moment) in [("revocationDate", scheduled), ("deadline", duty.deadline)] {
            told.payload
                .insert(field.to_owned(), format!("{moment:.0}").into());
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_5_the_clocks_start_when_the_ca_learns_of_it() {
        let received = Timestamp::from_second(1_800_000_000).unwrap();
        let duty = Duty::key_compromise(received, "found");
        assert_eq!(duty.deadline_24h, received + SignedDuration::from_hours(24));
        assert_eq!(duty.deadline_5d, received + SignedDuration::from_hours(120));
        assert_eq!(duty.deadline, duty.deadline_24h);
    }

    #[test]
    fn x_2_five_days_where_the_rules_leave_them() {
        let received = Timestamp::from_second(1_800_000_000).unwrap();
        for ground in Cause::ALL {
            let duty = Duty::of(ground, received, "seen");
            let hours = if ground.is_urgent() { 24 } else { 120 };
            let end = received + SignedDuration::from_hours(hours);
            assert_eq!(duty.deadline, end, "{ground}");
            assert_eq!(duty.usual_moment(), end - MARGIN, "{ground}");
        }
    }

    #[test]
    fn x_1_no_setting_moves_a_revocation_behind_the_deadline() {
        let received = Timestamp::from_second(1_800_000_000).unwrap();
        let duty = Duty::key_compromise(received, "found");
        let hours = SignedDuration::from_hours;
        assert_eq!(duty.moment(hours(20)), received + hours(20));
        assert_eq!(duty.moment(hours(25)), duty.deadline);
        assert_eq!(duty.moment(SignedDuration::MAX), duty.deadline);
    }
}
