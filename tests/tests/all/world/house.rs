//! A server with a world of the test's own: it can be stopped, killed, held and started again on its data.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::database::{self, Database};
use crate::support::http::{Client, request};
use crate::support::server::{binary, copy};

/// Longest wait for anything the server is to do.
const PATIENCE: Duration = Duration::from_secs(40);

/// The data folder, and the server on it while one runs.
pub(crate) struct House {
    folder: TempDir,
    child: Option<Child>,
    stderr: Option<Receiver<String>>,
    /// What the server said before it listened.
    pub(crate) said_first: Vec<String>,
    pub(crate) alice: Client,
    /// What the server and commands find in their environment.
    environment: Vec<(String, String)>,
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill();
    }
}

impl House {
    /// A new house with the customer `alice`; nothing runs yet. All these are copies of one, as making it takes longer.
    pub(crate) fn new(configuration: &str) -> Self {
        static FIRST: OnceLock<(TempDir, String)> = OnceLock::new();
        let (first, key) = FIRST.get_or_init(|| {
            let mut first = Self::empty(&database::fresh(), Vec::new());
            first.settle();
            let folder = std::mem::replace(&mut first.folder, TempDir::new().unwrap());
            (folder, first.alice.key.clone())
        });
        let first = first.path().join("data");
        let mut house = Self::unconfigured(Vec::new());
        copy(&first, &house.data());
        house.alice.key.clone_from(key);
        let database = database::copy_of(&first);
        house.configure(&format!("{configuration}{database}"));
        house
    }

    /// One made for this test, with a database of its choice, as a table of the configuration.
    pub(crate) fn over(configuration: &str, database: &str) -> Self {
        let mut house = Self::empty(database, Vec::new());
        house.settle();
        house.configure(&format!("{configuration}{database}"));
        house
    }

    /// A folder with a configuration, and what there is in the environment of whatever is run on it; no server's yet.
    pub(crate) fn empty(configuration: &str, environment: Vec<(String, String)>) -> Self {
        let house = Self::unconfigured(environment);
        fs::create_dir(house.data()).unwrap();
        house.configure(configuration);
        house
    }

    fn unconfigured(environment: Vec<(String, String)>) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            child: None,
            stderr: None,
            said_first: Vec::new(),
            alice: Client {
                // Known once the server runs.
                address: SocketAddr::from(([127, 0, 0, 1], 0)),
                key: String::new(),
            },
            environment,
        }
    }

    /// Makes the folder a server's, with the customer `alice`.
    #[track_caller]
    pub(crate) fn settle(&mut self) {
        self.told(&["init"]);
        self.told(&["customer", "create", "alice"]);
        self.alice.key = self.told(&["api-key", "create", "--customer", "alice"]);
    }

    pub(crate) fn configure(&self, configuration: &str) {
        fs::write(self.data().join("reseal.toml"), configuration).unwrap();
    }

    /// A command on this folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).arg("--data").arg(self.data());
        command.envs(self.environment.iter().cloned());
        command.env_remove("RESEAL_HOLD_AT").stdin(Stdio::null());
        command
    }

    /// What a command says on stdout, after it has done what it was asked for.
    #[track_caller]
    pub(crate) fn told(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What a command says on stderr, after it has refused.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!output.status.success(), "{arguments:?}: {said}");
        said
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
            said_first: Vec::new(),
            alice: self.alice.clone(),
            environment: self.environment.clone(),
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
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
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
        let (before, line) = self.read_up_to("listening on http://");
        self.said_first = before;
        let (_, address) = line.split_once("http://").unwrap();
        self.alice.address = address.trim().parse().unwrap();
    }

    /// Waits until the server says `part` on stderr; the answer is the whole line.
    #[track_caller]
    pub(crate) fn wait_for_line(&self, part: &str) -> String {
        // What goes on by itself may have spoken before the server said where it listens.
        if let Some(line) = self.said_first.iter().find(|line| line.contains(part)) {
            return line.clone();
        }
        let (_, line) = self.read_up_to(part);
        line
    }

    /// The lines before the one that has `part`, and that line.
    #[track_caller]
    fn read_up_to(&self, part: &str) -> (Vec<String>, String) {
        let deadline = Instant::now() + PATIENCE;
        let mut before = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.stderr.as_ref().unwrap().recv_timeout(left) {
                Ok(line) if line.contains(part) => return (before, line),
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
