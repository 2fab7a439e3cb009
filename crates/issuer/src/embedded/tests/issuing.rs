//! Leaves, judged by `openssl`.

use reseal_lifecycle::issuer::{Issuer, IssuerError};
use reseal_pki::{
    certificate::{Certificate, pem},
    dn::OrganizationSubject,
    profile::PolicyArc,
    serial::Serial,
};

use super::*;

pub(super) fn issuer(authority: Authority) -> EmbeddedIssuer {
    EmbeddedIssuer::new(authority, PolicyArc::Private, PUBLIC_URL).unwrap()
}

pub(super) fn p256() -> (Data, EmbeddedIssuer) {
    let (data, authority) = Data::with_ca(KeyType::P256, None);
    (data, issuer(authority))
}

pub(super) async fn issued(issuer: &EmbeddedIssuer, order: &CertificateOrder<'_>) -> Certificate {
    let prepared = issuer.prepare(order).unwrap();
    let (serial, not_before, not_after) =
        (prepared.serial, prepared.not_before, prepared.not_after);
    let tbs = prepared.linted.tbs().to_vec();
    let certificate = Certificate::from_der(&issuer.issue(prepared).await.unwrap()).unwrap();
    // What was recorded before the signature is what was signed.
    assert_eq!(certificate.tbs_der(), tbs);
    assert_eq!(certificate.serial_bytes(), serial.as_bytes());
    assert_eq!(
        (certificate.not_before(), certificate.not_after()),
        (not_before, not_after)
    );
    certificate
}

pub(super) fn verify(data: &Data, issuer: &EmbeddedIssuer, leaf: &Certificate, name: &str) {
    let chain = issuer.chain();
    let file = |name: &str, der: &[u8]| {
        let path = data.root.path().join(name);
        fs::write(&path, pem("CERTIFICATE", der)).unwrap();
        path
    };
    let intermediate = file("chain-0.pem", &chain[0]);
    let root = file("chain-1.pem", &chain[1]);
    let leaf = file("leaf.pem", leaf.der());
    let at = now().as_second().to_string();
    let verified = openssl(
        &[
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-verify_hostname",
            name,
            "-attime",
            &at,
            "-CAfile",
            root.to_str().unwrap(),
            "-untrusted",
            intermediate.to_str().unwrap(),
        ],
        &[&leaf],
    );
    assert!(
        verified.as_ref().is_ok_and(|text| text.contains(": OK")),
        "{verified:?}"
    );
    openssl(&["asn1parse", "-i", "-in"], &[&leaf]).unwrap();
}

#[tokio::test]
async fn openssl_verifies_leaves_of_every_authority() {
    let names = ["www.example.com", "example.com", "*.example.net"];
    let subscribers = [Subscriber::p256(&names), Subscriber::rsa2048(&names)];
    for key_type in [KeyType::P256, KeyType::P384, KeyType::Rsa3072] {
        let passphrase = passphrase("correct horse");
        let (data, _) = Data::with_ca(key_type, Some(&passphrase));
        let issuer = issuer(Authority::open(&data.ca(), Some(&passphrase)).unwrap());
        for subscriber in &subscribers {
            let leaf = issued(&issuer, &subscriber.order()).await;
            verify(&data, &issuer, &leaf, "a.example.net");
            assert_eq!(leaf.dns_names(), names);
            assert_eq!(leaf.public_key(), &subscriber.public_key);
        }
    }
}

