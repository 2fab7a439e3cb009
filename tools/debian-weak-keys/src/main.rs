//! Remakes the keys that Debian's OpenSSL made between 2006 and 2008
//! (CVE-2008-0166) and writes the lists by which a CA refuses them
//! (BR 6.1.1.3(5), rule C-20). `README.md` says how to use it and what the
//! lists at hand cover.

#![forbid(unsafe_code)]

mod ec;
mod fermat;
mod generator;
mod key;
mod list;
mod random;
mod rsa;
mod sieve;
mod world;

use std::{
    env,
    io::{self, Write},
    path::Path,
};

use anyhow::{Result, bail};

use crate::{key::Kind, world::World};

const USAGE: &str = "\
usage: reseal-debian-weak-keys generate KIND DIRECTORY [WORLD...]
       reseal-debian-weak-keys merge KIND DIRECTORY OUTPUT
       reseal-debian-weak-keys show KIND WORLD PROCESS
KIND: p256, p384, p521, rsa2048, rsa3072 or rsa4096. WORLD: such as le64-rnd.";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["generate", kind, directory, ref worlds @ ..] => {
            generate(kind.parse()?, Path::new(directory), worlds)
        }
        ["merge", kind, directory, output] => {
            merge(kind.parse()?, Path::new(directory), Path::new(output))
        }
        ["show", kind, world, process] => show(kind.parse()?, world.parse()?, process.parse()?),
        _ => bail!(USAGE),
    }
}

/// Makes the portions of the named worlds, or of all.
fn generate(kind: Kind, directory: &Path, names: &[&str]) -> Result<()> {
    let mut worlds: Vec<World> = names
        .iter()
        .map(|name| name.parse())
        .collect::<Result<_>>()?;
    if worlds.is_empty() {
        worlds.extend(World::ALL);
    }
    for world in worlds {
        list::generate(kind, world, directory)?;
        writeln!(io::stdout(), "{kind} {world}: complete")?;
    }
    Ok(())
}

/// Adds the worlds whose portions are all there to what `output` holds.
fn merge(kind: Kind, directory: &Path, output: &Path) -> Result<()> {
    let mut prefixes = list::read(output)?;
    writeln!(io::stdout(), "{kind}: {} prefixes before", prefixes.len())?;
    for world in World::ALL {
        let found = list::read_portions(kind, world, directory)?;
        let verdict = if found.is_some() {
            "added"
        } else {
            "not complete, left out"
        };
        writeln!(io::stdout(), "{kind} {world}: {verdict}")?;
        prefixes.extend(found.unwrap_or_default());
    }
    let kept = list::write(prefixes, output)?;
    writeln!(io::stdout(), "{kind}: {kept} prefixes now")?;
    Ok(())
}

/// Prints a public key in hexadecimal DER.
fn show(kind: Kind, world: World, process: u16) -> Result<()> {
    for public_key in kind.public_keys(world, process..process.saturating_add(1))? {
        for byte in public_key {
            write!(io::stdout(), "{byte:02x}")?;
        }
        writeln!(io::stdout())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
