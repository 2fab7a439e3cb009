//! Files and streams that a command writes to, as they should not be.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use super::{initialized, reseal, run, stderr, stdout};

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn a_list_takes_the_place_of_a_list_and_of_nothing_else() {
    let data = initialized();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("root.crl");
    let write = |form: &str| {
        let to = file.to_str().unwrap();
        run(
            Some(data.path()),
            &["ca", "crl", "root", "--form", form, "--out", to],
        )
    };
    for form in ["der", "pem", "text", "der"] {
        let output = write(form);
        assert_eq!(output.status.code(), Some(0), "{form}: {}", stderr(&output));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    assert_eq!(write("pem").status.code(), Some(0));
    assert_eq!(mode(&file), 0o640);
    fs::write(&file, "precious").unwrap();
    let refused = write("pem");
    assert_eq!(refused.status.code(), Some(1));
    let said = stderr(&refused);
    assert!(said.contains("is no revocation list"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn a_list_for_a_reader_that_is_gone_is_no_failure() {
    let data = initialized();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = reseal(Some(data.path()))
        .args(["ca", "crl", "root", "--form", "pem"])
        .stdout(writer)
        .status();
    assert_eq!(status.unwrap().code(), Some(0));
}

#[test]
fn a_key_that_nobody_got_is_no_key() {
    let data = initialized();
    let create = |stdout: Stdio| {
        let mut command = reseal(Some(data.path()));
        command.args([
            "api-key",
            "create",
            "--customer",
            "house",
            "--login",
            "lost",
        ]);
        command.stdout(stdout).output().unwrap()
    };
    let (reader, gone) = std::io::pipe().unwrap();
    drop(reader);
    for stdout in [full().into(), gone.into()] {
        let output = create(stdout);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr(&output).contains("revoked again"),
            "{}",
            stderr(&output)
        );
    }
    let listed = stdout(&run(Some(data.path()), &["api-key", "list"]));
    let lost = listed.lines().filter(|line| line.contains("house/lost"));
    assert_eq!(lost.clone().count(), 2, "{listed}");
    assert!(
        lost.clone().all(|line| line.contains("revoked")),
        "{listed}"
    );
}

#[test]
fn whoever_lost_the_first_key_is_told_how_to_make_another() {
    let data = tempfile::tempdir().unwrap();
    let output = reseal(Some(data.path()))
        .arg("init")
        .stdout(full())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("reseal api-key create --customer house --role operator"),
        "{said}"
    );
    assert_eq!(
        run(Some(data.path()), &["api-key", "list"]).status.code(),
        Some(0)
    );
}

#[test]
fn what_others_may_not_read_is_closed_and_doctor_tells_when_it_is_not() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    assert_eq!(run(Some(&data), &["init"]).status.code(), Some(0));
    assert_eq!(mode(&data), 0o700);
    for file in ["reseal.toml", "reseal.db", "ca/root.key"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    let said = |open: &Path, mode: u32| {
        let before = open.metadata().unwrap().permissions();
        fs::set_permissions(open, Permissions::from_mode(mode)).unwrap();
        let said = stdout(&run(Some(&data), &["doctor"]));
        fs::set_permissions(open, before).unwrap();
        said
    };
    assert!(
        said(&data, 0o755).contains("warn  "),
        "{}",
        said(&data, 0o755)
    );
    for (file, mode) in [
        ("", 0o755),
        ("", 0o777),
        ("reseal.db", 0o640),
        ("ca/intermediate.key", 0o644),
    ] {
        let open = data.join(file);
        let said = said(&open, mode);
        let named = said.lines().find(|line| {
            line.contains(open.to_str().unwrap().trim_end_matches('/'))
                && line.contains(&format!("{mode:o}"))
        });
        assert!(
            named.is_some_and(|line| !line.starts_with("ok")),
            "{file}: {said}"
        );
    }
}

#[test]
fn a_campaign_is_planned_for_the_future_only() {
    let data = initialized();
    let plan = |when: &[&str]| {
        let fixed = [
            "campaign",
            "plan",
            "--where",
            "status=ACTIVE",
            "--key",
            "keep",
        ];
        run(Some(data.path()), &[&fixed, when].concat())
    };
    for (when, expected) in [
        (["--deadline", "2020-01-01"], "must be in the future"),
        (["--within", "0s"], "must be in the future"),
        (["--within", "99999999d"], "no calendar reaches that far"),
    ] {
        let output = plan(&when);
        assert_eq!(output.status.code(), Some(1), "{when:?}");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    assert_eq!(plan(&["--within", "2h"]).status.code(), Some(0));
}
