//! Somebody who has the database and knows SQL.

use std::sync::Mutex;

use crate::database::{Connection, Dialect, Lock, Result, Row, Value};
use crate::{Source, postgres, sqlite};

/// A connection of its own, used on a thread that may wait.
pub(super) struct Hands(Mutex<Connection>);

impl Hands {
    pub(super) fn on(source: &Source) -> Self {
        let connection = aside(|| match source {
            Source::Sqlite(path) => sqlite::writer(path).unwrap(),
            Source::Postgres(url) => postgres::writer(&url.target).unwrap(),
        });
        Self(Mutex::new(connection))
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.0.lock().unwrap().dialect()
    }

    /// Runs statements without parameters.
    pub(super) fn batch(&self, sql: &str) -> Result<()> {
        self.with(|connection| connection.batch(sql))
    }

    /// Begins a transaction that holds `lock`.
    pub(super) fn begin_with(&self, lock: Lock) -> Result<()> {
        self.with(|connection| {
            connection.begin()?;
            connection.lock(lock);
            connection.settle()
        })
    }

    /// Runs a statement; how many rows it changed.
    pub(super) fn execute(&self, sql: &str, values: &[Value]) -> Result<usize> {
        self.with(|connection| connection.execute(sql, values))
    }

    /// What `sql` finds.
    pub(super) fn rows<T: Send>(
        &self,
        sql: &str,
        values: &[Value],
        read: impl FnMut(&Row<'_>) -> Result<T> + Send,
    ) -> Vec<T> {
        self.with(|connection| connection.many(sql, values, read))
            .unwrap()
    }

    fn with<T: Send>(&self, work: impl FnOnce(&Connection) -> T + Send) -> T {
        aside(|| work(&self.0.lock().unwrap()))
    }
}

fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}
