//! The ways in which rows are read.

use std::ops::ControlFlow;

use reseal_lifecycle::authorization::Authorization;
use reseal_lifecycle::store::StoreError;

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
