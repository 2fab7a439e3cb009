//! `reseal audit verify`: whether the log is as it was written.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;
use reseal_store::{Head, Source, SqlStore, Verified};

use super::heads;
use crate::console;
use crate::data::DataFolder;
use crate::house::{self, House};

/// Checks the log of `data` against itself, the timelines, and the heads in `files` or in DATA; a line for each thing
/// that is not as it was written.
pub(crate) fn verify(
    data: &Path,
    config: Option<&Path>,
    files: &[PathBuf],
) -> anyhow::Result<ExitCode> {
    let house = House::open(data, config)?;
    let own = house.data.audit_heads();
    let mut known = Vec::new();
    if files.is_empty() && own.exists() {
        known = heads::read(&own)?;
    }
    for file in files {
        known.extend(heads::read(file)?);
    }
    let source = house::source(&house.data, &house.config)?;
    let now = house.clock.now();
    let mut verified =
        SqlStore::verify_audit(&source, &known, now, &mut |finding| console::line(finding))?;
    house.store.close();
    if known.is_empty() && verified.starts > 0 {
        verified.findings += 1;
        console::line(format!(
            "{}: no head is noted, although a server was started here: without heads nobody notices that the end of the \
             log was cut off (a server that was killed within its first second leaves none, too)",
            files.first().unwrap_or(&own).display()
        ));
    }
    console::line(in_words(&verified));
    Ok(if verified.findings == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Checks the log in `source` against itself, the timelines, and the heads in `data`; a line for each thing that is not
/// as it was written.
pub(crate) fn check_log(
    data: &DataFolder,
    source: &Source,
    now: Timestamp,
) -> anyhow::Result<Verified> {
    Ok(SqlStore::verify_audit(
        source,
        &known_heads(data)?,
        now,
        &mut |finding| {
            console::line(finding);
        },
    )?)
}

/// The heads that were noted in `data`.
pub(crate) fn known_heads(data: &DataFolder) -> anyhow::Result<Vec<Head>> {
    let own = data.audit_heads();
    if own.exists() {
        heads::read(&own)
    } else {
        Ok(Vec::new())
    }
}

fn in_words(verified: &Verified) -> String {
    let Verified {
        entries,
        events,
        first,
        last,
        heads,
        findings,
        starts: _,
    } = verified;
    let Some((id, hash)) = last else {
        return format!("the audit log is empty: {findings} findings");
    };
    let seen = format!(
        "{entries} entries ({first} to {id}), {events} events, {heads} noted heads found again; last hash {}",
        hex::encode(hash)
    );
    match findings {
        0 => format!("as it was written: {seen}"),
        1 => format!("1 finding: {seen}"),
        _ => format!("{findings} findings: {seen}"),
    }
}
