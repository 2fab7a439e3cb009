//! The methods of [`IssuedStore`].

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_lifecycle::certificate::CertificateId;
use reseal_lifecycle::issued::{Issued, IssuedStore};
use reseal_lifecycle::store::StoreError;

use super::columns::Columns;
use super::find::many;
use super::rows::millis;
use crate::SqlStore;
use crate::database::{self, Row, params};
use crate::sql;

#[async_trait]
impl IssuedStore for SqlStore {
    async fn issued(
        &self,
        issuer: &str,
        after: CertificateId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Issued>, StoreError> {
        let issuer = issuer.to_owned();
        self.duties
            .read(move |connection| {
                let values = params![after, millis(now), issuer, limit];
                many(connection, sql::certificate::SELECT_ISSUED, values, issued)
            })
            .await
    }
}

/// A row of [`crate::sql::certificate::SELECT_ISSUED`].
fn issued(row: &Row<'_>) -> database::Result<Issued> {
    let mut columns = Columns::of(row);
    Ok(Issued {
        certificate: columns.value()?,
        customer: columns.value()?,
        domain_name: columns.value()?,
        validation: columns.word()?,
        serial: columns.value()?,
        not_after: columns.moment()?,
        is_revoked: columns.value()?,
        signed: columns.moment()?,
        der: columns.value()?,
    })
}