#[tokio::test]
async fn p_6_a_leaf_says_what_the_profile_wants() {
    let (data, issuer) = p256();
    let subscriber = Subscriber::rsa2048(&["example.com", "www.example.com"]);
    let leaf = issued(&issuer, &subscriber.order()).await;
    verify(&data, &issuer, &leaf, "www.example.com");
    let text = openssl(
        &["x509", "-noout", "-text", "-in"],
        &[&data.root.path().join("leaf.pem")],
    )
    .unwrap();
    let hex_serial = leaf.serial_hex();
    let shard = leaf.serial_bytes()[15] & 0x7f;
    let id = hex::encode(&issuer.issuing().ski()[..8]);
    for piece in [
        "Subject: CN = example.com\n",
        "Signature Algorithm: ecdsa-with-SHA256",
        "X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment\n",
        "X509v3 Extended Key Usage: \n                TLS Web Server Authentication\n",
        "X509v3 Basic Constraints: critical\n                CA:FALSE\n",
        "DNS:example.com, DNS:www.example.com\n",
        "Policy: 1.2.840.113556.1.8000.2554.48825.14774.49448.19283.47886.7811455.11258629.1\n",
        "CA Issuers - URI:http://127.0.0.1:8080/ca/intermediate.cer\n",
        &format!("URI:http://127.0.0.1:8080/crl/{id}/{shard}.crl\n"),
        "Not Before: Nov 24 11:55:00 2026 GMT",
        // 199 days, both end seconds counted.
        "Not After : Jun 11 11:54:59 2027 GMT",
    ] {
        assert!(text.contains(piece), "{piece}\n{text}");
    }
    assert!(!text.contains("OCSP"), "{text}");
    assert_eq!(hex_serial.len(), 32);
}

#[tokio::test]
async fn p_4_an_organization_and_the_forums_policies_are_asserted_when_asked() {
    let (data, authority) = Data::with_ca(KeyType::P384, None);
    let issuer = EmbeddedIssuer::new(authority, PolicyArc::Cabf, PUBLIC_URL).unwrap();
    let subscriber = Subscriber::p256(&["example.com"]);
    let organization = OrganizationSubject {
        organization: "Bäckerei Süß GmbH".into(),
        country: "DE".into(),
        state: None,
        locality: Some("Köln".into()),
        postal_code: None,
        street: None,
    };
    let order = CertificateOrder {
        subject: Some(&organization),
        common_name: None,
        validation: ValidationType::Organization,
        ..subscriber.order()
    };
    let leaf = issued(&issuer, &order).await;
    verify(&data, &issuer, &leaf, "example.com");
    let leaf_file = data.root.path().join("leaf.pem");
    let text = openssl(
        &[
            "x509",
            "-noout",
            "-text",
            "-nameopt",
            "utf8,sep_comma_plus",
            "-in",
        ],
        &[&leaf_file],
    )
    .unwrap();
    for piece in [
        "Subject: C=DE,L=Köln,O=Bäckerei Süß GmbH\n",
        "Policy: 2.23.140.1.2.2\n",
        "Signature Algorithm: ecdsa-with-SHA384",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
    ] {
        assert!(text.contains(piece), "{piece}\n{text}");
    }
}

#[test]
fn v_9_a_leaf_outlives_neither_its_order_nor_its_issuer() {
    let (_data, issuer) = p256();
    let subscriber = Subscriber::p256(&["example.com"]);
    let end = |now: Timestamp, limit: Timestamp| {
        let order = CertificateOrder {
            now,
            not_after_limit: limit,
            ..subscriber.order()
        };
        issuer.prepare(&order).unwrap().not_after
    };
    let whole = now() - SignedDuration::from_millis(250);
    // A limit with a fraction ends with the whole second before.
    assert_eq!(end(now(), now() + days(30)), whole + days(30));
    let issuer_end = issuer.issuing().not_after();
    assert_eq!(
        end(issuer_end - days(20), issuer_end + days(400)),
        issuer_end
    );
    // V-1: the calendar is that of the day of signing.
    for (day, length) in [("2026-12-01", 199), ("2027-03-15", 99), ("2029-03-15", 46)] {
        let signing: Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
        let not_after = end(signing, signing + days(900));
        let first = signing - SignedDuration::from_mins(5);
        assert_eq!(
            first.duration_until(not_after) + SignedDuration::from_secs(1),
            days(length),
            "{day}"
        );
    }
}

