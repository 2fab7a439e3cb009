//! `reseal webhook …`: where customers' notifications are sent, straight in the database. A running server
//! sees every change at its next delivery.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use reseal_lifecycle::customer::AccountStore as _;
use reseal_lifecycle::notification::{NotificationStore as _, Webhook, WebhookSetting};
use reseal_validation::webhook::check_url;

use crate::house::House;
use crate::{console, wire_up};

/// Longest file with a secret, in bytes.
const LONGEST_FILE: usize = 4096;

/// What `set` was asked for.
pub(crate) struct Receiver {
    pub(crate) url: String,
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) username: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
}

async fn require_customer(house: &House, customer: &str) -> anyhow::Result<()> {
    if house.store.customer_exists(customer).await? {
        return Ok(());
    }
    bail!("there is no customer `{customer}`: `reseal customer list` shows all");
}

/// Sets a customer's webhook; prints the secret, and nothing else, when one was made.
pub(crate) async fn set(
    data: &Path,
    config: Option<&Path>,
    customer: &str,
    receiver: Receiver,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    require_customer(&house, customer).await?;
    let setting = WebhookSetting {
        url: receiver.url,
        secret: receiver.secret_file.as_deref().map(line_of).transpose()?,
        login: receiver.username,
        password: receiver.password_file.as_deref().map(line_of).transpose()?,
    };
    let key = wire_up::webhook_key(&house.data, &house.store).await?;
    let rules = wire_up::courier_settings(&house.config, Vec::new())?;
    let check = |url: &str| check_url(url, &rules);
    let prepared = setting.prepare(customer, &key, check, house.clock.now());
    let (webhook, made) = prepared.map_err(|error| anyhow!("{}", in_words(&error)))?;
    house.store.set_webhook(webhook, &console::actor()).await?;
    if let Some(secret) = made {
        console::line(secret);
    }
    Ok(())
}

/// Shows a customer's webhook, without its secrets.
pub(crate) async fn show(data: &Path, config: Option<&Path>, customer: &str) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let Some((webhook, waiting)) = house.store.webhook(customer).await? else {
        bail!("`{customer}` has no webhook: make it with `reseal webhook set`");
    };
    console::line(format!("url      {}", webhook.url));
    if let Some(username) = &webhook.login {
        console::line(format!("username {username}"));
    }
    console::line(format!("set      {:.0}", webhook.created));
    console::line(format!("waiting  {waiting}"));
    console::line(format!("state    {}", state(&webhook)));
    Ok(())
}

/// Removes a customer's webhook.
pub(crate) async fn remove(
    data: &Path,
    config: Option<&Path>,
    customer: &str,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let (now, actor) = (house.clock.now(), console::actor());
    if house.store.remove_webhook(customer, now, &actor).await? {
        return Ok(());
    }
    bail!("`{customer}` has no webhook: `reseal webhook list` shows all");
}

/// Lists all webhooks, without their secrets.
pub(crate) async fn list(data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    for webhook in House::open(data, config)?.store.webhooks().await? {
        console::line(format!(
            "{}\t{}\t{:.0}\t{}",
            webhook.customer,
            webhook.url,
            webhook.created,
            state(&webhook)
        ));
    }
    Ok(())
}

fn state(webhook: &Webhook) -> String {
    match (&webhook.last_error, webhook.failures) {
        (Some(reason), failures) if failures > 0 => format!(
            "failed {failures} times, next attempt {:.0}: {reason}",
            webhook.next_attempt
        ),
        _ => "ok".to_owned(),
    }
}

/// The text in a file, less one line end.
fn line_of(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    if text.len() > LONGEST_FILE {
        bail!(
            "{} has more than {LONGEST_FILE} bytes: is it another file?",
            path.display()
        );
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// Every violation, in the words of the command line.
fn in_words(error: &reseal_lifecycle::Error) -> String {
    if error.violations.is_empty() {
        return error.to_string();
    }
    let lines = error
        .violations
        .iter()
        .map(|violation| format!("--{}: {}", violation.field, violation.message));
    lines.collect::<Vec<_>>().join("\n")
}
