//! `reseal caa check` and `reseal dcv check`: they say beforehand what the server does, with the same eyes.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::World;
use crate::support::server::binary;

/// What a check said.
pub(crate) struct Said {
    code: Option<i32>,
    text: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn has(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.text);
        for part in parts {
            assert!(self.text.contains(part), "no `{part}` in {}", self.text);
        }
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

impl World {
    fn check(&self, arguments: &[&str]) -> Said {
        run(Command::new(binary())
            .args(arguments)
            .arg("--data")
            .arg(self.house.data()))
    }

    fn caa(&self, name: &str, value: &str) {
        self.knot.add("good.dev.", name, "CAA", value);
    }
}

/// Runs a check to its end.
pub(crate) fn run(command: &mut Command) -> Said {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    Said {
        code: output.status.code(),
        text: String::from_utf8(text).unwrap(),
    }
}

#[test]
fn s_8_s_10_a_check_of_caa_shows_the_climb_and_the_decision() {
    let world = World::start();
    let none = world.check(&["caa", "check", "a.b.good.dev"]);
    none.has(
        0,
        &[
            "a.b.good.dev. CAA: the name does not exist (DNSSEC: secure",
            "  dev. CAA: no such record",
            "no level has records [S-8]",
            "permitted: CAA keeps nothing",
        ],
    );
    world.caa("good.dev.", r#"0 issue "other.example""#);
    let refused = world.check(&["caa", "check", "a.b.good.dev"]);
    refused.has(
        1,
        &[
            r#"good.dev. 1 CAA 0 issue "other.example""#,
            "`good.dev`: its records count",
            "permits another issuer",
            "[S-10, S-12 to S-14]",
            "not permitted",
        ],
    );
    assert!(!refused.text.contains("  dev. CAA"), "{}", refused.text);
    world.caa("good.dev.", r#"0 issue "reseal.invalid""#);
    world.caa("good.dev.", r#"0 issuewild ";""#);
    world.check(&["caa", "check", "a.b.good.dev"]).has(0, &[]);
    let wild = world.check(&["caa", "check", "*.b.good.dev", "--json"]);
    wild.has(1, &[]);
    let wild = wild.json();
    assert_eq!(wild["permitted"], false);
    assert_eq!(wild["decisions"][0]["status"], "INVALID");
    assert_eq!(wild["observation"]["levels"][1]["security"], "secure");
}

#[test]
fn s_13_s_14_a_check_of_caa_knows_accounts_and_methods() {
    let world = World::start();
    let record = r#"0 issue "reseal.invalid; accounturi=acct:alice@reseal.invalid; validationmethods=ca-tbr-18""#;
    world.caa("good.dev.", record);
    let unnamed = world.check(&["caa", "check", "good.dev"]);
    unnamed.has(1, &["`--customer HANDLE` says whose"]);
    let alice = ["caa", "check", "good.dev", "--customer", "alice"];
    world
        .check(&alice)
        .has(0, &["permitted when proved by file on the web server"]);
    let by = |method| world.check(&[&alice[..], &["--type", method]].concat());
    by("file").has(0, &[]);
    by("dns").has(1, &["has none of `ca-tbr-7`"]);
    let bob = ["caa", "check", "good.dev", "--customer", "bob"];
    world
        .check(&bob)
        .has(1, &["is not `acct:bob@reseal.invalid`"]);
}

#[test]
fn s_2_s_9_a_check_of_caa_takes_no_bogus_answer_for_a_permission() {
    let world = World::start();
    let bogus = world.check(&["caa", "check", "www.bogus.dev"]);
    bogus.has(1, &["DNSSEC: bogus", "never skipped [S-9]", "[S-2, S-9]"]);
    let plain = world.check(&["caa", "check", "www.plain.dev"]);
    plain.has(0, &["DNSSEC: provably unsigned"]);
}

#[test]
fn a_check_without_a_name_or_with_a_bad_one_says_so() {
    let data = ["--data", "/nonexistent"];
    for arguments in [
        &["caa", "check"][..],
        &["dcv", "check", "good.dev"],
        &["dcv", "check", "good.dev", "--type", "phone"],
        &[
            "dcv",
            "check",
            "good.dev",
            "--type",
            "dns",
            "--process",
            "x",
        ],
    ] {
        run(Command::new(binary()).args(arguments).args(data)).has(2, &["--help"]);
    }
    let said = run(Command::new(binary()).args(["caa", "check", "a_b.good.dev"]));
    said.has(1, &["cannot be certified", "[N-5]"]);
    let never = ["dcv", "check", "*.reseal.dev", "--type", "file"];
    run(Command::new(binary()).args(never)).has(1, &["[D-21]"]);
}

#[test]
fn d_28_a_check_looks_for_the_record_that_a_process_waits_for() {
    let world = World::start();
    let reply = world.ask(&["www.good.dev"], &json!({"type": "DNS"}));
    let process = reply.process().to_string();
    let check = ["dcv", "check", "www.good.dev", "--type", "dns", "--process"];
    let check = || world.check(&[&check[..], &[&process]].concat());
    let info = reply.json();
    let contents = info["validations"]["dcv"][0]["dnsContents"].as_str();
    check().has(
        1,
        &[
            contents.unwrap(),
            "the name does not exist (DNSSEC: secure",
            "not found [D-28]",
            "_validation-persist.www.good.dev.",
            "advice",
        ],
    );
    let before = world.house.timeline(reply.process());
    world.publish("good.dev.", &info);
    check().has(0, &["found [D-28]", "the next look of the process proves"]);
    assert_eq!(
        world.house.timeline(reply.process()),
        before,
        "it only looks"
    );
    let other = [
        "dcv",
        "check",
        "www.good.dev",
        "--type",
        "file",
        "--process",
        &process,
    ];
    world.check(&other).has(1, &["by dns, not by file"]);
    let other = [
        "dcv",
        "check",
        "good.dev",
        "--type",
        "dns",
        "--process",
        &process,
    ];
    world
        .check(&other)
        .has(1, &["not about `good.dev` but about www.good.dev"]);
    world.complete(reply.process());
    check().has(0, &["proved at", "nothing is waited for"]);
}

#[test]
fn d_22_a_check_fetches_the_file_that_a_process_waits_for() {
    let world = World::start();
    world
        .knot
        .add("good.dev.", "www.good.dev.", "A", "127.0.0.1");
    let check = ["dcv", "check", "www.good.dev", "--type", "file"];
    world
        .check(&check)
        .has(0, &["127.0.0.1", "status 404", "readable"]);
    let nowhere = ["dcv", "check", "nowhere.good.dev", "--type", "file"];
    world.check(&nowhere).has(1, &["no web server to ask"]);
    let reply = world.ask(&["www.good.dev"], &json!({"type": "FILE"}));
    let process = reply.process().to_string();
    let check = || world.check(&[&check[..], &["--process", &process]].concat());
    let entry = &reply.json()["validations"]["dcv"][0];
    let text = |field: &str| entry[field].as_str().unwrap().to_owned();
    world.web.file(&text("fileLocation"), "\x1b[31mother words");
    check().has(
        1,
        &[r"body `\x1b[31mother words`", "not found [D-22, D-26]"],
    );
    world.web.file(&text("fileLocation"), &text("fileContents"));
    check().has(0, &["found [D-22, D-26]"]);
}

#[test]
fn d_14_d_33_a_check_without_a_process_shows_what_is_published() {
    let world = World::start();
    let dns = ["dcv", "check", "www.good.dev", "--type", "dns"];
    let open = world.check(&dns);
    open.has(
        0,
        &[
            "looked for at www.good.dev, good.dev [N-20]",
            ".dcv.invalid., or a TXT record",
            "_validation-persist.good.dev. TXT: the name does not exist",
            "readable",
        ],
    );
    let alice = [&dns[..], &["--customer", "alice"]].concat();
    world.check(&alice).has(1, &["not found [D-33]"]);
    let record = "\"reseal.invalid; accounturi=acct:alice@reseal.invalid; policy=wildcard\"";
    world
        .knot
        .add("good.dev.", "_validation-persist.good.dev.", "TXT", record);
    world.check(&alice).has(0, &["found [D-33]", record]);
    let bob = [&dns[..], &["--customer", "bob"]].concat();
    world.check(&bob).has(1, &[]);
    let bogus = ["dcv", "check", "www.bogus.dev", "--type", "dns"];
    world
        .check(&bogus)
        .has(1, &["DNSSEC: bogus", "not readable"]);

    world.caa("good.dev.", r#"0 contactemail "owner@corp.dev""#);
    let mail = ["dcv", "check", "www.good.dev", "--type", "email"];
    world.check(&mail).has(
        0,
        &[
            "hostmaster@good.dev [D-14, BR 3.2.2.4.4]",
            "owner@corp.dev, from CAA of good.dev [D-14, BR 3.2.2.4.13]",
        ],
    );
    let listed = world.check(&[&mail[..], &["--json"]].concat()).json();
    let addresses = listed["addresses"].as_array().unwrap();
    assert_eq!(addresses.last().unwrap(), "owner@corp.dev");
    assert_eq!(listed["found"], true);
}

#[test]
fn d_19_a_check_says_what_became_of_a_mail() {
    let world = World::start();
    let address = "owner@corp.dev";
    world.caa("good.dev.", r#"0 contactemail "owner@corp.dev""#);
    let reply = world.ask(
        &["www.good.dev"],
        &json!({"type": "EMAIL", "email": address}),
    );
    world.mail.wait_for_mail(address);
    world.house.wait_for(reply.process(), "SUSPENDED");
    let process = reply.process().to_string();
    let check = [
        "dcv",
        "check",
        "www.good.dev",
        "--type",
        "email",
        "--process",
    ];
    let check = || world.check(&[&check[..], &[&process]].concat());
    check().has(
        1,
        &[
            "to owner@corp.dev: sent at",
            "found [D-14]",
            "nobody has approved",
        ],
    );
    world.knot.remove("good.dev.", "good.dev.", "CAA");
    check().has(1, &["not found [D-14]", "not published any more"]);
}
