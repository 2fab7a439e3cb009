//! Runs the statements of a list.

use reseal_lifecycle::query::Page;
use reseal_lifecycle::store::StoreError;
use rusqlite::types::Value;
use rusqlite::{CachedStatement, Connection, Row, Statement, params_from_iter};

use super::fault::store_error;
use crate::list::Select;

/// Longer texts come from unusual filters, and would only push others out of the cache.
const LONGEST_CACHED: usize = 4096;

/// Reads the page that `select` asks for.
pub(crate) fn read<T>(
    connection: &Connection,
    select: &Select,
    row: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Page<T>, StoreError> {
    read_in_snapshot(connection, select, row).map_err(|error| store_error(&error))
}

fn read_in_snapshot<T>(
    connection: &Connection,
    select: &Select,
    row: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Page<T>> {
    // Both statements see the same commit, so that the total fits the page. Rolled back when dropped.
    let _snapshot = connection.unchecked_transaction()?;
    let entities = match select.limit {
        Some(0) => Vec::new(),
        _ => with(connection, &select.rows, |statement| {
            statement
                .query_map(params_from_iter(&select.row_values), row)?
                .collect()
        })?,
    };
    let total = match known_total(select, entities.len()) {
        _ if !select.total => None,
        Some(total) => Some(total),
        None => Some(count(connection, select)?),
    };
    Ok(Page { entities, total })
}

/// The total, where a page that is not full says it.
fn known_total(select: &Select, found: usize) -> Option<u64> {
    let is_last = select.limit.is_none_or(|limit| found < limit as usize);
    let is_past_the_end = found == 0 && select.offset > 0;
    (is_last && !is_past_the_end).then(|| select.offset + found as u64)
}

fn count(connection: &Connection, select: &Select) -> rusqlite::Result<u64> {
    let values: &[Value] = &select.row_values[..select.count_values];
    let rows: i64 = with(connection, &select.count, |statement| {
        statement.query_row(params_from_iter(values), |row| row.get(0))
    })?;
    Ok(rows.unsigned_abs())
}

fn with<T>(
    connection: &Connection,
    sql: &str,
    run: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    if sql.len() > LONGEST_CACHED {
        return run(&mut connection.prepare(sql)?);
    }
    let mut statement: CachedStatement<'_> = connection.prepare_cached(sql)?;
    run(&mut statement)
}
