//! The last look at the certificate of an OCSP responder (BR 7.1.2.8).

use jiff::{SignedDuration, Timestamp};

use super::{
    Findings, Linted,
    field::{self, Origin},
    read,
};
use crate::{
    asn1,
    certificate::tbs::{Tbs, read_time},
    lint::Finding,
    profile::IssuingAuthority,
};

/// Longest lifetime: nobody asks whether it was revoked.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// AlgorithmIdentifiers of the keys that a responder may have: P-256 and P-384.
const KEYS: [&str; 2] = [
    "301306072a8648ce3d020106082a8648ce3d030107",
    "301006072a8648ce3d020106052b81040022",
];

/// Identifier, whether it is critical, and the value where it is the same for all.
const EXTENSIONS: [(&str, bool, Option<&str>); 5] = [
    // authorityKeyIdentifier, subjectKeyIdentifier
    ("551d23", false, None),
    ("551d0e", false, None),
    // keyUsage: digitalSignature
    ("551d0f", true, Some("03020780")),
    // extKeyUsage: OCSPSigning
    ("551d25", false, Some("300a06082b06010505070309")),
    // id-pkix-ocsp-nocheck: NULL
    ("2b0601050507300105", false, Some("0500")),
];

/// Checks the TBSCertificate of a responder that answers for `issuer`, which is going to sign it at `signing_time`.
pub fn lint_responder(
    tbs: Vec<u8>,
    issuer: &IssuingAuthority,
    signing_time: Timestamp,
) -> Result<Linted, Vec<Finding>> {
    let mut findings = Findings::default();
    let fields = read(&tbs);
    if let Some(fields) = findings.readable(fields, "the certificate") {
        field::check_origin(&fields, &Origin::of(issuer), &mut findings);
        validity(&fields, issuer, signing_time, &mut findings);
        key_and_name(&fields, &mut findings);
        extensions(&fields, issuer, &mut findings);
    }
    if findings.0.is_empty() {
        Ok(Linted {
            tbs,
            algorithm: issuer.signature_algorithm(),
        })
    } else {
        Err(findings.0)
    }
}

fn validity(
    tbs: &Tbs<'_>,
    issuer: &IssuingAuthority,
    signing_time: Timestamp,
    findings: &mut Findings,
) {
    let not_before = findings.readable(read_time(tbs.not_before), "notBefore");
    let not_after = findings.readable(read_time(tbs.not_after), "notAfter");
    let (Some(not_before), Some(not_after)) = (not_before, not_after) else {
        return;
    };
    findings.require(
        not_before <= signing_time && signing_time < not_after,
        "V-10",
        "a responder's certificate must hold when it is signed",
    );
    findings.require(
        not_before.duration_until(not_after) <= LONGEST,
        "X-9",
        "a responder's certificate must end within 31 days: nobody asks whether it was revoked",
    );
    findings.require(
        not_before >= issuer.not_before() && not_after <= issuer.not_after(),
        "V-9",
        "the validity must lie within the issuer's",
    );
}

fn key_and_name(tbs: &Tbs<'_>, findings: &mut Findings) {
    let algorithm = tbs
        .spki
        .children()
        .any()
        .map(|one| hex::encode(one.encoding));
    findings.require(
        algorithm.is_ok_and(|algorithm| KEYS.contains(&algorithm.as_str())),
        "C-15",
        "a responder's key must be ECDSA on P-256 or P-384",
    );
    findings.require(
        !tbs.subject.content.is_empty() && tbs.subject.encoding != tbs.issuer.encoding,
        "X-9",
        "a responder must have a name, and not the issuer's",
    );
}

fn extensions(tbs: &Tbs<'_>, issuer: &IssuingAuthority, findings: &mut Findings) {
    let found: Vec<_> = tbs
        .extensions
        .iter()
        .map(|one| (hex::encode(one.oid), one.critical))
        .collect();
    let expected = EXTENSIONS.map(|(oid, critical, _)| (oid.to_owned(), critical));
    findings.require(
        found == expected && !tbs.extensions.iter().any(|one| one.writes_default),
        "X-9",
        "the extensions must be authorityKeyIdentifier, subjectKeyIdentifier, keyUsage (critical), extKeyUsage and \
         id-pkix-ocsp-nocheck",
    );
    for (extension, (_, _, value)) in tbs.extensions.iter().zip(EXTENSIONS) {
        findings.require(
            value.is_none_or(|value| hex::encode(extension.value) == value),
            "X-9",
            "keyUsage must be digitalSignature, extKeyUsage OCSPSigning and id-pkix-ocsp-nocheck NULL",
        );
    }
    let key = asn1::element(asn1::SEQUENCE, &asn1::element(0x80, issuer.ski()));
    findings.require(
        tbs.extensions.first().is_some_and(|one| one.value == key),
        "P-6",
        "authorityKeyIdentifier must be the issuer's subject key identifier and nothing else",
    );
}
