//! The demo's mail reader: looks into the maildir that Reseal delivers to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};

/// A mail as far as the demo needs it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mail {
    pub(super) subject: String,
    pub(super) link: String,
}

/// Waits for a mail to `recipient` with a link below `server`.
pub(super) async fn wait_for_mail(
    folder: &Path,
    recipient: &str,
    server: &str,
    patience: Duration,
) -> anyhow::Result<Mail> {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        for file in newest_first(&folder.join("new"))? {
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            let (head, body) = split(&text);
            if header(&head, "To").is_some_and(|to| to.contains(recipient)) {
                return read(&head, &body, server);
            }
        }
        if tokio::time::Instant::now() > deadline {
            bail!("no mail to {recipient} arrived in {}", folder.display());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn newest_first(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    // Until the first mail there may be no folder.
    if let Ok(entries) = std::fs::read_dir(folder) {
        for entry in entries {
            files.push(entry?.path());
        }
    }
    files.sort_unstable_by(|left, right| right.cmp(left));
    Ok(files)
}

fn read(head: &[String], body: &str, server: &str) -> anyhow::Result<Mail> {
    let (part_head, body) = first_part(head, body);
    let body = match header(&part_head, "Content-Transfer-Encoding") {
        Some(encoding) if encoding.eq_ignore_ascii_case("quoted-printable") => {
            from_quoted_printable(&body)
        }
        Some(encoding) if encoding.eq_ignore_ascii_case("base64") => {
            bail!("the mail is encoded as base64, which the demo does not read")
        }
        _ => body,
    };
    let link = body
        .split_whitespace()
        .find(|word| word.starts_with(&format!("{server}/")))
        .ok_or_else(|| anyhow!("the mail has no link below {server}"))?;
    Ok(Mail {
        subject: header(head, "Subject").unwrap_or_default().to_owned(),
        link: link.to_owned(),
    })
}

/// The plain text of a mail that has it in several forms, or the whole mail (RFC 2046 section 5.1).
fn first_part(head: &[String], body: &str) -> (Vec<String>, String) {
    let boundary = header(head, "Content-Type")
        .and_then(|kind| kind.split_once("boundary=\""))
        .and_then(|(_, rest)| rest.split_once('"'));
    let part = boundary.and_then(|(boundary, _)| {
        let (_, rest) = body.split_once(&format!("--{boundary}\n"))?;
        rest.split_once(&format!("\n--{boundary}"))
    });
    part.map_or_else(|| (head.to_vec(), body.to_owned()), |(part, _)| split(part))
}

/// Headers, folded ones joined, and the body.
fn split(text: &str) -> (Vec<String>, String) {
    let text = text.replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut headers: Vec<String> = Vec::new();
    for line in head.lines() {
        match headers.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => last.push_str(line),
            _ => headers.push(line.to_owned()),
        }
    }
    (headers, body.to_owned())
}

fn header<'a>(headers: &'a [String], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .filter_map(|line| line.split_once(':'))
        .find(|(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// RFC 2045 section 6.7, enough of it to read a link.
fn from_quoted_printable(body: &str) -> String {
    let joined = body.replace("=\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'=' && after.len() >= 2)
            .then(|| std::str::from_utf8(&after[..2]).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_found_however_the_mail_is_encoded() {
        let subject = "To: hostmaster@a.internal\r\nSubject: Approve\r\n a certificate\r\n";
        let text = "Content-Transfer-Encoding: quoted-printable\r\n\r\nOpen\r\n\
            http://127.0.0.1:1/dcv/approve/abc=\r\ndef?x=3D1\r\nto approve.\r\n";
        let several = format!(
            "{subject}Content-Type: multipart/alternative;\r\n boundary=\"b\"\r\n\r\n\
             --b\r\n{text}\r\n--b\r\n\r\n<p>http://127.0.0.1:1/no</p>\r\n--b--\r\n"
        );
        for mail in [format!("{subject}{text}"), several] {
            let (head, body) = split(&mail);
            assert_eq!(
                read(&head, &body, "http://127.0.0.1:1").unwrap(),
                Mail {
                    subject: "Approve a certificate".to_owned(),
                    link: "http://127.0.0.1:1/dcv/approve/abcdef?x=1".to_owned(),
                }
            );
            assert!(read(&head, &body, "http://127.0.0.1:2").is_err());
        }
    }
}
