//! The extensions of P-6, and nothing else.

use std::collections::HashSet;

use aws_lc_rs::digest;

use super::{
    Findings, LintContext,
    transparency::{Form, belongs},
};
use crate::{
    asn1::{self, Malformed, Reader, oid_text},
    certificate::tbs::{Extension, Tbs, sequence_of},
    dn::{self, DistinguishedName},
    name::DnsName,
    profile::{PolicyArc, ValidationType},
    quote::quoted,
};

const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 0x1f];
const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const AUTHORITY_INFO_ACCESS: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01];

/// What the value of an extension must be.
#[derive(Clone, Copy)]
enum Value {
    /// These bytes; the rule and the message when it is not.
    Exactly(&'static [u8], &'static str, &'static str),
    /// What a function says.
    Judged(fn(&Subject<'_, '_>, &[u8], &mut Findings) -> Result<(), Malformed>),
}

use Value::{Exactly, Judged};

const NOT_A_CA: Value = Exactly(
    &[0x30, 0x00],
    "P-6",
    "basicConstraints must be an empty SEQUENCE: not a CA",
);
const SERVER_AUTH_ONLY: Value = Exactly(
    &[
        0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01,
    ],
    "P-7",
    "extKeyUsage must be serverAuth and nothing else",
);

/// Name, identifier, whether it must be there, whether it is critical (none when
/// its own check decides), and its value.
struct Row(&'static str, &'static [u8], bool, Option<bool>, Value);

#[rustfmt::skip]
const TABLE: [Row; 9] = [
    Row("authorityKeyIdentifier", AUTHORITY_KEY_IDENTIFIER, true, Some(false), Judged(authority_key_identifier)),
    Row("subjectKeyIdentifier", SUBJECT_KEY_IDENTIFIER, false, Some(false), Judged(subject_key_identifier)),
    Row("keyUsage", KEY_USAGE, true, Some(true), Judged(key_usage)),
    Row("basicConstraints", BASIC_CONSTRAINTS, true, Some(true), NOT_A_CA),
    Row("extKeyUsage", EXTENDED_KEY_USAGE, true, Some(false), SERVER_AUTH_ONLY),
    Row("certificatePolicies", CERTIFICATE_POLICIES, true, Some(false), Judged(certificate_policies)),
    Row("authorityInfoAccess", AUTHORITY_INFO_ACCESS, true, Some(false), Judged(authority_info_access)),
    Row("cRLDistributionPoints", CRL_DISTRIBUTION_POINTS, true, Some(false), Judged(crl_distribution_points)),
    Row("subjectAltName", SUBJECT_ALT_NAME, true, None, Judged(subject_alt_name)),
];

/// What the checks compare with.
struct Subject<'t, 'a> {
    tbs: &'t Tbs<'a>,
    context: &'t LintContext<'t>,
}

pub(super) fn check(tbs: &Tbs<'_>, form: Form, context: &LintContext<'_>, findings: &mut Findings) {
    let mut seen = HashSet::new();
    for extension in &tbs.extensions {
        findings.require(
            seen.insert(extension.oid),
            "P-6",
            "an extension stands twice",
        );
        findings.require(
            !extension.writes_default,
            "P-12",
            "`critical FALSE` must be left out in DER",
        );
        let in_table = TABLE.iter().any(|Row(_, oid, ..)| *oid == extension.oid);
        if !in_table && !belongs(extension, form) {
            findings.report(
                "P-6",
                format!("extension {} is not allowed", oid_text(extension.oid)),
            );
        }
    }
    let subject = Subject { tbs, context };
    for Row(name, oid, required, critical, value) in TABLE {
        match tbs.extension(oid) {
            Some(extension) => {
                if critical.is_some_and(|critical| critical != extension.critical) {
                    let expected = if extension.critical {
                        "must not"
                    } else {
                        "must"
                    };
                    findings.report("P-6", format!("{name} {expected} be critical"));
                }
                match value {
                    Exactly(expected, rule, message) => {
                        findings.require(extension.value == expected, rule, message);
                    }
                    Judged(judge) => {
                        let outcome = judge(&subject, extension.value, findings);
                        findings.readable(outcome, name);
                    }
                }
            }
            None => findings.require(!required, "P-6", &format!("{name} is missing")),
        }
    }
}

fn authority_key_identifier(
    subject: &Subject<'_, '_>,
    value: &[u8],
    findings: &mut Findings,
) -> Result<(), Malformed> {
    let mut fields = sequence_of(value, "authorityKeyIdentifier")?;
    let identifier = fields.expect(0x80, "keyIdentifier")?;
    findings.require(
        fields.is_empty() && identifier.content == subject.context.issuer.ski(),
        "P-6",
        "authorityKeyIdentifier must be the issuer's subject key identifier and nothing else",
    );
    Ok(())
}

fn subject_key_identifier(
    subject: &Subject<'_, '_>,
    value: &[u8],
    findings: &mut Findings,
) -> Result<(), Malformed> {
    let mut reader = Reader::new(value);
    let identifier = reader.expect(asn1::OCTET_STRING, "key identifier")?;
    reader.finish("the key identifier")?;
    let mut spki = subject.tbs.spki.children();
    spki.any()?;
    let key = spki.expect(asn1::BIT_STRING, "public key")?.whole_bytes()?;
    findings.require(
        digest::digest(&digest::SHA256, key).as_ref().get(..20) == Some(identifier.content),
        "P-11",
        "subjectKeyIdentifier must be the leftmost 160 bits of SHA-256 over the key (RFC 7093)",
    );
    Ok(())
}

fn key_usage(
    subject: &Subject<'_, '_>,
    value: &[u8],
    findings: &mut Findings,
) -> Result<(), Malformed> {
    let rsa = [
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
    ];
    let is_rsa = subject.tbs.spki.children().any()?.content.starts_with(&rsa);
    findings.require(
        value == [0x03, 0x02, 0x07, 0x80] || is_rsa && value == [0x03, 0x02, 0x05, 0xa0],
        "P-6",
        "keyUsage must be digitalSignature, with keyEncipherment at most for RSA",
    );
    Ok(())
}

fn certificate_policies(
    subject: &Subject<'_, '_>,
    value: &[u8],
    findings: &mut Findings,
) -> Result<(), Malformed> {
    let mut policies = sequence_of(value, "certificatePolicies")?;
    let mut policy = policies.expect(asn1::SEQUENCE, "policy")?.children();
    let found = policy.oid("policy")?;
    findings.require(
        policy.is_empty() && policies.is_empty(),
        "P-6",
        "certificatePolicies must be one policy without qualifiers",
    );
    let expected = match (subject.context.policy, subject.context.validation) {
        (PolicyArc::Cabf, ValidationType::Domain) => "67810c010201",
        (PolicyArc::Cabf, ValidationType::Organization) => "67810c010202",
        (PolicyArc::Cabf, ValidationType::Extended) => "67810c0101",
        (PolicyArc::Private, ValidationType::Domain) => {
            "2a864886f71401be40937a82fd39f33683822881965382f60e83dce27f85af960501"
        }
        (PolicyArc::Private, ValidationType::Organization) => {
            "2a864886f71401be40937a82fd39f33683822881965382f60e83dce27f85af960502"
        }
        (PolicyArc::Private, ValidationType::Extended) => {
            "2a864886f71401be40937a82fd39f33683822881965382f60e83dce27f85af960503"
        }
    };
    let found = hex::encode(found);
    if found != expected {
        findings.report(
            "P-6",
            format!("the policy must be {expected}, is {found} (contents of the OID)"),
        );
    }
    Ok(())
}

fn authority_info_access(
    subject: &Subject<'_, '_>,
    value: &[u8],
    findings: &mut Findings,
) -> Result<(), Malformed> {
    access(value, subject.context.ocsp, findings)
}

/// authorityInfoAccess of whoever nobody answers for by OCSP.
pub(super) fn issuers_alone(value: &[u8], findings: &mut Findings) -> Result<(), Malformed> {
    access(value, false, findings)
}

fn access(value: &[u8], ocsp_answers: bool, findings: &mut Findings) -> Result<(), Malformed> {
    let ocsp: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];
    let ca_issuers: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    let mut entries = sequence_of(value, "authorityInfoAccess")?;
    let mut issuers = 0;
    let mut responders = 0;
    while !entries.is_empty() {
        let mut entry = entries
            .expect(asn1::SEQUENCE, "access description")?
            .children();
        let method = entry.oid("access method")?;
        let location = entry.any()?;
        entry.finish("the access description")?;
        findings.require(
            [ocsp, ca_issuers].contains(&method),
            "P-6",
            "authorityInfoAccess may have ocsp and caIssuers only",
        );
        issuers += usize::from(method == ca_issuers);
        responders += usize::from(method == ocsp);
        http_uri(location.tag, location.content, findings);
    }
    findings.require(
        issuers == 1,
        "P-6",
        "authorityInfoAccess must name the issuer's certificate once",
    );
    findings.require(
        responders <= usize::from(ocsp_answers),
        "P-6",
        "authorityInfoAccess may name an OCSP responder once, and only where one answers (`ocsp.enabled`)",
    );
    Ok(())
}

