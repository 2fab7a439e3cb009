//! The ways in which rows are read.

use reseal_lifecycle::authorization::Authorization;
use reseal_lifecycle::store::StoreError;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::fault::store_error;
use super::rows;
use crate::sql;

/// The row that `sql` finds, if any.
pub(crate) fn one<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut select| select.query_row(values, read).optional())
        .map_err(|error| store_error(&error))
}

/// The number that `sql` finds, if any.
pub(crate) fn number(
    connection: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<Option<i64>, StoreError> {
    one(connection, sql, values, |row| row.get(0))
}

/// All rows that `sql` finds.
pub(crate) fn many<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut select| select.query_map(values, read)?.collect())
        .map_err(|error| store_error(&error))
}

/// Of each method, name and reach the newest: rows come in that order, the newest first.
pub(crate) fn newest_authorizations(
    connection: &Connection,
    customer: &str,
    adns: &[String],
) -> Result<Vec<Authorization>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Authorization>> {
        let mut select = connection.prepare_cached(sql::authorization::SELECT_BY_NAME)?;
        let mut newest: Vec<Authorization> = Vec::new();
        for (index, adn) in adns.iter().enumerate() {
            if adns[..index].contains(adn) {
                continue;
            }
            let mut found = select.query(params![customer, adn])?;
            while let Some(row) = found.next()? {
                let authorization = rows::authorization(row)?;
                let is_older = newest.last().is_some_and(|last| {
                    last.adn == authorization.adn
                        && last.method == authorization.method
                        && last.only_itself == authorization.only_itself
                });
                if !is_older {
                    newest.push(authorization);
                }
            }
        }
        Ok(newest)
    };
    read().map_err(|error| store_error(&error))
}
