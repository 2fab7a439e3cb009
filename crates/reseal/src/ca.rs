//! `reseal ca …`: the CA's certificates, and its revocation lists as they stand in the database.
//!
//! - `lint`: a look at everything that was issued
//! - `migrate`: keys from files into a token
//! - `rotate`: another intermediate, in one step or with files between the host that issues and the one with the root

mod lint;
mod migrate;
mod rotate;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use reseal_issuer::embedded::{CRL_SHARDS, EmbeddedIssuer, KeyPlace};
use reseal_lifecycle::crl::{self, Coverage, Crl, CrlStore as _};
use reseal_lifecycle::issuer::Issuer as _;
use reseal_pki::certificate::{Certificate, pem};

pub(crate) use lint::{LintRequest, lint};
pub(crate) use migrate::migrate_key;
pub(crate) use rotate::{Rotate, rotate, sign_intermediate};

use crate::args::CrlForm;
use crate::console;
use crate::file;
use crate::house::House;
use crate::wire_up::{self, Embedded};

/// How the summary of a list begins.
const LIST: &str = "list         ";

/// What `ca crl` was asked for.
pub(crate) struct CrlRequest {
    pub(crate) list: Option<String>,
    pub(crate) form: CrlForm,
    pub(crate) out: Option<PathBuf>,
    pub(crate) sign: bool,
}

/// The folder and the CA in it.
struct Ca {
    house: House,
    embedded: Embedded,
}

impl Ca {
    fn open(data: &Path, config: Option<&Path>) -> anyhow::Result<Self> {
        let house = House::open(data, config)?;
        let url = wire_up::public_url(&house.config, house.config.server.listen);
        let embedded = Embedded::open(&house.data, &house.config, &url)?;
        Ok(Self { house, embedded })
    }

    /// The list that `given` means, and who signs it: `root`, a share's number of the intermediate that issues, or a whole
    /// name.
    fn list_of(&self, given: &str) -> anyhow::Result<(&EmbeddedIssuer, String)> {
        let Embedded { current, retired } = &self.embedded;
        let short = current.crls().into_iter();
        let by_number = short
            .filter(|list| list.name.rsplit('/').next() == Some(given))
            .map(|list| (current, list.name));
        let by_name = [current].into_iter().chain(retired).flat_map(|issuer| {
            let lists = issuer.crls().into_iter();
            lists.map(move |list| (issuer, list.name))
        });
        let mut found = by_number.chain(by_name.filter(|(_, name)| name == given));
        found.next().with_context(|| {
            format!(
                "there is no list `{given}`: expected `root`, a number from 0 to {}, or a name such as {}/0",
                CRL_SHARDS - 1,
                current.id()
            )
        })
    }

    async fn sign(&self, issuer: &EmbeddedIssuer, name: &str) -> anyhow::Result<()> {
        let (store, actor) = (&self.house.store, console::actor());
        let clock = self.house.clock;
        let signing = crl::sign_now(store, issuer.name(), issuer, name, clock, &actor);
        let outcome = signing.await?;
        match outcome.failed.into_iter().next() {
            Some(failure) => bail!("the list `{name}`: {}", failure.error),
            None => Ok(()),
        }
    }
}

/// Shows the certificates and where their revocation lists are.
pub(crate) fn show(data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    let ca = Ca::open(data, config)?;
    let Embedded { current, retired } = &ca.embedded;
    let certificate = current.issuing().certificate();
    show_certificate("issuing certificate", certificate, &current.key_place());
    for issuer in retired.iter().rev() {
        let title = if issuer.holds_key() {
            "issued before"
        } else {
            "issued before, its key is not here"
        };
        show_certificate(title, issuer.issuing().certificate(), &issuer.key_place());
    }
    let certificate = current.root().certificate();
    show_certificate("root certificate", certificate, &current.root_key_place());
    console::line("revocation lists");
    for issuer in [current].into_iter().chain(retired.iter().rev()) {
        for list in issuer.crls() {
            if list.name.ends_with("/0") {
                console::line(format!(
                    "  leaves     {} and so on, {CRL_SHARDS} in all",
                    list.address
                ));
            } else if list.coverage == Coverage::Authorities {
                console::line(format!("  root       {}", list.address));
            }
        }
    }
    ca.house.store.close();
    Ok(())
}

