//! What is PostgreSQL's own: opening a connection, its TLS, how values go over the wire, its migrations.
//!
//! A [`Session`] blocks the thread that asks it, so every session lives on a thread of the store: none is ever asked
//! on a thread of the server's runtime.
//!
//! # What keeps nodes apart
//! SQLite has one writer. Here every node has several, at READ COMMITTED: each statement sees what was committed
//! before it, and an `UPDATE … WHERE` that had to wait for another looks at its condition again. So most rules hold by
//! themselves: versions of processes, leases, claims of webhooks, the number of a revocation list, the mark of the
//! calendar, what only one may use (auth keys, request tokens). Uniqueness is the indexes' business. The rest, one by
//! one:
//!
//! | what depends on a look | kept by |
//! | --- | --- |
//! | a reissue's source is not replaced or revoked | its row is held for change (`work/grounds.rs`, `check_source`) |
//! | approvals stand while a serial is reserved, and where storing took its time | their rows are held (`work/vetting.rs`, `withdrawn`) |
//! | no serial is reserved and no certificate is stored for a blocked key | the lock of the list, shared by those who reserve and store (`work/change.rs`, `keep_keys`), alone for those who block (`work/compromise.rs`) |
//! | a serial that is given up with a blocked key is revoked for that | the same lock (`enter_lost`) |
//! | no serial is reserved on a proof that is distrusted, and nothing stored that took its time | the lock of proofs, shared by those who do (`check_proofs_and_approvals`), alone for those who distrust (`work/authorization.rs`) |
//! | a certificate is revoked for the reason it must be | its row is held before an order writes a duty (`order_revocations`) and before it is revoked; blocking a key keeps orders away by the lock of the list |
//! | a note stands behind the last step's events | the process's row is held for change (`work/note.rs`) |
//! | a call's key is taken once | `ON CONFLICT DO NOTHING`, then another look (`work/idempotency.rs`) |
//! | what counts no more is taken away, and nothing else | the `DELETE` has the conditions of the look before it (`work/idempotency.rs`) |
//! | the audit log is one chain | the lock of its end, taken when all of a batch is written: those who wait for it wait for one look, one insert and one commit (`work/audit/append.rs`); pruning takes it first |
//!
//! What is held is taken in this order, so that nobody waits in a circle: the list of blocked keys, certificates (by their
//! numbers, where a step is about several), proofs, approvals, processes, the end of the audit log. A revocation holds its
//! process first, and rests on no proofs. Batches of several callers can meet in a circle all the same; PostgreSQL ends one of
//! them, which is written again. `tests/circles.rs` has those that have met.
//!
//! How often a subscription was reissued is looked up before the write, here as with SQLite: two nodes may each let one
//! more through.

mod connect;
mod leases;
mod letters;
mod presence;
mod session;
mod tls;
mod wire;

use std::sync::Arc;

use reseal_lifecycle::store::StoreError;

use crate::database::{Connection, Dialect, Engine, Error, params};
use crate::lane::{Lane, Points, Writer};
use crate::migrate;
use crate::store::{DUTY_READERS, LIST_READERS, Program, SqlStore, no_thread};

use connect::Role;
pub(crate) use connect::Target;
pub(crate) use leases::{extend_lease, release_of_the_dead, release_process, taken};
use presence::Ears;
pub(crate) use presence::{Presence, SAY_THERE_IS_WORK};
pub(crate) use session::Session;
pub(crate) use wire::Cell;

/// As the server counts its versions.
const OLDEST: i64 = 150_000;
/// Threads that write, each with a batch of its own: one writes while the other commits. More would wait for each other
/// at the end of the audit log, with smaller batches.
const WRITERS: usize = 2;
/// Threads that read single rows.
const POINT_READERS: usize = 4;

/// A connection that cannot write.
pub(crate) fn reader(target: &Target) -> Result<Connection, Error> {
    connect(target, Role::Reader)
}

/// A connection that may write.
pub(crate) fn writer(target: &Target) -> Result<Connection, Error> {
    connect(target, Role::Writer)
}

fn connect(target: &Target, role: Role) -> Result<Connection, Error> {
    Ok(connection(Session::open(target, role)?))
}

fn connection(session: Session) -> Connection {
    Connection::new(Engine::Postgres(Box::new(session)))
}

