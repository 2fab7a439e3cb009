use proptest::prelude::*;

use super::*;
use crate::corroboration::Region::{self, Apnic, Arin, Ripe};

const PUBLIC: Quorum = Quorum {
    public: true,
    at_least: 0,
};
const PRIVATE: Quorum = Quorum {
    public: false,
    at_least: 0,
};

/// A moment at which four remote perspectives are required.
const FOUR: &str = "2026-11-29T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One witness for each entry: where it stands and whether it agrees.
fn witnesses(all: &[(Region, bool)]) -> Vec<Witness> {
    all.iter()
        .enumerate()
        .map(|(index, (region, agrees))| Witness {
            name: format!("p{index}"),
            region: Some(*region),
            agrees: *agrees,
        })
        .collect()
}

#[test]
fn nasty_114_two_of_four_that_see_nothing_are_too_many() {
    let two = witnesses(&[(Ripe, true), (Arin, true), (Ripe, false), (Apnic, false)]);
    let shortfall = Shortfall::TooFewAgree {
        agree: 2,
        asked: 4,
        needed: 3,
    };
    assert_eq!(PUBLIC.judge(&two, at(FOUR)), Err(shortfall));
    assert_eq!(PRIVATE.judge(&two, at(FOUR)), Err(shortfall));
    assert_eq!(tally(&two), "2/4");
    let three = witnesses(&[(Ripe, true), (Arin, true), (Ripe, true), (Apnic, false)]);
    assert_eq!(PUBLIC.judge(&three, at(FOUR)), Ok(()));
    assert_eq!(tally(&three), "3/4");
}

#[test]
fn nasty_115_three_of_four_in_one_region_are_not_enough() {
    let all = witnesses(&[(Ripe, true), (Ripe, true), (Ripe, true), (Arin, false)]);
    assert_eq!(PUBLIC.judge(&all, at(FOUR)), Err(Shortfall::OneRegion));
    // Where nobody said in which region, none is known to differ.
    let mut unsaid = witnesses(&[(Ripe, true), (Arin, true), (Arin, true), (Arin, true)]);
    for witness in &mut unsaid {
        witness.region = None;
    }
    assert_eq!(PUBLIC.judge(&unsaid, at(FOUR)), Err(Shortfall::OneRegion));
    // Regions are for public trust.
    assert_eq!(PRIVATE.judge(&all, at(FOUR)), Ok(()));
}

#[test]
fn nasty_116_four_are_enough_until_the_fifteenth_of_december() {
    let four = witnesses(&[(Ripe, true), (Arin, true), (Ripe, true), (Apnic, true)]);
    assert_eq!(PUBLIC.judge(&four, at("2026-12-14T23:59:59.999Z")), Ok(()));
    let shortfall = Shortfall::TooFewAsked {
        asked: 4,
        required: 5,
    };
    let from = at("2026-12-15T00:00:00Z");
    assert_eq!(PUBLIC.judge(&four, from), Err(shortfall));
    assert_eq!(PRIVATE.judge(&four, from), Ok(()));
    let mut five = four;
    five.extend(witnesses(&[(Ripe, false)]));
    assert_eq!(PUBLIC.judge(&five, from), Ok(()));
}

#[test]
fn m_4_one_may_disagree_among_five_and_two_among_six() {
    for (asked, needed) in [
        (0, 0),
        (1, 1),
        (2, 1),
        (3, 2),
        (4, 3),
        (5, 4),
        (6, 4),
        (7, 5),
        (20, 18),
    ] {
        assert_eq!(PUBLIC.needed(asked), needed, "{asked}");
    }
}

#[test]
fn m_4_the_configured_quorum_only_makes_it_stricter() {
    let all = witnesses(&[(Ripe, true), (Arin, true), (Ripe, true), (Apnic, false)]);
    for (at_least, good) in [(0, true), (1, true), (3, true), (4, false), (9, false)] {
        let quorum = Quorum { at_least, ..PUBLIC };
        assert_eq!(quorum.judge(&all, at(FOUR)).is_ok(), good, "{at_least}");
    }
}

#[test]
fn m_3_before_perspectives_were_required_the_primary_was_enough() {
    assert_eq!(PUBLIC.judge(&[], at("2025-03-14T12:00:00Z")), Ok(()));
    assert!(PUBLIC.judge(&[], at("2025-03-15T00:00:00Z")).is_err());
    assert_eq!(PRIVATE.judge(&[], at(FOUR)), Ok(()));
}

fn any_witness() -> impl Strategy<Value = Witness> {
    let region = prop::option::of(prop::sample::select(Region::ALL.to_vec()));
    ("[a-z]{3}", region, any::<bool>()).prop_map(|(name, region, agrees)| Witness {
        name,
        region,
        agrees,
    })
}

fn any_moment() -> impl Strategy<Value = Timestamp> {
    // 2025-01-01 to 2030-01-01
    (1_735_689_600_i64..1_893_456_000).prop_map(|second| Timestamp::from_second(second).unwrap())
}

proptest! {
    /// Whoever changes from no to yes never spoils it.
    #[test]
    fn m_4_one_more_that_agrees_never_harms(
        mut all in prop::collection::vec(any_witness(), 1..12),
        index in any::<prop::sample::Index>(),
        moment in any_moment(),
        public in any::<bool>(),
        at_least in 0_usize..6,
    ) {
        let quorum = Quorum { public, at_least };
        let before = quorum.judge(&all, moment).is_ok();
        let index = index.index(all.len());
        all[index].agrees = true;
        prop_assert!(!before || quorum.judge(&all, moment).is_ok());
    }

    /// What is enough keeps within the table, whatever is configured.
    #[test]
    fn m_4_what_is_enough_is_so_by_the_table(
        all in prop::collection::vec(any_witness(), 0..12),
        moment in any_moment(),
        at_least in 0_usize..6,
    ) {
        let quorum = Quorum { public: true, at_least };
        if quorum.judge(&all, moment).is_ok() {
            let agree: Vec<_> = all.iter().filter(|one| one.agrees).collect();
            let allowed = if all.len() >= 6 { 2 } else { 1 };
            prop_assert!(all.len() - agree.len() <= allowed);
            prop_assert!(agree.len() >= at_least);
            let required = usize::from(calendar::rules_at(moment).remote_perspectives);
            prop_assert!(all.len() >= required);
            if required > 0 {
                let first = agree.iter().find_map(|one| one.region);
                prop_assert!(agree.iter().any(|one| one.region.is_some() && one.region != first));
            }
            for looser in [(false, at_least), (true, 0)] {
                let (public, at_least) = looser;
                let enough = Quorum { public, at_least }.judge(&all, moment).is_ok();
                prop_assert!(enough, "{looser:?}");
            }
        }
    }

    /// The order in which they answered does not matter.
    #[test]
    fn m_4_order_does_not_matter(
        all in prop::collection::vec(any_witness(), 0..12),
        moment in any_moment(),
        public in any::<bool>(),
    ) {
        let quorum = Quorum { public, at_least: 0 };
        let mut reversed = all.clone();
        reversed.reverse();
        prop_assert_eq!(quorum.judge(&all, moment), quorum.judge(&reversed, moment));
        prop_assert_eq!(tally(&all), tally(&reversed));
    }
}
