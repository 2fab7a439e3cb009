//! What this server publishes in the DNS for a process.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::work::{NameProof, Work};

/// The first wait before a hook is tried again, in seconds; each further one is twice as long.
const FIRST_WAIT: i64 = 5;
/// The longest wait, in seconds.
const LONGEST_WAIT: i64 = 15 * 60;
/// A record that was published and is not seen is published again after that: somebody may have removed it.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// A TXT record that a hook publishes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Publication {
    /// Where the challenge asks for it, with the root's dot.
    pub record: String,
    /// Its text.
    pub value: String,
    /// The hook that publishes it.
    pub hook: String,
    /// Where it is published: at `record`, or where aliases lead from there.
    pub name: String,
    /// Since when it is there, as far as the hook knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// How often the hook failed since.
    #[serde(default)]
    pub failures: u32,
    /// When the hook is asked next.
    pub next: Timestamp,
    /// Why it failed the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Publication {
    /// One that is to be published at once.
    pub(crate) fn new(
        record: String,
        value: String,
        hook: String,
        name: String,
        now: Timestamp,
    ) -> Self {
        Self {
            record,
            value,
            hook,
            name,
            published: None,
            failures: 0,
            next: now,
            problem: None,
        }
    }

    /// The hook has published it.
    pub(crate) fn succeed(&mut self, now: Timestamp) {
        self.published = self.published.or(Some(now));
        self.failures = 0;
        self.problem = None;
        self.next = now.saturating_add(AGAIN).unwrap_or(now);
    }

    /// The hook has failed; whether it did so for another reason than before.
    pub(crate) fn fail(&mut self, why: String, now: Timestamp) -> bool {
        let seconds = (FIRST_WAIT << self.failures.min(16)).min(LONGEST_WAIT);
        let wait = SignedDuration::from_secs(seconds);
        self.next = now.saturating_add(wait).unwrap_or(now);
        self.failures = self.failures.saturating_add(1);
        let is_new = self.problem.as_ref() != Some(&why);
        self.problem = Some(why);
        is_new
    }

    /// Whether it is what `proof` asks for, and has not got yet.
    fn serves(&self, proof: &NameProof) -> bool {
        let asked = proof.challenge.as_ref().filter(|_| !proof.is_proved());
        asked
            .and_then(|challenge| challenge.text_record())
            .is_some_and(|(record, value)| record == self.record && value == self.value)
    }
}

impl Work {
    /// The TXT records that are asked for and that no hook publishes yet, each once.
    pub(crate) fn unpublished(&self) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        for proof in self.proofs.iter().filter(|proof| !proof.is_proved()) {
            if self.publications.iter().any(|known| known.serves(proof)) {
                continue;
            }
            let asked = proof.challenge.as_ref();
            let asked = asked.and_then(|challenge| challenge.text_record());
            let asked = asked.map(|(record, value)| (record, value.to_owned()));
            found.extend(asked.filter(|asked| !found.contains(asked)));
        }
        found
    }

    /// What hooks publish of that which is still asked for.
    pub(crate) fn needed_publications(&self) -> impl Iterator<Item = &Publication> {
        let needed = |one: &&Publication| self.proofs.iter().any(|proof| one.serves(proof));
        self.publications.iter().filter(needed)
    }
}

#[cfg(test)]
mod tests {
    use reseal_validation::Challenge;

    use super::*;
    use crate::process::sample::{now, work};

    #[test]
    fn what_several_names_ask_for_is_published_once_and_no_longer_than_it_is_asked_for() {
        let mut work = work(false);
        let challenge = |contents: &str| {
            Some(Challenge::Txt {
                record: "_Acme-challenge.reseal.net.".to_owned(),
                contents: contents.to_owned(),
            })
        };
        work.proofs[0].challenge = challenge("a");
        let mut again = work.proofs[0].clone();
        work.proofs.push(again.clone());
        again.challenge = challenge("b");
        work.proofs.push(again);
        let record = "_acme-challenge.reseal.net.".to_owned();
        let asked = |value: &str| (record.clone(), value.to_owned());
        assert_eq!(work.unpublished(), [asked("a"), asked("b")]);
        let hook = "knot".to_owned();
        let one = Publication::new(record.clone(), "a".to_owned(), hook, record.clone(), now());
        work.publications.push(one);
        assert_eq!(work.unpublished(), [asked("b")]);
        assert_eq!(work.needed_publications().count(), 1);
        work.proofs[0].challenge = challenge("c");
        work.proofs[1].challenge = challenge("c");
        assert_eq!(work.needed_publications().count(), 0);
        assert_eq!(work.unpublished(), [asked("c"), asked("b")]);
    }

    #[test]
    fn a_hook_that_fails_is_asked_ever_more_rarely_and_its_reason_told_once() {
        let name = || "_x.reseal.net.".to_owned();
        let mut one = Publication::new(name(), String::new(), "knot".to_owned(), name(), now());
        let mut waits = Vec::new();
        for reason in ["down", "down", "refused"] {
            let is_new = one.fail(reason.to_owned(), now());
            waits.push((is_new, one.next.duration_since(now()).as_secs()));
        }
        assert_eq!(waits, [(true, 5), (false, 10), (true, 20)]);
        for _ in 0..40 {
            one.fail("down".to_owned(), now());
        }
        assert_eq!(one.next.duration_since(now()).as_secs(), LONGEST_WAIT);
        one.succeed(now());
        assert_eq!((one.failures, &one.problem), (0, &None));
        assert_eq!(one.published, Some(now()));
    }
}
