//! `reseal serve` and `reseal demo`.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::signals::{Server, send};
use super::{initialized, reseal, run, stderr, stdout};

#[test]
fn serve_makes_the_folder_says_where_it_listens_once_and_stops_on_sigterm() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("new");
    let child = reseal(Some(&folder))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut server = Server(child);
    let mut lines = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let address = lines
        .by_ref()
        .map(Result::unwrap)
        .find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned))
        .unwrap();
    std::net::TcpStream::connect(&address).unwrap();

    let second = run(Some(&folder), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(
        stderr(&second).contains("another reseal works on"),
        "{}",
        stderr(&second)
    );
    // The command line works beside the server.
    assert_eq!(
        run(Some(&folder), &["customer", "create", "acme"])
            .status
            .code(),
        Some(0)
    );

    send("TERM", &server);
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(
        !rest.iter().any(|line| line.contains("listening on")),
        "{rest:?}"
    );
}

#[test]
fn the_clock_is_not_shifted_for_public_trust() {
    let data = initialized();
    std::fs::write(
        data.path().join("reseal.toml"),
        "[policy]\nprofile = \"public\"\n",
    )
    .unwrap();
    let output = reseal(Some(data.path()))
        .env("RESEAL_CLOCK_OFFSET", "+1d")
        .args(["customer", "list"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("RESEAL_CLOCK_OFFSET"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn the_demo_tells_its_whole_story() {
    let data = tempfile::tempdir().unwrap();
    let started = std::time::Instant::now();
    let output = reseal(None)
        .args(["demo", "--exit", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}\n{}", stderr(&output));
    assert!(started.elapsed().as_secs() < 15, "{:?}", started.elapsed());
    for part in [
        "201 Created",
        "in the DNS now",
        "on the web now",
        "mail to hostmaster@",
        "Everything worked.",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // The line it prints to repeat the check must be true.
    let verify: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("openssl verify"))
        .collect();
    assert_eq!(verify.len(), 3, "{text}");
    for line in verify {
        let mut words = line.split_whitespace();
        let checked = Command::new(words.next().unwrap())
            .args(words)
            .output()
            .unwrap();
        assert!(checked.status.success(), "{line}: {}", stderr(&checked));
    }
    let again = reseal(None)
        .args(["demo", "--exit", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert!(
        stderr(&again).contains("is not empty"),
        "{}",
        stderr(&again)
    );
}
