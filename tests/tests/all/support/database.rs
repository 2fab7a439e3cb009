//! The database behind a server, as somebody sees it who looks into it: SQLite, or with
//! `RESEAL_TEST_DATABASE=postgres` a PostgreSQL database of the test's own.

#[path = "../../../../crates/store/src/tests/cluster.rs"]
pub(crate) mod cluster;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cluster::Cluster;
use rusqlite::types::ValueRef;

const PATIENCE: Duration = Duration::from_secs(10);
/// What servers write to, whatever they do.
const HOLD_TABLES: &str = "BEGIN; LOCK TABLE process, certificate, heartbeat IN EXCLUSIVE MODE";

/// Whether the tests run against PostgreSQL.
pub(crate) fn is_postgres() -> bool {
    cluster::is_wanted()
}

/// The address of a new and empty PostgreSQL database.
pub(crate) fn empty() -> String {
    let cluster = Cluster::get();
    cluster.url(&cluster.create_database("template1"))
}

/// What a configuration says of a database like `template`, as a line below `[database]`; `None` with SQLite.
fn line(template: &str) -> Option<String> {
    is_postgres().then(|| {
        let cluster = Cluster::get();
        let name = cluster.create_database(template);
        format!("url = \"{}\"", cluster.url(&name))
    })
}

/// The table `database` for the configuration of a server that is made anew.
pub(crate) fn fresh() -> String {
    let line = line("template1");
    line.map_or_else(String::new, |line| format!("\n[database]\n{line}\n"))
}

/// The same for a copy of the server in the folder `data`.
pub(crate) fn copy_of(data: &Path) -> String {
    let line = name(data).and_then(|template| line(&template));
    line.map_or_else(String::new, |line| format!("\n[database]\n{line}\n"))
}

/// Name of the PostgreSQL database of the server in the folder `data`.
fn name(data: &Path) -> Option<String> {
    let text = fs::read_to_string(data.join("reseal.toml")).unwrap();
    let url = text
        .lines()
        .find(|line| line.starts_with("url = \"postgres"))?;
    let (_, name) = url.trim_end_matches('"').rsplit_once('/')?;
    Some(name.to_owned())
}

/// A look into a database.
pub(crate) enum Database {
    Sqlite(rusqlite::Connection),
    Postgres(String),
}

impl Database {
    /// Of the server in the folder `data`. Read-write, because a killed server's log has to be replayed.
    pub(crate) fn of(data: &Path) -> Self {
        match name(data) {
            Some(name) => Self::Postgres(name),
            None => Self::Sqlite(rusqlite::Connection::open(data.join("reseal.db")).unwrap()),
        }
    }

    /// The values of all rows that `sql` finds, as texts; bytes in hexadecimal.
    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        match self {
            Self::Sqlite(connection) => {
                let mut select = connection.prepare(sql).unwrap();
                let columns = select.column_count();
                let rows = select.query_map([], |row| {
                    (0..columns)
                        .map(|column| Ok(text(row.get_ref(column)?)))
                        .collect()
                });
                rows.unwrap().map(Result::unwrap).collect()
            }
            Self::Postgres(name) => {
                let found = Cluster::get().psql(name, sql);
                let error = String::from_utf8_lossy(&found.stderr);
                assert!(found.status.success(), "{sql}: {error}");
                let found = String::from_utf8(found.stdout).unwrap();
                let value = |text: &str| match text {
                    cluster::NULL => None,
                    text => Some(text.trim_start_matches("\\x").to_owned()),
                };
                let row = |line: &str| line.split('\u{1f}').map(value).collect();
                found.lines().map(row).collect()
            }
        }
    }

    /// Changes something in one transaction, beside a server that may be writing.
    #[track_caller]
    pub(crate) fn run(&self, sql: &str) {
        match self {
            Self::Sqlite(connection) => {
                connection.busy_timeout(PATIENCE).unwrap();
                let whole = format!("BEGIN IMMEDIATE; {sql}; COMMIT");
                connection.execute_batch(&whole).unwrap();
            }
            Self::Postgres(_) => drop(self.rows(sql)),
        }
    }

    /// Keeps servers from writing, while they may read, until what it returns is dropped.
    #[track_caller]
    pub(crate) fn hold_up(self) -> Held {
        match self {
            Self::Sqlite(connection) => {
                connection.execute_batch("BEGIN IMMEDIATE").unwrap();
                Held::Sqlite(connection)
            }
            Self::Postgres(name) => Held::Postgres(Session::begin(&name, HOLD_TABLES)),
        }
    }

    /// Whether `text` is written anywhere.
    pub(crate) fn holds(&self, data: &Path, text: &str) -> bool {
        if let Self::Postgres(_) = self {
            let select =
                format!("SELECT position('{text}' IN database_to_xml(true, false, '')::text)");
            return self.number(&select) > 0;
        }
        let files = ["reseal.db", "reseal.db-wal"].map(|name| fs::read(data.join(name)));
        let mut files = files.into_iter().flatten();
        files.any(|bytes| {
            bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        })
    }

    /// The first value of the first row.
    #[track_caller]
    pub(crate) fn value(&self, sql: &str) -> Option<String> {
        self.rows(sql)[0][0].clone()
    }

    /// The same as a number.
    #[track_caller]
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.value(sql).unwrap().parse().unwrap()
    }
}

/// A session of PostgreSQL's in the middle of a transaction, which comes to nothing when this is dropped.
pub(crate) struct Session(Child);

impl Session {
    /// Runs `sql` and waits until that is done.
    #[track_caller]
    fn begin(database: &str, sql: &str) -> Self {
        let cluster = Cluster::get();
        let mut child = Command::new(cluster::binaries().join("psql"))
            .args([
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "reseal",
                "-d",
                database,
            ])
            .args(["-p", &cluster.port.to_string(), "-h"])
            .arg(&cluster.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.as_mut().unwrap();
        writeln!(input, "{sql};\n\\echo done").unwrap();
        let mut said = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut said).unwrap();
        assert_eq!(said, "done\n");
        Self(child)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Servers cannot write meanwhile; the lock goes with this value.
#[expect(dead_code, reason = "they are held, not read")]
pub(crate) enum Held {
    Sqlite(rusqlite::Connection),
    Postgres(Session),
}

/// Bytes as a literal of the database's.
pub(crate) fn bytes(hexadecimal: &str) -> String {
    if is_postgres() {
        format!("'\\x{hexadecimal}'::bytea")
    } else {
        format!("X'{hexadecimal}'")
    }
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
        ValueRef::Blob(bytes) => Some(hex::encode(bytes)),
    }
}
