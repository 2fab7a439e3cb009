//! The persistent TXT record (BR 3.2.2.4.22, D-33, D-35): it names issuer and account, and stays where it is, so that
//! automation has no token to exchange.

mod record;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    dns::{self, DnsAnswer, DnsOutcome, RecordKind, RecordValue, Resolver},
    evidence::{Attempt, Evidence, Verdict},
};
use record::{Unusable, examine, shown};

/// Label in front of the Authorization Domain Name.
const LABEL: &str = "_validation-persist";

/// A persistent record as it has to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersistentRecord {
    /// Authorization Domain Name, without `*.` and without the root's dot.
    pub adn: String,
    /// Issuer domain name that means this server.
    pub issuer: String,
    /// The customer's account URI.
    pub account_uri: String,
    /// Whether it must speak for wildcards and names below as well (`policy=wildcard`).
    pub wildcard: bool,
}

impl PersistentRecord {
    /// Its name, with the root's dot.
    pub fn name(&self) -> String {
        format!("{LABEL}.{}.", self.adn)
    }

    /// Contents that serve.
    pub fn contents(&self) -> String {
        let policy = if self.wildcard {
            "; policy=wildcard"
        } else {
            ""
        };
        format!("{}; accounturi={}{policy}", self.issuer, self.account_uri)
    }
}

/// Looks for the record, once; `persistUntil` must not be over at `now`. The resolver may follow an alias of the record; the name that is proved is always the
/// one asked about (D-33, N-21).
pub(crate) async fn attempt(
    resolver: &Resolver,
    wanted: &PersistentRecord,
    now: Timestamp,
) -> Attempt {
    let at = Timestamp::now();
    let answer = resolver.lookup(&wanted.name(), RecordKind::Txt).await;
    judge(
        &Wanted {
            record: wanted,
            now,
        },
        answer,
        at,
    )
}

/// What is looked for, and when.
struct Wanted<'a> {
    record: &'a PersistentRecord,
    now: Timestamp,
}

fn judge(wanted: &Wanted<'_>, answer: DnsAnswer, at: Timestamp) -> Attempt {
    let expected = format!(
        "`{}` TXT `{}`",
        wanted.record.name(),
        wanted.record.contents()
    );
    let (verdict, seen, advice) = match dns::obstacle(std::slice::from_ref(&answer)) {
        Some((verdict, advice)) => (verdict, dns::describe(&answer), advice),
        None => match find(wanted, &answer) {
            Found::Usable(contents) => (Verdict::Proved, contents, String::new()),
            Found::Unusable(seen) => (Verdict::NotYet, seen, format!("Publish {expected}.")),
        },
    };
    let answer = answer.trimmed(|record| match &record.value {
        RecordValue::Txt(text) => examine(text, wanted).is_ok(),
        _ => false,
    });
    Attempt {
        verdict,
        expected,
        seen,
        advice,
        evidence: Evidence::of_answer(answer),
        at,
    }
}

/// Whether one record with these contents would prove.
#[cfg(fuzzing)]
pub(crate) fn proves(record: &PersistentRecord, contents: &str, now: Timestamp) -> bool {
    examine(contents, &Wanted { record, now }).is_ok()
}

enum Found {
    Usable(String),
    Unusable(String),
}

/// Any one record suffices; others may stand there for other issuers and other accounts. Of those that fail, the one
/// that comes closest is told of.
fn find(wanted: &Wanted<'_>, answer: &DnsAnswer) -> Found {
    let mut closest: Option<(&str, Unusable)> = None;
    let texts = answer
        .texts()
        .filter(|_| answer.outcome == DnsOutcome::Records);
    for text in texts {
        match examine(text, wanted) {
            Ok(()) => return Found::Usable(format!("TXT {}", shown(text))),
            Err(problem) => {
                let farther = |known: &Unusable| {
                    matches!(known, Unusable::OtherIssuer | Unusable::OtherAccount)
                };
                if closest.as_ref().is_none_or(|(_, known)| farther(known)) {
                    closest = Some((text, problem));
                }
            }
        }
    }
    Found::Unusable(match closest {
        Some((text, problem)) => format!("TXT {}: {problem}", shown(text)),
        None => dns::describe(answer),
    })
}

#[cfg(test)]
mod tests;
