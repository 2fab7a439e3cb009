//! The last look at the certificate of an authority (P-13): a root (BR 7.1.2.1), or an intermediate that signs for servers
//! and makes no further authority (BR 7.1.2.6).

use jiff::SignedDuration;

use super::{
    Finding, Findings, Linted, extension,
    field::{self, Origin},
    read,
};
use crate::{
    asn1::{self, Element},
    certificate::tbs::{Tbs, read_time},
    dn::DistinguishedName,
    key::{KeyPolicy, PublicKey},
    profile::{IssuingAuthority, SignatureAlgorithm},
};

/// Longest lifetime of a root (BR 7.1.2.1.1).
const LONGEST: SignedDuration = SignedDuration::from_hours(9_132 * 24);

/// Identifier, whether it is critical, and the value where it is the same for all.
type Row = (&'static str, bool, Option<&'static str>);

/// What every authority has: authorityKeyIdentifier, subjectKeyIdentifier, keyUsage with keyCertSign and cRLSign.
const IDENTIFIERS: [Row; 3] = [
    ("551d23", false, None),
    ("551d0e", false, None),
    ("551d0f", true, Some("03020106")),
];
/// basicConstraints: an authority.
const ROOT: [Row; 1] = [("551d13", true, Some("30030101ff"))];
const INTERMEDIATE: [Row; 5] = [
    // basicConstraints: an authority with no other one below it
    ("551d13", true, Some("30060101ff020100")),
    // extKeyUsage: serverAuth
    ("551d25", false, Some("300a06082b06010505070301")),
    // certificatePolicies: anyPolicy
    ("551d20", false, Some("300830060604551d2000")),
    // authorityInfoAccess, cRLDistributionPoints
    ("2b06010505070101", false, None),
    ("551d1f", false, None),
];

/// Checks the TBSCertificate of a root that `key` is going to sign itself.
pub fn lint_root(tbs: Vec<u8>, key: &PublicKey) -> Result<Linted, Vec<Finding>> {
    let mut findings = Findings::default();
    let algorithm = SignatureAlgorithm::for_key(key);
    let fields = read(&tbs);
    if let (Some(fields), Some(algorithm)) =
        (findings.readable(fields, "the certificate"), algorithm)
    {
        let own = identifier(key);
        let origin = Origin {
            subject: fields.subject.encoding,
            algorithm,
        };
        field::check_origin(&fields, &origin, &mut findings);
        findings.require(
            fields.spki.encoding == key.spki_der(),
            "P-13",
            "a root's certificate must be for the key that signs it",
        );
        check(&fields, &own, &ROOT, &mut findings);
        let length = lifetime(&fields, &mut findings);
        findings.require(
            length.is_none_or(|length| length <= LONGEST),
            "P-13",
            "a root must end within 25 years",
        );
    }
    finish(tbs, algorithm, findings)
}

/// Checks the TBSCertificate of an intermediate that the root `issuer` is going to sign, or has signed.
pub fn lint_intermediate(tbs: Vec<u8>, issuer: &IssuingAuthority) -> Result<Linted, Vec<Finding>> {
    let mut findings = Findings::default();
    let fields = read(&tbs);
    if let Some(fields) = findings.readable(fields, "the certificate") {
        field::check_origin(&fields, &Origin::of(issuer), &mut findings);
        findings.require(
            fields.subject.encoding != issuer.subject_der()
                && fields.spki.encoding != issuer.public_key().spki_der(),
            "P-13",
            "an intermediate must have a name and a key of its own",
        );
        check(&fields, issuer.ski(), &INTERMEDIATE, &mut findings);
        lifetime(&fields, &mut findings);
        let begin = findings.readable(read_time(fields.not_before), "notBefore");
        let end = findings.readable(read_time(fields.not_after), "notAfter");
        findings.require(
            begin.is_none_or(|begin| begin >= issuer.not_before())
                && end.is_none_or(|end| end <= issuer.not_after()),
            "V-9",
            "the validity must lie within the root's",
        );
        pointers(&fields, &mut findings);
    }
    finish(tbs, Some(issuer.signature_algorithm()), findings)
}

fn finish(
    tbs: Vec<u8>,
    algorithm: Option<SignatureAlgorithm>,
    mut findings: Findings,
) -> Result<Linted, Vec<Finding>> {
    match algorithm {
        Some(algorithm) if findings.0.is_empty() => Ok(Linted { tbs, algorithm }),
        Some(_) => Err(findings.0),
        None => {
            findings.report(
                "C-15",
                "the key that signs is of no type that an authority has",
            );
            Err(findings.0)
        }
    }
}

