//! A PostgreSQL server and its standby. Nothing is tested here unless the tests run against PostgreSQL.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reseal_lifecycle::customer::{AccountStore as _, Customer};
use reseal_lifecycle::store::{Store as _, StoreError};

use super::sample::now;
use super::{World, cluster};
use crate::database::Connection;
use crate::{PostgresUrl, Source, SqlStore};

/// Longest time until another server is found.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two servers on sockets in one folder, until its input ends. `$1`: programs, `$2`: folder.
const KEEPER: &str = r#"
cd "$2" && exec >log 2>&1
"$1/initdb" -D primary -U reseal -A trust -E UTF8 --locale=C.UTF-8 --no-sync || exit 1
"$1/postgres" -D primary -k "$2" -h '' -p 1 -c fsync=off -c shared_buffers=16MB <&- &
primary=$!
until "$1/pg_isready" -q -h "$2" -p 1; do sleep 0.05; done
"$1/pg_basebackup" -D standby -h "$2" -p 1 -U reseal -R --checkpoint=fast --no-sync || exit 1
"$1/postgres" -D standby -k "$2" -h '' -p 2 -c fsync=off -c shared_buffers=16MB <&- &
standby=$!
cat >/dev/null
kill -QUIT $primary $standby
wait
rm -rf "$2"
"#;

struct Pair {
    folder: PathBuf,
    keeper: Child,
}

impl Pair {
    fn start(name: &str) -> Self {
        let folder = format!("reseal-pair-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir(&folder).unwrap();
        // The server refuses to be run by root.
        let mut shell = if cluster::is_root() {
            std::os::unix::fs::chown(&folder, Some(cluster::owner()), None).unwrap();
            let mut shell = Command::new("setpriv");
            let other = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];
            shell.args(other).arg("sh");
            shell
        } else {
            Command::new("sh")
        };
        let keeper = shell
            .args(["-c", KEEPER, "sh"])
            .args([&cluster::binaries(), &folder])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let pair = Self { folder, keeper };
        let began = Instant::now();
        while !pair.psql(2, "SELECT 1") {
            let log = std::fs::read_to_string(pair.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_mins(1), "{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
        pair
    }

    /// Whether the server at `port` carries `sql` out.
    fn psql(&self, port: u16, sql: &str) -> bool {
        Command::new(cluster::binaries().join("psql"))
            .args(["-X", "-q", "-U", "reseal", "-d", "postgres", "-c", sql])
            .args(["-p", &port.to_string(), "-h"])
            .arg(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    /// As when its machine is lost.
    fn kill_primary(&self) {
        let file = self.folder.join("primary/postmaster.pid");
        let text = std::fs::read_to_string(file).unwrap();
        let pid = text.lines().next().unwrap();
        let sent = Command::new("kill").args(["-QUIT", pid]).status();
        assert!(sent.unwrap().success());
    }

    fn source(&self, ports: &[u16]) -> Source {
        let folder = self.folder.to_str().unwrap().replace('/', "%2F");
        let hosts: Vec<_> = ports
            .iter()
            .map(|port| format!("{folder}:{port}"))
            .collect();
        let url = format!("postgres://reseal@{}/postgres", hosts.join(","));
        Source::Postgres(PostgresUrl::parse(&url, None).unwrap())
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn customer(handle: &str) -> Customer {
    Customer {
        handle: handle.to_owned(),
        created: now(),
    }
}

#[tokio::test]
async fn a_standby_is_passed_over_until_it_is_promoted() {
    if !cluster::is_wanted() {
        return;
    }
    let pair = Pair::start("alone");
    let store = SqlStore::open_as_node(&pair.source(&[2, 1])).unwrap();
    for handle in ["acme", "rival"] {
        store
            .create_customer(customer(handle), "house/op")
            .await
            .unwrap();
    }
    // Read from the primary, too: at the standby it may be there later.
    let customers = store.customers().await.unwrap();
    assert_eq!(customers.len(), 2);
    store.close();

    let Err(StoreError::Unavailable { reason, .. }) = SqlStore::open(&pair.source(&[2])) else {
        panic!("a standby was taken");
    };
    for word in ["is a standby", "`database.url`", "pg_ctl promote"] {
        assert!(reason.contains(word), "{reason}");
    }
    assert!(pair.psql(2, "SELECT pg_promote()"));
    let store = SqlStore::open_as_node(&pair.source(&[2])).unwrap();
    store
        .create_customer(customer("late"), "house/op")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_server_finds_the_standby_that_takes_over() {
    if !cluster::is_wanted() {
        return;
    }
    let pair = Pair::start("over");
    let store = SqlStore::open_as_node(&pair.source(&[1, 2])).unwrap();
    pair.kill_primary();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let error = store.create_customer(customer("acme"), "house/op").await;
    assert!(
        matches!(error, Err(StoreError::Unavailable { .. })),
        "{error:?}"
    );
    assert!(pair.psql(2, "SELECT pg_promote()"));
    let began = Instant::now();
    while let Err(error) = store.create_customer(customer("acme"), "house/op").await {
        assert!(began.elapsed() < PATIENCE, "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(store.customers().await.unwrap().len(), 1);
}

/// A pooler, or an address that leads elsewhere by now, may have led there.
#[tokio::test]
async fn a_connection_that_takes_no_writes_any_more_is_made_again() {
    if !cluster::is_wanted() {
        return;
    }
    let world = World::new().await;
    let only_read = |connection: &Connection| {
        connection.batch("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")?;
        Ok(())
    };
    // There are several that write.
    for _ in 0..8 {
        world.store.writer.write(only_read).await.unwrap();
    }
    for _ in 0..8 {
        world.store.ping().await.unwrap();
    }
}
