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
usage: reseal-debian-weak-keys generate KIND DIRECTORY
       reseal-debian-weak-keys merge KIND DIRECTORY OUTPUT
       reseal-debian-weak-keys show KIND WORLD PROCESS
KIND: p256, p384, p521, rsa2048, rsa3072 or rsa4096. WORLD: such as le64-rnd.";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["generate", kind, directory] => generate(kind.parse()?, Path::new(directory)),
        ["merge", kind, directory, output] => {
            merge(kind.parse()?, Path::new(directory), Path::new(output))
        }
        ["show", kind, world, process] => show(kind.parse()?, world.parse()?, process.parse()?),
        _ => bail!(USAGE),
    }
}

fn generate(kind: Kind, directory: &Path) -> Result<()> {
    for world in World::ALL {
        list::generate(kind, world, directory)?;
        writeln!(io::stdout(), "{kind} {world}: complete")?;
    }
    Ok(())
}

fn merge(kind: Kind, directory: &Path, output: &Path) -> Result<()> {
    let mut prefixes = Vec::new();
    for world in World::ALL {
        let found = list::read(kind, world, directory)?;
        let verdict = if found.is_some() {
            "complete"
        } else {
            "left out, not complete"
        };
        writeln!(io::stdout(), "{kind} {world}: {verdict}")?;
        prefixes.extend(found.unwrap_or_default());
    }
    let made = prefixes.len();
    let kept = list::write(prefixes, output)?;
    writeln!(io::stdout(), "{made} keys, {kept} distinct prefixes")?;
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
