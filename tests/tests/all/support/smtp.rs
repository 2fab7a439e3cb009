//! A mail server that keeps what it is given, and can be out of order.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

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

#[derive(Default)]
struct State {
    mails: Mutex<Vec<Mail>>,
    out_of_order: AtomicBool,
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
