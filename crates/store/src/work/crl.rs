//! The methods of [`CrlStore`].

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest;
use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::crl::{Crl, CrlState, CrlStore, Publication, Revoked};
use reseal_lifecycle::store::StoreError;

use super::audit::{Entry, append_all};
use super::find::{many, one};
use super::rows::{self, millis, reason_word};
use crate::SqlStore;
use crate::database::{Connection, params};
use crate::sql;

/// A publication with its addresses rendered.
struct Draft {
    publication: Publication,
    addresses: String,
    entry: Arc<Entry>,
}

#[async_trait]
impl CrlStore for SqlStore {
    async fn crl(&self, name: &str) -> Result<Option<Crl>, StoreError> {
        let name = name.to_owned();
        self.points
            .read(move |connection| one(connection, sql::crl::SELECT, [name], rows::crl))
            .await
    }

    async fn crl_states(&self) -> Result<Vec<CrlState>, StoreError> {
        self.lists
            .read(|connection| many(connection, sql::crl::SELECT_ALL, params![], rows::crl_state))
            .await
    }

    async fn unlisted_endings(&self, issuer: &str) -> Result<Vec<u8>, StoreError> {
        let issuer = issuer.to_owned();
        self.points
            .read(move |connection| {
                many(connection, sql::crl::SELECT_UNLISTED, [issuer], |row| {
                    row.get(0).map(|[ending]: [u8; 1]| ending)
                })
            })
            .await
    }

    async fn revoked(&self, issuer: &str, ending: u8) -> Result<Vec<Revoked>, StoreError> {
        let issuer = issuer.to_owned();
        self.lists
            .read(move |connection| {
                let values = params![issuer, [ending]];
                many(connection, sql::crl::SELECT_ENTRIES, values, rows::revoked)
            })
            .await
    }

    async fn publish_crls(
        &self,
        issuer: &str,
        publications: Vec<Publication>,
        actor: &str,
    ) -> Result<(), StoreError> {
        let issuer = issuer.to_owned();
        let drafts = publications
            .into_iter()
            .map(|publication| Draft::new(publication, &issuer, actor))
            .collect::<Result<Vec<_>, _>>()?;
        self.writer
            .write(move |connection| {
                drafts
                    .iter()
                    .try_for_each(|draft| draft.write(connection, &issuer))
            })
            .await
    }
}

impl Draft {
    fn new(publication: Publication, issuer: &str, actor: &str) -> Result<Self, StoreError> {
        let state = &publication.crl.state;
        let digest = digest::digest(&digest::SHA256, &publication.crl.der);
        let object = format!("crl/{}", state.name);
        let entry = AuditEntry::new(state.this_update, actor, "crl.sign", object)
            .with("issuer", issuer)
            .with("number", state.number)
            .with("revoked", state.entries)
            .with("sha256", hex::encode(digest));
        let addresses =
            serde_json::to_string(&publication.crl.state.addresses).map_err(|error| {
                StoreError::Fault(format!("a list's addresses cannot be stored: {error}"))
            })?;
        Ok(Self {
            entry: Entry::new(entry)?,
            publication,
            addresses,
        })
    }

    fn write(&self, connection: &Connection, issuer: &str) -> Result<(), StoreError> {
        let Publication {
            crl,
            replaces,
            listed,
            dropped,
        } = &self.publication;
        let state = &crl.state;
        let number = state.number.cast_signed();
        let (this_update, next_update) = (millis(state.this_update), millis(state.next_update));
        let entries = state.entries.cast_signed();
        let stored = match replaces {
            None => {
                let values = params![
                    state.name,
                    number,
                    this_update,
                    next_update,
                    entries,
                    self.addresses,
                    crl.der
                ];
                connection.execute(sql::crl::INSERT, values)
            }
            Some(replaced) => {
                let values = params![
                    number,
                    this_update,
                    next_update,
                    entries,
                    self.addresses,
                    crl.der,
                    state.name,
                    replaced.cast_signed()
                ];
                connection.execute(sql::crl::REPLACE, values)
            }
        };
        if stored? == 0 {
            return Err(StoreError::Stale);
        }
        for (serial, reason) in listed {
            let reason = reason.map(reason_word);
            let values = params![number, issuer, ending(serial), serial, reason];
            connection.send(sql::crl::LIST, values)?;
        }
        for serial in dropped {
            let values = params![issuer, ending(serial), serial];
            connection.send(sql::crl::DROP, values)?;
        }
        append_all(connection, std::slice::from_ref(&self.entry));
        Ok(())
    }
}

/// The last byte of a serial number, as a column.
pub(super) fn ending(serial: &[u8]) -> &[u8] {
    serial.last_chunk::<1>().map_or(&[], |last| &last[..])
}