fn crl_distribution_points(
    _: &Subject<'_, '_>,
    value: &[u8],
    findings: &mut Findings,
) -> Result<(), Malformed> {
    one_point(value, findings)
}

/// A look at the value of an extension.
pub(super) type Look = fn(&[u8], &mut Findings) -> Result<(), Malformed>;

/// cRLDistributionPoints with one place.
pub(super) fn one_point(value: &[u8], findings: &mut Findings) -> Result<(), Malformed> {
    let mut points = sequence_of(value, "cRLDistributionPoints")?;
    let mut point = points
        .expect(asn1::SEQUENCE, "distribution point")?
        .children();
    let mut name = point.expect(0xa0, "distribution point name")?.children();
    let mut full_name = name.expect(0xa0, "full name")?.children();
    let uri = full_name.any()?;
    let alone = [points, point, name, full_name]
        .iter()
        .all(Reader::is_empty);
    findings.require(
        alone,
        "P-6",
        "cRLDistributionPoints must be one point with one full name and nothing else",
    );
    http_uri(uri.tag, uri.content, findings);
    Ok(())
}

fn http_uri(tag: u8, content: &[u8], findings: &mut Findings) {
    let http = content
        .strip_prefix(b"http://")
        .is_some_and(|rest| !rest.is_empty());
    if tag != 0x86 || !http || !content.iter().all(u8::is_ascii_graphic) {
        findings.report(
            "P-6",
            format!(
                "expected an http URL, saw {}",
                quoted(&String::from_utf8_lossy(content))
            ),
        );
    }
}

