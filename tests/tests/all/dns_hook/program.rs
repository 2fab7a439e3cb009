//! A program of the operator's that publishes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::World;
use crate::support::knot::{Knot, OPEN};

/// A hook that runs `script`.
fn world(script: impl Fn(&Knot) -> String) -> (World, tempfile::TempDir) {
    world_of("3s", script)
}

/// The same with that time for each run.
fn world_of(timeout: &str, script: impl Fn(&Knot) -> String) -> (World, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let knot = Knot::start();
    let program = folder.path().join("hook");
    write(&program, &script(&knot));
    let lines = format!(
        "[dns_hook.script]\nkind = \"exec\"\nzones = [\"good.dev\"]\ncustomers = [\"*\"]\ntimeout = \"{timeout}\"\n\
         settle = \"500ms\"\nprogram = \"{}\"\n",
        program.display()
    );
    (World::over(knot, &lines), folder)
}

fn write(program: &Path, script: &str) {
    let draft = program.with_extension("draft");
    fs::write(&draft, script).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(draft, program).unwrap();
}

/// Writes through Knot's control socket, one at a time.
fn by_control(knot: &Knot) -> String {
    let socket = knot.socket().display().to_string();
    format!(
        "#!/bin/sh\nset -e\nexec 9>{socket}.lock\nflock 9\nk() {{ knotc -s {socket} \"$@\"; }}\n\
         case $1 in publish) set -- zone-set $2 1 TXT \"$4\" ;; remove) set -- zone-unset $2 TXT \"$4\" ;; esac\n\
         change=$1; shift\nk zone-begin {OPEN}\n\
         k $change {OPEN} \"$@\" || {{ k zone-abort {OPEN}; exit 1; }}\nk zone-commit {OPEN}\n"
    )
}

#[test]
fn d_28_a_program_publishes_for_an_order_and_a_reissue_and_removes() {
    let (mut world, _folder) = world(by_control);
    world.house.start(None);
    let reply = world.request(&["www.good.dev", "good.dev"]);
    let old = world.completes(&reply);
    let published = world.events(reply.process(), "recordPublished");
    assert_eq!(published[0]["hook"], "script", "{published:?}");
    world.is_clean(reply.process());
    let reply = world.reissue(old, &["www.good.dev", "other.good.dev"]);
    world.completes(&reply);
    world.is_clean(reply.process());
    world.is_sound();
}

#[test]
fn a_program_that_hangs_fails_or_is_missing_is_run_again() {
    let (mut world, folder) = world(|_| "#!/bin/sh\necho secret-word\nsleep 100\n".to_owned());
    let program = folder.path().join("hook");
    world.house.start(None);
    let process = world.request(&["www.good.dev"]).process();
    world.fails(process, "no end within 3000 ms");
    write(
        &program,
        "#!/bin/sh\nyes secret-word | head -c 500000\nexit 7\n",
    );
    world.fails(process, "exit status: 7");
    fs::remove_file(&program).unwrap();
    world.fails(process, "No such file");
    write(&program, &by_control(&world.knot));
    world.house.wait_for(process, "COMPLETED");
    world.is_clean(process);
    // What it said is for the log alone.
    assert!(!world.house.timeline(process).contains("secret-word"));
    let said = world.house.terminate().join("\n");
    assert!(said.contains("secret-word"), "{said}");
}

/// Says what it is run for, and publishes only once there is a file `gate`.
const HELD_UP: &str = "#!/bin/sh\ncd \"$(dirname \"$0\")\"\necho \"$1\" >> runs\n\
    [ $1 = remove ] || while [ ! -e gate ]; do sleep 0.05; done\n";

#[test]
fn d_28_nothing_more_is_published_for_a_process_that_was_cancelled_meanwhile() {
    let (mut world, folder) = world_of("30s", |_| HELD_UP.to_owned());
    world.house.start(None);
    // More than are published at the same time.
    let names: Vec<String> = (0..10)
        .map(|number| format!("w{number}.good.dev"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let process = world.request(&names).process();
    let runs = |what: &str| {
        let runs = fs::read_to_string(folder.path().join("runs")).unwrap_or_default();
        runs.lines().filter(|line| *line == what).count()
    };
    world
        .house
        .wait_until(process, || (runs("publish") == 8).then_some(()));
    let path = format!("/v2/processes/{process}");
    let cancelled = world.house.alice.delete(&path);
    assert!(cancelled.status < 300, "{}", cancelled.text());
    // All that may be out there, or was about to be.
    world
        .house
        .wait_until(process, || (runs("remove") == 10).then_some(()));
    fs::write(folder.path().join("gate"), "").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(runs("publish"), 8);
    world.is_sound();
}
