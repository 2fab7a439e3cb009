//! Certificates that were recorded before a crash and are signed after it.

use reseal_lifecycle::issuer::{Issuer, IssuerError, Prepared};
use reseal_pki::certificate::Certificate;

use super::{
    issuing::{p256, verify},
    *,
};

/// Prepares, loses everything but the record, and resumes at `later`.
fn resumed(
    issuer: &EmbeddedIssuer,
    change: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>),
    later: Timestamp,
) -> Result<(Prepared, Prepared), IssuerError> {
    let subscriber = Subscriber::p256(&["example.com"]);
    let first = issuer.prepare(&subscriber.order()).unwrap();
    let mut serial = first.serial.as_bytes().to_vec();
    let mut tbs = first.linted.tbs().to_vec();
    change(&mut serial, &mut tbs);
    let second = issuer.resume(
        &serial,
        tbs,
        &CertificateOrder {
            now: later,
            ..subscriber.order()
        },
    )?;
    Ok((first, second))
}

#[tokio::test]
async fn p_1_a_recorded_certificate_is_signed_as_it_was_recorded() {
    let (data, issuer) = p256();
    let later = now() + SignedDuration::from_hours(47);
    let (first, second) = resumed(&issuer, |_, _| {}, later).unwrap();
    assert_eq!(first.serial, second.serial);
    assert_eq!(first.linted.tbs(), second.linted.tbs());
    assert_eq!(
        (first.not_before, first.not_after),
        (second.not_before, second.not_after)
    );
    let leaf = Certificate::from_der(&issuer.issue(second).await.unwrap()).unwrap();
    verify(&data, &issuer, &leaf, "example.com");
}

#[test]
fn v_10_a_recorded_certificate_is_not_signed_after_48_hours() {
    let (_data, issuer) = p256();
    let begin = now() - SignedDuration::from_millis(250) - SignedDuration::from_mins(5);
    let limit = SignedDuration::from_hours(48);
    assert!(resumed(&issuer, |_, _| {}, begin + limit).is_ok());
    let error = resumed(
        &issuer,
        |_, _| {},
        begin + limit + SignedDuration::from_millis(1),
    )
    .unwrap_err()
    .to_string();
    assert!(
        error.contains("V-10: the recorded certificate begins at"),
        "{error}"
    );
    // Nor before it was prepared: the clock jumped.
    assert!(resumed(&issuer, |_, _| {}, now() - days(1)).is_err());
}

#[test]
fn a_7_a_record_that_was_changed_is_not_signed() {
    type Change = fn(&mut Vec<u8>, &mut Vec<u8>);
    let (_data, issuer) = p256();
    let changes: [(&str, Change); 6] = [
        ("another serial number", |serial, _| serial[7] ^= 1),
        ("a serial number of no form", |serial, _| serial.clear()),
        ("nothing", |_, tbs| tbs.clear()),
        ("a part", |_, tbs| tbs.truncate(tbs.len() / 2)),
        ("bytes behind it", |_, tbs| tbs.push(0)),
        ("a CA", |_, tbs| {
            let constraints = [0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x02, 0x30, 0x00];
            let at = tbs
                .windows(constraints.len())
                .position(|window| window == constraints)
                .unwrap();
            // basicConstraints becomes an extension that nobody knows.
            tbs[at + 2] = 0x7f;
        }),
    ];
    for (what, change) in changes {
        let error = resumed(&issuer, change, now()).err();
        assert!(
            matches!(error, Some(IssuerError::Lint(_))),
            "{what}: {error:?}"
        );
    }
}

#[test]
fn v_1_a_recorded_certificate_follows_the_rules_of_the_day_it_is_signed() {
    let (_data, issuer) = p256();
    let subscriber = Subscriber::p256(&["example.com"]);
    let evening: Timestamp = "2027-03-14T23:00:00Z".parse().unwrap();
    let morning: Timestamp = "2027-03-15T01:00:00Z".parse().unwrap();
    let order = CertificateOrder {
        now: evening,
        not_after_limit: evening + days(365),
        ..subscriber.order()
    };
    let prepared = issuer.prepare(&order).unwrap();
    let error = issuer
        .resume(
            prepared.serial.as_bytes(),
            prepared.linted.tbs().to_vec(),
            &CertificateOrder {
                now: morning,
                ..order
            },
        )
        .unwrap_err()
        .to_string();
    assert!(error.contains("V-1"), "{error}");
}

#[test]
fn p_2_a_record_of_another_authority_is_not_signed() {
    let (_a, first) = p256();
    let (_b, second) = p256();
    let subscriber = Subscriber::p256(&["example.com"]);
    let prepared = first.prepare(&subscriber.order()).unwrap();
    let error = second
        .resume(
            prepared.serial.as_bytes(),
            prepared.linted.tbs().to_vec(),
            &subscriber.order(),
        )
        .unwrap_err()
        .to_string();
    assert!(error.contains("P-2"), "{error}");
}

#[test]
fn a_10_a_record_that_is_not_what_was_ordered_is_not_signed() {
    let (_data, issuer) = p256();
    let subscriber = Subscriber::p256(&["example.com", "www.example.com"]);
    let prepared = issuer.prepare(&subscriber.order()).unwrap();
    let other_key = Subscriber::p256(&["example.com", "www.example.com"]);
    let resume = |order: &CertificateOrder<'_>| {
        let tbs = prepared.linted.tbs().to_vec();
        issuer.resume(prepared.serial.as_bytes(), tbs, order)
    };
    assert!(resume(&subscriber.order()).is_ok());
    let fewer = CertificateOrder {
        names: &subscriber.names[..1],
        ..subscriber.order()
    };
    let shorter = CertificateOrder {
        not_after_limit: prepared.not_after - SignedDuration::from_secs(1),
        ..subscriber.order()
    };
    for (order, what) in [
        (other_key.order(), "another key"),
        (fewer, "other names"),
        (shorter, "ends after"),
    ] {
        let error = resume(&order).unwrap_err().to_string();
        assert!(error.contains("A-10") && error.contains(what), "{error}");
    }
}
