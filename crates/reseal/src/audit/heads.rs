//! DATA/audit-heads.log: the last entry of the audit log as it was at each start, each stop and once a day.
//! Whoever changes the database alone is found out by it; whoever copies it away finds out a change of both.
//!
//! A line is moment, occasion, number and hash of the entry. The file only grows: some 25 kB a year.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use reseal_lifecycle::audit::AuditStore;
use reseal_store::Head;

use crate::data::DataFolder;

/// The file with the heads of one server's folder.
pub(crate) struct Heads {
    path: PathBuf,
}

impl Heads {
    pub(crate) fn of(data: &DataFolder) -> Self {
        Self {
            path: data.audit_heads(),
        }
    }

    /// Notes the last entry of `store`, which is durable already. The log of the server has it as well, which may
    /// lie on another machine.
    pub(crate) async fn note(
        &self,
        store: &dyn AuditStore,
        now: Timestamp,
        occasion: &str,
    ) -> anyhow::Result<()> {
        let Some((id, hash)) = store.audit_head().await? else {
            return Ok(());
        };
        let hash = hex::encode(hash);
        tracing::info!(entry = id, hash, "head of the audit log");
        self.append(&format!("{now:.0} {occasion} {id} {hash}\n"))
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }

    fn append(&self, line: &str) -> io::Result<()> {
        let mut options = File::options();
        let mut file = options
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.path)?;
        // In one piece, so that two programs cannot mix their lines.
        file.write_all(line.as_bytes())?;
        file.sync_all()
    }
}

/// The heads in `path`.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Head>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut heads = Vec::with_capacity(lines.len());
    for (index, line) in (1..).zip(&lines) {
        let place = format!("{}, line {index}", path.display());
        match head(line, &place) {
            Some(head) => heads.push(head),
            // A crash can cut the last line short.
            None if index == lines.len() && !line.ends_with('\n') => {}
            None => bail!("{place}: expected moment, occasion, number and hash of an entry"),
        }
    }
    Ok(heads)
}

fn head(line: &str, place: &str) -> Option<Head> {
    let mut words = line.strip_suffix('\n')?.split(' ');
    let noted = words.next()?.parse().ok()?;
    words.next()?;
    let id = words.next()?.parse().ok()?;
    let mut hash = [0; 32];
    hex::decode_to_slice(words.next()?, &mut hash).ok()?;
    words.next().is_none().then(|| Head {
        id,
        hash,
        noted,
        place: place.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: i64) -> String {
        format!("2026-11-29T12:00:00Z daily {id} {}\n", "ab".repeat(32))
    }

    fn read_text(text: &str) -> anyhow::Result<Vec<i64>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("heads.log");
        fs::write(&path, text)?;
        Ok(read(&path)?.iter().map(|head| head.id).collect())
    }

    #[test]
    fn a_4_heads_are_read_as_they_were_noted() {
        let text = format!("{}{}", line(3), line(17));
        assert_eq!(read_text(&text).unwrap(), [3, 17]);
        assert_eq!(read_text("").unwrap(), [] as [i64; 0]);
        let cut = &text[..text.len() - 10];
        assert_eq!(read_text(cut).unwrap(), [3]);
    }

    #[test]
    fn a_4_a_line_that_is_no_head_is_named() {
        for bad in [
            line(3).replace(" 3 ", " x "),
            line(3).replace("ab", "zz"),
            line(3).replace("2026", "never"),
            "\n".to_owned(),
        ] {
            let error = read_text(&format!("{}{bad}{}", line(1), line(5))).unwrap_err();
            assert!(error.to_string().contains("line 2"), "{error}");
        }
    }
}
