//! Nodes on one database tell each other several times a second how many calls they let through, and each takes what it
//! hears from its own measures. So a limit holds for all nodes together, but for what comes in between two words.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reseal_lifecycle::Services;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::RateLimits;
use crate::answer::Api;
use crate::server::stopping;

/// Time between two words.
const BETWEEN: Duration = Duration::from_millis(200);
/// Callers in one word: PostgreSQL takes 8,000 bytes, and a customer's handle may have 40 characters.
const MOST: usize = 100;

/// What was taken on another node, and by whom.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Word {
    Keys(Vec<(i64, u32)>),
    Customers(Vec<(String, u32)>),
    Failures(Vec<(IpAddr, u32)>),
    Links(Vec<(IpAddr, u32)>),
}

/// Tells the other nodes what this one let through, and hears them, until `shutdown` becomes true. Returns at once where
/// there are no others or nothing is limited.
pub async fn share_calls(api: Api, services: Arc<Services>, mut shutdown: watch::Receiver<bool>) {
    let Some(limits) = api.limits().filter(|_| services.has_others()) else {
        return;
    };
    let mut tick = interval(BETWEEN);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopping(&mut shutdown) => return,
            _ = tick.tick() => {
                for word in limits.words() {
                    match serde_json::to_string(&word) {
                        Ok(text) => services.tell_others(text),
                        Err(error) => tracing::error!(%error, "calls cannot be told"),
                    }
                }
            }
            text = services.hear_others() => match serde_json::from_str(&text) {
                Ok(word) => limits.hear(word),
                // A node of another version, during an upgrade.
                Err(error) => tracing::debug!(%error, text, "a word of another node is not understood"),
            },
        }
    }
}

impl RateLimits {
    /// What the others have not been told.
    pub(super) fn words(&self) -> Vec<Word> {
        fn parts<K: Clone>(news: &[(K, u32)], word: fn(Vec<(K, u32)>) -> Word) -> Vec<Word> {
            news.chunks(MOST).map(|part| word(part.to_vec())).collect()
        }
        let mut words = parts(&self.keys.news(), Word::Keys);
        words.extend(parts(&self.customers.news(), Word::Customers));
        words.extend(parts(&self.failures.news(), Word::Failures));
        words.extend(parts(&self.links.news(), Word::Links));
        words
    }

    /// Takes in what another node said.
    pub(super) fn hear(&self, word: Word) {
        match word {
            Word::Keys(taken) => self.keys.all_taken_elsewhere(taken),
            Word::Customers(taken) => self.customers.all_taken_elsewhere(taken),
            Word::Failures(taken) => self.failures.all_taken_elsewhere(taken),
            Word::Links(taken) => self.links.all_taken_elsewhere(taken),
        }
    }
}

impl<K: std::hash::Hash + Eq + Clone> super::Measure<K> {
    fn all_taken_elsewhere(&self, taken: Vec<(K, u32)>) {
        for (who, count) in taken {
            self.taken_elsewhere(&who, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use reseal_lifecycle::customer::{Caller, Role};

    use super::super::Rates;
    use super::*;

    fn node(per_key: u32) -> RateLimits {
        let rate = |rate| NonZeroU32::new(rate).unwrap();
        let rates = Rates {
            per_key: rate(per_key),
            per_customer: rate(1_000),
            failures: rate(1),
        };
        RateLimits::new(rates, true)
    }

    fn caller(key: i64) -> Caller {
        Caller {
            customer: "alice".to_owned(),
            user: "alice/api".to_owned(),
            role: Role::Customer,
            key,
            claim: None,
            ticket: None,
        }
    }

    fn tell(from: &RateLimits, to: &RateLimits) {
        for word in from.words() {
            let text = serde_json::to_string(&word).unwrap();
            to.hear(serde_json::from_str(&text).unwrap());
        }
    }

    #[test]
    fn what_one_node_let_through_is_missing_on_the_other() {
        let (one, other) = (node(10), node(10));
        for _ in 0..15 {
            one.call(&caller(1)).unwrap();
        }
        tell(&one, &other);
        // Twenty at once, of which five are left.
        let let_through = (0..20).filter(|_| other.call(&caller(1)).is_ok()).count();
        assert_eq!(let_through, 5);
        other.call(&caller(2)).unwrap();
        // What the other one took is more than is left here: all of it goes, and the next calls are refused.
        tell(&other, &one);
        assert!(one.call(&caller(1)).is_err());
        assert!(one.words().is_empty(), "what was heard is not told on");
    }

    #[test]
    fn addresses_are_told_too_and_long_news_in_parts() {
        let (one, other) = (node(10), node(10));
        for last in 0..250_u8 {
            one.failed(IpAddr::from([192, 0, 2, last])).unwrap();
        }
        one.dead_link(IpAddr::from([192, 0, 2, 1])).unwrap();
        let words = one.words();
        assert_eq!(words.len(), 4);
        for word in words {
            let text = serde_json::to_string(&word).unwrap();
            assert!(text.len() < 8_000, "{text}");
            other.hear(word);
        }
        let address = IpAddr::from([192, 0, 2, 7]);
        other.failed(address).unwrap();
        other.failed(address).unwrap_err();
    }
}
