//! Which database is meant by `database.url`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::postgres::Target;

/// Where everything is kept.
#[derive(Clone, Debug)]
pub enum Source {
    /// In that file.
    Sqlite(PathBuf),
    /// In a database that several nodes share.
    Postgres(PostgresUrl),
}

/// The address of a PostgreSQL database. Shown without its password.
#[derive(Clone)]
pub struct PostgresUrl {
    pub(crate) target: Arc<Target>,
}

impl PostgresUrl {
    /// Reads `postgres://user@host:port/name?sslmode=…&sslrootcert=…`; `password` is used when the address has none.
    ///
    /// `sslmode` is `disable`, `prefer`, `require` or `verify-full`. Without it the connection is plain over a socket
    /// and to this host, and `verify-full` to any other. With `require` and `verify-full` the server's certificate has
    /// to be good for its name, by `sslrootcert` or else by the authorities that the system trusts.
    ///
    /// # Errors
    /// What is wrong with it, in words for the operator, without the password.
    pub fn parse(url: &str, password: Option<&str>) -> Result<Self, String> {
        Target::parse(url, password).map(|target| Self {
            target: Arc::new(target),
        })
    }
}

impl PostgresUrl {
    /// Whether everybody on the way to the server can read along.
    pub fn is_plain_over_network(&self) -> bool {
        self.target.is_plain_over_network()
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.target.shown())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Self::Sqlite(path.to_owned())
    }
}
