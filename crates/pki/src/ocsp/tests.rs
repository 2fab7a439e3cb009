use jiff::{SignedDuration, Timestamp};

use super::{
    AuthorityId, CertStatus, MOST_CERTIFICATES, OcspRequest, Refusal, ResponseContent,
    SingleResponse, respond, response_data,
};
use crate::{
    asn1::{self, element},
    certificate::{Certificate, assemble},
    fixture::{Hierarchy, KeyType, SIGNING_TIME, Signer},
    key::PublicKey,
    lint::{Finding, lint_responder},
    profile::{IssuingAuthority, RESPONDER_LIFETIME, SignatureAlgorithm, Validity, responder_tbs},
    serial::Serial,
};

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
const NONCE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02];

fn now() -> Timestamp {
    SIGNING_TIME.parse().unwrap()
}

fn testdata(name: &str) -> Vec<u8> {
    std::fs::read(format!("{TESTDATA}/{name}")).unwrap()
}

fn golden_issuer() -> IssuingAuthority {
    IssuingAuthority::from_der(&testdata("profile/issuer.cer")).unwrap()
}

fn request(name: &str) -> OcspRequest {
    OcspRequest::from_der(&testdata(&format!("ocsp/{name}.req"))).unwrap()
}

/// A request about `certificates` (CertIDs) with these extensions (field [2], whole).
fn request_of(certificates: &[Vec<u8>], extensions: &[u8]) -> Vec<u8> {
    let list: Vec<u8> = certificates
        .iter()
        .flat_map(|one| element(asn1::SEQUENCE, one))
        .collect();
    let signed = [element(asn1::SEQUENCE, &list), extensions.to_vec()].concat();
    element(asn1::SEQUENCE, &element(asn1::SEQUENCE, &signed))
}

fn cert_id() -> Vec<u8> {
    request("sha1").certificates()[0].encoding().to_vec()
}

/// requestExtensions with one extension.
fn extensions(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let mut extension = element(asn1::OID, oid);
    if critical {
        extension.extend(element(asn1::BOOLEAN, &[0xff]));
    }
    extension.extend(element(asn1::OCTET_STRING, value));
    let list = element(asn1::SEQUENCE, &element(asn1::SEQUENCE, &extension));
    element(0xa2, &list)
}

fn with_nonce(octets: &[u8]) -> Vec<u8> {
    let value = element(asn1::OCTET_STRING, octets);
    request_of(&[cert_id()], &extensions(NONCE, false, &value))
}

#[test]
fn x_9_we_ask_as_openssl_does() {
    let asked = testdata("ocsp/sha1.req");
    let serial = request("sha1").certificates()[0].serial().to_vec();
    let serial = Serial::from_bytes(&serial).unwrap();
    assert_eq!(AuthorityId::new(&golden_issuer()).ask_about(&serial), asked);
}

#[test]
fn x_9_requests_by_openssl_are_read() {
    let id = AuthorityId::new(&golden_issuer());
    for (name, serials, nonce) in [
        ("sha1", &[0x0e][..], false),
        ("nonce", &[0x0e], true),
        ("several", &[0x0e, 0x0f, 0x10], false),
    ] {
        let request = request(name);
        let last: Vec<_> = request
            .certificates()
            .iter()
            .map(|one| *one.serial().last().unwrap())
            .collect();
        assert_eq!(last, serials, "{name}");
        assert_eq!(request.nonce().is_some(), nonce, "{name}");
        for certificate in request.certificates() {
            assert_eq!(certificate.serial().len(), 16);
            assert!(id.is_meant_by(certificate), "{name}");
        }
    }
}

#[test]
fn x_9_an_authority_is_known_by_name_and_key_together() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let other = AuthorityId::new(&hierarchy.issuer);
    let request = request("sha1");
    let certificate = &request.certificates()[0];
    assert!(!other.is_meant_by(certificate));
    let mut half = certificate.clone();
    half.issuer_name = vec![0; 20].into();
    assert!(!AuthorityId::new(&golden_issuer()).is_meant_by(&half));

    let key = Signer::generate(KeyType::P256).public_key();
    let names = ["www.reseal.dev".parse().unwrap()];
    let der = hierarchy.issue(&hierarchy.leaf(&key, &names));
    assert!(other.issued(&der));
    assert!(other.is_issuer_of(Certificate::from_der(&der).unwrap().tbs_der()));
    assert!(!AuthorityId::new(&hierarchy.root).issued(&der));
    // The same name with another key: a rotated authority that kept its name.
    let renamed = Hierarchy::new(KeyType::P256);
    assert_eq!(renamed.issuer.subject_der(), hierarchy.issuer.subject_der());
    assert!(!AuthorityId::new(&renamed.issuer).issued(&der));
    assert!(!other.issued(&der[..100]));
}

