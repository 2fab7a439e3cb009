//! A row, whichever engine found it.

use super::{Error, FromSql, Result, ValueRef};
use crate::postgres;

/// A row while it is looked at.
#[derive(Clone, Copy)]
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl<'a> Row<'a> {
    /// The value in column `index`, counted from 0.
    pub(crate) fn value(&self, index: usize) -> Result<ValueRef<'a>> {
        match self {
            Self::Sqlite(row) => Ok(row.get_ref(index)?),
            Self::Postgres(row) => Ok(row.try_get::<_, postgres::Cell<'_>>(index)?.0),
        }
    }

    /// How many columns it has.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Sqlite(row) => row.as_ref().column_count(),
            Self::Postgres(row) => row.len(),
        }
    }

    /// A value as a `T`.
    pub(crate) fn get<T: FromSql>(&self, index: usize) -> Result<T> {
        T::column_result(self.value(index)?).map_err(|error| Error::column(index, error))
    }
}
