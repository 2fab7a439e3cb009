//! Rotation: what is added, what stays, and what is refused. `openssl` judges both chains and both kinds of lists.

use reseal_lifecycle::crl::Coverage;
use reseal_lifecycle::issuer::{Issuer as _, IssuerError};
use reseal_pki::certificate::{Certificate, pem};
use reseal_pki::profile::PolicyArc;

use super::issuing::verify;
use super::*;

fn settings(passphrase: Option<&Passphrase>) -> RotationSettings<'_> {
    RotationSettings {
        algorithm: KeyType::P384,
        access: passphrase.into(),
        public_url: PUBLIC_URL,
    }
}

fn rotate(
    data: &Data,
    passphrase: Option<&Passphrase>,
    at: Timestamp,
) -> Result<String, RotateError> {
    let rotation = Rotation::prepare(&data.ca(), &settings(passphrase), at)?;
    let id = rotation.id();
    rotation.publish()?;
    Ok(id)
}

/// The one that issues and the one that did before.
fn both(data: &Data, passphrase: Option<&Passphrase>) -> (EmbeddedIssuer, EmbeddedIssuer) {
    let authority = Authority::open(&data.ca(), passphrase).unwrap();
    let (current, mut retired) =
        EmbeddedIssuer::all(authority, PolicyArc::Private, PUBLIC_URL).unwrap();
    assert_eq!(retired.len(), 1);
    (current, retired.remove(0))
}

async fn leaf(issuer: &EmbeddedIssuer, now: Timestamp) -> Certificate {
    let subscriber = Subscriber::p256(&["example.com"]);
    let order = CertificateOrder {
        now,
        ..subscriber.order()
    };
    let der = issuer.issue(issuer.prepare(&order).unwrap()).await.unwrap();
    Certificate::from_der(&der).unwrap()
}

/// What openssl reads in a certificate.
fn shown(data: &Data, leaf: &Certificate) -> String {
    let file = data.file("shown.pem");
    fs::write(&file, leaf.pem()).unwrap();
    openssl(&["x509", "-noout", "-text", "-in"], &[&file]).unwrap()
}

#[tokio::test]
async fn p_13_the_new_intermediate_issues_and_the_old_chain_stays_good() {
    for secret in [None, Some(passphrase("correct horse"))] {
        let (data, authority) = Data::with_ca(KeyType::P256, secret.as_ref());
        let before = EmbeddedIssuer::new(authority, PolicyArc::Private, PUBLIC_URL).unwrap();
        let old = leaf(&before, now()).await;
        let files = data.files();
        let id = rotate(&data, secret.as_ref(), now()).unwrap();
        let mut expected = [
            files,
            vec![
                format!("ca/intermediate-{id}.key"),
                format!("ca/intermediate-{id}.pem"),
            ],
        ]
        .concat();
        expected.sort();
        assert_eq!(
            data.files(),
            expected,
            "nothing else is there, and nothing is gone"
        );
        assert_eq!(mode(&data.file(&format!("intermediate-{id}.key"))), 0o600);

        let (current, retired) = both(&data, secret.as_ref());
        assert_eq!(
            (retired.name(), current.name()),
            ("embedded", &*format!("embedded-{id}"))
        );
        assert_eq!(retired.chain(), before.chain());
        assert_eq!(current.chain()[1], retired.chain()[1]);
        let new = leaf(&current, now()).await;
        verify(&data, &current, &new, "example.com");
        verify(&data, &retired, &old, "example.com");
        let (old, new) = (shown(&data, &old), shown(&data, &new));
        assert!(
            old.contains(&format!("{PUBLIC_URL}/ca/intermediate.cer")),
            "{old}"
        );
        assert!(
            new.contains(&format!("{PUBLIC_URL}/ca/intermediate-{id}.cer")),
            "{new}"
        );
        assert!(new.contains(&format!("{PUBLIC_URL}/crl/{id}/")), "{new}");
        assert!(!old.contains(&format!("/crl/{id}/")), "{old}");
    }
}

