//! The methods of [`AccountStore`].

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::customer::{AccountStore, ApiKey, Customer, Role};
use reseal_lifecycle::store::StoreError;

use super::audit;
use super::find::{many, one};
use super::rows::{self, millis};
use crate::database::{params, unless_unique};
use crate::{SqlStore, sql};

#[async_trait]
impl AccountStore for SqlStore {
    async fn create_customer(&self, customer: Customer, actor: &str) -> Result<(), StoreError> {
        let object = format!("customer/{}", customer.handle);
        let entry = AuditEntry::new(customer.created, actor, "customer.create", object);
        self.writer
            .write(move |connection| {
                let values = params![customer.handle, millis(customer.created)];
                connection
                    .execute(sql::customer::INSERT, values)
                    .map_err(unless_unique("customer"))?;
                audit::note(connection, entry.clone())
            })
            .await
    }

    async fn customers(&self) -> Result<Vec<Customer>, StoreError> {
        self.duties
            .read(|connection| {
                many(
                    connection,
                    sql::customer::SELECT_ALL,
                    params![],
                    rows::customer,
                )
            })
            .await
    }

    async fn customer_exists(&self, handle: &str) -> Result<bool, StoreError> {
        let handle = handle.to_owned();
        self.points
            .read(move |connection| {
                let found = one(connection, sql::customer::EXISTS, [handle], |row| {
                    row.get::<i64>(0)
                })?;
                Ok(found.is_some())
            })
            .await
    }

    async fn add_api_key(
        &self,
        customer: &str,
        login: &str,
        role: Role,
        secret_hash: [u8; 32],
        now: Timestamp,
        actor: &str,
    ) -> Result<i64, StoreError> {
        let (customer, login) = (customer.to_owned(), login.to_owned());
        let entry = AuditEntry::new(now, actor, "api-key.create", "")
            .with("customer", customer.as_str())
            .with("login", login.as_str())
            .with("role", role.as_str());
        self.writer
            .write(move |connection| {
                let values = params![customer, login, role.as_str(), secret_hash, millis(now)];
                let id = connection
                    .insert(sql::api_key::INSERT, values)
                    .map_err(unless_unique("API key"))?;
                let object = format!("api-key/{id}");
                let entry = entry.clone();
                audit::note(connection, AuditEntry { object, ..entry })?;
                Ok(id)
            })
            .await
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.duties
            .read(|connection| {
                many(
                    connection,
                    sql::api_key::SELECT_ALL,
                    params![],
                    rows::api_key,
                )
            })
            .await
    }

    async fn revoke_api_key(
        &self,
        id: i64,
        now: Timestamp,
        actor: &str,
    ) -> Result<bool, StoreError> {
        let entry = AuditEntry::new(now, actor, "api-key.revoke", format!("api-key/{id}"));
        self.writer
            .write(move |connection| {
                let changed = connection.execute(sql::api_key::REVOKE, params![millis(now), id]);
                let found = changed? > 0;
                if found {
                    audit::note(connection, entry.clone())?;
                }
                Ok(found)
            })
            .await
    }

    async fn api_key(&self, secret_hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        let hash = *secret_hash;
        self.points
            .read(move |connection| {
                one(
                    connection,
                    sql::api_key::SELECT_UNREVOKED,
                    [hash],
                    rows::api_key,
                )
            })
            .await
    }
}
