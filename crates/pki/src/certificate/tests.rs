use super::{Certificate, CertificateError, pem, verify_signed};
use crate::{
    fixture::{Hierarchy, KeyType, Signer},
    name::DnsName,
    profile::{Leaf, ValidationType},
};

fn leaf() -> Vec<u8> {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let key = Signer::generate(KeyType::P256).public_key();
    let names: [DnsName; 2] = [
        "reseal.dev".parse().unwrap(),
        "*.reseal.dev".parse().unwrap(),
    ];
    hierarchy.issue(&Leaf {
        common_name: Some("reseal.dev"),
        ..hierarchy.leaf(&key, &names)
    })
}

#[test]
fn a_certificate_is_read_from_pem_and_from_base64_as_from_der() {
    let der = leaf();
    let certificate = Certificate::from_der(&der).unwrap();
    let text = certificate.pem();
    assert!(
        text.lines()
            .all(|line| line.len() <= 64 && !line.is_empty()),
        "{text}"
    );
    let bare: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    for text in [
        text.clone(),
        text.replace('\n', "\r\n"),
        format!("subject=…\n{text}\n\n"),
        bare,
    ] {
        let again = Certificate::from_pem_or_der(&text).unwrap();
        assert_eq!(again, certificate, "{text}");
        assert_eq!(again.der(), der);
    }
    assert_eq!(certificate.dns_names(), ["reseal.dev", "*.reseal.dev"]);
    assert_eq!(certificate.common_name(), Some("reseal.dev"));
    assert_eq!(
        certificate.issuer_text(),
        "C=NL,O=Reseal,CN=Test Issuing CA"
    );
    assert_eq!(certificate.serial_hex().len(), 32);
    assert_eq!(certificate.validation_type(), ValidationType::Domain);
    assert!(!certificate.is_ca());
    assert_eq!(certificate.department(), None);
}

#[test]
fn texts_that_are_not_one_certificate_are_refused() {
    let text = pem("CERTIFICATE", &leaf());
    let refused = |text: &str| Certificate::from_pem_or_der(text).unwrap_err();
    assert_eq!(refused(""), CertificateError::Envelope);
    assert_eq!(refused("certificate, please"), CertificateError::Base64);
    assert_eq!(
        refused(&format!("{text}{text}")),
        CertificateError::SeveralBlocks
    );
    assert_eq!(
        refused(&text.replace("CERTIFICATE", "CERTIFICATE REQUEST")),
        CertificateError::Envelope
    );
    assert_eq!(
        refused(&pem("EC PRIVATE KEY", b"secret")),
        CertificateError::PrivateKey
    );
    assert_eq!(
        refused(&format!("{text}{}", pem("PRIVATE KEY", b"x"))),
        CertificateError::PrivateKey
    );
    assert_eq!(
        refused(&"A".repeat(70_000)),
        CertificateError::TooLong(70_000)
    );
    assert!(matches!(
        refused(&pem("CERTIFICATE", b"\x30\x03\x02\x01\x00")),
        CertificateError::Encoding { .. }
    ));
}

#[test]
fn every_prefix_and_every_flipped_byte_is_survived() {
    let der = leaf();
    for length in 0..der.len() {
        assert!(Certificate::from_der(&der[..length]).is_err(), "{length}");
    }
    for position in 0..der.len() {
        let mut damaged = der.clone();
        damaged[position] ^= 0xff;
        let _ = Certificate::from_der(&damaged).map_err(|error| error.to_string());
    }
    let mut long = der;
    long.push(0);
    assert!(Certificate::from_der(&long).is_err());
}

/// Certificates of others: a DSA-era shape, an unknown critical extension,
/// `critical FALSE` written out and an OU are all shown, not refused.
#[test]
fn certificates_of_other_authorities_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/certificate");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            let text = std::fs::read_to_string(&path).unwrap();
            let certificate = Certificate::from_pem_or_der(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(!certificate.subject().is_empty(), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
    let read = |name: &str| {
        let text = std::fs::read_to_string(format!("{folder}/{name}.pem")).unwrap();
        Certificate::from_pem_or_der(&text).unwrap()
    };
    let legacy = read("legacy-ov");
    assert_eq!(legacy.department(), Some("IT, Netze"));
    assert_eq!(legacy.validation_type(), ValidationType::Organization);
    assert_eq!(legacy.dns_names(), ["www.reseal.dev"], "folded");
    assert_eq!(
        legacy.subject().to_string(),
        "C=DE,ST=Hessen,L=Frankfurt,street=Zeil 1,postalCode=60313,O=Käserei,OU=IT\\, Netze,CN=WWW.reseal.dev"
    );
    assert_eq!(read("version-1").dns_names(), [] as [&str; 0]);
    assert_eq!(read("latin-1").organization(), Some("Käserei"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = Certificate::from_der(&bytes);
    }

    #[test]
    fn no_text_panics(text in "(-----BEGIN CERTIFICATE-----)?[A-Za-z0-9+/=\\PC\n]{0,200}(-----END CERTIFICATE-----)?") {
        let _ = Certificate::from_pem_or_der(&text);
    }
}

#[test]
fn what_an_issuer_signed_bears_its_signature_and_names_its_key() {
    let (hierarchy, other) = (Hierarchy::new(KeyType::P256), Hierarchy::new(KeyType::P256));
    let key = Signer::generate(KeyType::P256).public_key();
    let names: [DnsName; 1] = ["reseal.dev".parse().unwrap()];
    let der = hierarchy.issue(&hierarchy.leaf(&key, &names));
    let certificate = Certificate::from_der(&der).unwrap();
    let named = certificate.authority_key_identifier().unwrap();
    assert_eq!(named, hierarchy.issuer.ski());
    assert_ne!(named, other.issuer.ski());
    assert_eq!(verify_signed(&der, hierarchy.issuer.public_key()), Ok(()));
    assert!(verify_signed(&der, other.issuer.public_key()).is_err());
    // Each byte counts, but for those of the outer frame, without which it is not read at all.
    for place in 0..der.len() {
        let mut changed = der.clone();
        changed[place] ^= 1;
        assert!(
            verify_signed(&changed, hierarchy.issuer.public_key()).is_err(),
            "{place}"
        );
    }
}
