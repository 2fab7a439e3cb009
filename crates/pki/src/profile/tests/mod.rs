mod golden;

use std::process::Command;

use jiff::{SignedDuration, Timestamp};

use super::{
    AuthorityError, CaSubject, IssuingAuthority, IssuingAuthorityError, Leaf, PolicyArc,
    ProfileError, SignatureAlgorithm, ValidationType, Validity, intermediate_tbs, leaf_tbs,
};
use crate::{
    certificate::{Certificate, assemble, pem},
    dn::{OrganizationSubject, SubjectProblem},
    fixture::{Hierarchy, KeyType, SIGNING_TIME, Signer, URLS, organization},
    key::PublicKey,
    lint::{LintContext, lint_leaf},
    name::DnsName,
    serial::Serial,
};

fn names(names: &[&str]) -> Vec<DnsName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[test]
fn v_2_both_end_seconds_count() {
    let not_before: Timestamp = "2026-11-24T10:00:00.75Z".parse().unwrap();
    let days_199 = SignedDuration::from_hours(24 * 199);
    let validity = Validity::new(not_before, days_199);
    assert_eq!(validity.not_before, "2026-11-24T10:00:00Z".parse().unwrap());
    assert_eq!(validity.not_after, "2027-06-11T09:59:59Z".parse().unwrap());
    assert_eq!(validity.length(), days_199);
    assert_eq!(
        validity.not_after.as_second() - validity.not_before.as_second(),
        199 * 86_400 - 1
    );
}

#[test]
fn v_9_a_validity_is_cut_at_the_end_of_the_subscription() {
    let not_before: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
    let validity = Validity::new(not_before, SignedDuration::from_hours(24 * 199));
    let early: Timestamp = "2026-12-24T00:00:00.9Z".parse().unwrap();
    assert_eq!(
        validity.ending_by(early).not_after,
        "2026-12-24T00:00:00Z".parse().unwrap()
    );
    let late: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(validity.ending_by(late), validity);
}

#[test]
fn p_2_an_issuer_of_every_key_type_signs_what_openssl_verifies() {
    for key_type in [KeyType::P256, KeyType::P384, KeyType::Rsa2048] {
        let hierarchy = Hierarchy::new(key_type);
        for subject_key in [KeyType::P256, KeyType::P384, KeyType::Rsa2048] {
            let key = Signer::generate(subject_key).public_key();
            let names = names(&["www.reseal.dev", "reseal.dev"]);
            let leaf = Leaf {
                ..hierarchy.leaf(&key, &names)
            };
            let der = hierarchy.issue(&leaf);
            openssl_verifies(&hierarchy, &der);
            let certificate = Certificate::from_der(&der).unwrap();
            assert_eq!(certificate.dns_names(), ["www.reseal.dev", "reseal.dev"]);
            assert_eq!(certificate.public_key(), &key);
        }
    }
}

/// `openssl verify -x509_strict` for the chain and the host name, at the time of
/// signing.
fn openssl_verifies(hierarchy: &Hierarchy, leaf: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, der: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem("CERTIFICATE", der)).unwrap();
        path
    };
    let output = Command::new("openssl")
        .args([
            "verify",
            "-x509_strict",
            "-check_ss_sig",
            "-purpose",
            "sslserver",
        ])
        .args(["-verify_hostname", "www.reseal.dev", "-attime"])
        .arg(hierarchy.validity().not_before.as_second().to_string())
        .arg("-CAfile")
        .arg(write("root.pem", hierarchy.root.certificate_der()))
        .arg("-untrusted")
        .arg(write(
            "intermediate.pem",
            hierarchy.issuer.certificate_der(),
        ))
        .arg(write("leaf.pem", leaf))
        .output()
        .expect("openssl is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn p_3_without_a_common_name_the_subject_is_empty_and_the_names_critical() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let key = Signer::generate(KeyType::P256).public_key();
    let names = names(&["reseal.dev", "*.reseal.dev"]);
    let bare = hierarchy.leaf(&key, &names);
    let named = Leaf {
        common_name: Some("*.reseal.dev"),
        ..bare.clone()
    };
    // extnID subjectAltName, then critical TRUE or the value at once.
    let critical = hex::decode("0603551d110101ff04").unwrap();
    let plain = hex::decode("0603551d1104").unwrap();
    let contains =
        |tbs: &[u8], bytes: &[u8]| tbs.windows(bytes.len()).any(|window| window == bytes);
    let tbs = leaf_tbs(&bare).unwrap();
    assert!(contains(&tbs, &critical) && !contains(&tbs, &plain));
    let tbs = leaf_tbs(&named).unwrap();
    assert!(contains(&tbs, &plain) && !contains(&tbs, &critical));
    let certificate = Certificate::from_der(&hierarchy.issue(&named)).unwrap();
    assert_eq!(certificate.common_name(), Some("*.reseal.dev"));
    let foreign = Leaf {
        common_name: Some("www.reseal.dev"),
        ..bare
    };
    assert_eq!(
        leaf_tbs(&foreign),
        Err(ProfileError::CommonName("www.reseal.dev".into()))
    );
}