/// What is the same for both: name, key, and the extensions, in their order and no others.
fn check(tbs: &Tbs<'_>, issuer_key: &[u8], rest: &[Row], findings: &mut Findings) {
    name(tbs.subject, findings);
    let key = key(tbs.spki, findings);
    let expected: Vec<Row> = IDENTIFIERS.iter().chain(rest).copied().collect();
    let found = tbs.extensions.iter();
    let found = found.map(|one| (hex::encode(one.oid), one.critical));
    let same = found.eq(expected
        .iter()
        .map(|(oid, critical, _)| ((*oid).to_owned(), *critical)));
    findings.require(
        same && !tbs.extensions.iter().any(|one| one.writes_default),
        "P-13",
        "the extensions must be those of an authority, in their order, keyUsage and basicConstraints critical",
    );
    for (extension, (_, _, value)) in tbs.extensions.iter().zip(&expected) {
        findings.require(
            value.is_none_or(|value| hex::encode(extension.value) == value),
            "P-13",
            "keyUsage must be keyCertSign and cRLSign; an intermediate has the path length 0, serverAuth and anyPolicy",
        );
    }
    let mut values = tbs.extensions.iter().map(|one| one.value);
    let issuer = asn1::element(asn1::SEQUENCE, &asn1::element(0x80, issuer_key));
    findings.require(
        values.next() == Some(&*issuer),
        "P-6",
        "authorityKeyIdentifier must be the issuer's subject key identifier and nothing else",
    );
    let own = key.map(|key| asn1::element(asn1::OCTET_STRING, &identifier(&key)));
    findings.require(
        own.is_none_or(|own| values.next() == Some(&*own)),
        "P-11",
        "subjectKeyIdentifier must be the leftmost 160 bits of SHA-256 over the key (RFC 7093)",
    );
}

/// C, O and CN, each once (BR 7.1.2.10.2).
fn name(subject: Element<'_>, findings: &mut Findings) {
    let Some(name) = findings.readable(DistinguishedName::read(subject), "subject") else {
        return;
    };
    let expected = [("550406", 2), ("55040a", 64), ("550403", 64)];
    let attributes = name.attributes();
    let fits = attributes.len() == expected.len()
        && attributes.iter().zip(expected).all(|(one, (oid, most))| {
            hex::encode(&*one.oid) == oid && (1..=most).contains(&one.value().chars().count())
        });
    findings.require(
        fits,
        "P-13",
        "an authority's name must be C, O and CN in this order, each once",
    );
}

fn key(spki: Element<'_>, findings: &mut Findings) -> Option<PublicKey> {
    let key = match PublicKey::from_spki_der(spki.encoding) {
        Ok(key) => key,
        Err(error) => {
            findings.report("C-15", error.to_string());
            return None;
        }
    };
    for problem in key.problems(&KeyPolicy::default()) {
        findings.report(problem.rule(), problem.to_string());
    }
    findings.require(
        SignatureAlgorithm::for_key(&key).is_some(),
        "C-15",
        "an authority's key must be ECDSA on P-256 or P-384, or RSA",
    );
    Some(key)
}

fn lifetime(tbs: &Tbs<'_>, findings: &mut Findings) -> Option<SignedDuration> {
    let begin = findings.readable(read_time(tbs.not_before), "notBefore")?;
    let end = findings.readable(read_time(tbs.not_after), "notAfter")?;
    findings.require(begin < end, "V-2", "notAfter must come after notBefore");
    Some(begin.duration_until(end))
}

/// Where the root's certificate and its list are.
fn pointers(tbs: &Tbs<'_>, findings: &mut Findings) {
    let values = tbs.extensions.iter().skip(6).map(|one| one.value);
    for (value, (look, what)) in values.zip([
        (
            extension::issuers_alone as extension::Look,
            "authorityInfoAccess",
        ),
        (extension::one_point, "cRLDistributionPoints"),
    ]) {
        let outcome = look(value, findings);
        findings.readable(outcome, what);
    }
}

fn identifier(key: &PublicKey) -> Vec<u8> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.raw_public_key());
    digest.as_ref()[..20].to_vec()
}
