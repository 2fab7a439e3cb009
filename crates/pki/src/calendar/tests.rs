use jiff::{SignedDuration, Timestamp};

use super::{
    DAY, evidence_usable, method_allowed, method_ends, next_change, organization_usable, rules_at,
    usable_until,
};
use crate::method::Method;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

#[test]
fn v_1_maximum_validity_follows_the_signing_day() {
    for (signing, maximum) in [
        ("2026-03-14T23:59:59Z", 398),
        ("2026-03-15T00:00:00Z", 200),
        ("2026-11-24T12:00:00Z", 200),
        ("2027-03-14T23:59:59Z", 200),
        ("2027-03-15T00:00:00Z", 100),
        ("2029-03-14T23:59:59Z", 100),
        ("2029-03-15T00:00:00Z", 47),
        ("2040-01-01T00:00:00Z", 47),
    ] {
        let rules = rules_at(at(signing));
        assert_eq!(rules.maximum_validity, days(maximum), "{signing}");
        assert_eq!(rules.default_validity, days(maximum - 1), "{signing}");
    }
}

#[test]
fn v_1_seconds_are_those_of_the_ballot() {
    let seconds = |text| rules_at(at(text)).maximum_validity.as_secs();
    assert_eq!(seconds("2026-01-01T00:00:00Z"), 34_387_200);
    assert_eq!(seconds("2026-11-24T00:00:00Z"), 17_280_000);
    assert_eq!(seconds("2027-11-24T00:00:00Z"), 8_640_000);
    assert_eq!(seconds("2029-11-24T00:00:00Z"), 4_060_800);
}

#[test]
fn v_3_reuse_follows_the_signing_day() {
    for (signing, limit) in [
        ("2026-03-14T23:59:59Z", 398),
        ("2026-03-15T00:00:00Z", 200),
        ("2027-03-15T00:00:00Z", 100),
        ("2029-03-15T00:00:00Z", 10),
    ] {
        assert_eq!(
            rules_at(at(signing)).evidence_reuse,
            days(limit),
            "{signing}"
        );
    }
}

#[test]
fn v_3_evidence_of_150_days_dies_on_the_ides_of_march_2027() {
    let obtained = at("2026-10-15T12:00:00Z");
    assert!(evidence_usable(
        Method::DnsChange,
        obtained,
        at("2027-03-14T23:59:59Z")
    ));
    assert!(!evidence_usable(
        Method::DnsChange,
        obtained,
        at("2027-03-15T00:00:00Z")
    ));
    assert_eq!(
        usable_until(Method::DnsChange, obtained),
        at("2027-03-14T23:59:59Z")
    );
}

#[test]
fn v_4_a_day_of_margin_is_kept() {
    let obtained = at("2026-04-01T00:00:00Z");
    assert!(evidence_usable(
        Method::Website,
        obtained,
        obtained + days(199)
    ));
    assert!(!evidence_usable(
        Method::Website,
        obtained,
        obtained + days(199) + SignedDuration::from_secs(1)
    ));
}

#[test]
fn v_4_evidence_from_the_future_is_not_evidence() {
    let signing = at("2026-11-24T12:00:00Z");
    assert!(!evidence_usable(
        Method::DnsChange,
        signing + SignedDuration::from_secs(1),
        signing
    ));
    assert!(evidence_usable(Method::DnsChange, signing, signing));
}

#[test]
fn v_5_organization_data_live_398_days_since_march_2026() {
    assert_eq!(
        rules_at(at("2026-03-14T00:00:00Z")).organization_reuse,
        days(825)
    );
    assert_eq!(
        rules_at(at("2026-03-15T00:00:00Z")).organization_reuse,
        days(398)
    );
    assert_eq!(
        rules_at(at("2030-03-15T00:00:00Z")).organization_reuse,
        days(398)
    );
}

#[test]
fn d_39_v_6_mail_evidence_is_void_from_march_2028() {
    let obtained = at("2028-03-01T00:00:00Z");
    for method in Method::ALL {
        let mail = matches!(
            method,
            Method::ConstructedEmail | Method::CaaEmail | Method::TxtEmail
        );
        let last_day = at("2028-03-14T23:59:59Z");
        let first_day = at("2028-03-15T00:00:00Z");
        assert!(method_allowed(method, last_day), "{method}");
        assert_eq!(method_allowed(method, first_day), !mail, "{method}");
        if mail {
            assert!(evidence_usable(method, obtained, last_day));
            assert!(!evidence_usable(method, obtained, first_day));
            assert_eq!(usable_until(method, obtained), last_day);
        }
    }
}

