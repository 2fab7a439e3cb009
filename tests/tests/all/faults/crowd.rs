//! Customers who go on while everything around them fails: each repeats a call until it knows what became of it, and
//! remembers what it was told.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::chance::Chance;
use crate::support::csr::csr;
use crate::support::http::{Reply, read_reply, request};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// A call that is not answered for good by then never will be.
const LONGEST_CALL: Duration = Duration::from_secs(90);

/// Where the nodes listen now: it changes when one is started again.
pub(super) type Nodes = Arc<Mutex<[SocketAddr; 2]>>;

/// A call that opened a process, as it was answered.
pub(super) struct Opened {
    /// Its `Idempotency-Key`, path and body; without, when it cannot be made again.
    pub(super) call: Option<(String, String, String)>,
    pub(super) process: i64,
    pub(super) status: u16,
}

/// What customers were told.
#[derive(Default)]
pub(super) struct Told {
    /// Processes; with 201 one that is over.
    pub(super) opened: Vec<Opened>,
    /// Processes whose cancelling was answered as done.
    pub(super) cancelled: Vec<i64>,
    /// Certificates whose revocation was answered as done.
    pub(super) revoked: Vec<i64>,
    /// Calls that were answered for good.
    pub(super) answered: u64,
    /// Attempts without an answer, or answered with 5xx or 429.
    pub(super) unknown: u64,
    /// The slowest call, from its first attempt to the answer for good.
    pub(super) slowest: Duration,
}

impl Told {
    pub(super) fn add(&mut self, other: Self) {
        self.opened.extend(other.opened);
        self.cancelled.extend(other.cancelled);
        self.revoked.extend(other.revoked);
        self.answered += other.answered;
        self.unknown += other.unknown;
        self.slowest = self.slowest.max(other.slowest);
    }
}

/// A customer.
pub(super) struct Customer {
    pub(super) number: usize,
    pub(super) nodes: Nodes,
    pub(super) api_key: String,
    pub(super) chance: Chance,
    pub(super) told: Told,
    calls: u64,
}

impl Customer {
    pub(super) fn new(number: usize, nodes: Nodes, api_key: &str, seed: u64) -> Self {
        Self {
            number,
            nodes,
            api_key: api_key.to_owned(),
            chance: Chance::new(seed),
            told: Told::default(),
            calls: 0,
        }
    }

