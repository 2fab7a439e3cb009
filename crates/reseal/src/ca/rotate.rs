//! `reseal ca rotate`: another intermediate, which issues from the next start of the server on; and the steps of it when
//! the root's key is on another host.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use reseal_issuer::embedded::{
    Rotation, RotationSettings, request_intermediate, sign_intermediate as sign,
};
use reseal_lifecycle::audit::{AuditEntry, AuditStore as _};
use reseal_lifecycle::crl::{CrlState, CrlStore as _};

use super::Ca;
use crate::audit::house;
use crate::clock::clock;
use crate::config::{Config, Flags};
use crate::console;
use crate::data::DataFolder;
use crate::house::House;
use crate::wire_up::{self, Embedded};

/// How the root comes to sign.
pub(crate) enum Rotate {
    /// Its key is here.
    AtOnce,
    /// It is somewhere else: a request goes into this file.
    Request(PathBuf),
    /// It has signed the certificate in this file.
    Certificate(PathBuf),
}

/// Makes it, records that, and says what has to be done now. Running servers notice nothing.
pub(crate) async fn rotate(data: &Path, config: Option<&Path>, way: Rotate) -> anyhow::Result<()> {
    let ca = Ca::open(data, config)?;
    let done = match way {
        Rotate::Request(file) => request(&ca, &file).await,
        Rotate::AtOnce => add(&ca, None).await,
        Rotate::Certificate(file) => add(&ca, Some(&file)).await,
    };
    ca.house.store.close();
    done
}

/// Signs the certificate for the request in `request`; DATA is that of the host with the root's key.
pub(crate) fn sign_intermediate(
    data: &Path,
    config: Option<&Path>,
    request: &Path,
    out: &Path,
) -> anyhow::Result<()> {
    let data = DataFolder::new(data);
    let config = Config::load(data.config_file(config).as_deref(), &Flags::default())?;
    let url = config.server.public_url.as_deref().context(
        "`server.public_url` is not set here: the certificate points below it for ever, so that it must be that of the host \
         that issues",
    )?;
    let keys = wire_up::Keys::of(&data, &config)?;
    let settings = RotationSettings {
        algorithm: config.ca.algorithm,
        access: keys.access(),
        public_url: url,
    };
    let now = clock(config.policy.profile)?.now();
    let made = sign(&data.ca(), &read(request)?, &settings, now)?;
    let certificate = made.certificate();
    write(out, &certificate.pem())?;
    console::line(format!(
        "{} until {:.0}",
        certificate.subject(),
        certificate.not_after()
    ));
    console::line(format!(
        "key     {}",
        hex::encode(certificate.public_key().spki_sha256())
    ));
    console::line(format!(
        "SHA-256 {}",
        hex::encode(certificate.sha256_fingerprint())
    ));
    console::notice(
        "Compare the key with what the host that issues shows, and note both in the minutes of the ceremony.",
    );
    Ok(())
}

async fn request(ca: &Ca, file: &Path) -> anyhow::Result<()> {
    let house = &ca.house;
    require_settled(&ca.embedded, &house.store.crl_states().await?)?;
    ensure!(!file.exists(), "{} exists already", file.display());
    let keys = wire_up::Keys::of(&house.data, &house.config)?;
    let (folder, now) = (house.data.ca(), house.clock.now());
    let algorithm = house.config.ca.algorithm;
    let made = request_intermediate(&folder, algorithm, keys.access(), now)?;
    let key = hex::encode(made.key_sha256);
    let object = format!("ca/intermediate-{}", made.id);
    let entry = AuditEntry::new(now, console::actor(), "ca.key.create", object);
    let entry = entry.with("algorithm", algorithm.name()).with("key", &*key);
    house.store.append_audit(vec![entry]).await?;
    write(file, &made.request)?;
    console::line(format!("key     {key}"));
    console::notice(format!(
        "Made {} in {}. Nothing has changed until its certificate is here: take {} to the host with the root's key \
         (`reseal ca sign-intermediate`), and come back with `reseal ca rotate --certificate FILE`.",
        made.key_file,
        folder.display(),
        file.display()
    ));
    Ok(())
}

/// A rotation with the root's key, or with what it has signed in the file `signed`.
fn rotation(ca: &Ca, signed: Option<&Path>) -> anyhow::Result<Rotation> {
    let House {
        data,
        config,
        clock,
        ..
    } = &ca.house;
    let (url, keys) = (
        wire_up::public_url(config, config.server.listen),
        wire_up::Keys::of(data, config)?,
    );
    let (folder, now) = (data.ca(), clock.now());
    if let Some(file) = signed {
        let text = read(file)?;
        return Ok(Rotation::with_certificate(
            &folder,
            &text,
            keys.access(),
            now,
        )?);
    }
    let settings = RotationSettings {
        algorithm: config.ca.algorithm,
        access: keys.access(),
        public_url: &url,
    };
    Ok(Rotation::prepare(&folder, &settings, now)?)
}

async fn add(ca: &Ca, signed: Option<&Path>) -> anyhow::Result<()> {
    let house = &ca.house;
    require_settled(&ca.embedded, &house.store.crl_states().await?)?;
    let rotation = rotation(ca, signed)?;
    let id = rotation.id();
    let made = rotation.certificate().certificate().clone();
    let name = format!("intermediate-{id}");
    // Recorded first: a key of which there is no record must not be there.
    let action = match signed {
        None => "ca.key.create",
        Some(_) => "ca.certificate.add",
    };
    let entry = house::key_made(house.clock.now(), &console::actor(), action, &name, &made);
    house.store.append_audit(vec![entry]).await?;
    rotation.publish()?;
    console::line(format!("{} until {:.0}", made.subject(), made.not_after()));
    let folder = house.data.ca();
    for line in [
        format!("Made {name}.pem and {name}.key in {}.", folder.display()),
        "It issues from the next start of the server on: restart it. Until then nothing changes.".to_owned(),
        "Where several servers share a database: copy both files into the folder `ca` of each first, then restart one after \
         the other."
            .to_owned(),
        "Certificates that were issued before stay good, with the chain and the revocation lists that they have. Leave the old \
         key where it is: it signs those lists until the last of them has ended."
            .to_owned(),
        "Make a backup, and take the root's key away again.".to_owned(),
    ] {
        console::notice(line);
    }
    Ok(())
}

/// Refuses to rotate what was rotated already, and a folder that is behind that of another node.
fn require_settled(embedded: &Embedded, states: &[CrlState]) -> anyhow::Result<()> {
    if let Some(id) = embedded.unknown_ids(states).first() {
        bail!(
            "the CA is not rotated: another server has the intermediate {id}, which is not in this folder: copy its two files \
             here first"
        );
    }
    let current = &embedded.current;
    let lists = format!("{}/", current.id());
    ensure!(
        embedded.retired.is_empty() || states.iter().any(|state| state.name.starts_with(&lists)),
        "the CA is not rotated: it was already, at {:.0}, and no server was started since: `{}` has not issued yet",
        current.issuing().not_before(),
        current.issuing().certificate().subject()
    );
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// Writes a file that was not there before.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let attempt = || {
        let mut opened = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(file)?;
        opened.write_all(text.as_bytes())?;
        opened.sync_all()
    };
    attempt().with_context(|| format!("{} cannot be written", file.display()))
}
