//! What people and scripts read: results on stdout, notices on stderr; and who they are.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::sync::OnceLock;

/// Why a line did not come to stdout.
static LOST: OnceLock<std::io::Error> = OnceLock::new();

/// Writes one line to stdout. A reader that has gone away is no failure; any other is the command's ([`lost`]).
pub(crate) fn line(text: impl Display) {
    note(writeln!(std::io::stdout().lock(), "{text}"));
}

/// The same for what is no line.
pub(crate) fn raw(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    note(stdout.write_all(bytes).and_then(|()| stdout.flush()));
}

fn note(written: std::io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error);
    }
}

/// Writes what is shown once to stdout: a reader that has gone away has not got it.
pub(crate) fn secret(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")
}

/// Why not everything came to stdout, if so: what was written there, a report perhaps, is not whole.
pub(crate) fn lost() -> Option<&'static std::io::Error> {
    LOST.get()
}

/// Writes one line to stderr.
pub(crate) fn notice(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// The same, to be replaced by the next line.
pub(crate) fn replaceable(text: impl Display) {
    let _ = write!(std::io::stderr().lock(), "\x1b[2K{text}\r");
}

/// Whoever sits at the command line, as the system knows them. Who can write the database can be anybody.
pub(crate) fn actor() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty() && name.len() <= 100 && !name.chars().any(char::is_control));
    format!("console/{}", name.as_deref().unwrap_or("unknown"))
}

/// Foreign text as a terminal may have it: what is not plain ASCII is escaped.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' '..='~' => shown.push(character),
            other => shown.extend(other.escape_default()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nasty_111_what_strangers_publish_cannot_speak_to_the_terminal() {
        let said = printable("a \"b\" \\ \x1b[31m\n\u{202e}ü");
        assert_eq!(said, r#"a "b" \ \u{1b}[31m\n\u{202e}\u{fc}"#);
    }
}