    /// Reissues, looks, revokes and cancels until `stop`, beginning with the certificates `newest`.
    pub(super) fn work(mut self, mut newest: Vec<i64>, stop: &AtomicBool) -> Told {
        let mut older = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let place = usize::try_from(self.chance.between(0, newest.len() as u64)).unwrap();
            match self.chance.between(0, 10) {
                0..5 => {
                    let (process, _) = self.reissue(newest[place], &["reseal.dev"]);
                    let next = self.successor(process);
                    older.push(std::mem::replace(&mut newest[place], next));
                }
                5 => self.reissue_and_cancel(newest[place]),
                6 if !older.is_empty() => {
                    let one = self.chance.of(&older);
                    self.revoke(one);
                }
                _ => self.look_back(),
            }
        }
        self.told
    }

    /// The process that replaces `certificate`, and the status of the answer.
    pub(super) fn reissue(&mut self, certificate: i64, names: &[&str]) -> (i64, u16) {
        self.calls += 1;
        let key = format!("call-{}-{}", self.number, self.calls);
        let body = json!({"csr": csr(names), "san": names}).to_string();
        let path = format!("/v2/ssl/certificates/{certificate}/reissue");
        let reply = self.until_known("POST", &path, Some(&key), body.as_bytes());
        // Nobody else replaces these certificates: even what was done by an attempt whose answer was lost is answered.
        assert!(
            [201, 202].contains(&reply.status),
            "{key}: {}",
            reply.text()
        );
        let (process, status) = (reply.process(), reply.status);
        self.told.opened.push(Opened {
            call: Some((key, path, body)),
            process,
            status,
        });
        (process, status)
    }

    /// The certificate that `process` leads to, once it does.
    pub(super) fn successor(&mut self, process: i64) -> i64 {
        let deadline = Instant::now() + LONGEST_CALL;
        loop {
            let seen = self.look(process);
            if seen["status"] == "COMPLETED" {
                return self.certificate_of(process);
            }
            let goes_on = seen["status"] != "FAILED" && seen["status"] != "CANCELLED";
            assert!(goes_on && Instant::now() < deadline, "{seen}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Opens a process that waits for a proof that never comes, and withdraws it.
    fn reissue_and_cancel(&mut self, certificate: i64) {
        let (process, status) = self.reissue(certificate, &["reseal.dev", "never.reseal.org"]);
        assert_eq!(status, 202);
        let reply = self.until_known("DELETE", &format!("/v2/processes/{process}"), None, b"");
        match reply.status {
            200..300 => self.told.cancelled.push(process),
            // It was, by an attempt whose answer was lost.
            400 => assert_eq!(self.look(process)["status"], "CANCELLED"),
            status => panic!("{status}: {}", reply.text()),
        }
    }

    fn revoke(&mut self, certificate: i64) {
        let path = format!("/v2/ssl/certificates/{certificate}");
        let reply = self.until_known("DELETE", &path, None, b"");
        match reply.status {
            200..300 | 400 => self.told.revoked.push(certificate),
            status => panic!("{status}: {}", reply.text()),
        }
    }

    /// What was answered is there from then on, on every node.
    fn look_back(&mut self) {
        let opened: Vec<i64> = self.told.opened.iter().map(|one| one.process).collect();
        if opened.is_empty() {
            return;
        }
        let process = self.chance.of(&opened);
        let status = self.look(process)["status"].clone();
        if self.told.cancelled.contains(&process) {
            assert_eq!(status, "CANCELLED");
        }
    }

    fn look(&mut self, process: i64) -> Value {
        let reply = self.until_known("GET", &format!("/v2/processes/{process}"), None, b"");
        reply.expect(200)
    }

    fn certificate_of(&mut self, process: i64) -> i64 {
        let path = format!("/v2/ssl/certificates?process%3Aeq={process}");
        let found = self.until_known("GET", &path, None, b"").expect(200);
        assert_eq!(found["pagination"]["total"], 1, "{found}");
        found["entities"][0]["id"].as_i64().unwrap()
    }

    /// Repeats a call, on either node, until it is answered for good.
    pub(super) fn until_known(
        &mut self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: &[u8],
    ) -> Reply {
        let begun = Instant::now();
        loop {
            if let Some(reply) = self.attempt(method, path, key, body) {
                self.told.answered += 1;
                self.told.slowest = self.told.slowest.max(begun.elapsed());
                return reply;
            }
            self.told.unknown += 1;
            assert!(
                begun.elapsed() < LONGEST_CALL,
                "{method} {path} {key:?} is never answered"
            );
            thread::sleep(Duration::from_millis(self.chance.between(20, 200)));
        }
    }

    fn attempt(
        &mut self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: &[u8],
    ) -> Option<Reply> {
        let nodes = *self.nodes.lock().unwrap();
        let address = self.chance.of(&nodes);
        let authorization = format!("Authorization: ApiKey {}", self.api_key);
        let key = key.map(|key| format!("Idempotency-Key: {key}"));
        let mut headers = vec![&*authorization, "Content-Type: application/json"];
        headers.extend(key.as_deref());
        let reply = exchange(address, &request(method, path, &headers, body))?;
        // 429: an earlier attempt of this call goes on.
        (reply.status < 500 && reply.status != 429).then_some(reply)
    }
}

/// An answer, if there is a whole one.
pub(super) fn exchange(address: SocketAddr, bytes: &[u8]) -> Option<Reply> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(bytes).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let reply = read_reply(answer);
    let length = reply
        .header("content-length")
        .and_then(|length| length.parse().ok());
    let is_whole = length.is_none_or(|length: usize| reply.body.len() == length);
    is_whole.then_some(reply)
}
