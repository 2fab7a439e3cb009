use reseal_pki::dn::OrganizationSubject;
use serde_json::{Value, json};

use super::*;
use reseal_lifecycle::query::{CertificateField, Field as _};

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn certificate() -> Certificate {
    Certificate {
        id: 7,
        customer: "acme".into(),
        process: 9,
        subscription: 3,
        product: "ssl_dv".into(),
        validation: ValidationType::Domain,
        certificate_type: CertificateType::SingleDomain,
        stored_status: CertificateStatus::Active,
        domain_name: "example.com".into(),
        names: vec!["example.com".into(), "www.example.com".into()],
        organization: None,
        coc: None,
        issuer: "embedded".into(),
        serial: vec![0x0a, 0xff],
        not_before: moment("2026-11-24T12:00:00.5Z"),
        not_after: moment("2027-06-11T11:59:59Z"),
        subscription_end: moment("2027-11-24T12:00:00Z"),
        key_algorithm: "ECDSA".into(),
        key_size: 256,
        spki_sha256: [0; 32],
        fingerprint: [0xab; 32],
        der: vec![1, 2, 3],
        csr: None,
        predecessor: None,
        successor: None,
        revocation: None,
        revocation_scheduled: None,
        mpic: None,
    }
}

fn shown(certificate: &Certificate, now: &str) -> Value {
    serde_json::to_value(CertificateBody::of(certificate, moment(now))).unwrap()
}

#[test]
fn required_fields_are_there_and_absent_ones_are_not_null() {
    assert_eq!(
        shown(&certificate(), "2026-12-01T00:00:00Z"),
        json!({
            "id": 7,
            "process": 9,
            "product": "ssl_dv",
            "validationType": "DOMAIN_VALIDATION",
            "certificateType": "SINGLE_DOMAIN",
            "domainName": "example.com",
            "providerId": "0aff",
            "startDate": "2026-11-24T12:00:00Z",
            "expiryDate": "2027-06-11T11:59:59Z",
            "subscriptionEndDate": "2027-11-24T12:00:00Z",
            "san": ["example.com", "www.example.com"],
            "status": "ACTIVE",
            "publicKeyAlgorithm": "ECDSA",
            "publicKeySize": 256,
            "certificate": "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n",
            "fingerprint": "AB".repeat(32),
        })
    );
}

#[test]
fn an_organization_and_a_csr_are_shown_in_their_fields() {
    let full = Certificate {
        organization: Some(OrganizationSubject {
            organization: "Acme".into(),
            country: "NL".into(),
            state: Some("Overijssel".into()),
            locality: Some("Zwolle".into()),
            postal_code: Some("8000 AA".into()),
            street: Some("Street 1".into()),
        }),
        coc: Some("1234567".into()),
        csr: Some(vec![4]),
        ..certificate()
    };
    let shown = shown(&full, "2028-01-01T00:00:00Z");
    for (field, value) in [
        ("organization", json!("Acme")),
        ("country", json!("NL")),
        ("state", json!("Overijssel")),
        ("city", json!("Zwolle")),
        ("postalCode", json!("8000 AA")),
        ("addressLine", json!(["Street 1"])),
        ("coc", json!("1234567")),
        ("status", json!("EXPIRED")),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    let csr = shown["csr"].as_str().unwrap();
    assert!(
        csr.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"),
        "{csr}"
    );
}

#[test]
fn every_shown_field_can_be_selected() {
    let shown = shown(&certificate(), "2026-12-01T00:00:00Z");
    for field in shown.as_object().unwrap().keys() {
        assert!(FIELDS.contains(&field.as_str()), "{field}");
    }
    for field in CertificateField::ALL {
        assert!(FIELDS.contains(&field.wire_name()), "{field:?}");
    }
}
