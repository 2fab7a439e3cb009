//! Statements that are sent without waiting for their answers: each answer would cost a way to the server and back.
//! Rows for one table that follow each other become one statement, for each statement costs as much as several rows.

use std::fmt::Write as _;

use rusqlite::types::{ToSql as _, Value};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::wire::Bound;

/// Most rows of one statement.
const MOST_ROWS: usize = 32;

/// A statement whose answer matters only if it is an error.
pub(super) enum Letter {
    /// Without parameters.
    Text(String),
    /// With the values of each row; more than one only of an [`Insert`].
    Rows(Box<str>, Vec<Vec<Value>>),
}

impl Letter {
    /// Takes another row, or gives it back if it is not one for the same statement, or cannot be inserted together.
    pub(super) fn join(&mut self, sql: &str, row: Vec<Value>) -> Option<Vec<Value>> {
        match self {
            Self::Rows(same, rows)
                if **same == *sql && rows.len() < MOST_ROWS && Insert::read(sql).is_some() =>
            {
                rows.push(row);
                None
            }
            _ => Some(row),
        }
    }

    /// The statements that it is sent as. Their numbers of rows are powers of two: each is prepared once, and there are few
    /// of them.
    pub(super) fn statements(
        self,
        mut prepare: impl FnMut(&str) -> crate::database::Result<Statement>,
    ) -> crate::database::Result<Vec<Ready>> {
        let (sql, rows) = match self {
            Self::Text(sql) => return Ok(vec![Ready::Text(sql)]),
            Self::Rows(sql, rows) => (sql, rows),
        };
        let mut rows = rows.into_iter();
        let mut ready = Vec::new();
        while rows.len() > 0 {
            let count = 1 << rows.len().ilog2();
            let statement = match Insert::read(&sql) {
                Some(insert) if count > 1 => prepare(&insert.of_rows(count))?,
                _ => prepare(&sql)?,
            };
            let values = rows.by_ref().take(count).flatten().collect();
            ready.push(Ready::Statement(statement, values));
        }
        Ok(ready)
    }
}

/// What is sent.
pub(super) enum Ready {
    Text(String),
    Statement(Statement, Vec<Value>),
}

impl Ready {
    /// Sends it when first polled; ends with the answer.
    pub(super) async fn send(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        match self {
            Self::Text(sql) => client.batch_execute(sql).await,
            Self::Statement(statement, values) => {
                // An owned value always has a form.
                let bound: Vec<Bound<'_>> = values
                    .iter()
                    .filter_map(|value| value.to_sql().map(Bound).ok())
                    .collect();
                let bound: Vec<&(dyn ToSql + Sync)> = bound
                    .iter()
                    .map(|value| value as &(dyn ToSql + Sync))
                    .collect();
                client.execute(statement, &bound).await.map(drop)
            }
        }
    }
}

/// A statement that inserts one row of parameters, and would insert several in the same way.
struct Insert<'a> {
    /// Up to the row, and without it.
    head: &'a str,
    /// Between its parentheses.
    row: &'a str,
    /// What becomes of a row that is there already.
    tail: &'a str,
}

impl<'a> Insert<'a> {
    fn read(sql: &'a str) -> Option<Self> {
        let (head, rest) = sql.split_once(" VALUES (")?;
        let (row, tail) = rest.split_once(')')?;
        // Rows of one statement do not see each other: what looks at others, or changes them, stays by itself.
        let alone = row.contains('(') || !(tail.is_empty() || tail.ends_with(" DO NOTHING"));
        (head.starts_with("INSERT INTO ") && !alone).then_some(Self { head, row, tail })
    }

    /// The statement for `count` rows, whose values stand one row after the other.
    fn of_rows(&self, count: usize) -> String {
        let width = self.row.matches('$').count();
        let mut sql = format!("{} VALUES ", self.head);
        for number in 0..count {
            if number > 0 {
                sql.push_str(", ");
            }
            sql.push('(');
            let mut parts = self.row.split('$');
            sql.extend(parts.next());
            for part in parts {
                let digits = part.bytes().take_while(u8::is_ascii_digit).count();
                let (parameter, rest) = part.split_at(digits);
                let parameter = parameter.parse::<usize>().unwrap_or_default();
                // Writing to a string cannot fail.
                let _ = write!(sql, "${}{rest}", parameter + number * width);
            }
            sql.push(')');
        }
        sql.push_str(self.tail);
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql;

    #[test]
    fn rows_of_one_statement_have_parameters_of_their_own() {
        let insert = "INSERT INTO event (process, step, kind) VALUES ($1, 0, $2) ON CONFLICT (step) DO NOTHING";
        let insert = Insert::read(insert).unwrap();
        assert_eq!(
            insert.of_rows(3),
            "INSERT INTO event (process, step, kind) VALUES ($1, 0, $2), ($3, 0, $4), ($5, 0, $6) \
             ON CONFLICT (step) DO NOTHING"
        );
    }

    #[test]
    fn only_inserts_of_plain_rows_are_joined() {
        for joined in [
            sql::event::INSERT,
            sql::audit::INSERT,
            sql::certificate::INSERT_NAME,
            sql::authorization::INSERT,
        ] {
            assert!(Insert::read(joined).is_some(), "{joined}");
        }
        for alone in [
            sql::authorization::INSERT_RELIANCE,
            sql::notification::INSERT,
            sql::process::ADVANCE,
            sql::certificate::REPLACE,
            "INSERT INTO a (b) VALUES (COALESCE($1, 0))",
            "INSERT INTO a (b) VALUES ($1) ON CONFLICT (b) DO UPDATE SET b = $1",
        ] {
            assert!(Insert::read(alone).is_none(), "{alone}");
        }
    }
}
