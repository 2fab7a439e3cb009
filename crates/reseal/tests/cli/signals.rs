//! What a server does about signals, and about a log that nobody can read any more.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{initialized, reseal};

/// Longer than anything here takes, and shorter than what would be a fault.
const PATIENCE: Duration = Duration::from_secs(15);

/// A server that is killed when the test ends.
pub(crate) struct Server(pub(crate) Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// `reseal serve` on `address`, all of whose log goes to `log`.
    fn start(data: &Path, address: &str, log: impl Into<Stdio>) -> Self {
        let child = reseal(Some(data))
            .env("RESEAL_LOG", "info")
            .args(["serve", "--listen", address])
            .stderr(log)
            .spawn()
            .unwrap();
        Self(child)
    }

    /// How it left.
    fn left(&mut self) -> Option<i32> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it is still there");
    }
}

pub(crate) fn send(signal: &str, server: &Server) {
    let signal = format!("-{signal}");
    let mut kill = Command::new("kill");
    let sent = kill.args([&signal, &server.0.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// A place where nobody listens yet.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// The status line of `/readyz`, once somebody listens.
fn ready(address: &str) -> String {
    let began = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_server_serves_and_stops_in_order_although_its_log_cannot_be_written() {
    let data = initialized();
    let address = free_address();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut server = Server::start(data.path(), &address, full);
    assert_eq!(ready(&address), "HTTP/1.1 200 OK");
    send("TERM", &server);
    assert_eq!(server.left(), Some(0));
}

#[test]
fn a_server_serves_and_stops_in_order_although_nobody_reads_its_log_any_more() {
    let data = initialized();
    let mut server = Server::start(data.path(), "127.0.0.1:0", Stdio::piped());
    let log = BufReader::new(server.0.stderr.take().unwrap());
    let address = log
        .lines()
        .map(Result::unwrap)
        .find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned))
        .unwrap();
    // The reader is gone. Every call is logged.
    for _ in 0..3 {
        assert_eq!(ready(&address), "HTTP/1.1 200 OK");
    }
    send("TERM", &server);
    assert_eq!(server.left(), Some(0));
}

#[test]
fn a_signal_ends_a_start_that_waits_for_its_database() {
    let data = initialized();
    std::fs::remove_file(data.path().join("reseal.db")).unwrap();
    std::fs::write(data.path().join("reseal.postgres"), "").unwrap();
    // Takes connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    let child = reseal(Some(data.path()))
        .env(
            "RESEAL__DATABASE__URL",
            format!("postgres://r:secret@{at}/reseal?sslmode=disable"),
        )
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut server = Server(child);
    let mut log = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let line = log.next().unwrap().unwrap();
    assert!(
        line.contains("waiting for the database at postgres://"),
        "{line}"
    );
    assert!(!line.contains("secret"), "{line}");
    send("TERM", &server);
    assert_eq!(server.left(), Some(1));
    let last = log.map(Result::unwrap).last().unwrap();
    assert!(last.contains("before anything was served"), "{last}");
}

#[test]
fn a_hangup_ends_nothing() {
    let data = initialized();
    let log = data.path().join("log");
    let address = free_address();
    let mut server = Server::start(data.path(), &address, File::create(&log).unwrap());
    assert_eq!(ready(&address), "HTTP/1.1 200 OK");
    send("HUP", &server);
    let said = || std::fs::read_to_string(&log).unwrap();
    let began = Instant::now();
    while !said().contains("SIGHUP: nothing is read anew") {
        assert!(began.elapsed() < PATIENCE, "{}", said());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(ready(&address), "HTTP/1.1 200 OK");
    send("TERM", &server);
    assert_eq!(server.left(), Some(0));
}
