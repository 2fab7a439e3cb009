//! The methods of [`AuthorizationStore`].

use async_trait::async_trait;
use reseal_lifecycle::authorization::{AuthorizationStore, Relied};
use reseal_lifecycle::query::{AuthorizationQuery, Page};
use reseal_lifecycle::store::StoreError;

use super::find::many;
use super::{page, rows};
use crate::{SqlStore, list, sql};

#[async_trait]
impl AuthorizationStore for SqlStore {
    async fn find_authorizations(
        &self,
        query: &AuthorizationQuery,
    ) -> Result<Page<Relied>, StoreError> {
        let select = list::authorizations(self.dialect, query)?;
        self.lists
            .read(move |connection| {
                let Page { entities, total } =
                    page::read(connection, &select, rows::authorization)?;
                let entities = entities.into_iter().map(|proof| {
                    let certificates = many(
                        connection,
                        sql::authorization::SELECT_RELIANCE,
                        [proof.id],
                        |row| Ok((row.get(0)?, row.get(1)?)),
                    )?;
                    Ok(Relied {
                        proof,
                        certificates,
                    })
                });
                let entities = entities.collect::<Result<_, StoreError>>()?;
                Ok(Page { entities, total })
            })
            .await
    }
}
