//! What Certificate Transparency adds to a certificate: the poison of a precertificate, or the promises of logs, or
//! neither (P-8, P-9). How these are encoded is read by [`crate::transparency`], everything else stands here once more.

use std::collections::HashSet;

use jiff::SignedDuration;

use super::{Findings, LintContext};
use crate::{
    asn1::{self, Malformed, Reader},
    certificate::tbs::{Extension, Tbs, read_time},
    transparency::decode_list,
};

const POISON: &str = "2b06010401d679020403";
const SCT_LIST: &str = "2b06010401d679020402";

/// Up to how many seconds of validity two promises do (P-9).
const SHORT: i64 = 180 * 86_400;
/// What clocks differ by.
const CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_secs(60);

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A certificate that no log was asked about.
    Plain,
    /// A precertificate.
    Precertificate,
    /// A certificate with promises.
    Logged,
    /// A certificate that was issued before: whether it had to have promises is not known any more.
    Issued,
}

impl Form {
    fn allows(self, oid: &str) -> bool {
        match self {
            Self::Plain => false,
            Self::Precertificate => oid == POISON,
            Self::Logged | Self::Issued => oid == SCT_LIST,
        }
    }
}

/// Whether `extension` is one that belongs to this form.
pub(super) fn belongs(extension: &Extension<'_>, form: Form) -> bool {
    form.allows(&hex::encode(extension.oid))
}

pub(super) fn check(tbs: &Tbs<'_>, form: Form, context: &LintContext<'_>, findings: &mut Findings) {
    let find = |oid: &str| {
        let mut all = tbs.extensions.iter();
        all.find(|extension| hex::encode(extension.oid) == oid)
    };
    if form == Form::Precertificate {
        findings.require(
            find(POISON).is_some_and(|poison| poison.critical && poison.value == [0x05, 0x00]),
            "P-8",
            "a precertificate must have the poison, critical and NULL",
        );
    }
    match (form, find(SCT_LIST)) {
        (Form::Logged | Form::Issued, Some(list)) => {
            let outcome = promises(tbs, list, context, findings);
            findings.readable(outcome, "list of SCTs");
        }
        (Form::Logged, None) => findings.report("P-9", "the list of SCTs is missing"),
        _ => {}
    }
}

fn promises(
    tbs: &Tbs<'_>,
    list: &Extension<'_>,
    context: &LintContext<'_>,
    findings: &mut Findings,
) -> Result<(), Malformed> {
    findings.require(
        !list.critical,
        "P-6",
        "the list of SCTs must not be critical",
    );
    let mut reader = Reader::new(list.value);
    let octets = reader.expect(asn1::OCTET_STRING, "list of SCTs")?;
    reader.finish("the list of SCTs")?;
    let scts = match decode_list(octets.content) {
        Ok(scts) => scts,
        Err(error) => {
            findings.report("P-9", error.to_string());
            return Ok(());
        }
    };
    let logs: HashSet<_> = scts.iter().map(|sct| sct.log_id).collect();
    findings.require(
        logs.len() == scts.len(),
        "P-9",
        "each SCT must be of another log",
    );
    let length = read_time(tbs.not_after)?.as_second() - read_time(tbs.not_before)?.as_second() + 1;
    let required = if length <= SHORT { 2 } else { 3 };
    if logs.len() < required {
        let found = logs.len();
        findings.report(
            "P-9",
            format!("a validity of {length} s needs {required} SCTs, there are {found}"),
        );
    }
    let in_time = |at| context.signing_time.duration_until(at) <= CLOCK_DIFFERENCE;
    findings.require(
        scts.iter().all(|sct| sct.moment().is_some_and(in_time)),
        "P-9",
        "no SCT may come from the future",
    );
    Ok(())
}