#[test]
fn nasty_098_mail_on_or_after_2028_03_15_is_not_evidence() {
    let obtained = at("2028-03-20T00:00:00Z");
    assert!(!evidence_usable(
        Method::ConstructedEmail,
        obtained,
        obtained
    ));
    assert!(usable_until(Method::ConstructedEmail, obtained) < obtained);
}

#[test]
fn d_33_persistent_records_are_good_for_ten_days_less_the_margin() {
    let obtained = at("2026-11-01T00:00:00Z");
    assert!(evidence_usable(
        Method::PersistentTxt,
        obtained,
        obtained + days(9)
    ));
    assert!(!evidence_usable(
        Method::PersistentTxt,
        obtained,
        obtained + days(10)
    ));
}

#[test]
fn nasty_129_persistent_evidence_of_eleven_days_needs_a_new_check() {
    let obtained = at("2026-11-01T00:00:00Z");
    assert!(!evidence_usable(
        Method::PersistentTxt,
        obtained,
        obtained + days(11)
    ));
}

#[test]
fn nasty_030_signed_on_2027_03_15_gets_the_rules_of_that_day() {
    let rules = rules_at(at("2027-03-15T00:00:01Z"));
    assert_eq!(rules.default_validity, days(99));
    assert_eq!(rules.evidence_reuse, days(100));
}

#[test]
fn m_3_perspectives_grow_by_date() {
    for (signing, count) in [
        ("2025-03-14T00:00:00Z", 0),
        ("2025-03-15T00:00:00Z", 2),
        ("2026-03-15T00:00:00Z", 3),
        ("2026-11-24T00:00:00Z", 4),
        ("2026-12-14T23:59:59Z", 4),
        ("2026-12-15T00:00:00Z", 5),
    ] {
        assert_eq!(
            rules_at(at(signing)).remote_perspectives,
            count,
            "{signing}"
        );
    }
}

#[test]
fn m_11_the_next_change_is_known_ahead() {
    let (from, rules) = next_change(at("2026-11-24T12:00:00Z")).unwrap();
    assert_eq!(from, at("2026-12-15T00:00:00Z"));
    assert_eq!(rules.remote_perspectives, 5);
    let (from, rules) = next_change(from).unwrap();
    assert_eq!(from, at("2027-03-15T00:00:00Z"));
    assert_eq!(rules.maximum_validity, days(100));
    let (from, _) = next_change(from).unwrap();
    assert_eq!(from, at("2028-03-15T00:00:00Z"));
    assert_eq!(Some(from), method_ends(Method::ConstructedEmail));
    let (from, rules) = next_change(from).unwrap();
    assert_eq!(from, at("2029-03-15T00:00:00Z"));
    assert_eq!(rules.evidence_reuse, days(10));
    assert_eq!(next_change(at("2029-03-15T00:00:00Z")), None);
}

/// `usable_until` and `evidence_usable` are two readings of one table: every few
/// days over eight years they must agree to the second.
#[test]
fn v_3_the_last_usable_second_is_exact() {
    let second = SignedDuration::from_secs(1);
    for method in Method::ALL {
        let mut obtained = at("2025-01-01T06:30:00Z");
        while obtained < at("2033-01-01T00:00:00Z") {
            let until = usable_until(method, obtained);
            if until >= obtained {
                assert!(
                    evidence_usable(method, obtained, until),
                    "{method} {obtained} {until}"
                );
            }
            let mut after = until.max(obtained - second) + second;
            assert!(
                !evidence_usable(method, obtained, after),
                "{method} {obtained} {until}"
            );
            for _ in 0..8 {
                after += DAY * 50;
                assert!(
                    !evidence_usable(method, obtained, after),
                    "{method} {obtained} {after}"
                );
            }
            obtained += DAY * 3;
        }
    }
}

#[test]
fn v_5_organization_data_is_good_by_the_table_of_the_signing_day() {
    let signing = at("2026-11-24T12:00:00Z");
    for (days, usable) in [(0, true), (397, true), (398, false), (-1, false)] {
        assert_eq!(
            organization_usable(signing - DAY * days, signing),
            usable,
            "{days}"
        );
    }
    let before = at("2026-03-14T23:59:59Z");
    assert!(organization_usable(before - DAY * 824, before));
    assert!(!organization_usable(
        before - DAY * 824,
        at("2026-03-15T00:00:00Z")
    ));
}