fn show_certificate(title: &str, certificate: &Certificate, place: &KeyPlace) {
    let key = certificate.public_key();
    console::line(title);
    for (what, value) in [
        ("subject", certificate.subject().to_string()),
        ("serial", certificate.serial_hex()),
        ("valid from", format!("{:.0}", certificate.not_before())),
        ("valid to", format!("{:.0}", certificate.not_after())),
        (
            "key",
            format!("{} {} bits", key.algorithm().name(), key.size_bits()),
        ),
        ("kept", place.to_string()),
        ("SHA-256", hex::encode(certificate.sha256_fingerprint())),
    ] {
        console::line(format!("  {what:<11}{value}"));
    }
}

/// Lists all lists, or shows, writes or signs one.
pub(crate) async fn crl(
    data: &Path,
    config: Option<&Path>,
    request: CrlRequest,
) -> anyhow::Result<()> {
    let ca = Ca::open(data, config)?;
    let done = match &request.list {
        None => table(&ca).await,
        Some(list) => one(&ca, list, &request).await,
    };
    ca.house.store.close();
    done
}

async fn table(ca: &Ca) -> anyhow::Result<()> {
    let mut states = ca.house.store.crl_states().await?;
    // By number, as people count.
    states.sort_by_key(|state| (state.name.len(), state.name.clone()));
    console::line(format!(
        "{:<22} {:>15} {:>8}  {:<20}  {}",
        "list", "number", "revoked", "this update", "next update"
    ));
    for state in states {
        let (this_update, next_update) = (state.this_update, state.next_update);
        console::line(format!(
            "{:<22} {:>15} {:>8}  {this_update:.0}  {next_update:.0}",
            state.name, state.number, state.entries,
        ));
    }
    Ok(())
}

async fn one(ca: &Ca, list: &str, request: &CrlRequest) -> anyhow::Result<()> {
    let (issuer, name) = ca.list_of(list)?;
    if request.sign {
        ca.sign(issuer, &name).await?;
    }
    let Some(crl) = ca.house.store.crl(&name).await? else {
        bail!("the list `{name}` was not signed yet: a running server signs it, or `--sign` does");
    };
    let bytes = match request.form {
        CrlForm::Text => text(&crl)?.into_bytes(),
        CrlForm::Pem => pem("X509 CRL", &crl.der).into_bytes(),
        CrlForm::Der => crl.der,
    };
    if let Some(file) = &request.out {
        return save(file, &bytes).with_context(|| format!("{} cannot be written", file.display()));
    }
    console::raw(&bytes);
    Ok(())
}

/// Puts a list in the place of an earlier one in one step: whoever serves the file never sees half of it.
fn save(path: &Path, list: &[u8]) -> anyhow::Result<()> {
    let mode = match fs::metadata(path) {
        // In a pipe or a device nothing is lost.
        Ok(found) if !found.is_file() => return Ok(fs::write(path, list)?),
        Ok(found) => {
            ensure!(
                is_list(&fs::read(path)?),
                "it is there already and is no revocation list: choose another file"
            );
            found.permissions().mode() & 0o777
        }
        Err(error) if error.kind() == ErrorKind::NotFound => 0o644,
        Err(error) => return Err(error.into()),
    };
    // A link stays one.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    Ok(file::replace(&place, list, mode)?)
}

/// Whether `bytes` are what `ca crl` writes in one of its forms, or nothing.
fn is_list(bytes: &[u8]) -> bool {
    let begins = |text: &str| bytes.starts_with(text.as_bytes());
    bytes.is_empty()
        || begins(LIST)
        || begins("-----BEGIN X509 CRL-----")
        || reseal_pki::crl::Crl::from_der(bytes).is_ok()
}

fn text(crl: &Crl) -> anyhow::Result<String> {
    use std::fmt::Write as _;
    let read = reseal_pki::crl::Crl::from_der(&crl.der)?;
    let mut text = String::new();
    let state = &crl.state;
    writeln!(text, "{LIST}{}", state.name)?;
    for address in &state.addresses {
        writeln!(text, "address      {}", address.url)?;
    }
    writeln!(text, "number       {}", state.number)?;
    writeln!(text, "this update  {:.0}", read.this_update)?;
    writeln!(text, "next update  {:.0}", read.next_update)?;
    writeln!(text, "revoked      {}", read.entries.len())?;
    for entry in &read.entries {
        let reason = match entry.reason {
            None => "unspecified",
            Some(1) => "keyCompromise",
            Some(3) => "affiliationChanged",
            Some(4) => "superseded",
            Some(5) => "cessationOfOperation",
            Some(9) => "privilegeWithdrawn",
            Some(_) => "other",
        };
        let serial = hex::encode(&entry.serial);
        writeln!(text, "  {serial}  {:.0}  {reason}", entry.revoked_at)?;
    }
    Ok(text)
}
