use super::*;
use crate::certificate::RevocationReason;
use crate::crl::Coverage;

fn at(hours: i64) -> Timestamp {
    let start: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    start + SignedDuration::from_hours(hours)
}

fn scope() -> CrlScope {
    CrlScope {
        name: "a/0".to_owned(),
        address: "http://ca.example/crl/a/0.crl".to_owned(),
        coverage: Coverage::Subscribers,
        endings: vec![0, 0x80],
        in_use: true,
        until: at(10 * 365 * 24),
    }
}

fn newest(hours: i64) -> CrlState {
    CrlState {
        name: "a/0".to_owned(),
        number: 5,
        this_update: at(hours),
        next_update: at(hours + 7 * 24),
        entries: 0,
        addresses: addresses(&scope(), None, at(hours)),
    }
}

fn revoked(ends: i64, listed: bool) -> Revoked {
    Revoked {
        serial: vec![1, 2],
        at: at(-48),
        reason: Some(RevocationReason::KeyCompromise),
        not_after: at(ends),
        listed,
    }
}

#[test]
fn x_7_a_list_is_due_when_missing_every_six_hours_and_when_its_clock_ran_ahead() {
    let scope = scope();
    assert!(is_due(&scope, None, at(0)));
    for (hours, due) in [(0, false), (5, false), (6, true), (200, true), (-1, true)] {
        assert_eq!(is_due(&scope, Some(&newest(0)), at(hours)), due, "{hours}");
    }
    let skewed = at(0) - SignedDuration::from_mins(4);
    assert!(!is_due(&scope, Some(&newest(0)), skewed));
}

#[test]
fn long_lists_rest_before_they_are_signed_again() {
    assert!(has_rested(None, at(0)));
    for (entries, rest) in [(0, 0), (499, 0), (8_000, 16), (1_000_000, 60)] {
        let newest = CrlState {
            entries,
            ..newest(0)
        };
        let after = |seconds| at(0) + SignedDuration::from_secs(seconds);
        assert!(has_rested(Some(&newest), after(rest)), "{entries}");
        assert!(rest == 0 || !has_rested(Some(&newest), after(rest - 1)));
    }
}

#[test]
fn x_8_a_new_public_url_is_named_beside_the_old_ones() {
    let moved = CrlScope {
        address: "http://new.example/crl/a/0.crl".to_owned(),
        ..scope()
    };
    assert!(is_due(&moved, Some(&newest(0)), at(1)));
    let urls = |addresses: Vec<CrlAddress>| -> Vec<String> {
        addresses.into_iter().map(|one| one.url).collect()
    };
    let both = urls(addresses(&moved, Some(&newest(0)), at(1)));
    assert_eq!(both, [moved.address.clone(), scope().address]);
    let later = urls(addresses(&moved, Some(&newest(0)), at(400 * 24)));
    assert_eq!(later, [moved.address]);
}

#[test]
fn x_7_numbers_never_go_back() {
    let now = at(0);
    let first = next_number(None, now);
    assert_eq!(first, now.as_millisecond().unsigned_abs());
    assert_eq!(next_number(Some(first), now), first + 1);
    assert_eq!(next_number(Some(first), at(-1000)), first + 1);
    assert!(next_number(Some(first), at(1)) > first + 1);
}

#[test]
fn x_7_an_entry_stays_until_a_list_after_its_end_has_shown_it() {
    let cases = [
        // Not ended; ended, but the newest list was signed too early; long ended.
        (100, true, true),
        (-1, true, true),
        (-7, true, false),
        // Revoked after its end: it has to be seen once.
        (-7, false, true),
    ];
    for (ends, listed, stays) in cases {
        let entry = revoked(ends, listed);
        let selection = select(&scope(), Some(&newest(0)), vec![entry], at(6));
        assert_eq!(selection.entries.len(), usize::from(stays), "{ends}");
        assert_eq!(selection.listed.is_empty(), listed, "{ends}");
    }
}

#[test]
fn x_7_a_list_signed_by_a_clock_that_ran_ahead_makes_nothing_good() {
    let entry = || vec![revoked(100, true)];
    let ahead = newest(5000);
    let then = select(&scope(), Some(&ahead), entry(), at(5001));
    assert!(then.entries.is_empty());
    for newest in [ahead, newest(0)] {
        let now = select(&scope(), Some(&newest), entry(), at(1));
        assert_eq!(now.entries.len(), 1);
    }
}

#[test]
fn x_3_entries_say_the_reason_and_are_in_order() {
    let entry = |serial: u8, reason| Revoked {
        serial: vec![serial, 0x80],
        reason,
        ..revoked(100, false)
    };
    let rows = vec![
        entry(9, None),
        entry(3, Some(RevocationReason::Superseded)),
        Revoked {
            at: at(3),
            ..entry(4, Some(RevocationReason::CessationOfOperation))
        },
    ];
    let entries = select(&scope(), None, rows, at(2)).entries;
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| (entry.serial[0], entry.reason, entry.revoked_at))
        .collect();
    let expected = [
        (3, Some(4), at(-48)),
        (4, Some(5), at(2)),
        (9, None, at(-48)),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn x_7_lists_of_an_intermediate_that_was_replaced_go_on_to_the_end_of_its_last_certificate() {
    let moved = "http://new.example/crl/a/0.crl";
    let retired = CrlScope {
        in_use: false,
        address: moved.to_owned(),
        ..scope()
    };
    let mut newest = newest(0);
    // No certificate has the new address, so that it is no reason to sign.
    assert!(!is_due(&retired, Some(&newest), at(5)));
    for days in [1, 100, 399] {
        let now = at(days * 24);
        assert!(is_due(&retired, Some(&newest), now), "{days}");
        let kept = addresses(&retired, Some(&newest), now);
        assert_eq!(kept, newest.addresses, "{days}");
        newest.this_update = now;
    }
    assert!(is_over(&retired, Some(&newest), at(400 * 24)));
    assert!(!is_due(&retired, Some(&newest), at(400 * 24)));
    // One that was never signed is signed once at least: certificates may have been issued just before.
    assert!(is_due(&retired, None, at(0)));
    assert_eq!(addresses(&retired, None, at(0))[0].url, moved);
}

#[test]
fn x_7_nothing_is_signed_after_the_end_of_the_authority() {
    let ended = CrlScope {
        until: at(24),
        ..scope()
    };
    assert!(is_due(&ended, Some(&newest(0)), at(24)));
    assert!(is_over(&ended, Some(&newest(0)), at(25)));
    assert!(!is_due(&ended, Some(&newest(0)), at(25)));
    assert!(!is_due(&ended, None, at(25)));
}
