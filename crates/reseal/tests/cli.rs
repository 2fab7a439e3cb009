//! The command line as scripts see it: what it prints where, and how it leaves. Each test runs the real program.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn reseal(data: Option<&Path>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reseal"));
    // What the tester's own environment says must not count.
    for (name, _) in std::env::vars() {
        if name.starts_with("RESEAL_") {
            command.env_remove(name);
        }
    }
    if let Some(data) = data {
        command.env("RESEAL_DATA", data);
    }
    command
}

fn run(data: Option<&Path>, arguments: &[&str]) -> Output {
    reseal(data).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn initialized() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let output = run(Some(data.path()), &["init"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    data
}

#[test]
fn wrong_usage_leaves_with_2() {
    for arguments in [
        &[] as &[&str],
        &["frobnicate"],
        &["serve"],
        &["init", "--data"],
        &["api-key", "create", "--data", "x"],
        &[
            "api-key",
            "create",
            "--customer",
            "abc",
            "--role",
            "king",
            "--data",
            "x",
        ],
        &["api-key", "revoke", "one", "--data", "x"],
        &["csr", "check"],
        &["doctor", "--data", "x", "--log-format", "xml"],
    ] {
        let output = run(None, arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
    for arguments in [&["--help"] as &[&str], &["--version"], &["demo", "--help"]] {
        let output = run(None, arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!stdout(&output).is_empty());
    }
}

#[test]
fn a_folder_that_is_none_leaves_with_1_and_says_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    for arguments in [
        &["customer", "list"] as &[&str],
        &["customer", "create", "acme"],
        &["api-key", "create", "--customer", "house"],
        &["api-key", "list"],
        &["api-key", "revoke", "1"],
    ] {
        let output = run(Some(data.path()), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            stderr(&output).contains("reseal init --data"),
            "{}",
            stderr(&output)
        );
    }
    let output = run(Some(data.path()), &["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("fail"), "{}", stdout(&output));
}

#[test]
fn init_prints_one_key_makes_the_layout_and_refuses_a_second_time() {
    let data = tempfile::tempdir().unwrap();
    let output = run(Some(data.path()), &["init"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let key = stdout(&output);
    assert_eq!(key.lines().count(), 1, "{key}");
    for file in [
        "reseal.toml",
        "products.toml",
        "reseal.db",
        "ca/root.pem",
        "ca/intermediate.pem",
        "ca/root.key",
        "ca/intermediate.key",
        "mail/new",
    ] {
        assert!(data.path().join(file).exists(), "{file}");
    }
    let before = std::fs::read(data.path().join("ca/root.pem")).unwrap();
    let output = run(Some(data.path()), &["init"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "");
    assert!(
        stderr(&output).contains("nothing was changed"),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        std::fs::read(data.path().join("ca/root.pem")).unwrap(),
        before
    );
}

#[test]
fn init_writes_the_given_configuration_with_absolute_paths() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("given.toml");
    std::fs::write(
        folder.path().join("secret"),
        "correct horse battery staple\n",
    )
    .unwrap();
    std::fs::write(
        &config,
        "[ca]\npassphrase_file = \"secret\"\nalgorithm = \"p384\"\n[policy]\ninternal_names = [\"corp.example\"]\n",
    )
    .unwrap();
    let data = folder.path().join("data");
    let output = reseal(Some(&data))
        .arg("init")
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let written = std::fs::read_to_string(data.join("reseal.toml")).unwrap();
    let secret = folder.path().join("secret");
    assert!(
        written.contains(&format!("\"{}\"", secret.display())),
        "{written}"
    );
    // From here on the copy counts.
    std::fs::remove_file(&config).unwrap();
    let output = run(Some(&data), &["doctor"]);
    assert!(stdout(&output).contains("corp.example") || output.status.code().is_some());
    assert!(
        !stdout(&output).contains("the CA cannot"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn an_interrupted_init_is_done_over() {
    let data = initialized();
    std::fs::write(data.path().join(".init-unfinished"), "").unwrap();
    let output = run(Some(data.path()), &["customer", "list"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("interrupted"),
        "{}",
        stderr(&output)
    );
    let output = run(Some(data.path()), &["init"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        run(Some(data.path()), &["customer", "list"]).status.code(),
        Some(0)
    );
}

#[test]
fn a_lost_database_is_not_replaced() {
    let data = initialized();
    std::fs::remove_file(data.path().join("reseal.db")).unwrap();
    for command in ["init", "serve"] {
        let output = run(Some(data.path()), &[command]);
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert!(stderr(&output).contains("backup"), "{}", stderr(&output));
    }
    assert!(data.path().join("ca/root.key").exists());
}

#[test]
fn a_bad_configuration_leaves_with_1_and_names_the_line() {
    let data = initialized();
    std::fs::write(
        data.path().join("reseal.toml"),
        "[server]\nlisen = \"127.0.0.1:0\"\n",
    )
    .unwrap();
    for arguments in [&["serve"] as &[&str], &["customer", "list"]] {
        let output = run(Some(data.path()), arguments);
        assert_eq!(output.status.code(), Some(1));
        let text = stderr(&output);
        assert!(
            text.contains("line 2") && text.contains("did you mean `server.listen`"),
            "{text}"
        );
    }
    let output = run(Some(data.path()), &["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).contains("server.lisen"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn customers_and_keys_are_made_listed_and_revoked() {
    let data = initialized();
    let data = Some(data.path());
    assert_eq!(
        run(data, &["customer", "create", "acme"]).status.code(),
        Some(0)
    );
    let again = run(data, &["customer", "create", "acme"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        stderr(&again).contains("exists already"),
        "{}",
        stderr(&again)
    );
    assert_eq!(
        run(data, &["customer", "create", "a b"]).status.code(),
        Some(1)
    );
    let listed = stdout(&run(data, &["customer", "list"]));
    assert!(
        listed.lines().any(|line| line.starts_with("acme\t")),
        "{listed}"
    );

    let made = run(data, &["api-key", "create", "--customer", "acme"]);
    assert_eq!(made.status.code(), Some(0));
    assert_eq!(stdout(&made).lines().count(), 1);
    assert_eq!(stderr(&made), "");
    let nobody = run(data, &["api-key", "create", "--customer", "nobody"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert_eq!(stdout(&nobody), "");

    let keys = stdout(&run(data, &["api-key", "list"]));
    let own = keys
        .lines()
        .find(|line| line.contains("acme/api"))
        .unwrap()
        .to_owned();
    assert!(own.contains("customer") && own.ends_with("active"), "{own}");
    let id = own.split('\t').next().unwrap();
    assert_eq!(run(data, &["api-key", "revoke", id]).status.code(), Some(0));
    assert_eq!(
        run(data, &["api-key", "revoke", "999"]).status.code(),
        Some(1)
    );
    let keys = stdout(&run(data, &["api-key", "list"]));
    assert!(
        keys.lines()
            .any(|line| line.contains("acme/api") && line.contains("revoked")),
        "{keys}"
    );
}

#[test]
fn csr_check_explains_and_leaves_with_1_on_a_bad_request() {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let csr = |name: &str| {
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.serialize_request(&key).unwrap().pem().unwrap()
    };
    let path = folder.path().join("request.pem");
    let path_text = path.to_str().unwrap();
    std::fs::write(&path, csr("www.reseal.dev")).unwrap();
    let good = run(None, &["csr", "check", path_text]);
    assert_eq!(good.status.code(), Some(0), "{}", stdout(&good));
    assert!(
        stdout(&good).contains("www.reseal.dev"),
        "{}",
        stdout(&good)
    );

    std::fs::write(&path, csr("host.corp.internal")).unwrap();
    let bad = run(None, &["csr", "check", path_text]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(stdout(&bad).contains("refused [N-"), "{}", stdout(&bad));
    // The same request where the configuration admits the suffix.
    let config = folder.path().join("reseal.toml");
    std::fs::write(&config, "[policy]\ninternal_names = [\"internal\"]\n").unwrap();
    let good = run(
        None,
        &[
            "csr",
            "check",
            path_text,
            "--config",
            config.to_str().unwrap(),
        ],
    );
    assert_eq!(good.status.code(), Some(0), "{}", stdout(&good));

    std::fs::write(&path, "nonsense").unwrap();
    assert_eq!(
        run(None, &["csr", "check", path_text]).status.code(),
        Some(1)
    );
    assert_eq!(
        run(None, &["csr", "check", "/nowhere"]).status.code(),
        Some(1)
    );
}

/// A server that is killed when the test ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

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

    let pid = server.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
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
fn doctor_says_that_public_trust_will_not_sign_here() {
    let data = initialized();
    std::fs::write(
        data.path().join("reseal.toml"),
        "[policy]\nprofile = \"public\"\n[dcv]\nresolvers = [\"127.0.0.1:9\"]\n",
    )
    .unwrap();
    let output = run(Some(data.path()), &["doctor"]);
    let text = stdout(&output);
    assert!(text.contains("will refuse to sign"), "{text}");
    assert!(text.contains("beside them"), "{text}");
    // Nothing answers at that address.
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.lines()
            .any(|line| line.starts_with("fail") && line.contains("resolvers")),
        "{text}"
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
