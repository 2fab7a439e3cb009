//! Everything that is stored, as it is at one moment, looked at from end to end: whether it still is what this program
//! writes. Reads only, a page after the other, and servers may go on meanwhile.
//!
//! - `walk`: what has to hold of single rows, by [`crate::sql::invariant`]
//! - `processes`: whether a process's columns say what its state says
//! - `reservations`: what became of each serial number
//! - `certificates`: rows for whoever can read certificates

mod certificates;
mod processes;
mod reservations;
mod walk;

use jiff::Timestamp;
use reseal_lifecycle::crl::{Crl, Revoked};
use reseal_lifecycle::store::StoreError;

pub use certificates::StoredCertificate;

use super::audit::{Finding, Head, Verified, verify};
use super::find::{many, one};
use super::rows;
use crate::database::{self, Connection, Row, Source, params};
use crate::store::with_reader;
use crate::{SqlStore, sql};

/// Rows that are named one by one.
const NAMED: usize = 20;
/// Rows in a range that is looked at in one go.
const RANGE: i64 = 5000;

/// What came of looking at many rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What has to hold of each.
    pub holds: &'static str,
    /// What it means when it does not, and what is to be done.
    pub otherwise: &'static str,
    /// How many were looked at.
    pub rows: u64,
    /// Of how many it does not hold.
    pub broken: u64,
    /// Whether there may be more of them.
    pub uncounted: bool,
    /// The first of them, in words.
    pub named: Vec<String>,
}

impl Checked {
    /// Before anything was looked at.
    pub fn new(holds: &'static str, otherwise: &'static str) -> Self {
        Self {
            holds,
            otherwise,
            rows: 0,
            broken: 0,
            uncounted: false,
            named: Vec::new(),
        }
    }

    /// Takes note of a row of which it does not hold.
    pub fn find(&mut self, row: impl Into<String>) {
        self.broken += 1;
        if self.named.len() < NAMED {
            self.named.push(row.into());
        }
    }
}

/// The database as it is at one moment.
pub struct Moment<'a> {
    connection: &'a Connection,
}

/// Told now and then: the table, and how many of its rows have been looked at.
pub type Told<'a> = &'a mut dyn FnMut(&'static str, u64);

impl SqlStore {
    /// Hands `look` the database as it is now. What it sees stays the same until it returns, whatever others write;
    /// meanwhile SQLite's log only grows, and PostgreSQL cannot clear away what others replace.
    ///
    /// # Errors
    /// As [`SqlStore::open`], and what `look` answers.
    pub fn at_one_moment<T: Send>(
        source: &Source,
        look: impl FnOnce(&Moment<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError> {
        with_reader(source, |connection| {
            let _moment = connection.snapshot()?;
            look(&Moment { connection })
        })
    }
}

impl Moment<'_> {
    /// Whether each row is as it has to be at `now`, and leads to rows that are there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database cannot be read.
    pub fn rows(&self, now: Timestamp, told: Told<'_>) -> Result<Vec<Checked>, StoreError> {
        Ok(walk::all(self.connection, now, told)?)
    }

    /// Whether what is stored beside the state of each process agrees with it.
    ///
    /// # Errors
    /// As [`Moment::rows`].
    pub fn processes(&self, told: Told<'_>) -> Result<Checked, StoreError> {
        Ok(processes::check(self.connection, told)?)
    }

    /// Whether each reserved serial number was issued, is about to be, or was given up on record.
    ///
    /// # Errors
    /// As [`Moment::rows`].
    pub fn reservations(&self, now: Timestamp) -> Result<Checked, StoreError> {
        Ok(reservations::check(self.connection, now)?)
    }

    /// Shows all certificates to `visit`, `limit` at a time, in the order of their numbers.
    ///
    /// # Errors
    /// As [`Moment::rows`].
    pub fn certificates(
        &self,
        limit: u32,
        mut visit: impl FnMut(Vec<StoredCertificate>),
    ) -> Result<(), StoreError> {
        let (select, read) = (sql::examine::SELECT_CERTIFICATES, StoredCertificate::read);
        Ok(pages(
            self.connection,
            select,
            limit.into(),
            read,
            |page| {
                visit(
                    page.into_iter()
                        .map(|(_, certificate)| certificate)
                        .collect(),
                );
                Ok(())
            },
        )?)
    }

    /// The revocation list called `name`.
    ///
    /// # Errors
    /// As [`Moment::rows`].
    pub fn crl(&self, name: &str) -> Result<Option<Crl>, StoreError> {
        one(self.connection, sql::crl::SELECT, [name], rows::crl)
    }

    /// What is to be on the lists of `issuer` for serial numbers that end with this byte.
    ///
    /// # Errors
    /// As [`Moment::rows`].
    pub fn revoked(&self, issuer: &str, ending: u8) -> Result<Vec<Revoked>, StoreError> {
        let values = params![issuer, [ending]];
        many(
            self.connection,
            sql::crl::SELECT_ENTRIES,
            values,
            rows::revoked,
        )
    }

    /// Checks the audit log, as [`SqlStore::verify_audit`] does.
    ///
    /// # Errors
    /// As [`Moment::rows`].
    pub fn audit(
        &self,
        heads: &[Head],
        now: Timestamp,
        tell: &mut dyn FnMut(Finding),
    ) -> Result<Verified, StoreError> {
        Ok(verify(self.connection, heads, now, tell)?)
    }
}

/// Shows what `read` makes of rows to `visit`, `limit` of them at a time, by a statement that takes the number behind which
/// to begin and how many; with each row comes its number.
fn pages<T>(
    connection: &Connection,
    select: &str,
    limit: i64,
    read: fn(&Row<'_>) -> database::Result<T>,
    mut visit: impl FnMut(Vec<(i64, T)>) -> database::Result<()>,
) -> database::Result<()> {
    let mut after = i64::MIN;
    loop {
        let values = params![after, limit];
        let page = connection.many(select, values, |row| Ok((row.get(0)?, read(row)?)))?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = *last;
        visit(page)?;
    }
}
