//! `reseal ca lint`: everything that was issued and is not expired, under the linter of this program.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use reseal_issuer::embedded::EmbeddedIssuer;
use reseal_lifecycle::audit::{AuditEntry, AuditStore as _};
use reseal_lifecycle::compromise::{Affected, Cause, CompromiseStore as _, Duty, RevocationOrder};
use reseal_lifecycle::issued::{Issued, IssuedStore as _};
use reseal_pki::lint::Finding;
use serde_json::{Value, json};

use super::Ca;
use crate::console;
use crate::revocation::tell;

/// Certificates read at once.
const PAGE: u32 = 500;
/// Time between two lines that say how far it is.
const PROGRESS: Duration = Duration::from_secs(5);
/// Longest reason for customers, in characters: a certificate can have many findings.
const LONGEST_REASON: usize = 300;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LintRequest {
    pub(crate) json: bool,
    pub(crate) open_duties: bool,
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Tally {
    looked_at: u64,
    /// Signed by a key that is none of the intermediates'.
    others: u64,
    wrong: u64,
    /// Wrong, and not revoked.
    standing: u64,
    duties: u64,
}

/// Lints every certificate; leaves with 1 when one that is not revoked is not as it should be.
pub(crate) async fn lint(
    data: &Path,
    config: Option<&Path>,
    request: LintRequest,
) -> anyhow::Result<ExitCode> {
    let ca = Ca::open(data, config)?;
    let mut tally = Tally::default();
    let outcome = walk(&ca, request, &mut tally).await;
    let recorded = match outcome {
        Ok(()) => record(&ca, &tally).await,
        Err(error) => Err(error),
    };
    ca.house.store.close();
    recorded?;
    let summary = tally.in_words();
    if request.json {
        console::notice(summary);
    } else {
        console::line(summary);
    }
    Ok(match tally.standing {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

async fn walk(ca: &Ca, request: LintRequest, tally: &mut Tally) -> anyhow::Result<()> {
    for issuer in ca.embedded.all() {
        walk_of(ca, issuer, request, tally).await?;
    }
    Ok(())
}

/// The certificates of one intermediate.
async fn walk_of(
    ca: &Ca,
    issuer: &EmbeddedIssuer,
    request: LintRequest,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let now = ca.house.clock.now();
    let mut last = 0;
    let mut told = Instant::now();
    loop {
        let page = ca
            .house
            .store
            .issued(issuer.name(), last, now, PAGE)
            .await?;
        let mut wrong = Vec::new();
        for issued in &page {
            last = issued.certificate;
            let found = issuer.lint_issued(&issued.der, issued.validation, issued.signed);
            tally.take(issued, found.as_deref());
            if let Some(findings) = found.filter(|findings| !findings.is_empty()) {
                show(issued, &findings, request.json);
                wrong.push((issued, findings));
            }
        }
        if request.open_duties {
            let affected = open_duties(ca, &wrong).await?;
            tally.duties += affected.len() as u64;
            if !request.json {
                tell(&affected);
            }
        }
        if page.len() < PAGE as usize {
            return Ok(());
        }
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            console::notice(format!("{} certificates so far", tally.looked_at));
        }
    }
}

/// A finding is a candidate for mis-issuance: five days from now. Certificates with the same findings go together.
async fn open_duties(ca: &Ca, wrong: &[(&Issued, Vec<Finding>)]) -> anyhow::Result<Vec<Affected>> {
    let now = ca.house.clock.now();
    let mut by_reason: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (issued, findings) in wrong.iter().filter(|(issued, _)| !issued.is_revoked) {
        by_reason
            .entry(reason(findings))
            .or_default()
            .push(issued.certificate);
    }
    let mut affected = Vec::new();
    for (reason, certificates) in by_reason {
        let duty = Duty::of(Cause::MisIssued, now, &reason);
        let order = RevocationOrder {
            certificates,
            moment: duty.usual_moment(),
            duty,
            actor: console::actor(),
            at: now,
        };
        affected.extend(ca.house.store.order_revocations(order).await?);
    }
    Ok(affected)
}

/// Every run is on record, as the only sign that there was one when nothing is wrong.
async fn record(ca: &Ca, tally: &Tally) -> anyhow::Result<()> {
    let now = ca.house.clock.now();
    let entry = AuditEntry::new(now, console::actor(), "ca.lint", "ca/intermediate")
        .with("program", env!("CARGO_PKG_VERSION"))
        .with("certificates", tally.looked_at)
        .with("wrong", tally.wrong)
        .with("others", tally.others)
        .with("duties", tally.duties);
    Ok(ca.house.store.append_audit(vec![entry]).await?)
}

impl Tally {
    fn take(&mut self, issued: &Issued, findings: Option<&[Finding]>) {
        match findings {
            None => self.others += 1,
            Some(findings) => {
                let is_wrong = !findings.is_empty();
                self.looked_at += 1;
                self.wrong += u64::from(is_wrong);
                self.standing += u64::from(is_wrong && !issued.is_revoked);
            }
        }
    }

    fn in_words(&self) -> String {
        let others = match self.others {
            0 => String::new(),
            others => format!(
                "; {others} more were not signed by an intermediate that is in the folder of the CA and not looked at"
            ),
        };
        format!(
            "{} certificates, {} with findings ({} of them not revoked){others}",
            self.looked_at, self.wrong, self.standing
        )
    }
}

fn texts(findings: &[Finding]) -> impl Iterator<Item = String> {
    findings
        .iter()
        .map(|finding| format!("{}: {}", finding.rule, finding.message))
}

fn reason(findings: &[Finding]) -> String {
    let texts: Vec<String> = texts(findings).collect();
    let mut reason: String = texts.join("; ");
    if let Some((end, _)) = reason.char_indices().nth(LONGEST_REASON) {
        reason.truncate(end);
        reason.push('…');
    }
    format!("found by the linter: {reason}")
}

/// A line for each finding, with tabs between: certificate, customer, name, whether it is revoked, finding. Or one object
/// for the certificate.
fn show(issued: &Issued, findings: &[Finding], as_json: bool) {
    if as_json {
        return console::line(object(issued, findings));
    }
    let state = if issued.is_revoked { "REVOKED" } else { "" };
    for text in texts(findings) {
        console::line(format!(
            "{}\t{}\t{}\t{state}\t{text}",
            issued.certificate, issued.customer, issued.domain_name
        ));
    }
}

fn object(issued: &Issued, findings: &[Finding]) -> Value {
    let found = |finding: &Finding| json!({"rule": finding.rule, "message": finding.message});
    json!({
        "certificateId": issued.certificate,
        "customer": issued.customer,
        "domainName": issued.domain_name,
        "serial": hex::encode(&issued.serial),
        "signedDate": format!("{:.0}", issued.signed),
        "expiryDate": format!("{:.0}", issued.not_after),
        "revoked": issued.is_revoked,
        "findings": findings.iter().map(found).collect::<Value>(),
    })
}
