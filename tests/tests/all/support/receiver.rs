//! A customer's receiver of webhooks: keeps what it gets, and answers as told.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::listener::listen;

const PATIENCE: Duration = Duration::from_secs(40);

/// One message as it came.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) at: Instant,
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    /// Statuses of the next answers; then 200.
    statuses: VecDeque<u16>,
    /// Takes messages and never answers.
    dead: bool,
}

/// The running receiver; its threads end with the test binary.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let address = listen(&state, |stream, state| {
            receive(stream, state);
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers the next messages with these statuses.
    pub(crate) fn answer(&self, statuses: &[u16]) {
        self.state.lock().unwrap().statuses.extend(statuses);
    }

    /// Never answers again.
    pub(crate) fn die(&self) {
        self.state.lock().unwrap().dead = true;
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.state.lock().unwrap().messages.clone()
    }

    /// Waits until `count` messages have come.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Message> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let messages = self.messages();
            if messages.len() >= count {
                return messages;
            }
            assert!(
                Instant::now() < deadline,
                "expected {count} messages, saw {}",
                messages.len()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn receive(stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut input = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if input.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut message = Message {
        head,
        body: Vec::new(),
        at: Instant::now(),
    };
    let length = message.header("content-length")?.parse().ok()?;
    message.body.resize(length, 0);
    input.read_exact(&mut message.body).ok()?;
    let (status, dead) = {
        let mut state = state.lock().ok()?;
        state.messages.push(message);
        (state.statuses.pop_front().unwrap_or(200), state.dead)
    };
    if dead {
        thread::sleep(PATIENCE);
        return None;
    }
    let answer =
        format!("HTTP/1.1 {status} X\r\nContent-Length: 4\r\nConnection: close\r\n\r\nsaid");
    let mut output = stream;
    output.write_all(answer.as_bytes()).ok()
}
