//! Indexes, taken away before many rows come and made again behind them.

use reseal_lifecycle::store::StoreError;

use super::Filling;
use crate::database::{Connection, Dialect, params};

/// Those that a table's key or a UNIQUE column brought stay: the rows are checked by them.
const SQLITE: &str = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = $1 \
    ORDER BY name";
const POSTGRES: &str = "SELECT indexname::TEXT, indexdef FROM pg_indexes WHERE schemaname = current_schema() \
    AND tablename::TEXT = $1 AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname) ORDER BY indexname";

/// Drops the indexes of `tables`; the statements that make them again.
pub(super) fn take_away(
    connection: &Connection,
    tables: &[&'static str],
) -> Result<Vec<String>, StoreError> {
    let find = match connection.dialect() {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
    };
    let mut found: Vec<(String, String)> = Vec::new();
    for table in tables {
        found.extend(connection.many(find, [*table], |row| Ok((row.get(0)?, row.get(1)?)))?);
    }
    for (name, _) in &found {
        connection.batch(&format!("DROP INDEX {name}"))?;
    }
    Ok(found.into_iter().map(|(_, sql)| sql).collect())
}

/// Makes them again.
pub(super) fn make_again(
    connection: &Connection,
    statements: Vec<String>,
    tell: &mut (dyn FnMut(Filling) + Send),
) -> Result<(), StoreError> {
    if connection.dialect() == Dialect::Postgres {
        connection.execute("SET maintenance_work_mem = '512MB'", params![])?;
    }
    let count = statements.len();
    for (done, sql) in statements.into_iter().enumerate() {
        tell(Filling::Indexes(count - done));
        connection.batch(&sql)?;
    }
    Ok(())
}
