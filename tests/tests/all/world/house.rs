//! A server with a world of the test's own: it can be stopped, killed, held and started again on its data.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::database::{self, Database};
use crate::support::http::{Client, request};
use crate::support::server::{binary, copy, reseal};

/// Longest wait for anything the server is to do.
const PATIENCE: Duration = Duration::from_secs(40);

/// The data folder, and the server on it while one runs.
pub(crate) struct House {
    folder: TempDir,
    child: Option<Child>,
    stderr: Option<Receiver<String>>,
    pub(crate) alice: Client,
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill();
    }
}

impl House {
    /// A new house with the customer `alice`; nothing runs yet.
    pub(crate) fn new(configuration: &str) -> Self {
        Self::over(configuration, &database::fresh())
    }

    /// The same with a database of the test's choice, as a table of the configuration.
    pub(crate) fn over(configuration: &str, database: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let path = data.to_str().unwrap();
        fs::create_dir(&data).unwrap();
        fs::write(data.join("reseal.toml"), database).unwrap();
        reseal(&["init", "--data", path]);
        reseal(&["customer", "create", "alice", "--data", path]);
        let key = reseal(&["api-key", "create", "--customer", "alice", "--data", path]);
        let configuration = format!("{configuration}{database}");
        fs::write(data.join("reseal.toml"), configuration).unwrap();
        Self {
            folder,
            child: None,
            stderr: None,
            alice: Client {
                // Known once the server runs.
                address: SocketAddr::from(([127, 0, 0, 1], 0)),
                key,
            },
        }
    }

    /// Another node of the same server, with a copy of its folder but of what is the node's own; nothing runs there yet.
    pub(crate) fn another_node(&self) -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        copy(&self.data(), &data);
        for own in ["node", "audit-heads.log"] {
            let _ = fs::remove_file(data.join(own));
        }
        Self {
            folder,
            child: None,
            stderr: None,
            alice: self.alice.clone(),
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn database(&self) -> Database {
        Database::of(&self.data())
    }

    /// Starts the server, which holds at the fault point `hold_at`.
    #[track_caller]
    pub(crate) fn start(&mut self, hold_at: Option<&str>) {
        self.start_with(hold_at.map(|point| ("RESEAL_HOLD_AT", point)));
    }

    /// Starts the server at another time, such as `+2h`.
    #[track_caller]
    pub(crate) fn start_at(&mut self, clock_offset: &str) {
        self.start_with(Some(("RESEAL_CLOCK_OFFSET", clock_offset)));
    }

    #[track_caller]
    fn start_with(&mut self, variable: Option<(&str, &str)>) {
        let mut command = Command::new(binary());
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(self.data())
            .env_remove("RESEAL_HOLD_AT")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.envs(variable);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, receiver) = channel();
        // Read to the end whoever listens, so that the server never waits for us.
        thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .for_each(|line| drop(sender.send(line)));
        });
        self.child = Some(child);
        self.stderr = Some(receiver);
        let line = self.wait_for_line("listening on http://");
        let (_, address) = line.split_once("http://").unwrap();
        self.alice.address = address.trim().parse().unwrap();
    }

    /// Waits until the server says `part` on stderr; the answer is the whole line.
    #[track_caller]
    pub(crate) fn wait_for_line(&self, part: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut before = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.stderr.as_ref().unwrap().recv_timeout(left) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => before.push(line),
                Err(error) => panic!("expected `{part}` on stderr ({error}), saw {before:#?}"),
            }
        }
    }

    /// SIGKILL, and waits for the end.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops the server in order, and waits until it has; what it said since it was last listened to.
    pub(crate) fn terminate(&mut self) -> Vec<String> {
        let mut child = self.child.take().unwrap();
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(sent.success());
        assert!(child.wait().unwrap().success());
        self.stderr.take().unwrap().iter().collect()
    }

    /// Sends a request whose answer may never come; the connection stays open as long as the value lives.
    pub(crate) fn send(&self, path: &str, body: &[u8]) -> TcpStream {
        self.send_with("Accept: application/json", path, body)
    }

    /// The same with a header.
    pub(crate) fn send_with(&self, header: &str, path: &str, body: &[u8]) -> TcpStream {
        let authorization = format!("Authorization: ApiKey {}", self.alice.key);
        let headers = [&*authorization, "Content-Type: application/json", header];
        let mut stream = TcpStream::connect(self.alice.address).unwrap();
        stream
            .write_all(&request("POST", path, &headers, body))
            .unwrap();
        stream
    }

    #[track_caller]
    pub(crate) fn info(&self, process: i64) -> Value {
        self.alice
            .get(&format!("/v2/processes/{process}/info"))
            .expect(200)
    }

    #[track_caller]
    pub(crate) fn timeline(&self, process: i64) -> String {
        self.alice
            .get(&format!("/v2/processes/{process}/timeline"))
            .text()
    }

    /// Asks for another look now.
    pub(crate) fn resend(&self, process: i64) {
        self.alice
            .post_raw(&format!("/v2/processes/{process}/resend"), b"");
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, process: i64, status: &str) -> Value {
        let path = format!("/v2/processes/{process}");
        self.wait_until(process, || {
            let body = self.alice.get(&path).expect(200);
            (body["status"] == status).then_some(body)
        })
    }

    /// Waits until `found` has something; otherwise says what the process went through.
    #[track_caller]
    pub(crate) fn wait_until<T>(&self, process: i64, found: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(seen) = found() {
                return seen;
            }
            assert!(
                Instant::now() < deadline,
                "expected something else of {}\n{}",
                self.info(process),
                self.timeline(process)
            );
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The one certificate a process led to.
    #[track_caller]
    pub(crate) fn certificate_of(&self, process: i64) -> i64 {
        let found = self
            .alice
            .get(&format!("/v2/ssl/certificates?process%3Aeq={process}"))
            .expect(200);
        assert_eq!(found["pagination"]["total"], 1, "{found}");
        found["entities"][0]["id"].as_i64().unwrap()
    }

    #[track_caller]
    pub(crate) fn certificate(&self, id: i64) -> Value {
        self.alice
            .get(&format!("/v2/ssl/certificates/{id}"))
            .expect(200)
    }
}