#[test]
fn x_9_a_nonce_has_1_to_128_octets() {
    for length in [1, 16, 32, 128] {
        let octets = vec![7; length];
        let request = OcspRequest::from_der(&with_nonce(&octets)).unwrap();
        assert_eq!(request.nonce(), Some(&octets[..]));
    }
    for length in [0, 129, 1000] {
        let error = OcspRequest::from_der(&with_nonce(&vec![7; length])).unwrap_err();
        assert!(error.to_string().contains("expected 1 to 128"), "{error}");
    }
    let bare = request_of(&[cert_id()], &extensions(NONCE, false, &[7; 16]));
    assert!(OcspRequest::from_der(&bare).is_err());
    let one = extensions(NONCE, false, &element(asn1::OCTET_STRING, &[7]));
    let inner = &one[4..];
    let two = element(0xa2, &element(asn1::SEQUENCE, &[inner, inner].concat()));
    let error = OcspRequest::from_der(&request_of(&[cert_id()], &two)).unwrap_err();
    assert!(error.to_string().contains("two nonces"), "{error}");
}

#[test]
fn x_9_extensions_that_nobody_knows_matter_only_when_they_are_critical() {
    let unknown = [0x2a, 0x03, 0x04];
    let read = |critical| {
        let field = extensions(&unknown, critical, &[5, 0]);
        OcspRequest::from_der(&request_of(&[cert_id()], &field))
    };
    assert!(read(false).is_ok());
    assert!(read(true).is_err());
    // singleRequestExtensions
    let single = |critical| {
        let mut field = extensions(&unknown, critical, &[5, 0]);
        field[0] = 0xa0;
        OcspRequest::from_der(&request_of(&[[cert_id(), field].concat()], &[]))
    };
    assert!(single(false).is_ok());
    assert!(single(true).is_err());
}

#[test]
fn x_9_a_request_asks_about_one_certificate_at_least_and_not_about_very_many() {
    assert!(OcspRequest::from_der(&request_of(&[], &[])).is_err());
    let many = vec![cert_id(); MOST_CERTIFICATES];
    assert!(OcspRequest::from_der(&request_of(&many, &[])).is_ok());
    let more = vec![cert_id(); MOST_CERTIFICATES + 1];
    let error = OcspRequest::from_der(&request_of(&more, &[])).unwrap_err();
    assert!(error.to_string().contains("more than 32"), "{error}");
}

#[test]
fn x_9_who_asks_and_signs_may_say_so_and_is_not_listened_to() {
    let list = element(asn1::SEQUENCE, &element(asn1::SEQUENCE, &cert_id()));
    let version = element(0xa0, &element(asn1::INTEGER, &[0]));
    let name = element(0xa1, &element(0x82, b"client.reseal.dev"));
    let signed = element(asn1::SEQUENCE, &[version, name, list.clone()].concat());
    let signature = element(0xa0, &element(asn1::SEQUENCE, &[]));
    let whole = element(asn1::SEQUENCE, &[signed, signature].concat());
    assert_eq!(
        OcspRequest::from_der(&whole).unwrap(),
        request("sha1"),
        "version 1, a name and a signature"
    );
    let version = element(0xa0, &element(asn1::INTEGER, &[1]));
    let signed = element(asn1::SEQUENCE, &[version, list].concat());
    assert!(OcspRequest::from_der(&element(asn1::SEQUENCE, &signed)).is_err());
}

#[test]
fn cut_or_changed_bytes_never_panic() {
    for name in ["sha1", "nonce", "several"] {
        let der = testdata(&format!("ocsp/{name}.req"));
        for at in 0..der.len() {
            assert!(OcspRequest::from_der(&der[..at]).is_err());
            for value in [0, 0x7f, 0x80, 0xff] {
                let mut changed = der.clone();
                changed[at] = value;
                let _ = OcspRequest::from_der(&changed);
            }
        }
        assert!(OcspRequest::from_der(&[&der[..], &[0]].concat()).is_err());
    }
}

#[test]
fn x_9_a_refusal_is_a_status_and_nothing_else() {
    for (refusal, status) in [
        (Refusal::Malformed, 1),
        (Refusal::TryLater, 3),
        (Refusal::Unauthorized, 6),
    ] {
        assert_eq!(refusal.to_der(), [0x30, 3, 0x0a, 1, status]);
    }
}

fn responder(issuer: &IssuingAuthority, key: &PublicKey) -> Vec<u8> {
    let serial =
        Serial::from_bytes(&hex::decode("5eed0102030405060708090a0b0c0d11").unwrap()).unwrap();
    let begin = now().max(issuer.not_before());
    let validity = Validity::new(begin, RESPONDER_LIFETIME);
    responder_tbs(issuer, key, "5eed-1", &serial, validity).unwrap()
}

