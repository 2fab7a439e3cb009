//! The columns of a row, one after the other, as values of the domain.

use jiff::Timestamp;
use reseal_lifecycle::notification::Occasion;
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};

use crate::database::{self, Error, FromSql, Row};

/// Reads the columns of a row one after the other.
pub(super) struct Columns<'a> {
    row: Row<'a>,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &Row<'a>) -> Self {
        Self { row: *row, next: 0 }
    }

    pub(super) fn value<T: FromSql>(&mut self) -> database::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    pub(super) fn text(&mut self) -> database::Result<&'a str> {
        self.next += 1;
        let value = self.row.value(self.next - 1)?;
        value.as_str().map_err(|error| self.fault(error))
    }

    pub(super) fn optional_text(&mut self) -> database::Result<Option<&'a str>> {
        self.next += 1;
        let value = self.row.value(self.next - 1)?;
        value.as_str_or_null().map_err(|error| self.fault(error))
    }

    pub(super) fn moment(&mut self) -> database::Result<Timestamp> {
        let millis = self.value()?;
        Timestamp::from_millisecond(millis).map_err(|error| self.fault(error))
    }

    pub(super) fn optional_moment(&mut self) -> database::Result<Option<Timestamp>> {
        let Some(millis) = self.value()? else {
            return Ok(None);
        };
        Timestamp::from_millisecond(millis)
            .map(Some)
            .map_err(|error| self.fault(error))
    }

    /// A value of an enumeration whose stored word is its serde name.
    pub(super) fn word<T: DeserializeOwned>(&mut self) -> database::Result<T> {
        let text = self.text()?;
        self.read_word(text)
    }

    pub(super) fn optional_word<T: DeserializeOwned>(&mut self) -> database::Result<Option<T>> {
        self.optional_text()?
            .map(|text| self.read_word(text))
            .transpose()
    }

    pub(super) fn read_word<T: DeserializeOwned>(&self, text: &str) -> database::Result<T> {
        let words: StrDeserializer<'_, WordError> = text.into_deserializer();
        T::deserialize(words).map_err(|error| self.fault(error))
    }

    pub(super) fn occasion(&mut self) -> database::Result<Occasion> {
        let word = self.text()?;
        Occasion::from_word(word).ok_or_else(|| {
            let unknown = format!("`{word}` is no occasion of a notification");
            self.fault(unknown)
        })
    }

    pub(super) fn json<T: DeserializeOwned>(&mut self) -> database::Result<T> {
        let text = self.text()?;
        serde_json::from_str(text).map_err(|error| self.fault(error))
    }

    pub(super) fn optional_json<T: DeserializeOwned>(&mut self) -> database::Result<Option<T>> {
        self.optional_text()?
            .map(|text| serde_json::from_str(text).map_err(|error| self.fault(error)))
            .transpose()
    }

    pub(super) fn fault(
        &self,
        error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        Error::column(self.next - 1, error)
    }
}
