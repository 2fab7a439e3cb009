//! A PostgreSQL server of the test's own, which it may kill, stop and start again.

use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::address::own_address;
use crate::support::database::cluster::{binaries, is_root, owner};

/// The same for each: they have addresses of their own. Not PostgreSQL's, which a server of this host may have at all of them.
const PORT: u16 = 15_432;
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Cluster {
    folder: TempDir,
    address: IpAddr,
    server: Child,
}

/// Who is stopped when the disk stalls.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stalled {
    Everybody,
    /// Those who answer nodes.
    Backends,
    /// Those who write what was committed to where it stays.
    Background,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Cluster {
    /// Must be called, and be restarted, on the thread that lives as long as the server is to.
    pub(super) fn start() -> Self {
        Self::start_at(own_address())
    }

    /// The same at an address of this host, where nodes of other hosts may come.
    pub(super) fn start_at(address: IpAddr) -> Self {
        let folder = TempDir::new().unwrap();
        if is_root() {
            std::os::unix::fs::chown(folder.path(), Some(owner()), None).unwrap();
        }
        let data = folder.path().join("data");
        let made = as_owner(&binaries().join("initdb"))
            .arg("-D")
            .arg(&data)
            .args([
                "-U",
                "reseal",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ])
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        fs::File::options()
            .append(true)
            .open(folder.path().join("data/pg_hba.conf"))
            .and_then(|mut rules| rules.write_all(b"host all all samenet trust\n"))
            .unwrap();
        let server = launch(folder.path(), address);
        let cluster = Self {
            folder,
            address,
            server,
        };
        cluster.wait();
        cluster
    }

    pub(super) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.address, PORT)
    }

    /// Runs `sql`; each row's columns.
    #[track_caller]
    pub(super) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let output = self.psql(sql);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {error}");
        let text = String::from_utf8(output.stdout).unwrap();
        let columns = |line: &str| line.split('|').map(str::to_owned).collect();
        text.lines().map(columns).collect()
    }

    fn psql(&self, sql: &str) -> std::process::Output {
        Command::new(binaries().join("psql"))
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "reseal",
                "-h",
            ])
            .arg(self.folder.path())
            .args(["-p", &PORT.to_string(), "-d", "postgres", "-c", sql])
            .output()
            .unwrap()
    }

    fn wait(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.psql("SELECT 1").status.success() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{log}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// SIGKILL to all of them at the same instant, as when the power fails: nobody starts another in between.
    pub(super) fn kill(&mut self) {
        let parent = self.server.id();
        signal("STOP", &[parent]);
        let all: Vec<u32> = children(parent)
            .into_iter()
            .map(|(id, _)| id)
            .chain([parent])
            .collect();
        signal("KILL", &all);
        let _ = self.server.wait();
    }

    /// Starts it again; it recovers from its log.
    pub(super) fn restart(&mut self) {
        // As long as one of those that were killed is not gone, it would not start.
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.server = launch(self.folder.path(), self.address);
            thread::sleep(Duration::from_millis(200));
            if self.server.try_wait().unwrap().is_none() {
                return self.wait();
            }
            assert!(Instant::now() < deadline, "PostgreSQL does not start again");
        }
    }

    /// Lets nothing more come out of it.
    pub(super) fn freeze(&self) {
        let parent = self.server.id();
        let all = children(parent).into_iter().map(|(id, _)| id);
        let all: Vec<u32> = all.chain([parent]).collect();
        signal("STOP", &all);
    }

    /// Lets nothing more come out of some of its processes for a while.
    pub(super) fn stall(&self, who: Stalled, time: Duration) {
        let parent = self.server.id();
        let chosen = |what: &str| match who {
            Stalled::Everybody => true,
            Stalled::Backends => what.contains("reseal postgres"),
            Stalled::Background => ["checkpointer", "walwriter", "background writer"]
                .iter()
                .any(|name| what.contains(name)),
        };
        let mut stopped: Vec<u32> = children(parent)
            .into_iter()
            .filter(|(_, what)| chosen(what))
            .map(|(id, _)| id)
            .collect();
        if matches!(who, Stalled::Everybody) {
            stopped.push(parent);
        }
        signal("STOP", &stopped);
        thread::sleep(time);
        signal("CONT", &stopped);
    }
}

/// A program of PostgreSQL's, which refuses to be run by root.
fn as_owner(program: &Path) -> Command {
    // Whatever happens to the test, it leaves nothing running.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg(program).current_dir("/");
    command
}

fn launch(folder: &Path, address: IpAddr) -> Child {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .unwrap();
    as_owner(&binaries().join("postgres"))
        .arg("-D")
        .arg(folder.join("data"))
        .arg("-k")
        .arg(folder)
        .args(["-h", &address.to_string(), "-p", &PORT.to_string()])
        .args([
            "-c",
            "fsync=on",
            "-c",
            "shared_buffers=32MB",
            "-c",
            "max_connections=100",
        ])
        .args(["-c", "checkpoint_timeout=30s", "-c", "max_wal_size=64MB"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// The processes that `parent` started, each with what it calls itself.
fn children(parent: u32) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        // Gone since the folder was read.
        let Ok(status) = fs::read_to_string(entry.path().join("status")) else {
            continue;
        };
        let is_child = status
            .lines()
            .filter_map(|line| line.strip_prefix("PPid:"))
            .any(|value| value.trim().parse() == Ok(parent));
        if is_child {
            let called = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push((id, String::from_utf8_lossy(&called).into_owned()));
        }
    }
    found
}

fn signal(name: &str, ids: &[u32]) {
    if ids.is_empty() {
        return;
    }
    let ids = ids.iter().map(u32::to_string);
    // Some may have ended by themselves.
    let _ = Command::new("kill")
        .arg(format!("-{name}"))
        .args(ids)
        .stderr(Stdio::null())
        .status()
        .unwrap();
}
