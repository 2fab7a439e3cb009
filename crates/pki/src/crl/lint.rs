//! The last look before a list is signed.
//!
//! Identifiers and encodings are written down here a second time on purpose.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::read::{Entry, Tbs, read_strict_time};
use crate::{
    asn1::{self, Malformed, Reader},
    certificate::assemble,
    lint::Finding,
    profile::{IssuingAuthority, SignatureAlgorithm},
};

const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];
const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 0x14];
const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 0x1c];
const REASON_CODE: &[u8] = &[0x55, 0x1d, 0x15];

/// keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn.
const REASONS: [u8; 5] = [1, 3, 4, 5, 9];
/// Longest serial number, in bytes (RFC 5280 section 4.1.2.2).
const LONGEST_SERIAL: usize = 20;

/// What a list is held against.
#[derive(Clone, Copy, Debug)]
pub struct CrlLimits<'a> {
    /// Who is going to sign.
    pub issuer: &'a IssuingAuthority,
    /// Number of the newest list of that name so far.
    pub previous: Option<u64>,
    /// When it is going to be signed.
    pub signing_time: Timestamp,
    /// Longest time from thisUpdate to nextUpdate: ten days for subscribers' certificates, a year for
    /// authorities' (BR 4.9.7).
    pub longest: SignedDuration,
    /// The addresses that it has to name, none of them when it is for everything the issuer issued.
    pub addresses: &'a [String],
}

/// A TBSCertList that passed [`lint_crl`] and may be signed.
#[derive(Debug)]
pub struct LintedCrl {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl LintedCrl {
    /// The bytes to sign.
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// The list, DER, with the signature over [`tbs`](Self::tbs).
    pub fn finish(self, signature: &[u8]) -> Vec<u8> {
        // CertificateList is built like Certificate: what is signed, the algorithm, the signature.
        assemble(&self.tbs, self.algorithm, signature)
    }
}

/// Checks a TBSCertList; everything that is wrong is reported at once.
pub fn lint_crl(tbs: Vec<u8>, limits: &CrlLimits<'_>) -> Result<LintedCrl, Vec<Finding>> {
    let mut findings = Findings(Vec::new());
    match Tbs::from_der(&tbs) {
        Ok(fields) => check(&fields, limits, &mut findings),
        Err(malformed) => findings.malformed("the list", &malformed),
    }
    if findings.0.is_empty() {
        Ok(LintedCrl {
            tbs,
            algorithm: limits.issuer.signature_algorithm(),
        })
    } else {
        Err(findings.0)
    }
}

struct Findings(Vec<Finding>);

impl Findings {
    fn require(&mut self, holds: bool, rule: &'static str, message: impl Into<String>) {
        if !holds {
            self.0.push(Finding {
                rule,
                message: message.into(),
            });
        }
    }

    fn malformed(&mut self, what: &str, malformed: &Malformed) {
        let message = format!("{what}: {} at byte {}", malformed.problem, malformed.offset);
        self.require(false, "P-12", message);
    }

