//! `reseal issuer …`: the accounts at issuers elsewhere, and orders that they say nothing of, straight in the database. A
//! running server sees what has changed with the next thing that it asks of the issuer.

use std::path::Path;

use anyhow::{anyhow, bail};
use reseal_lifecycle::issuance;
use reseal_lifecycle::process::ProcessId;
use reseal_lifecycle::upstream::{Accounts, KeyChange, NoAccount, UpstreamStore as _};

use crate::house::House;
use crate::{console, wire_up};

/// Lists them, a line each.
pub(crate) async fn list(data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    for issuer in &house.config.issuers {
        let (name, directory) = (&issuer.name, &issuer.directory);
        let customers = house.store.upstream_customers(name, directory).await?;
        if customers.is_empty() {
            console::line(format!("{name}\t{directory}\t\tno account yet"));
        }
        for customer in customers {
            let account = house.store.upstream_account(name, directory, &customer);
            let Some(account) = account.await? else {
                continue;
            };
            let url = account.url.unwrap_or_else(|| "no answer yet".to_owned());
            let key = match account.next {
                None => format!("key of {:.0}", account.created),
                Some(_) => "another key is being introduced".to_owned(),
            };
            console::line(format!("{name}\t{directory}\t{customer}\t{url}\t{key}"));
        }
    }
    Ok(())
}

/// Gives the accounts at `name` other keys, or that of one `customer`. An account whose change fails keeps no other from its
/// own.
pub(crate) async fn rollover(
    data: &Path,
    config: Option<&Path>,
    name: &str,
    customer: Option<String>,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let upstreams = wire_up::upstreams(&house.config)?;
    let Some(upstream) = upstreams.get(name) else {
        bail!("there is no `[issuer.{name}]`: `reseal issuer list` shows all");
    };
    let accounts = Accounts {
        store: &house.store,
        key: &wire_up::webhook_key(&house.data, &house.store).await?,
        clock: house.clock,
    };
    let directory = upstream.directory();
    let customers = match customer {
        Some(customer) => vec![customer],
        None => house.store.upstream_customers(name, directory).await?,
    };
    if customers.is_empty() {
        bail!(
            "there is no account at `{name}` yet: one is made, with its key, when it is first needed"
        );
    }
    let (mut failed, actor) = (0, console::actor());
    for customer in &customers {
        let account = format!("the account of `{customer}` at `{name}`");
        let changed = accounts.change_key(name, upstream, customer, &actor);
        match changed.await.map_err(in_words) {
            Ok(KeyChange::Done) => console::line(format!("{account} has another key")),
            Ok(KeyChange::DoneBefore) => console::line(format!(
                "{account} has the key of a change that was begun before"
            )),
            Ok(KeyChange::NoAccount) => {
                failed += 1;
                console::notice(format!(
                    "{account} is not there: it is made, with its key, when it is first needed"
                ));
            }
            Err(error) => {
                failed += 1;
                console::notice(format!("{account}: {error}"));
            }
        }
    }
    if failed > 0 {
        bail!("{failed} of {} accounts have no other key", customers.len());
    }
    Ok(())
}

/// Ends the doubt about process `id`. A running server that asks about the order at that moment finds it ended.
pub(crate) async fn give_up(
    data: &Path,
    config: Option<&Path>,
    id: ProcessId,
    reason: &str,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let (actor, now) = (console::actor(), house.clock.now());
    issuance::give_up(&house.store, &actor, id, reason, now)
        .await
        .map_err(|error| anyhow!("process {id}: {}", error.message))?;
    console::line(format!("process {id} has failed"));
    Ok(())
}

fn in_words(error: NoAccount) -> anyhow::Error {
    match error {
        NoAccount::Own(error) => anyhow!("{}", error.message),
        NoAccount::Upstream(error) => anyhow!(
            "{error}. The account can be used as before or with the new key, as the issuer says when it is asked: run the \
             command again to bring the change to its end"
        ),
    }
}
