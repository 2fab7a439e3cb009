//! Precertificates, and certificates with the promises of logs.

use reseal_lifecycle::issuer::{Issuer, IssuerError};
use reseal_pki::{
    certificate::{Certificate, verify_signed},
    transparency::{Sct, correspond, decode_list, entry_tbs, has_scts},
};

use super::{
    issuing::{p256, verify},
    *,
};

/// Promises of logs that there are not: who made them is not the issuer's business.
fn scts(count: u8) -> Vec<Sct> {
    scts_of(count, now())
}

/// The same, made at that moment.
fn scts_of(count: u8, at: Timestamp) -> Vec<Sct> {
    let sct = |number| Sct {
        log_id: [number; 32],
        timestamp: at.as_millisecond().cast_unsigned(),
        extensions: Vec::new(),
        hash: 4,
        algorithm: 3,
        signature: vec![0x30, 0],
    };
    (1..=count).map(sct).collect()
}

#[tokio::test]
async fn p_8_p_10_precertificate_and_certificate_are_signed_over_what_was_recorded() {
    let (data, issuer) = p256();
    let subscriber = Subscriber::p256(&["example.com"]);
    let prepared = issuer.prepare(&subscriber.order()).unwrap();
    let recorded = prepared.linted.tbs().to_vec();
    let precertificate = issuer.precertify(&prepared).await.unwrap();
    verify_signed(&precertificate, issuer.issuing().public_key()).unwrap();
    assert_eq!(entry_tbs(&precertificate).unwrap(), recorded);
    assert!(!has_scts(&precertificate));
    let shown = data.file("pre.pem");
    let pem = Certificate::from_der(&precertificate).unwrap().pem();
    fs::write(&shown, pem).unwrap();
    let text = openssl(&["x509", "-noout", "-text", "-in"], &[&shown]).unwrap();
    assert!(
        text.contains("CT Precertificate Poison: critical"),
        "{text}"
    );

    let scts = scts(3);
    let der = issuer
        .issue_logged(prepared, &precertificate, &scts, now())
        .await
        .unwrap();
    assert_eq!(correspond(&precertificate, &der), Ok(()));
    assert_eq!(entry_tbs(&der).unwrap(), recorded);
    let leaf = Certificate::from_der(&der).unwrap();
    verify(&data, &issuer, &leaf, "example.com");
    // The list ends the TBSCertificate.
    let list = reseal_pki::transparency::encode_list(&scts).unwrap();
    assert!(leaf.tbs_der().ends_with(&list));
    assert_eq!(decode_list(&list).unwrap(), scts);
    fs::write(&shown, leaf.pem()).unwrap();
    let text = openssl(&["x509", "-noout", "-text", "-in"], &[&shown]).unwrap();
    assert_eq!(
        text.matches("Signed Certificate Timestamp:").count(),
        3,
        "{text}"
    );
}

#[tokio::test]
async fn p_10_nothing_is_signed_that_is_not_its_precertificate() {
    let (_data, issuer) = p256();
    let subscriber = Subscriber::p256(&["example.com"]);
    let (first, second) = (
        issuer.prepare(&subscriber.order()).unwrap(),
        issuer.prepare(&subscriber.order()).unwrap(),
    );
    let other = issuer.precertify(&second).await.unwrap();
    let refused = issuer.issue_logged(first, &other, &scts(3), now()).await;
    let error = refused.unwrap_err();
    assert!(
        matches!(&error, IssuerError::Lint(why) if why.contains("P-10") && why.contains("differ")),
        "{error}"
    );
    let (_elsewhere, stranger) = p256();
    let third = stranger.prepare(&subscriber.order()).unwrap();
    let refused = stranger.issue_logged(third, &other, &scts(3), now()).await;
    assert!(matches!(refused, Err(IssuerError::Lint(why)) if why.contains("P-10")));
}

#[tokio::test]
async fn p_9_with_two_promises_a_certificate_of_199_days_is_not_signed() {
    let (_data, issuer) = p256();
    let subscriber = Subscriber::p256(&["example.com"]);
    let prepared = issuer.prepare(&subscriber.order()).unwrap();
    let precertificate = issuer.precertify(&prepared).await.unwrap();
    let refused = issuer
        .issue_logged(prepared, &precertificate, &scts(2), now())
        .await;
    assert!(matches!(refused, Err(IssuerError::Lint(why)) if why.contains("P-9")));
}

#[tokio::test]
async fn p_9_promises_that_came_late_are_judged_at_the_moment_of_the_signature() {
    let (_data, issuer) = p256();
    let subscriber = Subscriber::p256(&["example.com"]);
    // A log that was waited for: what was reserved is older than its promise.
    let late = now() + SignedDuration::from_hours(3);
    for (signed, is_signed) in [(late, true), (now(), false)] {
        let prepared = issuer.prepare(&subscriber.order()).unwrap();
        let precertificate = issuer.precertify(&prepared).await.unwrap();
        let issued = issuer
            .issue_logged(prepared, &precertificate, &scts_of(3, late), signed)
            .await;
        match issued {
            Ok(_) => assert!(is_signed, "from the future"),
            Err(error) => assert!(
                !is_signed && error.to_string().contains("from the future"),
                "{error}"
            ),
        }
    }
}