#[tokio::test]
async fn x_8_each_intermediate_signs_lists_of_its_own_and_the_root_has_one() {
    let (data, _) = Data::with_ca(KeyType::P256, None);
    let id = rotate(&data, None, now()).unwrap();
    let (current, retired) = both(&data, None);
    let own: Vec<_> = current.crls().into_iter().map(|list| list.name).collect();
    assert!(
        own[..128]
            .iter()
            .all(|name| name.starts_with(&format!("{id}/")))
    );
    assert_eq!(own[128..], ["root"]);
    let old = retired.crls();
    assert_eq!(old.len(), 128);
    assert!(
        old.iter()
            .all(|list| !list.in_use && list.coverage == Coverage::Subscribers)
    );
    assert!(old.iter().all(|list| !own.contains(&list.name)));
    for issuer in [&current, &retired] {
        let der = issuer.sign_crl(crl::order(issuer, 5)).await.unwrap();
        crl::read(&data, issuer, &der, 0);
    }
    let foreign = crl::order(&retired, 5);
    assert!(matches!(
        current.sign_crl(foreign).await,
        Err(IssuerError::Refused(_))
    ));
}

#[tokio::test]
async fn p_1_what_was_recorded_before_is_signed_by_the_intermediate_that_it_was_prepared_for() {
    let (data, authority) = Data::with_ca(KeyType::P256, None);
    let before = EmbeddedIssuer::new(authority, PolicyArc::Private, PUBLIC_URL).unwrap();
    let subscriber = Subscriber::p256(&["example.com"]);
    let recorded = before.prepare(&subscriber.order()).unwrap();
    let (serial, tbs) = (
        recorded.serial.as_bytes().to_vec(),
        recorded.linted.tbs().to_vec(),
    );
    rotate(&data, None, now()).unwrap();
    let (current, retired) = both(&data, None);
    let resumed = retired
        .resume(&serial, tbs.clone(), &subscriber.order())
        .unwrap();
    let leaf = Certificate::from_der(&retired.issue(resumed).await.unwrap()).unwrap();
    assert_eq!(leaf.tbs_der(), tbs);
    verify(&data, &retired, &leaf, "example.com");
    // The other one would sign what names another issuer, and does not.
    assert!(matches!(
        current.resume(&serial, tbs, &subscriber.order()),
        Err(IssuerError::Lint(_))
    ));
}

#[tokio::test]
async fn the_key_of_a_replaced_intermediate_may_be_away_and_that_of_the_issuing_one_may_not() {
    let (data, _) = Data::with_ca(KeyType::P256, None);
    let id = rotate(&data, None, now()).unwrap();
    let away = data.root.path().join("away");
    fs::rename(data.file("intermediate.key"), &away).unwrap();
    let (current, retired) = both(&data, None);
    assert!(current.holds_key() && !retired.holds_key());
    leaf(&current, now()).await;
    let error = retired.sign_crl(crl::order(&retired, 5)).await.unwrap_err();
    assert!(
        matches!(&error, IssuerError::Unavailable(why) if why.contains("bring it back")),
        "{error}"
    );
    let seen = inspect(&data.ca(), None, None, PUBLIC_URL, now());
    let told: Vec<_> = seen
        .findings
        .iter()
        .map(|finding| &*finding.message)
        .collect();
    assert!(
        told.iter()
            .any(|text| text.contains("`intermediate.key` is not here")),
        "{told:?}"
    );
    // A key of another CA in its place is a fault.
    let (other, _) = Data::with_ca(KeyType::P256, None);
    fs::copy(
        other.file("intermediate.key"),
        data.file("intermediate.key"),
    )
    .unwrap();
    assert!(matches!(
        Authority::open(&data.ca(), None),
        Err(OpenError::Mismatch { .. })
    ));
    fs::rename(&away, data.file("intermediate.key")).unwrap();
    fs::remove_file(data.file(&format!("intermediate-{id}.key"))).unwrap();
    let error = Authority::open(&data.ca(), None).unwrap_err().to_string();
    assert!(
        error.contains(&format!("intermediate-{id}.key` is missing")),
        "{error}"
    );
}

