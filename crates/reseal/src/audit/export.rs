//! `reseal audit export`: the log and what it is about, for auditors and for other programs.

use std::io::{BufWriter, ErrorKind, Write as _};
use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use reseal_store::{AuditRow, EventRow, SqlStore};
use serde_json::{Map, Value, json};

use crate::house::{self, House};

/// Writes the entries of `data` that were recorded at `since` or later and before `until` to stdout, a JSON object a
/// line.
pub(crate) fn export(
    data: &Path,
    config: Option<&Path>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let mut out = BufWriter::new(std::io::stdout());
    let mut written = Ok(());
    SqlStore::export_audit(
        &house::source(&house.data, &house.config)?,
        since.unwrap_or(Timestamp::MIN),
        until.unwrap_or(Timestamp::MAX),
        &mut |row, events| {
            written = writeln!(out, "{}", line(&row, &events));
            written.is_ok()
        },
    )?;
    house.store.close();
    match written.and_then(|()| out.flush()) {
        // Whoever reads has enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("stdout cannot be written to"),
    }
}

fn line(row: &AuditRow, events: &[EventRow]) -> Value {
    let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes));
    let mut line = Map::new();
    let mut add = |name: &str, value: Value| {
        line.insert(name.to_owned(), value);
    };
    add("id", row.id.into());
    add("at", moment(row.at));
    add("actor", text(&row.actor));
    add("action", text(&row.action));
    add("object", text(&row.object));
    for (name, value) in [("reason", &row.reason), ("note", &row.note)] {
        if let Some(value) = value {
            add(name, text(value));
        }
    }
    add("detail", json_or_text(&row.detail));
    if let Some(span) = &row.events {
        add("process", row.process().into());
        add("step", span.step.into());
        add("events", events.iter().map(event).collect());
        add("digest", hex::encode(span.digest).into());
    }
    add("previous", hex::encode(row.previous).into());
    add("hash", hex::encode(row.hash).into());
    Value::Object(line)
}

fn event(event: &EventRow) -> Value {
    json!({
        "ordinal": event.ordinal,
        "at": moment(event.at),
        "kind": json_or_text(&event.kind),
    })
}

/// A moment as the log has it, to the millisecond; a number that is none stays a number.
fn moment(milliseconds: i64) -> Value {
    match Timestamp::from_millisecond(milliseconds) {
        Ok(moment) => format!("{moment:.3}").into(),
        Err(_) => milliseconds.into(),
    }
}

fn json_or_text(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_4_what_somebody_made_of_a_row_is_exported_too() {
        let row = AuditRow {
            id: 7,
            at: i64::MAX,
            actor: b"\xff".to_vec(),
            action: b"a".to_vec(),
            object: b"o".to_vec(),
            reason: None,
            note: Some(b"n\n".to_vec()),
            detail: b"{".to_vec(),
            events: None,
            previous: [0; 32],
            hash: [0xab; 32],
        };
        let line = line(&row, &[]);
        assert_eq!(line["at"], i64::MAX);
        assert_eq!(line["actor"], "\u{fffd}");
        assert_eq!(line["detail"], "{");
        assert!(!line.to_string().contains('\n'));
    }
}
