//! `reseal ca …`: the CA's certificates, and its revocation lists as they stand in the database.
//!
//! - `lint`: a look at everything that was issued

mod lint;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use reseal_issuer::embedded::EmbeddedIssuer;
use reseal_lifecycle::crl::{self, Coverage, Crl, CrlStore as _};
use reseal_lifecycle::issuer::Issuer as _;
use reseal_pki::certificate::{Certificate, pem};

pub(crate) use lint::{LintRequest, lint};

use crate::args::CrlForm;
use crate::console;
use crate::house::House;
use crate::wire_up::{self, EMBEDDED};

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
    issuer: EmbeddedIssuer,
}

impl Ca {
    fn open(data: &Path, config: Option<&Path>) -> anyhow::Result<Self> {
        let house = House::open(data, config)?;
        let url = wire_up::public_url(&house.config, house.config.server.listen);
        let issuer = wire_up::embedded_issuer(&house.data, &house.config, &url)?;
        Ok(Self { house, issuer })
    }

    /// The name of the list that `given` means: `root`, a share's number, or a whole name.
    fn name_of(&self, given: &str) -> anyhow::Result<String> {
        let lists = self.issuer.crls();
        let found = lists
            .iter()
            .find(|list| list.name == given || list.name.rsplit('/').next() == Some(given));
        match found {
            Some(list) => Ok(list.name.clone()),
            None => bail!(
                "there is no list `{given}`: expected `root` or a number from 0 to {}",
                lists.len().saturating_sub(2)
            ),
        }
    }

    async fn sign(&self, name: &str) -> anyhow::Result<()> {
        let now = self.house.clock.now();
        let (store, actor) = (&self.house.store, console::actor());
        let signing = crl::sign_now(store, EMBEDDED, &self.issuer, name, now, &actor);
        let outcome = signing.await?;
        match outcome.failed.into_iter().next() {
            Some(failure) => bail!("the list `{name}`: {}", failure.error),
            None => Ok(()),
        }
    }
}

/// Shows the issuing certificate and the root.
pub(crate) fn show(data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    let ca = Ca::open(data, config)?;
    for (der, role) in ca.issuer.chain().iter().zip(["issuing", "root"]) {
        let certificate = Certificate::from_der(der)?;
        let key = certificate.public_key();
        console::line(format!("{role} certificate"));
        for (what, value) in [
            ("subject", certificate.subject().to_string()),
            ("serial", certificate.serial_hex()),
            ("valid from", format!("{:.0}", certificate.not_before())),
            ("valid to", format!("{:.0}", certificate.not_after())),
            (
                "key",
                format!("{} {} bits", key.algorithm().name(), key.size_bits()),
            ),
            ("SHA-256", hex::encode(certificate.sha256_fingerprint())),
        ] {
            console::line(format!("  {what:<11}{value}"));
        }
    }
    let lists = ca.issuer.crls();
    console::line("revocation lists");
    for list in lists.iter().filter(|list| list.name.ends_with("/0")) {
        let shares = lists.len() - 1;
        console::line(format!(
            "  leaves     {} and so on, {shares} in all",
            list.address
        ));
    }
    for list in lists
        .iter()
        .filter(|list| list.coverage == Coverage::Authorities)
    {
        console::line(format!("  root       {}", list.address));
    }
    ca.house.store.close();
    Ok(())
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
    let name = ca.name_of(list)?;
    if request.sign {
        ca.sign(&name).await?;
    }
    let Some(crl) = ca.house.store.crl(&name).await? else {
        bail!("the list `{name}` was not signed yet: a running server signs it, or `--sign` does");
    };
    let bytes = match request.form {
        CrlForm::Text => text(&crl)?.into_bytes(),
        CrlForm::Pem => pem("X509 CRL", &crl.der).into_bytes(),
        CrlForm::Der => crl.der,
    };
    match &request.out {
        Some(file) => std::fs::write(file, bytes)
            .with_context(|| format!("{} cannot be written", file.display())),
        None => std::io::stdout()
            .lock()
            .write_all(&bytes)
            .context("stdout cannot be written to"),
    }
}

fn text(crl: &Crl) -> anyhow::Result<String> {
    use std::fmt::Write as _;
    let read = reseal_pki::crl::Crl::from_der(&crl.der)?;
    let mut text = String::new();
    let state = &crl.state;
    writeln!(text, "list         {}", state.name)?;
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
