//! The verdict over a fetched file (D-22, D-26).

use jiff::Timestamp;
use subtle::ConstantTimeEq as _;

use super::{FileObservation, FileOutcome};
use crate::evidence::{Attempt, Evidence, Verdict};

/// Characters that a customer's own line may have at most (`uniqueValue`).
const LONGEST_SALT: usize = 20;

/// Judges what was fetched against the contents that were asked for.
pub(crate) fn attempt(observation: FileObservation, contents: &str, at: Timestamp) -> Attempt {
    let (verdict, seen, advice) = judge(&observation, contents);
    Attempt {
        verdict,
        expected: format!(
            "{} with exactly the lines `{}`",
            observation.url,
            contents.lines().collect::<Vec<_>>().join("`, `")
        ),
        seen,
        advice,
        evidence: Evidence::File(observation),
        at,
    }
}

fn judge(observation: &FileObservation, contents: &str) -> (Verdict, String, String) {
    let url = &observation.url;
    match &observation.outcome {
        FileOutcome::Fetched => judge_body(observation, contents),
        FileOutcome::Status => (
            Verdict::NotYet,
            format!("status {}", observation.status.unwrap_or_default()),
            format!("Put the file at {url}; the answer must have status 200."),
        ),
        FileOutcome::BadAnswer { reason } => (
            Verdict::NotYet,
            reason.clone(),
            format!("Serve the file at {url} as plain text, without detours."),
        ),
        FileOutcome::NoAddress { reason } => (
            Verdict::NotYet,
            reason.clone(),
            "Publish an A or AAAA record that leads to the web server.".to_owned(),
        ),
        FileOutcome::Refused { reason } => (
            Verdict::Refused,
            reason.clone(),
            "Serve the file from a public address on port 80 or 443.".to_owned(),
        ),
        FileOutcome::Unreachable { reason } => (
            Verdict::Unreachable,
            reason.clone(),
            "The check is repeated; see that the web server can be reached.".to_owned(),
        ),
    }
}

fn judge_body(observation: &FileObservation, contents: &str) -> (Verdict, String, String) {
    let seen = format!("status 200, body `{}`", observation.body_excerpt);
    if request_carries_token(observation, contents) {
        return (
            Verdict::Refused,
            seen,
            "A redirect has the token in its URL; serve the file without that.".to_owned(),
        );
    }
    let body = observation.body.as_deref().unwrap_or_default();
    if same_contents(body, contents) {
        return (Verdict::Proved, seen, String::new());
    }
    let advice = format!(
        "The file at {} must have exactly the expected lines and nothing else.",
        observation.url
    );
    (Verdict::NotYet, seen, advice)
}

/// Compares line by line: a byte order mark, white space at the end and the kind of line ends do
/// not matter, everything else does.
fn same_contents(body: &[u8], contents: &str) -> bool {
    let body = normal(body);
    let expected = normal(contents.as_bytes());
    !expected.is_empty() && bool::from(body.ct_eq(&expected))
}

fn normal(text: &[u8]) -> Vec<u8> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let text = text.trim_ascii_end();
    let mut lines = Vec::with_capacity(text.len());
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if index > 0 {
            lines.push(b'\n');
        }
        lines.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    }
    lines
}

/// Whether what the proof rests on was sent in a request: then an echo of the request would prove nothing (BR
/// 3.2.2.4.18, D-22). That are the lines that nobody else chooses: a Random Value, and hashes of a request.
fn request_carries_token(observation: &FileObservation, contents: &str) -> bool {
    let is_token = |line: &&str| line.len() > LONGEST_SALT && !line.contains('.');
    let is_single = contents.lines().count() == 1;
    let mut tokens = contents.lines().filter(|line| is_single || is_token(line));
    let is_carried = |token: &str| {
        let token = token.to_ascii_lowercase();
        let mut urls = observation.hops.iter().map(|hop| &hop.url);
        urls.any(|url| url.to_ascii_lowercase().contains(&token))
    };
    contents.is_empty() || tokens.any(is_carried)
}

#[cfg(test)]
mod tests;
