//! Everything but the extensions (P-1 to P-4, P-12, V-1, V-2).

use jiff::SignedDuration;

use super::{Findings, LintContext};
use crate::{
    asn1::{Element, oid_text},
    calendar::rules_at,
    certificate::tbs::{Tbs, read_time},
    dn::{Attribute, DistinguishedName},
    profile::{IssuingAuthority, SignatureAlgorithm, ValidationType},
    quote::quoted,
};

/// BR 6.3.2 allows notBefore two days either side of signing; V-10 is stricter
/// behind and does not look ahead, beyond what clocks differ by.
const BACKDATING: SignedDuration = SignedDuration::from_hours(48);
const CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_secs(60);

/// 2050-01-01T00:00:00Z in Unix seconds.
const UTC_TIME_ENDS: i64 = 2_524_608_000;

const ECDSA_SHA256: &str = "300a06082a8648ce3d040302";
const ECDSA_SHA384: &str = "300a06082a8648ce3d040303";
const RSA_SHA256: &str = "300d06092a864886f70d01010b0500";

/// AlgorithmIdentifiers of subject keys, byte for byte (C-15, BR 7.1.3.1).
const SUBJECT_KEYS: [&str; 4] = [
    "300d06092a864886f70d0101010500",
    "301306072a8648ce3d020106082a8648ce3d030107",
    "301006072a8648ce3d020106052b81040022",
    "301006072a8648ce3d020106052b81040023",
];

pub(super) fn check(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    check_origin(tbs, &Origin::of(context.issuer), findings);
    validity(tbs, context, findings);
    subject(tbs.subject, context, findings);
    public_key(tbs.spki, findings);
}

/// Who signs, as far as the certificate tells.
pub(super) struct Origin<'a> {
    /// Its name, DER.
    pub(super) subject: &'a [u8],
    pub(super) algorithm: SignatureAlgorithm,
}

impl<'a> Origin<'a> {
    pub(super) fn of(issuer: &'a IssuingAuthority) -> Self {
        Self {
            subject: issuer.subject_der(),
            algorithm: issuer.signature_algorithm(),
        }
    }
}

/// What is the same in everything that `issuer` signs.
pub(super) fn check_origin(tbs: &Tbs<'_>, issuer: &Origin<'_>, findings: &mut Findings) {
    findings.require(tbs.version == 2, "P-1", "the version must be 3");
    findings.require(
        !tbs.has_unique_ids,
        "P-6",
        "unique identifiers must be absent",
    );
    serial(tbs.serial, findings);
    algorithm(tbs.algorithm, issuer.algorithm, findings);
    findings.require(
        tbs.issuer.encoding == issuer.subject,
        "P-2",
        "the issuer must be a byte copy of the issuing certificate's subject",
    );
}

fn serial(serial: Element<'_>, findings: &mut Findings) {
    match serial.unsigned() {
        Ok(magnitude) => {
            // Nine octets at least hold the 64 random bits; twenty are the bound.
            findings.require(
                (9..=20).contains(&serial.content.len()) && magnitude != [0],
                "P-1",
                "the serial number must be positive and of 9 to 20 bytes",
            );
        }
        Err(malformed) => findings.report("P-1", format!("serial number: {}", malformed.problem)),
    }
}

fn algorithm(algorithm: Element<'_>, issuer: SignatureAlgorithm, findings: &mut Findings) {
    let expected = match issuer {
        SignatureAlgorithm::EcdsaP256Sha256 => ECDSA_SHA256,
        SignatureAlgorithm::EcdsaP384Sha384 => ECDSA_SHA384,
        SignatureAlgorithm::RsaSha256 => RSA_SHA256,
    };
    let found = hex::encode(algorithm.encoding);
    if found != expected {
        findings.report(
            "P-2",
            format!("the signature algorithm must be {expected}, is {found}"),
        );
    }
}

