//! The last look before signing: reads the bytes that are about to be
//! signed and checks them against the profile again.
//!
//! It shares no code with [`crate::profile`] beyond the DER reader, so that a
//! mistake there is not repeated here; object identifiers and byte strings are
//! written down a second time on purpose. Only the `lint_` functions make a [`Linted`],
//! and only a [`Linted`] becomes a certificate through [`Linted::finish`].
//!
//! - `field`: version, serial, algorithm, issuer, validity, subject, key
//! - `extension`: one function per extension
//! - `transparency`: the poison of precertificates, the promises of logs
//! - `issued`: certificates that were signed before
//! - `responder`: certificates of OCSP responders
//! - `authority`: certificates of roots and intermediates

mod authority;
mod extension;
mod field;
mod issued;
mod responder;
mod transparency;

use jiff::Timestamp;

use crate::{
    asn1::{self, Malformed, Reader},
    certificate::{assemble, tbs::Tbs},
    profile::{IssuingAuthority, PolicyArc, SignatureAlgorithm, ValidationType},
};

pub use authority::{lint_intermediate, lint_root};
pub use issued::lint_issued;
pub use responder::lint_responder;
use transparency::Form;

/// What a certificate is held against.
#[derive(Clone, Copy, Debug)]
pub struct LintContext<'a> {
    /// Who is going to sign.
    pub issuer: &'a IssuingAuthority,
    /// Where policies are asserted.
    pub policy: PolicyArc,
    /// What was verified.
    pub validation: ValidationType,
    /// When it is going to be signed.
    pub signing_time: Timestamp,
    /// Whether somebody answers by OCSP for the issuer: nothing may point there otherwise.
    pub ocsp: bool,
}

/// A breach of the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Id in the rule book.
    pub rule: &'static str,
    /// What was found and what was expected.
    pub message: String,
}

/// A TBSCertificate that passed the linter and may be signed.
#[derive(Debug)]
pub struct Linted {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl Linted {
    /// The bytes to sign.
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// The algorithm to sign them with.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The certificate, DER, with the signature over [`tbs`](Self::tbs).
    pub fn finish(self, signature: &[u8]) -> Vec<u8> {
        assemble(&self.tbs, self.algorithm, signature)
    }
}

/// Checks the TBSCertificate of a leaf that no log was asked about; everything that is wrong is reported at once.
pub fn lint_leaf(tbs: Vec<u8>, context: &LintContext<'_>) -> Result<Linted, Vec<Finding>> {
    lint(tbs, Form::Plain, context)
}

/// Checks the TBSCertificate of a precertificate in the same way (P-8).
pub fn lint_precertificate(
    tbs: Vec<u8>,
    context: &LintContext<'_>,
) -> Result<Linted, Vec<Finding>> {
    lint(tbs, Form::Precertificate, context)
}

/// Checks the TBSCertificate of a leaf with the promises of logs in the same way (P-9).
pub fn lint_logged(tbs: Vec<u8>, context: &LintContext<'_>) -> Result<Linted, Vec<Finding>> {
    lint(tbs, Form::Logged, context)
}

fn lint(tbs: Vec<u8>, form: Form, context: &LintContext<'_>) -> Result<Linted, Vec<Finding>> {
    let findings = findings_of(&tbs, form, context);
    if findings.is_empty() {
        Ok(Linted {
            tbs,
            algorithm: context.issuer.signature_algorithm(),
        })
    } else {
        Err(findings)
    }
}

fn findings_of(tbs: &[u8], form: Form, context: &LintContext<'_>) -> Vec<Finding> {
    match read(tbs) {
        Ok(fields) => {
            let mut findings = Findings::default();
            field::check(&fields, context, &mut findings);
            extension::check(&fields, form, context, &mut findings);
            transparency::check(&fields, form, context, &mut findings);
            findings.0
        }
        Err(malformed) => {
            vec![Finding {
                rule: "P-12",
                message: format!(
                    "not DER: {} at byte {}",
                    malformed.problem, malformed.offset
                ),
            }]
        }
    }
}

fn read(tbs: &[u8]) -> Result<Tbs<'_>, Malformed> {
    let mut input = Reader::new(tbs);
    let sequence = input.expect(asn1::SEQUENCE, "TBSCertificate")?;
    input.finish("the TBSCertificate")?;
    Tbs::read(sequence)
}

/// Collects what the checks report.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn report(&mut self, rule: &'static str, message: impl Into<String>) {
        self.0.push(Finding {
            rule,
            message: message.into(),
        });
    }

    /// Reports `message` unless `holds`.
    fn require(&mut self, holds: bool, rule: &'static str, message: &str) {
        if !holds {
            self.report(rule, message);
        }
    }

    /// The value, or a report that it cannot be read.
    fn readable<T>(&mut self, value: Result<T, Malformed>, what: &str) -> Option<T> {
        value
            .map_err(|at| self.report("P-12", format!("{what}: {}", at.problem)))
            .ok()
    }
}

#[cfg(test)]
mod tests;
