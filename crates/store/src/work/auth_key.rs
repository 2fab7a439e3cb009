//! The methods of [`AuthKeyStore`].

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_lifecycle::auth_key::{AuthKey, AuthKeyStore, VALIDITY};
use reseal_lifecycle::store::StoreError;

use super::find::many;
use super::rows::{self, millis};
use crate::SqlStore;
use crate::database::{Connection, params};
use crate::sql;

/// Old keys that a new one clears away: more than it adds, so that the table does not grow.
const FORGOTTEN_AT_ONCE: u32 = 10;

#[async_trait]
impl AuthKeyStore for SqlStore {
    async fn add_auth_key(&self, key: AuthKey, since: Timestamp) -> Result<AuthKey, StoreError> {
        self.writer
            .write(move |connection| add(connection, &key, since))
            .await
    }

    async fn auth_keys(
        &self,
        customer: &str,
        product: &str,
        csr: &[u8; 32],
        since: Timestamp,
    ) -> Result<Vec<AuthKey>, StoreError> {
        let (csr, customer, product) = (*csr, customer.to_owned(), product.to_owned());
        self.points
            .read(move |connection| usable(connection, &csr, &customer, &product, since))
            .await
    }
}

fn add(connection: &Connection, key: &AuthKey, since: Timestamp) -> Result<AuthKey, StoreError> {
    let usable = usable(connection, &key.csr, &key.customer, &key.product, since)?;
    // One from the future was made before the clock was set back, and proves nothing until then.
    let present = |known: &AuthKey| known.created <= key.created;
    if let Some(newest) = usable.into_iter().find(present) {
        return Ok(newest);
    }
    let dead = key
        .created
        .saturating_sub(VALIDITY)
        .unwrap_or(Timestamp::MIN);
    let values = params![millis(dead), FORGOTTEN_AT_ONCE];
    connection.execute_on_free(sql::auth_key::FORGET, values)?;
    let created = millis(key.created);
    let values = params![key.customer, key.product, key.csr, key.token, created];
    let id = connection.insert(sql::auth_key::INSERT, values)?;
    Ok(AuthKey { id, ..key.clone() })
}

fn usable(
    connection: &Connection,
    csr: &[u8; 32],
    customer: &str,
    product: &str,
    since: Timestamp,
) -> Result<Vec<AuthKey>, StoreError> {
    let values = params![csr, customer, product, millis(since)];
    many(
        connection,
        sql::auth_key::SELECT_USABLE,
        values,
        rows::auth_key,
    )
}
