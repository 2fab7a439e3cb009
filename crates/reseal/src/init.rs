//! `reseal init`: everything a server needs, made once.
//!
//! A mark in DATA says that `init` is at work; it is made first and removed last, so that what a crash leaves
//! behind is told from a real server's folder and made anew. What is complete is never touched again.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use reseal_lifecycle::audit::AuditStore as _;
use reseal_lifecycle::clock::Clock;
use reseal_lifecycle::crl::{self, Coverage};
use reseal_lifecycle::customer::AccountStore as _;
use reseal_lifecycle::customer::Role;
use reseal_lifecycle::issuer::Issuer as _;
use reseal_lifecycle::product::DEFAULT_CATALOGUE;
use reseal_store::{PostgresUrl, Source};

use crate::accounts::Accounts;
use crate::audit::house;
use crate::clock::clock;
use crate::config::{self, Config, Flags};
use crate::console;
use crate::data::{DataFolder, State};
use crate::file;
use crate::house::{configured_source, open_source};
use crate::wire_up::{self, EMBEDDED, Embedded};

/// The operator's own customer.
pub(crate) const HOUSE: &str = "house";

/// Makes a server's folder, and prints the operator's key on stdout.
pub(crate) async fn run(data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    let data = DataFolder::new(data);
    data.make()?;
    let _lock = data.lock()?;
    if data.state() == State::Initialized {
        bail!(
            "{} is a server's folder already; nothing was changed. Another one needs another folder; a \
             further operator key is made by `reseal api-key create --customer {HOUSE} --role operator \
             --data {0}`",
            data.root().display()
        );
    }
    let plan = Plan::read(&data, config, &Flags::default())?;
    let url = wire_up::public_url(&plan.config, plan.config.server.listen);
    let key = initialize(&data, &plan, &url).await?;
    hand_over(&data, &key)
}

/// Shows the operator's key, the only time it can be.
pub(crate) fn hand_over(data: &DataFolder, key: &str) -> anyhow::Result<()> {
    console::notice(format!(
        "{} is a server's folder now.",
        data.root().display()
    ));
    console::notice("The operator's API key follows on stdout; it is shown this once.");
    console::secret(key).with_context(|| {
        format!(
            "the key could not be written to standard output, and nobody has it. Make another by `reseal api-key create \
             --customer {HOUSE} --role operator --data {0}`, and revoke the lost one: `reseal api-key list --data {0}` has \
             its number",
            data.root().display()
        )
    })
}

/// What a new server is to be.
pub(crate) struct Plan {
    pub(crate) config: Config,
    /// What `DATA/reseal.toml` will say.
    pub(crate) text: String,
}

impl Plan {
    /// By the file `given`, else by what lies in DATA, else by the defaults.
    pub(crate) fn read(
        data: &DataFolder,
        given: Option<&Path>,
        flags: &Flags,
    ) -> anyhow::Result<Self> {
        let own = data.config();
        let text = match given {
            Some(path) => {
                let text = config::portable(&config::read_file(path)?, path)?;
                if own.exists() && config::read_file(&own)? != text {
                    bail!(
                        "{} exists and differs from {}: remove one of them; nothing was changed",
                        own.display(),
                        path.display()
                    );
                }
                text
            }
            None if own.exists() => config::read_file(&own)?,
            None => config::TEMPLATE.to_owned(),
        };
        let config = Config::load(data.config_file(given).as_deref(), flags)?;
        Ok(Self { config, text })
    }
}

/// A database that has customers is another server's, or what an interrupted `init` left: nobody can tell which.
async fn require_empty(url: &PostgresUrl, source: &Source) -> anyhow::Result<()> {
    let store = open_source(source)?;
    ensure!(
        store.customers().await?.is_empty(),
        "{url} is the database of a server already; nothing was changed. Another node of that server gets a copy of its \
         folder instead of `init`. If it is what an interrupted `init` left, drop the database and create it anew"
    );
    store.close();
    Ok(())
}

/// Makes keys, CA, database and the operator's key, which is the answer. Certificates will point to `url`.
pub(crate) async fn initialize(
    data: &DataFolder,
    plan: &Plan,
    url: &str,
) -> anyhow::Result<String> {
    initialize_at(data, plan, url, clock(plan.config.policy.profile)?).await
}

/// The same by another clock.
pub(crate) async fn initialize_at(
    data: &DataFolder,
    plan: &Plan,
    url: &str,
    clock: Clock,
) -> anyhow::Result<String> {
    if let State::Damaged(what) = data.state() {
        bail!("{what}: restore the folder from a backup; nothing was changed");
    }
    let Plan { config, text } = plan;
    // Whatever can be refused is refused before the first file is made.
    wire_up::check_supported(config)?;
    let mailer = wire_up::mailer(data, config)?;
    wire_up::perspective(config, Vec::new())?;

    let source = configured_source(data, config)?;
    if let Source::Postgres(url) = &source {
        require_empty(url, &source).await?;
    }

    data.begin_init()?;
    data.discard_unfinished()?;
    file::write("the configuration", &data.config(), text.as_bytes(), 0o600)?;
    if !data.products().exists() {
        file::write(
            "the catalogue",
            &data.products(),
            DEFAULT_CATALOGUE.as_bytes(),
            0o644,
        )?;
    }
    wire_up::catalogue(data)?;
    wire_up::create_authority(data, config, url, clock)?;
    match &source {
        // Empty is as good as none for what opens it, and closed to others while it is filled.
        Source::Sqlite(path) => drop(file::create(path, 0o600)?),
        Source::Postgres(url) => file::write(
            "the mark of the database",
            &data.postgres_mark(),
            format!("{url}\n").as_bytes(),
            0o600,
        )?,
    }
    let accounts = Accounts::new(open_source(&source)?, clock);
    accounts.add_customer(HOUSE).await?;
    let key = accounts
        .add_key(HOUSE, "operator", Role::Operator)
        .await?
        .text;
    // The root's key may be taken away from here on: its list is signed while it is at hand.
    let issuer = Embedded::open(data, config, url)?.current;
    let coverage = Coverage::Authorities;
    let (store, now, actor) = (accounts.store(), clock.now(), console::actor());
    let made = house::keys_made(now, &actor, &issuer.chain())?;
    store.append_audit(made).await?;
    let signed = crl::sign_due(store, EMBEDDED, &issuer, coverage, clock, &actor).await?;
    if let Some(failure) = signed.failed.into_iter().next() {
        bail!("the list `{}`: {}", failure.list, failure.error);
    }
    accounts.close();
    if config.mail.url == "maildir" {
        // Makes the folder.
        mailer.probe().await?;
    }
    data.finish_init()?;
    Ok(key)
}
