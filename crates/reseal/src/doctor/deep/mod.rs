//! `reseal doctor --deep`: everything that is stored, as it is at one moment. Changes nothing.
//!
//! - the store looks at rows, processes and serial numbers, as far as SQL can tell
//! - `certificates`: whether each certificate is what is stored beside it, and who signed it
//! - `lists`: whether revocation lists show what they have to
//! - the audit log is checked as `reseal audit verify` does, with the heads in DATA

mod certificates;
mod lists;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reseal_lifecycle::store::StoreError;
use reseal_store::{Checked, Head, Moment, SqlStore};

use super::Report;
use crate::audit::known_heads;
use crate::clock::clock;
use crate::config::Config;
use crate::console;
use crate::data::DataFolder;
use crate::house::source;
use crate::wire_up::{self, Embedded};

/// Time between two lines that say how far it is.
const PROGRESS: Duration = Duration::from_secs(5);

pub(super) fn examine(data: &DataFolder, config: &Config, report: &mut Report) {
    let now = clock(config.policy.profile).map_or_else(|_| Timestamp::now(), |clock| clock.now());
    let url = wire_up::public_url(config, config.server.listen);
    let ready = source(data, config).and_then(|source| Ok((source, known_heads(data)?)));
    let (source, heads) = match ready {
        Ok(ready) => ready,
        Err(error) => return report.fail(format!("{error:#}")),
    };
    let embedded = match Embedded::open(data, config, &url) {
        Ok(embedded) => embedded,
        Err(error) => {
            return report.fail(format!(
                "without the CA nothing more is looked at: {error:#}"
            ));
        }
    };
    let looked = SqlStore::at_one_moment(&source, |moment| look(moment, &embedded, &heads, now));
    match looked {
        Ok(found) => {
            found.checks.iter().for_each(|check| show(check, report));
            if found.elsewhere > 0 {
                report.ok(format!(
                    "{} certificates were signed by a key that the CA had before: their signatures were not looked at",
                    found.elsewhere
                ));
            }
        }
        Err(error) => report.fail(format!("the database could not be looked through: {error}")),
    }
}

/// What came of it all.
struct Found {
    checks: Vec<Checked>,
    elsewhere: u64,
}

fn look(
    moment: &Moment<'_>,
    embedded: &Embedded,
    heads: &[Head],
    now: Timestamp,
) -> Result<Found, StoreError> {
    let mut progress = Progress::default();
    let mut told = |table: &'static str, rows: u64| progress.tell(table, rows);
    let mut checks = moment.rows(now, &mut told)?;
    checks.push(moment.processes(&mut told)?);
    checks.push(moment.reservations(now)?);
    let looked = certificates::check(moment, embedded, &mut told)?;
    checks.extend(looked.checks);
    checks.push(lists::check(moment, embedded)?);
    checks.push(audit(moment, heads, now)?);
    Ok(Found {
        checks,
        elsewhere: looked.elsewhere,
    })
}

fn audit(moment: &Moment<'_>, heads: &[Head], now: Timestamp) -> Result<Checked, StoreError> {
    let mut checked = Checked::new(
        "the audit log and the timelines are as they were written",
        "somebody changed them: `reseal audit verify` names everything, and docs/audit.md says what to do",
    );
    let verified = moment.audit(heads, now, &mut |finding| checked.find(finding.to_string()))?;
    checked.rows = verified.entries;
    Ok(checked)
}

/// A line for a check: what holds and of how many, or what does not, of which, and what that means.
fn show(check: &Checked, report: &mut Report) {
    let Checked {
        holds,
        otherwise,
        rows,
        broken,
        uncounted,
        named,
    } = check;
    if *broken == 0 {
        return report.ok(format!("{holds} ({rows})"));
    }
    let about = if *uncounted { "at least " } else { "" };
    let more = broken - named.len() as u64;
    let more = match more {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    report.fail(format!(
        "NOT SO: {holds}: {about}{broken} of {rows} are wrong: {}{more}. That means: {otherwise}",
        named.join(", ")
    ));
}

/// Says on stderr now and then how far it is.
struct Progress {
    told: Instant,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            told: Instant::now(),
        }
    }
}

impl Progress {
    fn tell(&mut self, table: &str, rows: u64) {
        if self.told.elapsed() >= PROGRESS {
            self.told = Instant::now();
            console::notice(format!("{table}: {rows} so far"));
        }
    }
}