#[test]
fn nasty_065_a_common_name_of_65_characters_is_left_out() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let key = Signer::generate(KeyType::P256).public_key();
    for (length, expected) in [(64, true), (65, false)] {
        let name = format!("{}.reseal.dev", "a".repeat(length - ".reseal.dev".len()));
        assert_eq!(name.len(), length);
        let names = names(&[&name]);
        let leaf = Leaf {
            common_name: Some(&name),
            ..hierarchy.leaf(&key, &names)
        };
        let certificate = Certificate::from_der(&hierarchy.issue(&leaf)).unwrap();
        assert_eq!(certificate.common_name().is_some(), expected, "{length}");
        assert_eq!(certificate.dns_names(), [name.as_str()]);
    }
}

#[test]
fn p_4_the_subject_has_its_fields_in_order() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let key = Signer::generate(KeyType::Rsa2048).public_key();
    let names = names(&["reseal.dev"]);
    let organization = organization();
    let leaf = Leaf {
        common_name: Some("reseal.dev"),
        subject: Some(&organization),
        validation: ValidationType::Organization,
        ..hierarchy.leaf(&key, &names)
    };
    let certificate = Certificate::from_der(&hierarchy.issue(&leaf)).unwrap();
    assert_eq!(
        certificate.subject().to_string(),
        "C=CH,ST=Zürich,L=Winterthur,postalCode=8400,street=Marktgasse 1,O=Zürcher Käserei AG,CN=reseal.dev"
    );
    assert_eq!(certificate.validation_type(), ValidationType::Organization);
    assert_eq!(certificate.organization(), Some("Zürcher Käserei AG"));
    assert_eq!(certificate.country(), Some("CH"));
}

#[test]
fn p_4_an_unfit_organization_is_not_certified() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let key = Signer::generate(KeyType::P256).public_key();
    let names = names(&["reseal.dev"]);
    let dv = hierarchy.leaf(&key, &names);
    let organization = OrganizationSubject {
        state: None,
        locality: None,
        ..organization()
    };
    let ov = Leaf {
        validation: ValidationType::Organization,
        ..dv.clone()
    };
    assert_eq!(leaf_tbs(&ov), Err(ProfileError::NoOrganization));
    let ov = Leaf {
        subject: Some(&organization),
        ..ov
    };
    assert_eq!(
        leaf_tbs(&ov),
        Err(ProfileError::Subject(SubjectProblem::NoPlace))
    );
    let dv = Leaf {
        subject: Some(&organization),
        ..dv
    };
    assert_eq!(leaf_tbs(&dv), Err(ProfileError::UnverifiedOrganization));
}

#[test]
fn p_5_extended_validation_exists_only_under_our_own_arc_and_without_wildcards() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let key = Signer::generate(KeyType::P256).public_key();
    let organization = organization();
    let plain = names(&["reseal.dev"]);
    let wild = names(&["*.reseal.dev"]);
    let leaf = Leaf {
        subject: Some(&organization),
        validation: ValidationType::Extended,
        policy: PolicyArc::Private,
        ..hierarchy.leaf(&key, &plain)
    };
    let certificate = Certificate::from_der(&hierarchy.issue(&leaf)).unwrap();
    assert_eq!(certificate.validation_type(), ValidationType::Extended);
    let public = Leaf {
        policy: PolicyArc::Cabf,
        ..leaf.clone()
    };
    assert_eq!(leaf_tbs(&public), Err(ProfileError::ExtendedValidation));
    let wildcard = Leaf {
        names: &wild,
        ..leaf
    };
    assert_eq!(
        leaf_tbs(&wildcard),
        Err(ProfileError::ExtendedWildcard("*.reseal.dev".into()))
    );
}

#[test]
fn p_6_pointers_are_http_urls() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let key = Signer::generate(KeyType::P256).public_key();
    let names = names(&["reseal.dev"]);
    for url in [
        "https://a.b/c",
        "http://",
        "http://a b",
        "ldap://a.b",
        "http://a.b/\u{fc}",
        "http://a\n",
        "",
    ] {
        let leaf = hierarchy.leaf(&key, &names);
        let expected = Err(ProfileError::Url(url.to_owned()));
        assert_eq!(
            leaf_tbs(&Leaf {
                crl_url: url,
                ..leaf.clone()
            }),
            expected,
            "{url:?}"
        );
        assert_eq!(
            leaf_tbs(&Leaf {
                ca_issuers_url: url,
                ..leaf.clone()
            }),
            expected,
            "{url:?}"
        );
        assert_eq!(
            leaf_tbs(&Leaf {
                ocsp_url: Some(url),
                ..leaf
            }),
            expected,
            "{url:?}"
        );
    }
}