fn validity(tbs: &Tbs<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    let not_before = findings.readable(read_time(tbs.not_before), "notBefore");
    let not_after = findings.readable(read_time(tbs.not_after), "notAfter");
    let (Some(not_before), Some(not_after)) = (not_before, not_after) else {
        return;
    };
    for (name, element, moment) in [
        ("notBefore", tbs.not_before, not_before),
        ("notAfter", tbs.not_after, not_after),
    ] {
        let utc_time = moment.as_second() < UTC_TIME_ENDS;
        findings.require(
            element.tag == if utc_time { 0x17 } else { 0x18 },
            "P-12",
            &format!("{name} must be a UTCTime through 2049 and a GeneralizedTime after"),
        );
    }
    findings.require(
        not_before < not_after,
        "V-2",
        "notAfter must come after notBefore",
    );
    let maximum = rules_at(context.signing_time).maximum_validity.as_secs();
    let length = not_after.as_second() - not_before.as_second() + 1;
    if length > maximum {
        findings.report(
            "V-1",
            format!("the validity is {length} s, the maximum on the day of signing {maximum} s"),
        );
    }
    let lead = context.signing_time.duration_until(not_before);
    findings.require(
        lead <= CLOCK_DIFFERENCE && lead >= -BACKDATING,
        "V-10",
        "notBefore must lie at the moment of signing or shortly before",
    );
    findings.require(
        not_before >= context.issuer.not_before() && not_after <= context.issuer.not_after(),
        "V-9",
        "the validity must lie within that of the issuing certificate",
    );
}

/// The attributes a subject may have, in order, with the longest value in
/// characters (P-4).
const ATTRIBUTES: [(&[u8], usize); 7] = [
    (&[0x55, 0x04, 0x06], 2),
    (&[0x55, 0x04, 0x08], 128),
    (&[0x55, 0x04, 0x07], 128),
    (&[0x55, 0x04, 0x11], 40),
    (&[0x55, 0x04, 0x09], 128),
    (&[0x55, 0x04, 0x0a], 64),
    (&[0x55, 0x04, 0x03], 64),
];
const COUNTRY: usize = 0;
const STATE: usize = 1;
const LOCALITY: usize = 2;
const ORGANIZATION: usize = 5;
const COMMON_NAME: usize = 6;

fn subject(subject: Element<'_>, context: &LintContext<'_>, findings: &mut Findings) {
    let Some(name) = findings.readable(DistinguishedName::read(subject), "subject") else {
        return;
    };
    let mut positions = Vec::with_capacity(ATTRIBUTES.len());
    let mut sets = subject.children();
    while let Ok(set) = sets.any() {
        let mut members = set.children();
        findings.require(
            members.any().is_ok() && members.is_empty(),
            "P-4",
            "each RDN of the subject must have one attribute",
        );
    }
    for attribute in name.attributes() {
        match ATTRIBUTES
            .iter()
            .position(|(oid, _)| *oid == &*attribute.oid)
        {
            Some(position) => {
                value(attribute, position, findings);
                positions.push(position);
            }
            None => findings.report(
                "P-4",
                format!(
                    "the subject has {}, which is not allowed",
                    oid_text(&attribute.oid)
                ),
            ),
        }
    }
    findings.require(
        positions.is_sorted_by(|left, right| left < right),
        "P-4",
        "the subject must have C, ST, L, postalCode, street, O, CN in this order, each once",
    );
    let has = |position| positions.contains(&position);
    match context.validation {
        ValidationType::Domain => findings.require(
            positions
                .iter()
                .all(|position| [COUNTRY, COMMON_NAME].contains(position)),
            "P-3",
            "the subject of a DV certificate may have C and CN only",
        ),
        ValidationType::Organization | ValidationType::Extended => findings.require(
            has(COUNTRY) && has(ORGANIZATION) && (has(STATE) || has(LOCALITY)),
            "P-4",
            "the subject must have C, O, and ST or L",
        ),
    }
}

fn value(attribute: &Attribute, position: usize, findings: &mut Findings) {
    let value = attribute.value();
    let (_, limit) = ATTRIBUTES[position];
    let right = if position == COUNTRY {
        attribute.tag == 0x13
            && value.len() == 2
            && value.bytes().all(|byte| byte.is_ascii_uppercase())
    } else {
        matches!(attribute.tag, 0x0c | 0x13)
            && (1..=limit).contains(&value.chars().count())
            && value.chars().any(char::is_alphanumeric)
            && !value.chars().any(char::is_control)
    };
    if !right {
        findings.report(
            "P-4",
            format!("{} has the value {}", attribute.name(), quoted(value)),
        );
    }
}

fn public_key(spki: Element<'_>, findings: &mut Findings) {
    let identifier = spki
        .children()
        .any()
        .map(|identifier| hex::encode(identifier.encoding));
    findings.require(
        identifier.is_ok_and(|found| SUBJECT_KEYS.contains(&found.as_str())),
        "C-15",
        "the subject's key must be RSA or ECDSA on P-256, P-384 or P-521, encoded as BR 7.1.3.1 says",
    );
}