fn subject_alt_name(
    subject: &Subject<'_, '_>,
    value: &[u8],
    findings: &mut Findings,
) -> Result<(), Malformed> {
    let has_subject = !subject.tbs.subject.content.is_empty();
    let critical = subject
        .tbs
        .extension(SUBJECT_ALT_NAME)
        .is_some_and(is_critical);
    findings.require(
        critical != has_subject,
        "P-3",
        "subjectAltName must be critical exactly when the subject is empty",
    );
    let mut entries = sequence_of(value, "subjectAltName")?;
    let mut names = HashSet::new();
    findings.require(
        !entries.is_empty(),
        "P-6",
        "subjectAltName must have a name",
    );
    while !entries.is_empty() {
        let entry = entries.any()?;
        let text = String::from_utf8_lossy(entry.content);
        if entry.tag != 0x82 {
            findings.report(
                "P-6",
                format!(
                    "subjectAltName may have dNSName entries only, has [{}]",
                    entry.tag & 0x1f
                ),
            );
        } else if let Err(error) = text.parse::<DnsName>() {
            findings.report(error.rule(), error.to_string());
        }
        if subject.context.validation == ValidationType::Extended && text.starts_with("*.") {
            findings.report(
                "N-16",
                format!("{} is a wildcard, which EV does not allow", quoted(&text)),
            );
        }
        if !names.insert(entry.content) {
            findings.report(
                "P-6",
                format!("{} stands twice in subjectAltName", quoted(&text)),
            );
        }
    }
    let common_name = DistinguishedName::read(subject.tbs.subject)?;
    if let Some(name) = common_name.get(dn::COMMON_NAME) {
        findings.require(
            names.contains(name.as_bytes()),
            "P-3",
            "the common name must be a copy of a name in subjectAltName",
        );
    }
    Ok(())
}

fn is_critical(extension: &Extension<'_>) -> bool {
    extension.critical
}
