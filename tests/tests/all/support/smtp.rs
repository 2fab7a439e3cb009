//! A mail server that keeps what it is given, and can be out of order.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::listener::listen;

const PATIENCE: Duration = Duration::from_secs(30);

/// A message as the conversation gave it.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// `RCPT TO`.
    pub(crate) recipients: Vec<String>,
    /// Header and body.
    pub(crate) text: String,
}

impl Mail {
    /// The token of the approval link.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        // RFC 2045 section 6.7: a line that ends with `=` goes on.
        let text = self.text.replace("=\r\n", "");
        let (_, rest) = text
            .split_once("/dcv/approve/")
            .unwrap_or_else(|| panic!("no link in {}", self.text));
        rest.chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect()
    }
}

impl Mail {
    /// The value of a header, as it stands there but for folds (RFC 5322 section 2.2.3).
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> String {
        let (head, _) = self.text.split_once("\r\n\r\n").unwrap();
        let head = head.replace("\r\n ", " ");
        let line = head
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {head}"))
            .to_owned()
    }

    /// The subject as it is read (RFC 2047, encoded words in base64).
    #[track_caller]
    pub(crate) fn subject(&self) -> String {
        let raw = self.header("Subject");
        assert!(raw.is_ascii(), "{raw}");
        let mut subject = String::new();
        let mut after_encoded = false;
        for word in raw.split(' ') {
            let encoded = word
                .strip_prefix("=?utf-8?b?")
                .and_then(|word| word.strip_suffix("?="));
            // White space between two encoded words is none.
            let joined = after_encoded && encoded.is_some();
            if !subject.is_empty() && !joined {
                subject.push(' ');
            }
            after_encoded = encoded.is_some();
            let bytes = encoded.map_or_else(
                || word.as_bytes().to_vec(),
                |text| STANDARD.decode(text).unwrap(),
            );
            subject.push_str(&String::from_utf8(bytes).unwrap());
        }
        subject
    }

    /// The part of the kind `text/plain` or `text/html`, decoded, with `\n` line ends.
    #[track_caller]
    pub(crate) fn part(&self, kind: &str) -> String {
        let (_, boundary) = self.text.split_once("boundary=\"").unwrap();
        let (boundary, _) = boundary.split_once('"').unwrap();
        let delimiter = format!("--{boundary}");
        let part = self
            .text
            .split(&delimiter)
            .find(|part| {
                part.contains(&format!("Content-Type: {kind};")) && !part.contains("boundary=")
            })
            .unwrap_or_else(|| panic!("no {kind} in {}", self.text));
        let (head, body) = part.split_once("\r\n\r\n").unwrap();
        let body = body.strip_suffix("\r\n").unwrap();
        let body = if head.contains("quoted-printable") {
            from_quoted_printable(body)
        } else {
            assert!(head.contains("7bit"), "{head}");
            body.to_owned()
        };
        body.replace("\r\n", "\n")
    }
}

/// RFC 2045 section 6.7.
fn from_quoted_printable(body: &str) -> String {
    assert!(body.lines().all(|line| line.len() <= 76), "{body}");
    let joined = body.replace("=\r\n", "");
    let mut pieces = joined.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).unwrap());
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}

#[derive(Default)]
struct State {
    mails: Mutex<Vec<Mail>>,
    out_of_order: AtomicBool,
    hesitates: AtomicBool,
    refuses: AtomicBool,
    refused: AtomicUsize,
}

/// The running server; its threads end with the test binary.
pub(crate) struct MailServer {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let state = Arc::new(State::default());
        let address = listen(&state, |stream, state| {
            converse(stream, state);
        });
        Self { address, state }
    }

    /// While out of order every command is answered with 421.
    pub(crate) fn out_of_order(&self, is: bool) {
        self.state.out_of_order.store(is, Ordering::SeqCst);
    }

    /// While it hesitates, it has each mail and does not say so.
    pub(crate) fn hesitate(&self, does: bool) {
        self.state.hesitates.store(does, Ordering::SeqCst);
    }

    /// While it refuses, it knows no recipient.
    pub(crate) fn refuse(&self, does: bool) {
        self.state.refuses.store(does, Ordering::SeqCst);
    }

    /// How many recipients it did not know.
    pub(crate) fn refused(&self) -> usize {
        self.state.refused.load(Ordering::SeqCst)
    }

    pub(crate) fn mails_to(&self, recipient: &str) -> Vec<Mail> {
        let mails = self.state.mails.lock().unwrap();
        let to = |mail: &&Mail| mail.recipients.iter().any(|one| one == recipient);
        mails.iter().filter(to).cloned().collect()
    }

    /// The newest mail to `recipient`, once there is one.
    #[track_caller]
    pub(crate) fn wait_for_mail(&self, recipient: &str) -> Mail {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(mail) = self.mails_to(recipient).pop() {
                return mail;
            }
            assert!(Instant::now() < deadline, "no mail to {recipient}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// RFC 5321, as far as a client that sends mail needs it.
fn converse(stream: &TcpStream, state: &State) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    let mut output = stream;
    let mut say = |text: &str| output.write_all(format!("{text}\r\n").as_bytes()).ok();
    let mut recipients = Vec::new();
    if state.out_of_order.load(Ordering::SeqCst) {
        return say("421 out of order");
    }
    say("220 mail.test ESMTP")?;
    loop {
        let line = read_line(&mut lines)?;
        if state.out_of_order.load(Ordering::SeqCst) {
            return say("421 out of order");
        }
        let command = line.trim_end().to_ascii_uppercase();
        match command.split([' ', ':']).next()? {
            "EHLO" => say("250-mail.test\r\n250 8BITMIME")?,
            "MAIL" | "RSET" => {
                recipients.clear();
                say("250 go on")?;
            }
            "RCPT" if state.refuses.load(Ordering::SeqCst) => {
                state.refused.fetch_add(1, Ordering::SeqCst);
                say("550 5.1.1 no such user")?;
            }
            "RCPT" => {
                let (_, rest) = line.split_once('<')?;
                recipients.push(rest.split('>').next()?.to_owned());
                say("250 known here")?;
            }
            "DATA" => {
                say("354 end with a dot")?;
                let text = read_message(&mut lines)?;
                let recipients = std::mem::take(&mut recipients);
                let mail = Mail { recipients, text };
                state.mails.lock().ok()?.push(mail);
                while state.hesitates.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(20));
                }
                say("250 kept")?;
            }
            "NOOP" => say("250 still here")?,
            "QUIT" => return say("221 goodbye"),
            _ => say("502 not known here")?,
        }
    }
}

fn read_message(lines: &mut BufReader<TcpStream>) -> Option<String> {
    let mut text = String::new();
    loop {
        let line = read_line(lines)?;
        if line == ".\r\n" {
            return Some(text);
        }
        // RFC 5321 section 4.5.2: a dot in front was doubled.
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

fn read_line(lines: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    (lines.read_line(&mut line).ok()? > 0).then_some(line)
}