#[test]
fn an_interrupted_rotation_is_none() {
    let (data, _) = Data::with_ca(KeyType::P256, None);
    let files = data.files();
    drop(Rotation::prepare(&data.ca(), &settings(None), now()).unwrap());
    assert_eq!(data.files(), files);
    // Killed after the key was put there, and while the certificate was written.
    let id = rotate(&data, None, now()).unwrap();
    let certificate = data.file(&format!("intermediate-{id}.pem"));
    fs::rename(
        &certificate,
        data.file(&format!("intermediate-{id}.pem.new")),
    )
    .unwrap();
    let authority = Authority::open(&data.ca(), None).unwrap();
    assert_eq!(
        authority.intermediate().certificate().pem(),
        fs::read_to_string(data.file("intermediate.pem")).unwrap()
    );
    let seen = inspect(&data.ca(), None, None, PUBLIC_URL, now());
    let left = seen
        .findings
        .iter()
        .any(|finding| finding.message.contains("left of a rotation"));
    assert!(left, "{:?}", seen.findings);
    rotate(&data, None, now()).unwrap();
    Authority::open(&data.ca(), None).unwrap();
}

#[test]
fn what_would_do_harm_is_refused() {
    let secret = passphrase("correct horse");
    let (data, _) = Data::with_ca(KeyType::P256, Some(&secret));
    let files = data.files();
    let refused = |passphrase: Option<&Passphrase>, at: Timestamp, why: &str| {
        let error = rotate(&data, passphrase, at).unwrap_err().to_string();
        assert!(
            error.starts_with("the CA is not rotated: ") && error.contains(why),
            "{error}"
        );
        assert_eq!(data.files(), files);
    };
    refused(Some(&secret), now() - days(1), "set the clock right");
    refused(Some(&secret), now() + days(19 * 365), "a new CA is needed");
    refused(None, now(), "ca.passphrase_file");
    refused(Some(&passphrase("wrong")), now(), "passphrase is wrong");
    let held = Rotation::prepare(&data.ca(), &settings(Some(&secret)), now()).unwrap();
    refused(Some(&secret), now(), "at this moment");
    drop(held);
    let away = data.root.path().join("safe");
    fs::rename(data.file("root.key"), &away).unwrap();
    let error = rotate(&data, Some(&secret), now()).unwrap_err().to_string();
    assert!(error.contains("root.key` is missing"), "{error}");
    fs::rename(away, data.file("root.key")).unwrap();
    rotate(&data, Some(&secret), now()).unwrap();
}

#[test]
fn the_new_one_ends_with_the_root_and_a_certificate_under_a_wrong_name_is_refused() {
    let (data, authority) = Data::with_ca(KeyType::P256, None);
    let late = now() + days(15 * 365);
    let id = rotate(&data, None, late).unwrap();
    let opened = Authority::open(&data.ca(), None).unwrap();
    assert_eq!(opened.issuing_not_after(), authority.root().not_after());
    let file = |id: &str| data.file(&format!("intermediate-{id}.pem"));
    fs::rename(file(&id), file("0011223344556677")).unwrap();
    let error = Authority::open(&data.ca(), None).unwrap_err().to_string();
    assert!(
        error.contains("0011223344556677.pem") && error.contains(&id),
        "{error}"
    );
    let (other, _) = Data::with_ca(KeyType::P256, None);
    fs::remove_file(file("0011223344556677")).unwrap();
    let foreign = Rotation::prepare(&other.ca(), &settings(None), now()).unwrap();
    let text = pem("CERTIFICATE", foreign.certificate().certificate_der());
    fs::write(file(&foreign.id()), text).unwrap();
    let error = Authority::open(&data.ca(), None).unwrap_err().to_string();
    assert!(error.contains("did not sign it"), "{error}");
}
