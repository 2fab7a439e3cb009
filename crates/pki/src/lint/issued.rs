//! A look at what was signed before: the linter of today may know more than the one of that day.

use super::{Finding, Form, LintContext, findings_of, read};
use crate::asn1::{self, Malformed, Reader};
use crate::key::verify_signature;

/// Checks a certificate that was issued before, as it would be checked if it were signed again at the moment at which it
/// was. `None` when it does not bear a signature of `context.issuer`: then nothing can be said about it.
pub fn lint_issued(der: &[u8], context: &LintContext<'_>) -> Option<Vec<Finding>> {
    let [tbs, algorithm, signature] = parts(der).ok()?;
    verify_signature(context.issuer.public_key(), algorithm, tbs, signature).ok()?;
    let mut findings = findings_of(tbs, Form::Issued, context);
    if read(tbs).is_ok_and(|fields| fields.algorithm.encoding != algorithm) {
        findings.push(Finding {
            rule: "P-2",
            message: "the algorithm beside the signature must be the one that was signed"
                .to_owned(),
        });
    }
    Some(findings)
}

/// What was signed, the algorithm and the signature.
fn parts(der: &[u8]) -> Result<[&[u8]; 3], Malformed> {
    let mut input = Reader::new(der);
    let certificate = input.expect(asn1::SEQUENCE, "certificate")?;
    input.finish("the certificate")?;
    let mut parts = certificate.children();
    let tbs = parts.expect(asn1::SEQUENCE, "signed part of the certificate")?;
    let algorithm = parts.expect(asn1::SEQUENCE, "signature algorithm")?;
    let signature = parts.expect(asn1::BIT_STRING, "signature")?;
    parts.finish("the certificate")?;
    let signature = signature.whole_bytes()?;
    Ok([tbs.encoding, algorithm.encoding, signature])
}
