use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

use super::*;

fn message(to: &str) -> Message {
    Message {
        to: to.to_owned(),
        subject: "Approve a certificate for xn--bcher-kva.example".to_owned(),
        language: "de",
        html: "<!DOCTYPE html>\n<html lang=\"de\">\n<p>Grüße</p>\n</html>\n".to_owned(),
        text: "Grüße,\n.\nhttps://ca.example/dcv/approve/abc\n".to_owned(),
        message_id: "0123abcd@ca.example".to_owned(),
        date: "2026-11-24T12:00:00Z".parse().unwrap(),
    }
}

fn only_file(folder: PathBuf) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

#[tokio::test]
async fn d_18_a_message_in_the_mail_folder_has_the_fixed_headers() {
    let folder = tempfile::tempdir().unwrap();
    let mailer = Mailer::from_url("maildir", folder.path(), "Reseal <ca@localhost>").unwrap();
    mailer.probe().await.unwrap();
    let receipt = mailer.send(&message("admin@example.com")).await.unwrap();
    let file = only_file(folder.path().join("new"));
    assert_eq!(
        file.file_name().unwrap().to_str().unwrap(),
        receipt.taken_by
    );
    assert_eq!(receipt.message_id, "0123abcd@ca.example");
    let text = fs::read_to_string(file).unwrap();
    for header in [
        "From: Reseal <ca@localhost>",
        "To: admin@example.com",
        "Subject: Approve a certificate for xn--bcher-kva.example",
        "Date: Tue, 24 Nov 2026 12:00:00 +0000",
        "Message-ID: <0123abcd@ca.example>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Language: de",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
    ] {
        assert!(
            text.contains(&format!("{header}\r\n")),
            "{header} in {text}"
        );
    }
    assert!(
        text.contains("https://ca.example/dcv/approve/abc"),
        "{text}"
    );
    assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);

    let again = mailer.send(&message("admin@example.com")).await.unwrap();
    assert_ne!(again.taken_by, receipt.taken_by);
    let again = fs::read_to_string(folder.path().join("new").join(again.taken_by)).unwrap();
    assert_eq!(again, text, "a resent message is the same to the byte");
}

#[tokio::test]
async fn d_19_nobody_but_the_owner_reads_the_links_in_a_mail_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("mail");
    let mailer = Mailer::from_url("maildir", &folder, "ca@localhost").unwrap();
    mailer.send(&message("admin@example.com")).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for made in [&folder, &folder.join("new"), &folder.join("tmp")] {
        assert_eq!(mode(made), 0o700, "{}", made.display());
    }
    assert_eq!(mode(&only_file(folder.join("new"))), 0o600);
}

#[tokio::test]
async fn nasty_092_no_message_goes_to_an_address_that_injects() {
    let folder = tempfile::tempdir().unwrap();
    let mailer = Mailer::from_url("maildir", folder.path(), "ca@localhost").unwrap();
    for to in [
        "admin@example.com\r\nBcc: x@evil.com",
        "admin@example.com,x@evil.com",
        "<admin@example.com>",
    ] {
        let error = mailer.send(&message(to)).await.unwrap_err();
        assert!(matches!(error, MailError::Recipient(_)), "{error}");
        assert!(!error.is_temporary());
    }
    let injected = Message {
        subject: "x\r\nBcc: x@evil.com".to_owned(),
        ..message("admin@example.com")
    };
    assert!(mailer.send(&injected).await.is_err());
    let injected = Message {
        message_id: "a>\r\nX: <b".to_owned(),
        ..message("admin@example.com")
    };
    assert!(mailer.send(&injected).await.is_err());
    assert!(!folder.path().join("new").exists());
}

#[tokio::test]
async fn d_18_a_plain_text_goes_out_as_it_is_so_that_links_stay_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mailer = Mailer::from_url("maildir", folder.path(), "ca@localhost").unwrap();
    let link = format!(
        "https://ca.example/dcv/approve/{}?a=b",
        "0123456789".repeat(12)
    );
    let message = Message {
        text: format!("Dear owner,\n{link}\n"),
        ..message("admin@example.com")
    };
    let receipt = mailer.send(&message).await.unwrap();
    let file = folder.path().join("new").join(receipt.taken_by);
    assert!(fs::read_to_string(file).unwrap().contains(&link));
}

