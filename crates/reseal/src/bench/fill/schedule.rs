//! Who has which certificates since when. Pure, and the same at every run.

/// Oldest certificate, days.
pub(super) const SPAN_DAYS: u32 = 400;
const DAY: u32 = 24 * 60 * 60;
/// Certificates of one subscription, and how many of a hundred subscriptions have so many.
const CHAINS: [(u8, u64); 4] = [(1, 40), (2, 25), (4, 20), (9, 15)];
/// Revoked, of a hundred certificates that were not replaced.
const REVOKED: u64 = 3;
/// Of a hundred subscriptions those of the large customer.
const LARGE: u64 = 25;

/// What the certificates of a store are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Mix {
    /// As after years: replaced ones, revoked ones and expired ones among those in force.
    Years,
    /// All in force, with evidence that may be relied on.
    InForce,
}

impl Mix {
    /// The age of the oldest certificate, days: evidence of control is good for 200 (V-3).
    fn span(self) -> u32 {
        match self {
            Self::Years => SPAN_DAYS,
            Self::InForce => 150,
        }
    }
}

/// A certificate to be. Its number is its place in the schedule, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(in crate::bench) struct Slot {
    /// Seconds since it was signed.
    pub(super) age: u32,
    /// Seconds since its subscription began.
    pub(super) subscription_age: u32,
    /// Number of its subscription.
    pub(super) subscription: u32,
    /// Customer, 0 is the large one.
    pub(super) customer: u16,
    /// Which one of its subscription it is, from 0 on.
    place: u8,
    /// How many its subscription has.
    length: u8,
    pub(super) revoked: bool,
    /// Number of the certificate that it replaced; 0: none.
    pub(super) predecessor: u32,
    /// Number of the certificate in its place; 0: none.
    pub(super) successor: u32,
    /// Number of the proof that it rests on, if it is the first of its subscription or the newest; else 0.
    pub(super) proof: u32,
}

impl Slot {
    pub(super) fn is_first(&self) -> bool {
        self.place == 0
    }

    pub(in crate::bench) fn is_newest(&self) -> bool {
        self.place + 1 == self.length
    }

    /// Whether a reissue goes through at once: in force, and its evidence may be relied on.
    pub(in crate::bench) fn is_reissuable(&self) -> bool {
        self.is_newest()
            && !self.revoked
            && self.age < Mix::InForce.span() * DAY
            && self.subscription_age < 330 * DAY
    }

    /// Whether it is the large customer's.
    pub(in crate::bench) fn is_large_customers(&self) -> bool {
        self.customer == 0
    }
}

/// `count` certificates in the order in which they were signed, of `customers` customers.
pub(super) fn schedule(count: u32, customers: u16, mix: Mix) -> Vec<Slot> {
    let mut slots = Vec::with_capacity(count as usize);
    let mut chain = 0_u64;
    while slots.len() < count as usize {
        let left = count as usize - slots.len();
        add_chain(&mut slots, chain, left, customers, mix);
        chain += 1;
    }
    slots.sort_by_key(|slot| (std::cmp::Reverse(slot.age), slot.subscription, slot.place));
    number(&mut slots, chain);
    slots
}

/// Adds the certificates of subscription `chain`, at most `most`; the subscription has `chain` for its number yet.
fn add_chain(slots: &mut Vec<Slot>, chain: u64, most: usize, customers: u16, mix: Mix) {
    let mut dice = Dice(chain);
    let length = match mix {
        Mix::Years => length(dice.below(100)),
        Mix::InForce => 1,
    };
    let length = length.min(u8::try_from(most).unwrap_or(u8::MAX));
    let customer = customer(&mut dice, customers);
    let span = u64::from(mix.span()) * u64::from(DAY);
    // Nothing was signed in the future, nor in the minute before the measurement.
    let oldest = 60 + u32::try_from(dice.below(span)).unwrap_or(0);
    let revoked = mix == Mix::Years && dice.below(100) < REVOKED;
    for place in 0..length {
        slots.push(Slot {
            age: oldest - oldest / u32::from(length) * u32::from(place),
            subscription_age: oldest,
            subscription: u32::try_from(chain).unwrap_or(u32::MAX),
            customer,
            place,
            length,
            revoked: revoked && place + 1 == length,
            predecessor: 0,
            successor: 0,
            proof: 0,
        });
    }
}

fn length(dice: u64) -> u8 {
    let mut passed = 0;
    for (length, share) in CHAINS {
        passed += share;
        if dice < passed {
            return length;
        }
    }
    1
}

/// One has a quarter; of the others the first ones have most.
fn customer(dice: &mut Dice, customers: u16) -> u16 {
    if customers < 2 || dice.below(100) < LARGE {
        return 0;
    }
    let others = u64::from(customers) - 1;
    let (one, other) = (dice.below(others), dice.below(others));
    1 + u16::try_from(one * other / others).unwrap_or(0)
}

/// Gives subscriptions and proofs numbers in the order in which they came, and links each certificate to its neighbours.
fn number(slots: &mut [Slot], chains: u64) {
    let mut subscriptions = vec![0_u32; usize::try_from(chains).unwrap_or(0)];
    let mut newest = subscriptions.clone();
    let (mut subscription, mut proof) = (0, 0);
    for index in 0..slots.len() {
        let chain = slots[index].subscription as usize;
        let id = u32::try_from(index + 1).unwrap_or(u32::MAX);
        if slots[index].is_first() {
            subscription += 1;
            subscriptions[chain] = subscription;
        }
        if slots[index].is_first() || slots[index].is_newest() {
            proof += 1;
            slots[index].proof = proof;
        }
        slots[index].subscription = subscriptions[chain];
        slots[index].predecessor = newest[chain];
        if let Some(before) = newest[chain].checked_sub(1) {
            slots[before as usize].successor = id;
        }
        newest[chain] = id;
    }
}

/// Numbers that look like chance (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_hang_together_and_numbers_rise() {
        let slots = schedule(20_000, 1000, Mix::Years);
        assert_eq!(slots.len(), 20_000);
        let (mut subscription, mut proof) = (0, 0);
        for (index, slot) in slots.iter().enumerate() {
            let id = u32::try_from(index + 1).unwrap();
            assert!(index == 0 || slots[index - 1].age >= slot.age);
            if slot.is_first() {
                subscription += 1;
                assert_eq!((slot.subscription, slot.predecessor), (subscription, 0));
            } else {
                let before = &slots[slot.predecessor as usize - 1];
                assert_eq!(
                    (before.successor, before.subscription),
                    (id, slot.subscription)
                );
                assert_eq!(before.customer, slot.customer);
                assert!(!before.revoked);
            }
            if slot.proof > 0 {
                proof += 1;
                assert_eq!(slot.proof, proof);
            }
            assert_eq!(slot.is_newest(), slot.successor == 0, "{slot:?}");
            assert!(slot.age <= slot.subscription_age);
        }
    }

    #[test]
    fn shares_are_as_they_should_be() {
        let slots = schedule(100_000, 1000, Mix::Years);
        let share = |fits: fn(&&Slot) -> bool| slots.iter().filter(fits).count() / 10;
        assert!((2000..3000).contains(&share(|slot| slot.is_large_customers())));
        assert!((6000..7500).contains(&share(|slot| !slot.is_newest())));
        assert!((80..120).contains(&share(|slot| slot.revoked)));
        assert!((1000..3000).contains(&share(|slot| slot.is_reissuable())));
        let all = schedule(1000, 1000, Mix::InForce);
        assert!(all.iter().all(Slot::is_reissuable));
    }
}
