//! What a process waits for, when it is worth a look again, and until when it may take. Pure.

use jiff::{SignedDuration, Timestamp};
use reseal_pki::profile::ValidationType;

use crate::process::{Check, CheckState, MailChallenge, Work, next_check};

/// Challenges die 30 days after they were made (D-3, D-11).
const CHALLENGE_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long the checks of an organization may take: longer than any sees to them.
const VETTING_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Whether what was published for the process may prove nothing any more: it can outlive its challenges while an
/// organization is checked.
pub fn challenges_are_dead(work: &Work, now: Timestamp) -> bool {
    now.duration_since(work.challenges_created) > CHALLENGE_LIFE
}

/// After which moment nothing comes of it any more.
pub(super) fn end_of(work: &Work) -> Timestamp {
    let vetted = work.order.validation != ValidationType::Domain && work.all_proved();
    let life = if vetted { VETTING_LIFE } else { CHALLENGE_LIFE };
    work.challenges_created
        .saturating_add(life)
        .unwrap_or(Timestamp::MAX)
}

/// Why a process is over that came to its [`end_of`].
pub(super) fn why_it_ended(work: &Work) -> &'static str {
    if work.all_proved() && !work.organization_done() {
        "the organization was not validated within 90 days: start again"
    } else if work.all_proved() {
        "no certificate came within 30 days: start again"
    } else {
        "the challenges expired after 30 days without proof of control of every name: start again"
    }
}

/// When to look again. Nothing can be seen by looking while only a person's answer is missing: then the
/// answer wakes the process, and only its end is scheduled.
pub(super) fn next_look(work: &Work, now: Timestamp) -> Timestamp {
    let person = if work.all_proved() {
        !work.organization_done()
    } else {
        let open = work.proofs.iter().filter(|proof| !proof.is_proved());
        open.into_iter().all(|proof| proof.challenge.is_none())
            && !work.mails.iter().any(MailChallenge::is_due)
    };
    let agreement_is_due =
        (work.vetting.agreement.as_ref()).is_some_and(|mail| mail.sent.is_none());
    if person && !agreement_is_due {
        end_of(work)
    } else {
        let look = next_check(work.challenges_created, now);
        next_try(work).map_or(look, |next| next.min(look))
    }
}

/// When a hook is asked again that has not published what it was to publish.
fn next_try(work: &Work) -> Option<Timestamp> {
    let missing = work
        .needed_publications()
        .filter(|one| one.published.is_none());
    missing.map(|one| one.next).min()
}

/// What the customer reads beside `SUSPENDED`; `None` when nothing is open.
pub(super) fn waiting_for(work: &Work) -> Option<String> {
    let parts = [open_names(work), open_checks(work)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn open_names(work: &Work) -> Option<String> {
    let open: Vec<&str> = work
        .proofs
        .iter()
        .filter(|proof| !proof.is_proved())
        .map(|proof| proof.name.as_str())
        .collect();
    let shown = open.len().min(5);
    let names = open[..shown].join(", ");
    match (open.len(), open.len() - shown) {
        (0, _) => None,
        (_, 0) => Some(format!("waits for proof of control of {names}")),
        (_, more) => Some(format!(
            "waits for proof of control of {names} and {more} more"
        )),
    }
}

fn open_checks(work: &Work) -> Option<String> {
    let attention = work.checks().find_map(|(check, state)| match state {
        CheckState::Attention { reason } => Some(format!(
            "{} needs your attention: {reason}",
            check.in_words()
        )),
        _ => None,
    });
    let open: Vec<&str> = work.open_checks().map(Check::in_words).collect();
    attention.or_else(|| {
        (!open.is_empty()).then(|| format!("waits for the validation of {}", open.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::sample::{now, work};
    use crate::process::{AgreementMail, Vetting};

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn ov(proved: bool) -> Work {
        let mut work = work(proved);
        work.order.validation = ValidationType::Organization;
        work
    }

    #[test]
    fn d_3_d_11_names_are_waited_for_30_days_and_operators_90() {
        assert_eq!(end_of(&work(false)), now() + DAY * 30);
        assert_eq!(end_of(&work(true)), now() + DAY * 30);
        assert_eq!(end_of(&ov(false)), now() + DAY * 30);
        assert_eq!(end_of(&ov(true)), now() + DAY * 90);
        assert!(why_it_ended(&ov(true)).contains("90 days"));
        assert!(why_it_ended(&ov(false)).contains("without proof of control"));
        assert!(why_it_ended(&work(true)).contains("no certificate came"));
    }

    #[test]
    fn what_waits_for_an_operator_alone_is_not_looked_at_unless_a_mail_is_due() {
        assert_eq!(next_look(&ov(true), now()), now() + DAY * 90);
        let mut ev = ov(true);
        ev.order.validation = ValidationType::Extended;
        let mut mail = AgreementMail::new("legal@reseal.net".to_owned(), None);
        ev.vetting = Vetting::new(Some(mail.clone()));
        assert_eq!(next_look(&ev, now()), next_check(now(), now()));
        mail.sent = Some(now());
        ev.vetting = Vetting::new(Some(mail));
        assert_eq!(next_look(&ev, now()), now() + DAY * 90);
    }

    #[test]
    fn names_and_checks_that_are_open_are_named_together() {
        assert_eq!(waiting_for(&work(true)), None);
        assert_eq!(
            waiting_for(&ov(false)).unwrap(),
            "waits for proof of control of reseal.net; \
             waits for the validation of the organization, its documents, the telephone call"
        );
    }
}
