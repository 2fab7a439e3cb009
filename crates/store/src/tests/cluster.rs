//! A PostgreSQL server for the tests of one process: made when the first test asks, gone when the process is,
//! however it ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Whether tests run against PostgreSQL: `RESEAL_TEST_DATABASE=postgres`.
pub(crate) fn is_wanted() -> bool {
    std::env::var("RESEAL_TEST_DATABASE").is_ok_and(|wanted| wanted == "postgres")
}

/// A server that listens on a socket in its folder, and on a port of this host with TLS.
pub(crate) struct Cluster {
    /// With its certificate, `server.pem`.
    pub(crate) folder: PathBuf,
    binaries: PathBuf,
    pub(crate) port: u16,
    databases: AtomicU64,
    /// Ends the server when the last end of its input is closed: a static is never dropped.
    _keeper: Child,
}

/// How `psql` shows what has no value.
pub(crate) const NULL: &str = "\u{1e}";

/// Waits for the end of its input, which comes when the process of the tests ends; then ends the server, whose data
/// nobody needs. `$1`: programs, `$2`: folder, `$3`: port. The order of texts must come from the schema and not from the
/// server, so it is not that of bytes. Nothing is synced: tests kill processes, whose writes the system has by then, and
/// no machines. Hundreds of databases that live for seconds are not vacuumed.
const KEEPER: &str = r#"
cd / && exec >"$2/log" 2>&1
"$1/initdb" -D "$2/data" -U reseal -A trust -E UTF8 --locale-provider=icu --icu-locale=en-US --locale=C.UTF-8 --no-sync || exit 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -addext basicConstraints=CA:FALSE -keyout "$2/server.key" -out "$2/server.pem" || exit 1
"$1/postgres" -D "$2/data" -k "$2" -h 127.0.0.1 -p "$3" -c ssl=on -c ssl_cert_file="$2/server.pem" \
    -c ssl_key_file="$2/server.key" -c fsync=off -c shared_buffers=64MB -c max_connections=300 \
    -c deadlock_timeout=100ms -c autovacuum=off <&- &
server=$!
cat >/dev/null
kill -QUIT $server
wait $server
rm -rf "$2"
"#;

impl Cluster {
    /// The one of this process.
    pub(crate) fn get() -> &'static Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        CLUSTER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("reseal-postgres-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let binaries = binaries();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        // The server refuses to be run by root.
        let mut keeper = if is_root() {
            std::os::unix::fs::chown(&folder, Some(owner()), None).unwrap();
            let mut keeper = Command::new("setpriv");
            keeper.args([
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                "sh",
            ]);
            keeper
        } else {
            Command::new("sh")
        };
        let keeper = keeper
            .args(["-c", KEEPER, "sh"])
            .args([&binaries, &folder])
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let cluster = Self {
            folder,
            binaries,
            port,
            databases: AtomicU64::new(0),
            _keeper: keeper,
        };
        let patience = Instant::now() + Duration::from_mins(1);
        while !cluster.psql("postgres", "SELECT 1").status.success() {
            let log = std::fs::read_to_string(cluster.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < patience, "{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
        cluster
    }

    /// Runs `sql` in `database`.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> std::process::Output {
        Command::new(self.binaries.join("psql"))
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
            .arg(&self.folder)
            .args(["-p", &self.port.to_string()])
            .args([
                "-F",
                "\u{1f}",
                "-P",
                &format!("null={NULL}"),
                "-d",
                database,
                "-c",
                sql,
            ])
            .output()
            .unwrap()
    }

    /// A new database like `template`; its name. Files are copied as they are: what the other way logs, page by page, is
    /// of no use to a server that nobody restarts, and takes twice the time.
    pub(crate) fn create_database(&self, template: &str) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        let made = self.psql(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"),
        );
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        name
    }

    /// The address of `database`.
    pub(crate) fn url(&self, database: &str) -> String {
        let host = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://reseal@{host}:{}/{database}", self.port)
    }
}

/// Number of the user that PostgreSQL runs as for root.
pub(crate) fn owner() -> u32 {
    let owner = Command::new("id").args(["-u", "postgres"]).output();
    let owner = String::from_utf8(owner.unwrap().stdout).unwrap();
    owner.trim().parse().unwrap()
}

pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Debian puts the server's programs beside the path; the newest there, else those in the path.
pub(crate) fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let newest = versions
        .flatten()
        .filter_map(|version| version.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| Path::new(&format!("/usr/lib/postgresql/{version}/bin/initdb")).exists())
        .max();
    if let Some(version) = newest {
        return PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"));
    }
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .find(|folder| folder.join("initdb").exists())
        .expect("PostgreSQL's `initdb`: install `postgresql`")
}
