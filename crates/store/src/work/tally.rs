//! How many rows a list has, without counting them anew each time.
//!
//! Certificates, processes and notifications stay, and stay their customer's, and new ones have higher numbers. So what was
//! counted once is remembered up to a number, and only what came behind it is counted.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::database::{self, Connection, Dialect, Value, params};
use crate::list::{Select, Whole};

/// Numbers behind the newest that others may still be about to commit, where there is more than one writer: at 3,000 a
/// second a transaction would have to last longer than it may be idle.
const UNDER_WAY: i64 = 200_000;
/// Lists that are remembered; more than that were asked for by nobody at the same time.
const MOST: usize = 20_000;

/// What was counted so far.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<HashMap<Whole, Counted>>);

/// Rows up to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    through: i64,
    rows: u64,
}

impl Tally {
    /// What is known of the rows of `whole`. Asked before the moment that is read begins: nothing of it is later then.
    pub(crate) fn known(&self, whole: &Whole) -> Option<Counted> {
        self.lock().get(whole).copied()
    }

    fn remember(&self, whole: &Whole, counted: Counted) {
        let mut all = self.lock();
        if all.len() >= MOST && !all.contains_key(whole) {
            all.clear();
        }
        let known = all.entry(whole.clone()).or_insert(counted);
        if known.through < counted.through {
            *known = counted;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Whole, Counted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts all rows of `select`, which are those of `whole`.
    pub(crate) fn count(
        &self,
        connection: &Connection,
        select: &Select,
        whole: &Whole,
        known: Option<Counted>,
    ) -> database::Result<u64> {
        let total = match known {
            Some(known) => known.rows + behind(connection, select, known.through)?,
            None => count(connection, &select.count, select.count_values())?,
        };
        let newest = format!("SELECT MAX(id) FROM {}", whole.table);
        let newest: Option<Option<i64>> = connection.one(&newest, params![], |row| row.get(0))?;
        let newest = newest.flatten().unwrap_or(0);
        let through = match connection.dialect() {
            Dialect::Sqlite => newest,
            Dialect::Postgres => newest - UNDER_WAY,
        };
        if through > known.map_or(0, |known| known.through) {
            let later = if through < newest {
                behind(connection, select, through)?
            } else {
                0
            };
            let rows = total.saturating_sub(later);
            self.remember(whole, Counted { through, rows });
        }
        Ok(total)
    }
}

/// Rows with numbers above `through`.
fn behind(connection: &Connection, select: &Select, through: i64) -> database::Result<u64> {
    let mut values = select.count_values().to_vec();
    values.push(Value::Integer(through));
    count(connection, &select.count_behind, &values)
}

fn count(connection: &Connection, sql: &str, values: &[Value]) -> database::Result<u64> {
    let rows: Option<i64> = connection.one(sql, values, |row| row.get(0))?;
    Ok(rows.unwrap_or_default().unsigned_abs())
}

#[cfg(test)]
impl Tally {
    /// Up to which number the rows of `whole` are known, and how many they are.
    pub(crate) fn remembered(&self, whole: &Whole) -> Option<(i64, u64)> {
        self.known(whole)
            .map(|counted| (counted.through, counted.rows))
    }
}
