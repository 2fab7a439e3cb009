//! The ways in which rows are read.

use std::ops::ControlFlow;

use reseal_lifecycle::authorization::Authorization;
use reseal_lifecycle::import;
use reseal_lifecycle::store::{KeyHistory, StoreError};

use super::rows;
use crate::database::{self, Connection, Row, Values, params};
use crate::sql;

/// The row that `sql` finds, if any.
pub(crate) fn one<T>(
    connection: &Connection,
    sql: &str,
    values: impl Values,
    read: fn(&Row<'_>) -> database::Result<T>,
) -> Result<Option<T>, StoreError> {
    Ok(connection.one(sql, values, read)?)
}

/// The number that `sql` finds, if any.
pub(crate) fn number(
    connection: &Connection,
    sql: &str,
    values: impl Values,
) -> Result<Option<i64>, StoreError> {
    one(connection, sql, values, |row| row.get(0))
}

/// All rows that `sql` finds.
pub(crate) fn many<T>(
    connection: &Connection,
    sql: &str,
    values: impl Values,
    read: fn(&Row<'_>) -> database::Result<T>,
) -> Result<Vec<T>, StoreError> {
    Ok(connection.many(sql, values, read)?)
}

/// What is known of a key: the SHA-256 of its SubjectPublicKeyInfo.
pub(crate) fn key_history(
    connection: &Connection,
    customer: &str,
    spki_sha256: &[u8],
) -> Result<KeyHistory, StoreError> {
    let history = one(
        connection,
        sql::blocked_key::SELECT_HISTORY,
        params![spki_sha256, customer, import::ISSUER],
        |row| {
            Ok(KeyHistory {
                blocked: row.get(0)?,
                used_by_another_customer: row.get(1)?,
            })
        },
    )?;
    history.ok_or_else(|| StoreError::Fault("a query over two facts returned none".to_owned()))
}

/// Of each method, name and reach the newest: rows come in that order, the newest first.
pub(crate) fn newest_authorizations(
    connection: &Connection,
    customer: &str,
    adns: &[String],
) -> Result<Vec<Authorization>, StoreError> {
    let mut newest: Vec<Authorization> = Vec::new();
    for (index, adn) in adns.iter().enumerate() {
        if adns[..index].contains(adn) {
            continue;
        }
        let values = params![customer, adn];
        connection.each(sql::authorization::SELECT_BY_NAME, values, |row| {
            let authorization = rows::authorization(row)?;
            let is_older = newest.last().is_some_and(|last| {
                last.adn == authorization.adn
                    && last.method == authorization.method
                    && last.only_itself == authorization.only_itself
            });
            if !is_older {
                newest.push(authorization);
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(newest)
}
