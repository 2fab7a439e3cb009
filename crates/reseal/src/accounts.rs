//! `reseal customer …` and `reseal api-key …`: customers and their keys, straight in the database. A running
//! server sees every change at its next request.

use std::path::Path;

use anyhow::bail;
use reseal_lifecycle::clock::Clock;
use reseal_lifecycle::customer::{AccountStore as _, Customer, Role, check_handle, mint_key};
use reseal_lifecycle::store::StoreError;
use reseal_store::SqlStore;

use crate::console;
use crate::house::House;

/// A key that was just made.
pub(crate) struct NewKey {
    pub(crate) id: i64,
    /// What is shown once.
    pub(crate) text: String,
}

/// Customers and keys of one database.
pub(crate) struct Accounts {
    store: SqlStore,
    clock: Clock,
}

impl Accounts {
    pub(crate) fn new(store: SqlStore, clock: Clock) -> Self {
        Self { store, clock }
    }

    fn for_command(data: &Path, config: Option<&Path>) -> anyhow::Result<Self> {
        let House { store, clock, .. } = House::open(data, config)?;
        Ok(Self { store, clock })
    }

    /// The database itself.
    pub(crate) fn store(&self) -> &SqlStore {
        &self.store
    }

    /// Finishes what was begun.
    pub(crate) fn close(&self) {
        self.store.close();
    }

    /// Adds a customer.
    pub(crate) async fn add_customer(&self, handle: &str) -> anyhow::Result<()> {
        check_handle(handle)?;
        let customer = Customer {
            handle: handle.to_owned(),
            created: self.clock.now(),
        };
        match self
            .store
            .create_customer(customer, &console::actor())
            .await
        {
            Err(StoreError::Exists(_)) => bail!("the customer `{handle}` exists already"),
            other => Ok(other?),
        }
    }

    /// Makes a key for an existing customer.
    pub(crate) async fn add_key(
        &self,
        customer: &str,
        login: &str,
        role: Role,
    ) -> anyhow::Result<NewKey> {
        if !self.store.customer_exists(customer).await? {
            bail!(
                "there is no customer `{customer}`: make it with `reseal customer create {customer}`"
            );
        }
        let key = mint_key(customer, login)?;
        let now = self.clock.now();
        let id = self
            .store
            .add_api_key(
                customer,
                login,
                role,
                key.secret_hash,
                now,
                &console::actor(),
            )
            .await?;
        Ok(NewKey { id, text: key.text })
    }

    /// Whether there was such a key to be refused from now on.
    async fn revoke(&self, id: i64) -> Result<bool, StoreError> {
        let now = self.clock.now();
        self.store.revoke_api_key(id, now, &console::actor()).await
    }
}

pub(crate) async fn create_customer(
    data: &Path,
    config: Option<&Path>,
    handle: &str,
) -> anyhow::Result<()> {
    Accounts::for_command(data, config)?
        .add_customer(handle)
        .await
}

pub(crate) async fn list_customers(data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    for customer in Accounts::for_command(data, config)?
        .store
        .customers()
        .await?
    {
        console::line(format!(
            "{}\t{}",
            customer.handle,
            seconds(customer.created)
        ));
    }
    Ok(())
}

/// Prints the key and nothing else.
pub(crate) async fn create_key(
    data: &Path,
    config: Option<&Path>,
    customer: &str,
    login: &str,
    role: Role,
) -> anyhow::Result<()> {
    let accounts = Accounts::for_command(data, config)?;
    let key = accounts.add_key(customer, login, role).await?;
    let Err(error) = console::secret(&key.text) else {
        return Ok(());
    };
    accounts.revoke(key.id).await?;
    bail!(
        "the key could not be written to standard output, and nobody has it: it is revoked again ({error})"
    )
}

pub(crate) async fn list_keys(data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    for key in Accounts::for_command(data, config)?
        .store
        .api_keys()
        .await?
    {
        let state = match key.revoked {
            Some(at) => format!("revoked {}", seconds(at)),
            None => "active".to_owned(),
        };
        console::line(format!(
            "{}\t{}/{}\t{}\t{}\t{state}",
            key.id,
            key.customer,
            key.login,
            key.role.as_str(),
            seconds(key.created)
        ));
    }
    Ok(())
}

pub(crate) async fn revoke_key(data: &Path, config: Option<&Path>, id: i64) -> anyhow::Result<()> {
    let accounts = Accounts::for_command(data, config)?;
    if accounts.revoke(id).await? {
        return Ok(());
    }
    bail!("there is no key {id} that could be revoked: `reseal api-key list` shows all");
}

fn seconds(moment: jiff::Timestamp) -> String {
    format!("{moment:.0}")
}
