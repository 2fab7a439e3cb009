//! The walk through all tables.

use jiff::Timestamp;

use super::super::rows::millis;
use super::{Checked, RANGE, Told};
use crate::database::{Connection, Result, Row, Value, ValueRef};
use crate::sql::invariant::{Start, TABLES, Table};

/// Broken rows of a range that are counted: a table that is broken from end to end is no reason to run out of memory.
const COUNTED: usize = 1000;

pub(super) fn all(connection: &Connection, now: Timestamp, told: Told<'_>) -> Result<Vec<Checked>> {
    let mut references = Checked::new(
        "every row leads to rows that are there",
        "rows are missing that others need, which the database refuses to let happen: the disk, or a restored backup, is \
         damaged, or somebody removed them by hand. Restore them from a backup",
    );
    let mut all = Vec::new();
    for table in TABLES {
        all.extend(Walk::new(table, now).run(connection, &mut references, told)?);
    }
    all.insert(0, references);
    Ok(all)
}

/// A statement, and the check it belongs to.
struct Question<C> {
    check: C,
    select: String,
}

struct Walk {
    table: &'static Table,
    references: Vec<Question<&'static str>>,
    invariants: Vec<Question<Checked>>,
}

impl Walk {
    fn new(table: &'static Table, now: Timestamp) -> Self {
        let references = table.references.iter().map(|reference| Question {
            check: reference.column,
            select: table.select_broken(&reference.broken(table)),
        });
        let invariants = table.invariants.iter().map(|invariant| Question {
            check: Checked::new(invariant.holds, invariant.otherwise),
            select: table.select_broken(&invariant.broken(millis(now))),
        });
        Self {
            table,
            references: references.collect(),
            invariants: invariants.collect(),
        }
    }

    fn run(
        mut self,
        connection: &Connection,
        references: &mut Checked,
        told: Told<'_>,
    ) -> Result<Vec<Checked>> {
        let mut seen = 0;
        let mut after = match self.table.start {
            Start::Number => Value::Integer(i64::MIN),
            Start::Text => Value::Text(String::new()),
            Start::Bytes => Value::Blob(Vec::new()),
        };
        while let Some(through) = self.end_of_range(connection, &after)? {
            let range = [after, through];
            let rows = connection.one(&self.table.count(), &range[..], |row| row.get(0))?;
            let rows = rows.map_or(0, |rows: i64| rows.unsigned_abs());
            self.look(connection, &range, rows, references)?;
            seen += rows;
            told(self.table.name, seen);
            [_, after] = range;
        }
        let checks = self.invariants.into_iter().map(|question| question.check);
        Ok(checks.collect())
    }

    /// The last value of the range behind `after`; nothing when there are no rows any more.
    fn end_of_range(&self, connection: &Connection, after: &Value) -> Result<Option<Value>> {
        let values = [after.clone(), Value::Integer(RANGE)];
        let end = connection.one(&self.table.select_end(), &values[..], |row| row.get(0))?;
        match end {
            Some(end) => Ok(Some(end)),
            None => connection.one(&self.table.select_last(), &values[..1], |row| row.get(0)),
        }
    }

    fn look(
        &mut self,
        connection: &Connection,
        range: &[Value; 2],
        rows: u64,
        references: &mut Checked,
    ) -> Result<()> {
        let [after, through] = range.clone();
        let values = [after, through, Value::Integer(COUNTED as i64)];
        let name = self.table.name;
        for Question { check, select } in &self.references {
            let broken = connection.many(select, &values[..], in_words)?;
            references.uncounted |= broken.len() == COUNTED;
            for row in broken {
                references.find(format!("{name} {row} ({check})"));
            }
        }
        if !self.references.is_empty() {
            references.rows += rows;
        }
        for Question { check, select } in &mut self.invariants {
            let broken = connection.many(select, &values[..], in_words)?;
            check.uncounted |= broken.len() == COUNTED;
            check.rows += rows;
            for row in broken {
                check.find(format!("{name} {row}"));
            }
        }
        Ok(())
    }
}

/// The columns that tell which row it is.
fn in_words(row: &Row<'_>) -> Result<String> {
    let columns = (0..row.width()).map(|column| {
        Ok(match row.value(column)? {
            ValueRef::Null => "-".to_owned(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            ValueRef::Blob(bytes) => hex::encode(bytes),
        })
    });
    Ok(columns.collect::<Result<Vec<_>>>()?.join("/"))
}
