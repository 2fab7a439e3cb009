//! Backup and restore.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Output;

use super::{run, stderr, stdout};

fn done(output: &Output) -> String {
    let errors = stderr(output);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    stdout(output)
}

fn refused(output: &Output, why: &str) {
    let errors = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains(why), "{errors}");
}

struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// A server with one customer, and its backup `backup.tar`.
    fn new() -> Self {
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        done(&run(Some(&world.path("data")), &["init"]));
        done(&run(
            Some(&world.path("data")),
            &["customer", "create", "acme"],
        ));
        done(&world.command("backup", "backup.tar", "data"));
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, what: &str, file: &str, data: &str) -> Output {
        let file = self.path(file);
        run(Some(&self.path(data)), &[what, file.to_str().unwrap()])
    }
}

#[test]
fn what_was_backed_up_is_what_is_restored() {
    let world = World::new();
    let mode = fs::metadata(world.path("backup.tar"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    done(&world.command("restore", "backup.tar", "again"));
    for file in [
        "ca/root.pem",
        "ca/intermediate.key",
        "reseal.toml",
        "products.toml",
    ] {
        assert_eq!(
            fs::read(world.path("data").join(file)).unwrap(),
            fs::read(world.path("again").join(file)).unwrap(),
            "{file}"
        );
    }
    let again = world.path("again");
    let ask = |arguments: &[&str]| done(&run(Some(&again), arguments));
    assert!(ask(&["customer", "list"]).contains("acme"));
    // What was made since the backup had the next numbers: nobody meets something else by one of them.
    ask(&["api-key", "create", "--customer", "acme"]);
    let keys = ask(&["api-key", "list"]);
    assert!(
        keys.lines().any(|key| key.starts_with("1000002\t")),
        "{keys}"
    );
}

#[test]
fn nothing_is_written_over() {
    let world = World::new();
    refused(
        &world.command("backup", "backup.tar", "data"),
        "exists already",
    );
    refused(
        &world.command("restore", "backup.tar", "data"),
        "is not empty",
    );
}

#[test]
fn a_damaged_or_shortened_backup_leaves_nothing() {
    let world = World::new();
    let good = fs::read(world.path("backup.tar")).unwrap();
    let mut flipped = good.clone();
    flipped[9000] ^= 1;
    fs::write(world.path("flipped.tar"), flipped).unwrap();
    fs::write(world.path("short.tar"), &good[..good.len() / 2]).unwrap();
    fs::write(world.path("text.tar"), "no tar file").unwrap();
    refused(
        &world.command("restore", "flipped.tar", "again"),
        "reseal.db",
    );
    refused(
        &world.command("restore", "short.tar", "again"),
        "cannot be restored",
    );
    refused(
        &world.command("restore", "text.tar", "again"),
        "cannot be restored",
    );
    assert!(!world.path("again").exists());
}
