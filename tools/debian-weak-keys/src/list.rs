//! Lists on disk: portions as they are made, and the sorted whole.
//!
//! A portion is written under another name and then renamed, so whatever bears
//! its final name is complete and a broken-off run is taken up where it was.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{
    key::{self, Kind, PREFIX},
    world::World,
};

/// Process ids in a portion.
const PORTION: u16 = 1024;
/// Process ids of a vulnerable machine: 0 to 32767.
const PROCESSES: u16 = 1 << 15;

/// Makes the portions of `world` that `directory` lacks.
pub fn generate(kind: Kind, world: World, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    for portion in portions() {
        let path = portion_path(kind, world, portion.start, directory);
        if path.exists() {
            continue;
        }
        let public_keys = kind.public_keys(world, portion)?;
        let prefixes = public_keys.iter().map(|key| key::prefix(key));
        let unfinished = path.with_extension("unfinished");
        fs::write(&unfinished, prefixes.collect::<Vec<_>>().concat())?;
        fs::rename(&unfinished, &path)?;
    }
    Ok(())
}

/// All prefixes of `world`, or nothing where `directory` lacks a portion.
pub fn read_portions(
    kind: Kind,
    world: World,
    directory: &Path,
) -> Result<Option<Vec<[u8; PREFIX]>>> {
    let mut prefixes = Vec::with_capacity(usize::from(PROCESSES));
    for portion in portions() {
        let path = portion_path(kind, world, portion.start, directory);
        if !path.exists() {
            return Ok(None);
        }
        let read = read(&path)?;
        ensure!(
            read.len() == portion.len(),
            "`{}`: expected {} prefixes, got {}",
            path.display(),
            portion.len(),
            read.len(),
        );
        prefixes.extend(read);
    }
    Ok(Some(prefixes))
}

/// The prefixes in a file; none where there is no file yet.
pub fn read(path: &Path) -> Result<Vec<[u8; PREFIX]>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = fs::read(path).with_context(|| format!("reading `{}`", path.display()))?;
    let (whole, rest) = bytes.as_chunks::<PREFIX>();
    ensure!(
        rest.is_empty(),
        "`{}`: expected prefixes of {PREFIX} bytes, got {} bytes in all",
        path.display(),
        bytes.len(),
    );
    Ok(whole.to_vec())
}

/// Writes the list itself: ascending, without duplicates.
pub fn write(mut prefixes: Vec<[u8; PREFIX]>, output: &Path) -> Result<usize> {
    prefixes.sort_unstable();
    prefixes.dedup();
    fs::write(output, prefixes.concat())
        .with_context(|| format!("writing `{}`", output.display()))?;
    Ok(prefixes.len())
}

fn portions() -> impl Iterator<Item = Range<u16>> {
    (0..PROCESSES)
        .step_by(PORTION.into())
        .map(|first| first..first + PORTION)
}

fn portion_path(kind: Kind, world: World, first: u16, directory: &Path) -> PathBuf {
    directory.join(format!("{kind}-{world}-{first:05}.portion"))
}
