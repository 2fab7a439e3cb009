//! `reseal ca migrate-key`: keys that were made in files go into the token that is configured.

use std::path::Path;

use anyhow::{bail, ensure};
use reseal_issuer::embedded::{Migrated, Migration, TokenName};
use reseal_lifecycle::audit::AuditStore as _;
use reseal_lifecycle::fault;

use crate::audit::house;
use crate::config::CaKey;
use crate::console;
use crate::house::House;
use crate::wire_up;

/// Migrates every key of the CA that lies in a file here. A running server goes on with what it has in memory.
pub(crate) async fn migrate_key(data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let done = migrate(&house).await;
    house.store.close();
    done
}

async fn migrate(house: &House) -> anyhow::Result<()> {
    if house.config.ca.key == CaKey::Software {
        bail!(
            "`ca.key` is `software`: keys are migrated into a token, for which it has to be `pkcs11`. Out of a token none is \
             ever taken: for an intermediate whose key lies in a file, `reseal ca rotate` makes a new one"
        );
    }
    let keys = wire_up::Keys::of(&house.data, &house.config)?;
    let mut migration = Migration::prepare(&house.data.ca())?;
    let count = migration.files().count();
    ensure!(
        count > 0,
        "nothing to migrate: every key that is here is in the token already, and none leaves it. Another token gets keys by \
         its maker's means, or by `reseal ca rotate`"
    );
    while let Some(migrated) = migration.next(keys.access())? {
        fault::point(fault::Point::KeyTakenIn).await;
        replace(house, migrated).await?;
    }
    for line in [
        "Restart the server: until then it signs with what it has in memory. Where several share a database, copy the files \
         named above into the folder `ca` of each first.",
        "The old files are gone from the folder, and not from the disk, nor from backups: destroy those that you can. Whoever \
         had a copy, and what it was encrypted under, still has the key; one that was never outside a token comes by `reseal \
         ca rotate`.",
    ] {
        console::notice(line);
    }
    Ok(())
}

async fn replace(house: &House, migrated: Migrated) -> anyhow::Result<()> {
    let file = migrated.file().to_owned();
    let name = file.trim_end_matches(".key");
    let key = migrated.key();
    let label = key.label().to_owned();
    // Recorded first: what signs from now on must not be a secret.
    let (now, actor) = (house.clock.now(), console::actor());
    let certificate = migrated.authority().certificate();
    let entry = house::key_made(now, &actor, "ca.key.migrate", name, certificate);
    let entry = match key.token().name() {
        TokenName::Label(token) => entry.with("token", &**token),
        TokenName::Slot(slot) => entry.with("slot", slot.to_string()),
    };
    let entry = entry.with("label", &*label);
    house.store.append_audit(vec![entry]).await?;
    migrated.publish()?;
    console::line(format!("{file} is the key `{label}` in the token now"));
    Ok(())
}
