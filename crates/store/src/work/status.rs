//! The methods of [`StatusStore`].

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_lifecycle::certificate::RevocationReason;
use reseal_lifecycle::ocsp::{Known, Signed, StatusStore};
use reseal_lifecycle::store::StoreError;

use super::columns::Columns;
use super::crl::ending;
use super::find::one;
use crate::SqlStore;
use crate::database::{self, Connection, Row, params};
use crate::sql;

type Revocation = (Timestamp, Option<RevocationReason>);

#[async_trait]
impl StatusStore for SqlStore {
    async fn known(&self, issuer: &str, serial: &[u8]) -> Result<Option<Known>, StoreError> {
        let (issuer, serial) = (issuer.to_owned(), serial.to_vec());
        self.points
            .read(move |connection| known(connection, &issuer, &serial))
            .await
    }
}

fn known(
    connection: &Connection,
    issuer: &str,
    serial: &[u8],
) -> Result<Option<Known>, StoreError> {
    let values = params![serial, issuer];
    let stored = one(connection, sql::certificate::SELECT_STATUS, values, stored)?;
    if let Some((der, None)) = stored {
        return Ok(Some(Known {
            signed: Signed::Certificate(der),
            revocation: None,
        }));
    }
    // The list has the last word on the reason; entries go when their certificate is long over.
    let values = params![issuer, ending(serial), serial];
    let listed = one(connection, sql::crl::SELECT_ENTRY, values, listed)?;
    if let Some((der, revocation)) = stored {
        return Ok(Some(Known {
            signed: Signed::Certificate(der),
            revocation: listed.or(revocation),
        }));
    }
    let Some(revocation) = listed else {
        // Signed, and not yet followed by its certificate: it counts all the same (P-8). One that never was is on the list
        // until it has expired, and nobody is told then that it is good.
        let select = sql::precertificate::SELECT_DER;
        let values = params![serial, issuer];
        let signed = one(connection, select, values, |row| row.get::<Vec<u8>>(0))?;
        return Ok(signed.map(|der| Known {
            signed: Signed::Precertificate(der),
            revocation: None,
        }));
    };
    let tbs = one(connection, sql::reservation::SELECT_TBS, [serial], |row| {
        row.get::<Vec<u8>>(0)
    })?;
    Ok(Some(Known {
        signed: Signed::Lost(tbs),
        revocation: Some(revocation),
    }))
}

/// A row of [`crate::sql::certificate::SELECT_STATUS`].
fn stored(row: &Row<'_>) -> database::Result<(Vec<u8>, Option<Revocation>)> {
    let mut columns = Columns::of(row);
    let der = columns.value()?;
    let at = columns.optional_moment()?;
    let reason = columns.optional_word()?;
    Ok((der, at.map(|at| (at, reason))))
}

/// A row of [`crate::sql::crl::SELECT_ENTRY`].
fn listed(row: &Row<'_>) -> database::Result<Revocation> {
    let mut columns = Columns::of(row);
    Ok((columns.moment()?, columns.optional_word()?))
}
