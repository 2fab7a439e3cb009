//! A web host for every name: serves what was put there, sends elsewhere, and remembers what was asked.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::listener::listen_at;

#[derive(Clone)]
enum Answer {
    File(String),
    Redirect(String),
    /// Exactly these bytes.
    Raw(Vec<u8>),
    /// A head, and then the piece again and again after each pause.
    Endless(Vec<u8>, Duration),
}

#[derive(Default)]
struct State {
    answers: HashMap<String, Answer>,
    asked: Vec<String>,
}

/// The running host; its threads end with the test binary.
pub(crate) struct WebHost {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl WebHost {
    pub(crate) fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// At an address of this machine.
    pub(crate) fn start_at(address: SocketAddr) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let address = listen_at(address, &state, |stream, state| {
            answer(stream, state);
        });
        Self { address, state }
    }

    /// Puts a file at `location`: host, slash, path.
    pub(crate) fn file(&self, location: &str, contents: &str) {
        self.put(location, Answer::File(contents.to_owned()));
    }

    /// Answers `location` with 302 to `target`.
    pub(crate) fn redirect(&self, location: &str, target: &str) {
        self.put(location, Answer::Redirect(target.to_owned()));
    }

    /// Answers `location` with these bytes.
    pub(crate) fn raw(&self, location: &str, bytes: &[u8]) {
        self.put(location, Answer::Raw(bytes.to_vec()));
    }

    /// Answers `location` with a body that never ends.
    pub(crate) fn endless(&self, location: &str, piece: &[u8], pause: Duration) {
        self.put(location, Answer::Endless(piece.to_vec(), pause));
    }

    fn put(&self, location: &str, answer: Answer) {
        let mut state = self.state.lock().unwrap();
        state.answers.insert(location.to_owned(), answer);
    }

    /// Every location asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}

fn answer(stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let request = lines.next()?;
    let path = request.split(' ').nth(1)?;
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let host = head
        .iter()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))?
        .1
        .trim();
    let location = format!("{}{path}", host.split(':').next()?);
    let answer = {
        let mut state = state.lock().ok()?;
        state.asked.push(location.clone());
        state.answers.get(&location).cloned()
    };
    let mut output = stream;
    let (status, header, body) = match answer {
        Some(Answer::Raw(bytes)) => return output.write_all(&bytes).ok(),
        Some(Answer::Endless(piece, pause)) => {
            output.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
            loop {
                output.write_all(&piece).ok()?;
                thread::sleep(pause);
            }
        }
        Some(Answer::File(contents)) => ("200 OK", String::new(), contents),
        Some(Answer::Redirect(target)) => (
            "302 Found",
            format!("Location: {target}\r\n"),
            String::new(),
        ),
        None => ("404 Not Found", String::new(), "nothing here\n".to_owned()),
    };
    let text = format!(
        "HTTP/1.1 {status}\r\n{header}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    output.write_all(text.as_bytes()).ok()
}
