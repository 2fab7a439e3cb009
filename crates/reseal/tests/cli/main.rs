//! The command line as scripts see it: what it prints where, and how it leaves. Each test runs the real program.
#![allow(clippy::unwrap_used)]

mod audit;
mod backup;
mod files;
mod init;
mod serve;
mod signals;

use std::path::Path;
use std::process::{Command, Output};

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
        &["serve", "--listen", "here", "--data", "x"],
        &["perspective", "--listen", "127.0.0.1"],
        &["customer", "create", "", "--data", "x"],
        &[
            "api-key",
            "create",
            "--customer",
            "abc",
            "--login",
            "a b",
            "--data",
            "x",
        ],
        &["bench", "--seconds", "0"],
        &["caa", "check", ""],
        &["dcv", "check", "", "--type", "dns"],
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
fn a_filter_of_the_log_that_means_nothing_is_refused() {
    let refused = reseal(None)
        .env("RESEAL_LOG", "info,reseal_api=loud")
        .arg("openapi")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    let said = stderr(&refused);
    assert!(
        said.starts_with("error: RESEAL_LOG: ") && said.contains("saw `info,reseal_api=loud`"),
        "{said}"
    );
    assert_eq!(stdout(&refused), "");
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
        Some(2)
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
fn policy_show_has_the_rules_of_a_day_and_what_changes_after_it() {
    let show = |date: &str| {
        let output = run(None, &["policy", "show", "--date", date]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let text = show("2026-11-24");
    for part in [
        "longest validity       200 days",
        "remote perspectives    4",
        "3.2.2.4.4   mail to a constructed address   allowed, forbidden from 2028-03-15",
        "  2026-12-15  5 remote perspectives instead of 4",
        "  2028-03-15  no mail to a constructed address (3.2.2.4.4)",
        "  2029-03-15  validity 47 days instead of 100 days, evidence of names 10 days instead of 100 days",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    assert!(show("2029-03-15").contains("none is known"));

    let output = run(None, &["policy", "show", "--json", "--date", "2029-03-15"]);
    let shown: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(shown["maximumValiditySeconds"], 4_060_800);
    assert_eq!(shown["methods"][0]["allowed"], false);
    assert_eq!(shown["changes"], serde_json::json!([]));
    let bad = run(None, &["policy", "show", "--date", "soon"]);
    assert_eq!(bad.status.code(), Some(2));
}

#[test]
fn bench_measures_to_its_end() {
    let output = run(None, &["bench", "--seconds", "1", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(!report.is_null(), "{report}");
}

#[test]
fn bench_measures_another_build_in_turn() {
    let this = env!("CARGO_BIN_EXE_reseal");
    let times = ["--rounds", "2", "--seconds", "1", "--json"];
    let output = run(None, &[&["bench", "against", this][..], &times].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let loads = report["against"].as_array().unwrap();
    let connections: Vec<_> = loads.iter().map(|load| &load["connections"]).collect();
    assert_eq!(connections, [8, 32, 32, 128]);
    for load in loads {
        let rounds = load["rounds"].as_array().unwrap();
        assert_eq!(rounds.len(), 2, "{load}");
        for side in rounds
            .iter()
            .flat_map(|round| [&round["this"], &round["other"]])
        {
            assert!(side["callsPerSecond"].as_f64().unwrap() > 1.0, "{load}");
        }
    }

    let absent = run(None, &["bench", "against", "/no/such/reseal"]);
    assert_eq!(absent.status.code(), Some(1), "{}", stderr(&absent));
    let said = stderr(&absent);
    assert!(said.contains("/no/such/reseal cannot be started"), "{said}");
}

#[test]
fn bench_says_what_it_cannot_measure() {
    let beside = "other=http://127.0.0.1:1/sign#csr";
    let absent = run(None, &["bench", "--beside", beside]);
    assert_eq!(absent.status.code(), Some(1), "{}", stderr(&absent));
    let said = stderr(&absent);
    assert!(said.contains("127.0.0.1:1 cannot be reached"), "{said}");
    let no_database = run(
        None,
        &["bench", "--database", "postgres://127.0.0.1:1/none"],
    );
    assert_eq!(no_database.status.code(), Some(1));
    let said = stderr(&no_database);
    assert!(said.contains("postgres://127.0.0.1:1/none"), "{said}");
    for misuse in [["--beside", "127.0.0.1:1"], ["--password-file", "secret"]] {
        let refused = run(None, &["bench", misuse[0], misuse[1]]);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    }
}