    /// The value, or a report that it cannot be read.
    fn readable<T>(&mut self, value: Result<T, Malformed>, what: &str) -> Option<T> {
        value
            .map_err(|malformed| self.malformed(what, &malformed))
            .ok()
    }
}

fn check(tbs: &Tbs<'_>, limits: &CrlLimits<'_>, findings: &mut Findings) {
    let issuer = limits.issuer;
    findings.require(
        tbs.version.content == [1],
        "X-7",
        "the version must be 2, written as 1",
    );
    findings.require(
        tbs.algorithm.encoding == issuer.signature_algorithm().algorithm_identifier(),
        "P-2",
        "the algorithm must be the one that the issuer's key signs with",
    );
    findings.require(
        tbs.issuer.encoding == issuer.subject_der(),
        "P-2",
        "the issuer must be the subject of the issuer's certificate, byte for byte",
    );
    let this_update = findings.readable(read_strict_time(tbs.this_update), "thisUpdate");
    let next_update = findings.readable(read_strict_time(tbs.next_update), "nextUpdate");
    if let (Some(this_update), Some(next_update)) = (this_update, next_update) {
        findings.require(
            this_update <= limits.signing_time,
            "X-7",
            format!("thisUpdate {this_update} lies in the future"),
        );
        findings.require(
            next_update > limits.signing_time,
            "X-7",
            format!("nextUpdate {next_update} is over before the list is signed"),
        );
        findings.require(
            this_update.duration_until(next_update) <= limits.longest,
            "X-7",
            format!("{this_update} to {next_update} is too long"),
        );
        check_entries(&tbs.entries, this_update, findings);
    }
    findings.require(
        !tbs.writes_no_entries,
        "X-7",
        "a list without revoked certificates must leave the field out",
    );
    check_extensions(tbs, limits, findings);
}

fn check_entries(entries: &[Entry<'_>], this_update: Timestamp, findings: &mut Findings) {
    let mut seen = HashSet::with_capacity(entries.len());
    for entry in entries {
        let serial = entry.serial.content;
        let shown = hex::encode(serial);
        let positive = entry.serial.unsigned().is_ok_and(|digits| digits != [0]);
        findings.require(
            positive && serial.len() <= LONGEST_SERIAL,
            "P-1",
            format!("`{shown}` is no serial number"),
        );
        findings.require(
            seen.insert(serial),
            "X-7",
            format!("`{shown}` stands there twice"),
        );
        if let Some(at) = findings.readable(read_strict_time(entry.revoked_at), "revocationDate") {
            findings.require(
                at <= this_update,
                "X-7",
                format!("`{shown}` is revoked from {at} on, after thisUpdate"),
            );
        }
        let known = entry
            .extensions
            .iter()
            .all(|extension| extension.oid == REASON_CODE && !extension.critical);
        findings.require(
            known && entry.extensions.len() <= 1,
            "X-7",
            format!("`{shown}` may have a reason, not critical, and no other extension"),
        );
        if let Some(Some(reason)) = findings.readable(entry.reason(), "reasonCode") {
            findings.require(
                REASONS.contains(&reason),
                "X-3",
                format!("`{shown}` has the reason {reason}, which is never given"),
            );
        }
    }
}

fn check_extensions(tbs: &Tbs<'_>, limits: &CrlLimits<'_>, findings: &mut Findings) {
    let mut expected = vec![(AUTHORITY_KEY_IDENTIFIER, false), (CRL_NUMBER, false)];
    if !limits.addresses.is_empty() {
        expected.push((ISSUING_DISTRIBUTION_POINT, true));
    }
    let found: Vec<_> = tbs
        .extensions
        .iter()
        .map(|extension| (extension.oid, extension.critical))
        .collect();
    findings.require(
        found == expected && !tbs.extensions.iter().any(|one| one.writes_default),
        "X-7",
        "the extensions must be authorityKeyIdentifier, cRLNumber and, critical, for a part of the \
         certificates issuingDistributionPoint",
    );
    let key = asn1::element(0x80, limits.issuer.ski());
    let value = tbs.extension(AUTHORITY_KEY_IDENTIFIER).map(|one| one.value);
    findings.require(
        value == Some(&asn1::element(asn1::SEQUENCE, &key)[..]),
        "X-7",
        "authorityKeyIdentifier must be the issuer's subjectKeyIdentifier and nothing else",
    );
    if let Some(number) = findings.readable(tbs.number(), "cRLNumber") {
        findings.require(
            number.is_some_and(|number| limits.previous.is_none_or(|previous| number > previous)),
            "X-7",
            format!(
                "cRLNumber {number:?} must be greater than {:?}",
                limits.previous
            ),
        );
    }
    if let Some(extension) = tbs.extension(ISSUING_DISTRIBUTION_POINT) {
        let named = findings.readable(addresses(extension.value), "issuingDistributionPoint");
        findings.require(
            named.is_some_and(|named| {
                named
                    .iter()
                    .copied()
                    .eq(limits.addresses.iter().map(String::as_bytes))
            }),
            "X-8",
            "issuingDistributionPoint must name the certificates' pointers, byte for byte",
        );
    }
}

/// The addresses in an issuingDistributionPoint that says `onlyContainsUserCerts` and nothing else beside.
fn addresses(value: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut reader = Reader::new(value);
    let mut point = reader
        .expect(asn1::SEQUENCE, "IssuingDistributionPoint")?
        .children();
    reader.finish("the extension")?;
    let mut name = point.expect(0xa0, "distributionPoint")?.children();
    let mut full_name = name.expect(0xa0, "fullName")?.children();
    name.finish("the distributionPoint")?;
    let mut named = Vec::new();
    while !full_name.is_empty() {
        named.push(full_name.expect(0x86, "an address")?.content);
    }
    let only_users = point.expect(0x81, "onlyContainsUserCerts")?;
    if only_users.content != [0xff] {
        return Err(only_users.malformed("expected onlyContainsUserCerts to be TRUE"));
    }
    point.finish("IssuingDistributionPoint")?;
    Ok(named)
}
