//! The methods of [`TransparencyStore`], and what a step writes of precertificates.

use async_trait::async_trait;
use reseal_lifecycle::process::ProcessId;
use reseal_lifecycle::store::StoreError;
use reseal_lifecycle::transparency::{Precertificate, TransparencyStore};

use super::columns::Columns;
use super::find::one;
use super::rows::millis;
use crate::SqlStore;
use crate::database::{self, Connection, Row, params, unless_unique};
use crate::sql;

#[async_trait]
impl TransparencyStore for SqlStore {
    async fn precertificate(
        &self,
        process: ProcessId,
    ) -> Result<Option<Precertificate>, StoreError> {
        self.points
            .read(move |connection| {
                let select = sql::precertificate::SELECT_BY_PROCESS;
                one(connection, select, [process], precertificate)
            })
            .await
    }
}

/// Records what `process` has signed.
pub(super) fn write(
    connection: &Connection,
    signed: &Precertificate,
    process: ProcessId,
) -> Result<(), StoreError> {
    let values = params![
        process,
        signed.serial,
        signed.issuer,
        signed.der,
        millis(signed.created)
    ];
    connection
        .execute(sql::precertificate::INSERT, values)
        .map_err(unless_unique("precertificate"))?;
    Ok(())
}

/// A row of [`crate::sql::precertificate::SELECT_BY_PROCESS`].
fn precertificate(row: &Row<'_>) -> database::Result<Precertificate> {
    let mut columns = Columns::of(row);
    Ok(Precertificate {
        serial: columns.value()?,
        issuer: columns.value()?,
        der: columns.value()?,
        created: columns.moment()?,
    })
}