/// Opens the database at `target` and brings it to the present schema; as a node that others know of, or as somebody
/// who is soon gone.
pub(crate) fn open(target: &Target, as_node: bool) -> Result<SqlStore, StoreError> {
    aside(|| {
        let first = writer(target)?;
        check_server(&first)?;
        migrate::run(&first, migrate::POSTGRES)?;
        let store = if as_node {
            let number = presence::next_number(&first)?;
            drop(first);
            let target = target.of_node(number);
            // Who is missing a connection finds that out now.
            let store = threads(|role| Session::open(&target, role))?;
            let ears = Ears {
                woken: Arc::clone(&store.woken),
                carrier: store.talk.carrier(),
            };
            store.with_presence(Presence::start(target, number, ears)?)
        } else {
            // Most commands need one or two of them.
            threads(|role| Session::later(target, role))?
        };
        Ok(store)
    })
}

/// Refuses a server that cannot keep what has to be kept.
fn check_server(connection: &Connection) -> Result<(), StoreError> {
    const ASK: &str =
        "SELECT current_setting('server_version_num')::BIGINT, current_setting('server_encoding')";
    let said = connection.one(ASK, params![], |row| {
        Ok((row.get::<i64>(0)?, row.get::<String>(1)?))
    })?;
    match said {
        Some((version, _)) if version < OLDEST => Err(StoreError::Fault(format!(
            "PostgreSQL {} is too old: 15 or later is needed",
            version / 10_000
        ))),
        Some((_, encoding)) if encoding != "UTF8" => Err(StoreError::Fault(format!(
            "the database is encoded in {encoding}: make it anew with `createdb --encoding UTF8 --template template0`"
        ))),
        _ => Ok(()),
    }
}

/// Settings that are off and must not be. (`synchronous_commit` is the connection's own.)
pub(crate) fn careless_settings(connection: &Connection) -> Result<Vec<String>, StoreError> {
    const ASK: &str = "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') \
        AND setting = 'off' ORDER BY name";
    Ok(connection.many(ASK, params![], |row| row.get(0))?)
}

/// The server's version; and, when it runs on this machine as far as its address tells, one of its processes.
pub(crate) fn program(connection: &Connection) -> Result<Program, StoreError> {
    const ASK: &str = "SELECT split_part(current_setting('server_version'), ' ', 1), \
        CASE WHEN inet_server_addr() IS NULL OR inet_server_addr() <<= '127.0.0.0/8' \
        OR inet_server_addr() <<= '::1' THEN pg_backend_pid()::BIGINT END";
    let said = connection.one(ASK, params![], |row| {
        Ok((row.get::<String>(0)?, row.get::<Option<i64>>(1)?))
    })?;
    let (version, process) =
        said.ok_or_else(|| StoreError::Fault("the server does not say what it is".to_owned()))?;
    Ok(Program {
        version: format!("PostgreSQL {version}"),
        process: process.and_then(|process| u32::try_from(process).ok()),
    })
}

fn threads(session: impl Fn(Role) -> Result<Session, Error>) -> Result<SqlStore, StoreError> {
    let connections = |role, count| {
        let sessions = (0..count).map(|_| session(role).map(connection));
        sessions.collect::<Result<Vec<_>, _>>()
    };
    let points = Lane::start("point", connections(Role::Reader, POINT_READERS)?)?;
    let lists = Lane::start("list", connections(Role::Lister, LIST_READERS)?)?;
    let duties = Lane::start("duty", connections(Role::Reader, DUTY_READERS)?)?;
    let writer = Writer::start(connections(Role::Writer, WRITERS)?, None)
        .map_err(|error| no_thread(&error))?;
    let points = Points::Lane(points);
    Ok(SqlStore::new(
        writer,
        points,
        lists,
        duties,
        Dialect::Postgres,
    ))
}

/// Runs `work` on a thread that may wait for a server, while this one waits for that.
pub(crate) fn aside<T: Send>(
    work: impl FnOnce() -> Result<T, StoreError> + Send,
) -> Result<T, StoreError> {
    std::thread::scope(|scope| {
        let done = std::thread::Builder::new()
            .name("store-open".to_owned())
            .spawn_scoped(scope, work)
            .map_err(|error| no_thread(&error))?;
        done.join()
            .unwrap_or_else(|_| Err(StoreError::Fault("opening the store panicked".to_owned())))
    })
}
