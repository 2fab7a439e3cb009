//! `reseal key …`: keys that are never certified again, straight in the database. A running server sees every change at
//! its next look, and revokes what is scheduled.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use reseal_lifecycle::compromise::{Blocked, CompromiseStore as _, KeyBlock, block_keys};
use reseal_lifecycle::query::{BlockedKeyField, BlockedKeyQuery};
use reseal_pki::key::{LONGEST_NAME, named_key};

use crate::console;
use crate::house::House;
use crate::revocation::{in_words, tell};

/// Keys in one commit of an import.
const BATCH: usize = 1000;
/// Keys read at once for the list.
const PAGE: u32 = 1000;

/// Blocks the key that `named` is, or that the file `named` holds; prints what has to be revoked.
pub(crate) async fn block(
    data: &Path,
    config: Option<&Path>,
    named: &str,
    reason: &str,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let text = if named.len() == 64 && named.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        named.to_owned()
    } else {
        let mut text = String::new();
        open(Path::new(named))?
            .take(LONGEST_NAME as u64 + 1)
            .read_to_string(&mut text)
            .with_context(|| format!("{named} cannot be read"))?;
        text
    };
    let key = named_key(&text).map_err(|problem| anyhow!("{named}: {problem}"))?;
    let mut total = Blocked::default();
    add(&house, vec![key.spki_sha256], reason, &mut total).await?;
    let key = hex::encode(key.spki_sha256);
    console::line(match total.new {
        0 => format!("{key} was blocked already"),
        _ => format!("{key} is blocked"),
    });
    tell(&total.certificates);
    Ok(())
}

/// Blocks every key that `file` names, a line or a PEM block each.
pub(crate) async fn import(
    data: &Path,
    config: Option<&Path>,
    file: &Path,
    reason: &str,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let mut keys = Keys::new(open(file)?);
    let (mut batch, mut count, mut total) = (Vec::with_capacity(BATCH), 0_u64, Blocked::default());
    loop {
        let key = keys
            .next()
            .with_context(|| format!("{}; {count} keys before it are dealt with", file.display()));
        // What stands before a mistake is blocked all the same.
        let (key, mistake) = match key {
            Ok(key) => (key, None),
            Err(mistake) => (None, Some(mistake)),
        };
        let is_last = key.is_none();
        batch.extend(key);
        if batch.len() >= BATCH || is_last && !batch.is_empty() {
            add(&house, std::mem::take(&mut batch), reason, &mut total).await?;
        }
        if let Some(mistake) = mistake {
            tell(&total.certificates);
            return Err(mistake);
        }
        if is_last {
            break;
        }
        count += 1;
    }
    if count == 0 {
        bail!("{} names no key", file.display());
    }
    console::line(format!("{} new, {} known before", total.new, total.known));
    tell(&total.certificates);
    Ok(())
}

/// Lists all blocked keys, the oldest first.
pub(crate) async fn list(data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let mut query = BlockedKeyQuery {
        order: vec![(BlockedKeyField::Id, false)],
        limit: Some(PAGE),
        total: false,
        ..BlockedKeyQuery::default()
    };
    loop {
        let page = house.store.blocked_keys(&query).await?;
        for key in &page.entities {
            let (hash, created) = (key.hash(), key.created);
            let line = format!("{hash}\t{created:.0}\t{}\t{}", key.actor, key.reason);
            console::line(line);
        }
        if page.entities.len() < PAGE as usize {
            return Ok(());
        }
        query.offset += u64::from(PAGE);
    }
}

async fn add(
    house: &House,
    keys: Vec<[u8; 32]>,
    reason: &str,
    total: &mut Blocked,
) -> anyhow::Result<()> {
    let delay = house.config.policy.revoke_compromised_after;
    let actor = console::actor();
    let block = KeyBlock::certain(keys, reason, &actor, house.clock.now(), delay);
    let blocked = block_keys(&house.store, block).await.map_err(in_words)?;
    total.new += blocked.new;
    total.known += blocked.known;
    total.certificates.extend(blocked.certificates);
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(Box::new(BufReader::new(file)))
}

/// Reads keys one after the other: a file may have millions.
struct Keys {
    lines: std::io::Lines<Box<dyn BufRead>>,
    line: u64,
}

impl Keys {
    fn new(input: Box<dyn BufRead>) -> Self {
        Self {
            lines: input.lines(),
            line: 0,
        }
    }

    /// The next key; `None` at the end.
    fn next(&mut self) -> anyhow::Result<Option<[u8; 32]>> {
        let mut block = String::new();
        let mut begun = 0;
        while let Some(line) = self.lines.next() {
            self.line += 1;
            let line = line.with_context(|| format!("line {}", self.line))?;
            let text = line.trim();
            if block.is_empty() && (text.is_empty() || text.starts_with('#')) {
                continue;
            }
            if block.is_empty() {
                begun = self.line;
            }
            block.push_str(text);
            block.push('\n');
            let is_pem = block.starts_with("-----BEGIN ");
            if !is_pem || text.starts_with("-----END ") {
                let key =
                    named_key(&block).map_err(|problem| anyhow!("line {begun}: {problem}"))?;
                return Ok(Some(key.spki_sha256));
            }
            if block.len() > LONGEST_NAME {
                bail!("line {begun}: this block does not end");
            }
        }
        if block.is_empty() {
            return Ok(None);
        }
        bail!("line {begun}: this block does not end");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Vec<[u8; 32]>> {
        let mut keys = Keys::new(Box::new(std::io::Cursor::new(text.to_owned())));
        let mut found = Vec::new();
        while let Some(key) = keys.next()? {
            found.push(key);
        }
        Ok(found)
    }

    #[test]
    fn c_21_a_file_has_a_hash_a_line_or_pem_blocks() {
        let hash = "ab".repeat(32);
        let pem = rcgen::KeyPair::generate().unwrap().public_key_pem();
        let text = format!("# compromised\n{hash}\r\n\n{pem}\n  {hash}\n");
        let found = read(&text).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!((found[0], found[2]), ([0xab; 32], [0xab; 32]));
        assert_eq!(read("\n# nothing\n").unwrap(), [] as [[u8; 32]; 0]);
    }

    #[test]
    fn c_21_a_mistake_is_named_by_its_line() {
        let hash = "ab".repeat(32);
        for (text, expected) in [
            (format!("{hash}\nabc\n"), "line 2: expected SHA-256"),
            (
                "\n-----BEGIN PUBLIC KEY-----\nMFk\n".to_owned(),
                "line 2: this block does not end",
            ),
            (
                format!("-----BEGIN PUBLIC KEY-----\n{}", "A\n".repeat(LONGEST_NAME)),
                "line 1: this block",
            ),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