#[test]
fn nasty_029_an_authority_issues_from_its_first_second_and_never_outside_its_time() {
    let (_data, issuer) = p256();
    let subscriber = Subscriber::p256(&["example.com"]);
    let at = |now: Timestamp| {
        issuer.prepare(&CertificateOrder {
            now,
            not_after_limit: now + days(365),
            ..subscriber.order()
        })
    };
    assert!(at(now()).is_ok());
    let begin = issuer.issuing().not_before();
    assert_eq!(at(begin).unwrap().not_before, begin);
    for moment in [
        begin - SignedDuration::from_secs(1),
        now() - days(365),
        issuer.issuing().not_after() + SignedDuration::from_secs(1),
    ] {
        let error = at(moment).unwrap_err();
        assert!(
            matches!(error, IssuerError::Refused(_)),
            "{moment}: {error}"
        );
        assert!(error.to_string().contains(&moment.to_string()), "{error}");
    }
}

#[test]
fn a_7_nasty_137_what_breaks_the_profile_is_refused_before_it_is_signed() {
    let (_data, issuer) = p256();
    let subscriber = Subscriber::p256(&["example.com"]);
    let nameless = CertificateOrder {
        names: &[],
        common_name: None,
        ..subscriber.order()
    };
    let unvetted = CertificateOrder {
        validation: ValidationType::Organization,
        ..subscriber.order()
    };
    let over = CertificateOrder {
        not_after_limit: now() - days(1),
        ..subscriber.order()
    };
    for order in [nameless, unvetted, over] {
        let error = issuer.prepare(&order).unwrap_err();
        assert!(matches!(error, IssuerError::Lint(_)), "{error}");
    }
}

#[test]
fn x_8_the_serial_number_decides_the_crl_for_ever() {
    let (_data, issuer) = p256();
    let mut bytes = [1; 16];
    for (last, shard) in [(0x00, 0), (0x7f, 127), (0x80, 0), (0xff, 127), (0x2a, 42)] {
        bytes[15] = last;
        let url = issuer.crl_url(&Serial::from_bytes(&bytes).unwrap());
        assert!(url.ends_with(&format!("/{shard}.crl")), "{url}");
    }
    assert_eq!(CRL_SHARDS, 128);
    assert!(CRL_SHARDS.is_power_of_two());
}

#[test]
fn c_22_the_keys_of_the_authority_are_known() {
    let (_data, issuer) = p256();
    let chain = issuer.chain();
    let hashes: Vec<_> = chain
        .iter()
        .map(|der| {
            Certificate::from_der(der)
                .unwrap()
                .public_key()
                .spki_sha256()
        })
        .collect();
    assert_eq!(issuer.own_keys(), hashes);
    assert_ne!(hashes[0], hashes[1]);
    assert_eq!(
        Certificate::from_der(&chain[0]).unwrap().issuer_text(),
        Certificate::from_der(&chain[1])
            .unwrap()
            .subject()
            .to_string()
    );
}

#[tokio::test]
async fn a_9_what_was_issued_is_held_against_the_day_on_which_it_was_signed() {
    let (_data, issuer) = p256();
    let subscriber = Subscriber::p256(&["reseal.dev"]);
    let leaf = issued(&issuer, &subscriber.order()).await;
    let domain = ValidationType::Domain;
    assert_eq!(issuer.lint_issued(leaf.der(), domain, now()), Some(vec![]));
    let rules = |validation, signed| {
        let findings = issuer.lint_issued(leaf.der(), validation, signed).unwrap();
        let rules: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
        rules
    };
    // Signed on a day of shorter certificates, it would have been wrong.
    let later = "2027-03-15T00:00:00Z".parse().unwrap();
    assert_eq!(rules(domain, later), ["V-1", "V-10"]);
    assert_eq!(rules(ValidationType::Organization, now()), ["P-4", "P-6"]);

    let other = p256().1;
    assert_eq!(other.lint_issued(leaf.der(), domain, now()), None);
    let mut changed = leaf.der().to_vec();
    changed[100] ^= 1;
    assert_eq!(issuer.lint_issued(&changed, domain, now()), None);
    assert_eq!(issuer.lint_issued(b"0\x03", domain, now()), None);
}
