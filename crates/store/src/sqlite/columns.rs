//! The columns of a row, one after the other, as values of the domain.

use jiff::Timestamp;
use reseal_lifecycle::notification::Occasion;
use rusqlite::Row;
use rusqlite::types::{FromSqlError, Type};
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};

/// Reads the columns of a row one after the other.
pub(super) struct Columns<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a Row<'a>) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn value<T: rusqlite::types::FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    pub(super) fn text(&mut self) -> rusqlite::Result<&'a str> {
        self.next += 1;
        Ok(self.row.get_ref(self.next - 1)?.as_str()?)
    }

    pub(super) fn optional_text(&mut self) -> rusqlite::Result<Option<&'a str>> {
        self.next += 1;
        Ok(self.row.get_ref(self.next - 1)?.as_str_or_null()?)
    }

    pub(super) fn moment(&mut self) -> rusqlite::Result<Timestamp> {
        let millis = self.value()?;
        Timestamp::from_millisecond(millis).map_err(|error| self.fault(Type::Integer, error))
    }

    pub(super) fn optional_moment(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        let Some(millis) = self.value()? else {
            return Ok(None);
        };
        Timestamp::from_millisecond(millis)
            .map(Some)
            .map_err(|error| self.fault(Type::Integer, error))
    }

    /// A value of an enumeration whose stored word is its serde name.
    pub(super) fn word<T: DeserializeOwned>(&mut self) -> rusqlite::Result<T> {
        let text = self.text()?;
        self.read_word(text)
    }

    pub(super) fn optional_word<T: DeserializeOwned>(&mut self) -> rusqlite::Result<Option<T>> {
        self.optional_text()?
            .map(|text| self.read_word(text))
            .transpose()
    }

    pub(super) fn read_word<T: DeserializeOwned>(&self, text: &str) -> rusqlite::Result<T> {
        let words: StrDeserializer<'_, WordError> = text.into_deserializer();
        T::deserialize(words).map_err(|error| self.fault(Type::Text, error))
    }

    pub(super) fn occasion(&mut self) -> rusqlite::Result<Occasion> {
        let word = self.text()?;
        Occasion::from_word(word).ok_or_else(|| {
            let unknown = format!("`{word}` is no occasion of a notification");
            self.fault(Type::Text, std::io::Error::other(unknown))
        })
    }

    pub(super) fn json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<T> {
        let text = self.text()?;
        serde_json::from_str(text).map_err(|error| self.fault(Type::Text, error))
    }

    pub(super) fn optional_json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<Option<T>> {
        self.optional_text()?
            .map(|text| serde_json::from_str(text).map_err(|error| self.fault(Type::Text, error)))
            .transpose()
    }

    pub(super) fn fault(
        &self,
        kind: Type,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(
            self.next - 1,
            kind,
            FromSqlError::other(error).into(),
        )
    }
}
