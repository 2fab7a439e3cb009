//! What people and scripts read: results on stdout, notices on stderr.

use std::fmt::Display;
use std::io::Write as _;

/// Writes one line to stdout. A reader that has gone away is no failure.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes one line to stderr.
pub(crate) fn notice(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
