//! Runs the statements of a list.

use reseal_lifecycle::query::Page;
use reseal_lifecycle::store::StoreError;

use super::tally::Tally;
use crate::database::{self, Connection, Row, Value};
use crate::list::Select;

/// Reads the page that `select` asks for.
pub(crate) fn read<T>(
    connection: &Connection,
    select: &Select,
    tally: &Tally,
    row: fn(&Row<'_>) -> database::Result<T>,
) -> Result<Page<T>, StoreError> {
    let known = select.whole.as_ref().and_then(|whole| tally.known(whole));
    // Both statements see the same commit, so that the total fits the page.
    let _snapshot = connection.snapshot()?;
    let values: &[Value] = &select.row_values;
    let entities = match select.limit {
        Some(0) => Vec::new(),
        _ => connection.many(&select.rows, values, row)?,
    };
    let total = match known_total(select, entities.len()) {
        _ if !select.total => None,
        Some(total) => Some(total),
        None => Some(match &select.whole {
            Some(whole) => tally.count(connection, select, whole, known)?,
            None => count(connection, select)?,
        }),
    };
    Ok(Page { entities, total })
}

/// The total, where a page that is not full says it.
fn known_total(select: &Select, found: usize) -> Option<u64> {
    let is_last = select.limit.is_none_or(|limit| found < limit as usize);
    let is_past_the_end = found == 0 && select.offset > 0;
    (is_last && !is_past_the_end).then(|| select.offset + found as u64)
}

fn count(connection: &Connection, select: &Select) -> database::Result<u64> {
    let rows: Option<i64> =
        connection.one(&select.count, select.count_values(), |row| row.get(0))?;
    Ok(rows.unwrap_or_default().unsigned_abs())
}