#[tokio::test]
async fn an_unusable_folder_is_a_temporary_failure() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mailer = Mailer::from_url("maildir", file.path(), "ca@localhost").unwrap();
    let error = mailer
        .send(&message("admin@example.com"))
        .await
        .unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert!(mailer.probe().await.is_err());
}

#[test]
fn settings_that_cannot_work_are_refused_without_showing_credentials() {
    let folder = Path::new("/nonexistent");
    for url in ["", "mail", "http://x", "smtp://user:s3cret@"] {
        let error = Mailer::from_url(url, folder, "ca@localhost").unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    assert!(Mailer::from_url("maildir", folder, "not an address").is_err());
}

#[tokio::test]
async fn credentials_are_never_shown() {
    let folder = Path::new("/nonexistent");
    let url = "smtps://user:s3cret@mail.example:465";
    let mailer = Mailer::from_url(url, folder, "ca@localhost").unwrap();
    assert_eq!(
        format!("{mailer:?}"),
        r#"Smtp(Smtp("smtps://mail.example:465"))"#
    );
}

/// A mail server that speaks just enough SMTP; gives the conversation.
async fn sink(refusal: Option<&'static str>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                write.write_all(b"220 sink ESMTP\r\n").await.unwrap();
                let mut in_data = false;
                while let Ok(Some(line)) = lines.next_line().await {
                    let answer = match (&line, in_data) {
                        (line, true) if line == "." => {
                            in_data = false;
                            "250 2.0.0 queued as 42"
                        }
                        (_, true) => "",
                        (line, _) if line.starts_with("EHLO") => "250 sink",
                        (line, _) if line.starts_with("RCPT") => refusal.unwrap_or("250 ok"),
                        (line, _) if line == "DATA" => {
                            in_data = true;
                            "354 go on"
                        }
                        (line, _) if line == "QUIT" => "221 bye",
                        _ => "250 ok",
                    };
                    log.lock().unwrap().push(line);
                    if !answer.is_empty()
                        && write
                            .write_all(format!("{answer}\r\n").as_bytes())
                            .await
                            .is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
    (port, heard)
}

#[tokio::test]
async fn d_18_smtp_carries_one_recipient_and_the_fixed_sender() {
    let (port, heard) = sink(None).await;
    let folder = Path::new("/nonexistent");
    let url = format!("smtp://127.0.0.1:{port}");
    let mailer = Mailer::from_url(&url, folder, "Reseal <ca@localhost>").unwrap();
    assert!(mailer.probe().await.unwrap().contains(&url));
    let receipt = mailer.send(&message("admin@example.com")).await.unwrap();
    assert!(receipt.taken_by.contains("queued as 42"), "{receipt:?}");
    let heard = heard.lock().unwrap();
    let count = |start: &str| heard.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(count("MAIL FROM:<ca@localhost>"), 1, "{heard:?}");
    assert_eq!(count("RCPT TO:<admin@example.com>"), 1);
    assert_eq!(count("RCPT"), 1);
    assert!(heard.contains(&"Auto-Submitted: auto-generated".to_owned()));
}

#[tokio::test]
async fn smtp_refusals_are_told_from_outages() {
    let folder = Path::new("/nonexistent");
    for (refusal, temporary) in [
        ("550 5.1.1 no such user", false),
        ("451 4.3.0 try later", true),
        ("535 5.7.8 our password is wrong", true),
    ] {
        let (port, _) = sink(Some(refusal)).await;
        let url = format!("smtp://127.0.0.1:{port}");
        let mailer = Mailer::from_url(&url, folder, "ca@localhost").unwrap();
        let error = mailer
            .send(&message("admin@example.com"))
            .await
            .unwrap_err();
        assert_eq!(error.is_temporary(), temporary, "{error}");
        assert!(error.to_string().contains(&refusal[4..9]), "{error}");
    }
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://127.0.0.1:{}", unused.local_addr().unwrap().port());
    drop(unused);
    let mailer = Mailer::from_url(&url, folder, "ca@localhost").unwrap();
    let error = mailer
        .send(&message("admin@example.com"))
        .await
        .unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert!(mailer.probe().await.is_err());
}