#[test]
fn x_9_the_responders_certificate_is_held_against_its_profile() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let key = Signer::generate(KeyType::P256).public_key();
    let tbs = responder(&hierarchy.issuer, &key);
    let at = |tbs: &[u8], moment| lint_responder(tbs.to_vec(), &hierarchy.issuer, moment);
    assert!(at(&tbs, now()).is_ok());
    let rules = |outcome: Result<_, Vec<Finding>>| {
        let findings = outcome.err().unwrap_or_default();
        findings.iter().map(|one| one.rule).collect::<Vec<_>>()
    };
    assert_eq!(
        rules(at(&tbs, now() - SignedDuration::from_secs(1))),
        ["V-10"]
    );
    assert_eq!(rules(at(&tbs, now() + RESPONDER_LIFETIME)), ["V-10"]);
    let other = lint_responder(tbs.clone(), &Hierarchy::new(KeyType::P384).issuer, now());
    assert!(!rules(other).is_empty());

    let changed = |from: &str, to: &str| {
        let text = hex::encode(&tbs);
        assert_eq!(text.matches(from).count(), 1, "{from}");
        rules(at(&hex::decode(text.replace(from, to)).unwrap(), now()))
    };
    // serverAuth for OCSPSigning, another extension for id-pkix-ocsp-nocheck, keyAgreement for digitalSignature
    assert_eq!(
        changed("06082b06010505070309", "06082b06010505070301"),
        ["X-9"]
    );
    assert_eq!(
        changed("06092b0601050507300105", "06092b0601050507300106"),
        ["X-9"]
    );
    assert_eq!(changed("040403020780", "040403020308"), ["X-9"]);
    // A year for two weeks.
    assert_eq!(changed("3236313230383131", "3237313130383131"), ["X-9"]);
    for at_byte in 0..tbs.len() {
        assert!(at(&tbs[..at_byte], now()).is_err());
    }
    let rsa = Signer::generate(KeyType::Rsa2048).public_key();
    assert_eq!(
        rules(at(&responder(&hierarchy.issuer, &rsa), now())),
        ["C-15"]
    );
}

/// What `openssl` reads in an answer.
fn shown(answer: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), answer).unwrap();
    let output = std::process::Command::new("openssl")
        .args(["ocsp", "-noverify", "-resp_text", "-respin"])
        .arg(file.path())
        .output()
        .expect("openssl is installed");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn golden_answers_are_what_was_reviewed() {
    let issuer = golden_issuer();
    let key = PublicKey::from_spki_der(&testdata("profile/p256.spki")).unwrap();
    let tbs = responder(&issuer, &key);
    let golden = |name: &str, bytes: &[u8]| {
        if std::env::var_os("RESEAL_WRITE_GOLDEN").is_some() {
            std::fs::write(format!("{TESTDATA}/ocsp/{name}"), bytes).unwrap();
        }
        assert_eq!(testdata(&format!("ocsp/{name}")), bytes, "{name}");
    };
    golden("responder.tbs", &tbs);
    lint_responder(tbs.clone(), &issuer, now().max(issuer.not_before())).unwrap();
    let certificate = assemble(&tbs, issuer.signature_algorithm(), &[0x30, 0]);
    let subject = Certificate::from_der(&certificate).unwrap();

    let at = now() - SignedDuration::from_hours(1);
    let revoked = |reason| CertStatus::Revoked { at, reason };
    let unknown = CertStatus::Unknown;
    for (name, statuses) in [
        ("nonce", &[CertStatus::Good][..]),
        ("several", &[revoked(Some(4)), revoked(None), unknown]),
    ] {
        let request = request(name);
        let singles: Vec<_> = request
            .certificates()
            .iter()
            .zip(statuses)
            .map(|(certificate, status)| SingleResponse {
                certificate,
                status: *status,
                this_update: now(),
                next_update: now() + SignedDuration::from_hours(24),
            })
            .collect();
        let data = response_data(&ResponseContent {
            responder: subject.subject_der(),
            produced_at: now(),
            responses: &SingleResponse::write_all(&singles),
            nonce: request.nonce(),
        });
        let algorithm = SignatureAlgorithm::EcdsaP256Sha256;
        let answer = respond(&data, algorithm, &[0x30, 0], &certificate);
        golden(&format!("{name}.der"), &answer);
        let text = shown(&answer);
        if std::env::var_os("RESEAL_WRITE_GOLDEN").is_some() {
            std::fs::write(format!("{TESTDATA}/ocsp/{name}.txt"), &text).unwrap();
        }
        // Other versions of `openssl` write the same in other words.
        for word in ["good", "revoked", "unknown"] {
            let said = text.matches(&format!("Cert Status: {word}")).count();
            let meant = statuses.iter().filter(|status| match status {
                CertStatus::Good => word == "good",
                CertStatus::Revoked { .. } => word == "revoked",
                CertStatus::Unknown => word == "unknown",
            });
            assert_eq!(said, meant.count(), "{text}");
        }
        assert_eq!(text.contains("OCSP Nonce"), request.nonce().is_some());
    }
}