#[test]
fn n_18_names_are_needed_and_never_doubled() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let key = Signer::generate(KeyType::P256).public_key();
    assert_eq!(
        leaf_tbs(&hierarchy.leaf(&key, &[])),
        Err(ProfileError::NoNames)
    );
    let twice = names(&["reseal.dev", "www.reseal.dev", "reseal.dev"]);
    assert_eq!(
        leaf_tbs(&hierarchy.leaf(&key, &twice)),
        Err(ProfileError::DuplicateName("reseal.dev".into()))
    );
}

#[test]
fn v_9_a_leaf_does_not_outlive_its_issuer() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let key = Signer::generate(KeyType::P256).public_key();
    let names = names(&["reseal.dev"]);
    let leaf = hierarchy.leaf(&key, &names);
    let end = hierarchy.issuer.not_after();
    let fits = Validity {
        not_before: leaf.validity.not_before,
        not_after: end,
    };
    assert!(
        leaf_tbs(&Leaf {
            validity: fits,
            ..leaf.clone()
        })
        .is_ok()
    );
    let too_long = Validity {
        not_after: end + SignedDuration::from_secs(1),
        ..fits
    };
    assert_eq!(
        leaf_tbs(&Leaf {
            validity: too_long,
            ..leaf.clone()
        }),
        Err(ProfileError::Validity)
    );
    let backwards = Validity {
        not_before: end,
        not_after: fits.not_before,
    };
    assert_eq!(
        leaf_tbs(&Leaf {
            validity: backwards,
            ..leaf
        }),
        Err(ProfileError::Validity)
    );
}

#[test]
fn p_12_times_change_their_form_in_2050() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let key = Signer::generate(KeyType::P256);
    let subject = CaSubject {
        common_name: "Long".into(),
        organization: "Reseal".into(),
        country: "NL".into(),
    };
    let serial = Serial::random().unwrap();
    let validity = Validity {
        not_before: "2049-12-31T23:59:59Z".parse().unwrap(),
        not_after: "2050-01-01T00:00:00Z".parse().unwrap(),
    };
    let tbs = super::root_tbs(&subject, &key.spki(), &serial, validity).unwrap();
    let expected = b"\x30\x20\x17\x0d491231235959Z\x18\x0f20500101000000Z";
    assert!(tbs.windows(expected.len()).any(|window| window == expected));
    let certificate = assemble(&tbs, SignatureAlgorithm::EcdsaP256Sha256, &key.sign(&tbs));
    let root = IssuingAuthority::from_der(&certificate).unwrap();
    assert_eq!(root.not_after(), validity.not_after);
    assert!(root.not_after() > hierarchy.root.not_after());
}

#[test]
fn p_13_only_authorities_issue_and_within_their_own_time() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let key = Signer::generate(KeyType::P256);
    let public_key = key.public_key();
    let names = names(&["reseal.dev"]);
    let leaf = hierarchy.issue(&hierarchy.leaf(&public_key, &names));
    assert!(matches!(
        IssuingAuthority::from_der(&leaf),
        Err(IssuingAuthorityError::NotAnAuthority)
    ));
    let subject = CaSubject {
        common_name: "Below".into(),
        organization: "Reseal".into(),
        country: "NL".into(),
    };
    let serial = Serial::random().unwrap();
    let too_long = Validity {
        not_after: hierarchy.root.not_after() + SignedDuration::from_secs(1),
        ..hierarchy.validity()
    };
    let outcome = intermediate_tbs(
        &subject,
        &key.spki(),
        &serial,
        too_long,
        &hierarchy.root,
        URLS,
    );
    assert_eq!(
        outcome,
        Err(AuthorityError::Profile(ProfileError::Validity))
    );
}

#[test]
fn p_11_nothing_in_a_certificate_is_made_by_sha_1() {
    // 1.3.14.3.2.26, 1.2.840.113549.1.1.5 and 1.2.840.10045.4.1: SHA-1, and signatures over it.
    const SHA_1: [&[u8]; 3] = [
        &[0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a],
        &[
            0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05,
        ],
        &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01],
    ];
    for key_type in [KeyType::P256, KeyType::P384, KeyType::Rsa2048] {
        let hierarchy = Hierarchy::new(key_type);
        let public_key = Signer::generate(key_type).public_key();
        let names = names(&["reseal.dev"]);
        let leaf = hierarchy.issue(&hierarchy.leaf(&public_key, &names));
        for oid in SHA_1 {
            assert!(!leaf.windows(oid.len()).any(|window| window == oid));
        }
        let leaf = Certificate::from_der(&leaf).unwrap();
        let identifier = leaf.subject_key_identifier().unwrap();
        // RFC 7093 section 2, method 1: the first 160 bits of SHA-256 over the key's bits.
        let bits = public_key.raw_public_key();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bits);
        assert_eq!(identifier, &digest.as_ref()[..20]);
        let sha_1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bits);
        assert_ne!(identifier, sha_1.as_ref());
    }
}
