//! When entries beside a moment were recorded, by halving: there is no index by moment, which nothing else would use.

use jiff::Timestamp;
use reseal_lifecycle::store::StoreError;

use super::super::find::{number, one};
use crate::database::{Connection, params};
use crate::sql;

/// The moments of the last entry recorded at `moment` or before, and of the entry behind it.
pub(super) fn around(
    connection: &Connection,
    moment: i64,
) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
    let ends = one(connection, sql::audit::SELECT_ENDS, params![], |row| {
        Ok((row.get(0)?, row.get::<Option<i64>>(1)?))
    })?;
    let Some((Some(first), Some(last))) = ends else {
        return Ok((None, None));
    };
    let at = |id: i64| number(connection, sql::audit::SELECT_MOMENT, [id]);
    // Entries from `low` on are recorded later, those before are not.
    let (mut low, mut high): (i64, i64) = (first, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if at(middle)?.is_some_and(|at| at > moment) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let moment = |at: Option<i64>| at.and_then(|at| Timestamp::from_millisecond(at).ok());
    Ok((moment(at(low - 1)?), moment(at(low)?)))
}
