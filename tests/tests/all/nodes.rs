//! Several servers on one PostgreSQL database, and moving to one. Nothing is tested here unless the tests run against it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::crash::{Front, HELD, completed_once, house, order, publish, reissue_process, reserved};
use crate::support::csr::csr;
use crate::support::database;
use crate::support::http::{Client, Reply};
use crate::support::server::{binary, reseal};
use crate::world::house::House;

fn reissue(client: &Client, certificate: i64) -> Reply {
    let path = format!("/v2/ssl/certificates/{certificate}/reissue");
    client.post(&path, &json!({"csr": csr(&["reseal.dev"])}))
}

#[test]
fn r_1_of_fifty_clients_on_two_nodes_one_gets_the_successor() {
    if !database::is_postgres() {
        return;
    }
    let (mut one, dns) = house();
    one.start(None);
    let old = order(&one, &dns);
    let mut other = one.another_node();
    other.start(None);
    let clients = [one.alice.clone(), other.alice.clone()];
    let calls: Vec<_> = (0..50)
        .map(|number| {
            let client = clients[number % 2].clone();
            thread::spawn(move || reissue(&client, old))
        })
        .collect();
    let mut issued = 0;
    for call in calls {
        let reply = call.join().unwrap();
        match reply.status {
            201 => issued += 1,
            400 => {
                let answer = reply.json();
                let kind = answer["type"].as_str().unwrap();
                assert!(
                    ["ObjectExists", "ObjectStatusProhibitsOperation"].contains(&kind),
                    "{answer}"
                );
            }
            status => panic!("{status}: {}", reply.text()),
        }
    }
    assert_eq!(issued, 1);
    let process = reissue_process(&one);
    other.kill();
    one.kill();
    completed_once(&one, Front::Reissue, old, process, &[]);
}

#[test]
fn nasty_028_a_node_killed_in_a_reissue_is_taken_over_and_it_ends_once() {
    if !database::is_postgres() {
        return;
    }
    for point in ["accepted", "reserved", "signed"] {
        let (mut dies, dns) = house();
        dies.start(None);
        let old = order(&dies, &dns);
        dies.kill();
        let mut lives = dies.another_node();
        lives.start(None);
        dies.start(Some(point));
        let body = json!({"csr": csr(&["reseal.dev"])}).to_string();
        let path = format!("/v2/ssl/certificates/{old}/reissue");
        let call = dies.send(&path, body.as_bytes());
        dies.wait_for_line(HELD);
        let before = reserved(&dies);
        let process = reissue_process(&lives);
        dies.kill();
        drop(call);
        // Long before the lease ends.
        lives.wait_for(process, "COMPLETED");
        lives.kill();
        completed_once(&lives, Front::Reissue, old, process, &before);
    }
}

#[test]
fn r_9_a_key_that_one_node_took_is_known_to_the_other() {
    if !database::is_postgres() {
        return;
    }
    let (mut one, dns) = house();
    one.start(None);
    let old = order(&one, &dns);
    let mut other = one.another_node();
    other.start(None);
    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let body = json!({"csr": csr(&["reseal.dev"])}).to_string();
    let headers = ["Content-Type: application/json", "Idempotency-Key: once"];
    let reissue = |client: &Client| client.call("POST", &path, &headers, body.as_bytes());
    let (first, again) = (reissue(&one.alice), reissue(&other.alice));
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json(), again.json());
    assert_eq!(first.process(), again.process());
}

#[test]
fn nasty_012_failed_authentications_on_one_node_count_on_the_other() {
    if !database::is_postgres() {
        return;
    }
    let mut one = House::new("[limits]\nfailed_authentications = 1\n");
    one.start(None);
    let mut other = one.another_node();
    other.start(None);
    let stranger = |house: &House| Client {
        key: "bm9ib2R5".to_owned(),
        ..house.alice.clone()
    };
    let statuses = |house: &House, count| -> Vec<u16> {
        let stranger = stranger(house);
        let calls = (0..count).map(|_| stranger.get("/v2/processes").status);
        calls.collect()
    };
    assert_eq!(statuses(&one, 3), [401, 401, 429]);
    // Several times as long as a word takes, and a fraction of what it takes to be let through again.
    thread::sleep(Duration::from_secs(2));
    assert_eq!(statuses(&other, 1), [429]);
    // Whoever has a key is not kept out.
    other.alice.get("/v2/processes").expect(200);
}

#[test]
fn an_open_process_of_a_node_that_stops_in_order_goes_on_at_once_on_the_other() {
    if !database::is_postgres() {
        return;
    }
    let (mut stops, dns) = house();
    stops.start(None);
    let mut stays = stops.another_node();
    stays.start(None);
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["reseal.dev"])});
    let reply = stops.alice.post("/v2/ssl/certificates", &body);
    let waits = reply.expect(202);
    stops.terminate();
    publish(&dns, &waits);
    stays.resend(reply.process());
    stays.wait_for(reply.process(), "COMPLETED");
}

#[test]
fn what_one_node_proves_is_seen_on_the_other() {
    if !database::is_postgres() {
        return;
    }
    let (mut one, dns) = house();
    one.start(None);
    let mut other = one.another_node();
    other.start(None);
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["reseal.dev"])});
    let reply = one.alice.post("/v2/ssl/certificates", &body);
    publish(&dns, &reply.expect(202));
    other.resend(reply.process());
    one.wait_for(reply.process(), "COMPLETED");
    let id = other.certificate_of(reply.process());
    assert_eq!(one.certificate(id)["status"], "ACTIVE");
}

/// Changes `certificate` to one that is due, and holds it until two others wait for it, both of which have seen it
/// unrevoked then.
fn due(certificate: i64) -> String {
    format!(
        "BEGIN; UPDATE certificate SET revocation_scheduled = 0 WHERE id = {certificate}; COMMIT;
         DO $$ BEGIN
             PERFORM 1 FROM certificate WHERE id = {certificate} FOR UPDATE;
             FOR look IN 1..200 LOOP
                 PERFORM pg_stat_clear_snapshot();
                 IF (SELECT COUNT(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock') >= 2 THEN
                     RETURN;
                 END IF;
                 PERFORM pg_sleep(0.05);
             END LOOP;
             RAISE 'nobody came';
         END $$"
    )
}

#[test]
fn x_1_what_is_due_is_revoked_by_one_node_and_no_failure_of_the_other() {
    if !database::is_postgres() {
        return;
    }
    let (mut one, dns) = house();
    one.start(None);
    let id = order(&one, &dns);
    let mut other = one.another_node();
    other.start(None);
    one.database().run(&due(id));
    one.wait_until(1, || {
        (one.certificate(id)["status"] == "REVOKED").then_some(())
    });
    let said = [one.terminate(), other.terminate()].concat();
    let failed = |line: &&String| line.contains("could not be revoked");
    assert_eq!(said.iter().find(failed), None);
}

#[test]
fn a_1_each_node_has_starts_stops_and_crashes_of_its_own() {
    if !database::is_postgres() {
        return;
    }
    let (mut one, _dns) = house();
    one.start(None);
    let mut other = one.another_node();
    other.start(None);
    one.kill();
    other.terminate();
    one.start(None);
    other.start(None);
    one.kill();
    other.kill();
    let found = one
        .database()
        .rows("SELECT object, action FROM audit WHERE action LIKE 'server.%' ORDER BY object, id");
    let of = |house: &House, actions: &[&str]| -> Vec<Vec<Option<String>>> {
        let node = fs::read_to_string(house.data().join("node")).unwrap();
        let object = Some(format!("server/{}", node.trim_end()));
        let row = |action: &&str| vec![object.clone(), Some(format!("server.{action}"))];
        actions.iter().map(row).collect()
    };
    let mut expected = [
        of(&one, &["start", "crash", "start"]),
        of(&other, &["start", "stop", "start"]),
    ];
    expected.sort();
    assert_eq!(found, expected.concat());
}

#[test]
fn everything_moves_to_postgresql_and_goes_on() {
    if !database::is_postgres() {
        return;
    }
    let (mut house, dns) = house();
    // As it was before anybody thought of PostgreSQL.
    let path = house.data().join("reseal.toml");
    let configuration = fs::read_to_string(&path).unwrap();
    let (plain, _) = configuration.split_once("[database]").unwrap();
    let folder = house.data();
    fs::remove_dir_all(folder.join("ca")).unwrap();
    fs::remove_file(folder.join("reseal.postgres")).unwrap();
    fs::write(&path, plain).unwrap();
    let data = folder.to_str().unwrap();
    reseal(&["init", "--data", data]);
    reseal(&["customer", "create", "alice", "--data", data]);
    house.alice.key = reseal(&["api-key", "create", "--customer", "alice", "--data", data]);
    house.start(None);
    let old = order(&house, &dns);
    house.kill();

    // A command line that has opened the file before, and writes afterwards.
    let mut late = Command::new(binary())
        .args(["key", "import", "-", "--reason", "late", "--data", data])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let has_opened = || {
        let files = format!("/proc/{}/fd", late.id());
        let files = fs::read_dir(files).unwrap();
        let is_file = |path: PathBuf| path == folder.join("reseal.db-wal");
        files
            .flatten()
            .any(|file| fs::read_link(file.path()).is_ok_and(is_file))
    };
    while !has_opened() {
        thread::sleep(Duration::from_millis(20));
    }
    let url = database::empty();
    let said = reseal(&["migrate", "--from", "sqlite", "--to", &url, "--data", data]);
    assert!(said.contains("each as it was"), "{said}");
    assert!(!folder.join("reseal.db").exists());
    let key = format!("{:064x}\n", 7);
    let mut input = late.stdin.take().unwrap();
    input.write_all(key.as_bytes()).unwrap();
    drop(input);
    let late = late.wait_with_output().unwrap();
    let said = String::from_utf8(late.stderr).unwrap();
    assert!(
        !late.status.success() && said.contains("was moved"),
        "{said}"
    );
    // What it left is whole: the log went with the file.
    let left = rusqlite::Connection::open(folder.join("reseal.db.moved")).unwrap();
    let keys = left.query_row("SELECT COUNT(*) FROM blocked_key", [], |row| row.get(0));
    assert_eq!(keys, Ok(0));
    fs::write(&path, format!("{plain}\n[database]\nurl = \"{url}\"\n")).unwrap();
    house.start(None);
    assert_eq!(house.certificate(old)["status"], "ACTIVE");
    let reply = reissue(&house.alice, old);
    assert_eq!(reply.status, 201, "{}", reply.text());
    house.kill();
    completed_once(&house, Front::Reissue, old, reply.process(), &[]);
}

#[test]
fn the_command_line_knows_where_everything_is() {
    if !database::is_postgres() {
        return;
    }
    let (mut house, dns) = house();
    house.start(None);
    order(&house, &dns);
    house.kill();
    let folder = house.data();
    let data = folder.to_str().unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(binary()).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let (_, said) = run(&["doctor", "--data", data]);
    assert!(said.contains("takes a write"), "{said}");

    // A second `init` on that database would make another CA for it.
    let other = TempDir::new().unwrap();
    fs::copy(folder.join("reseal.toml"), other.path().join("reseal.toml")).unwrap();
    let (done, said) = run(&["init", "--data", other.path().to_str().unwrap()]);
    assert!(
        !done && said.contains("is the database of a server already"),
        "{said}"
    );

    // The folder by itself is a backup of all but the database.
    let file = other.path().join("backup.tar");
    let (done, said) = run(&["backup", file.to_str().unwrap(), "--data", data]);
    assert!(done && said.contains("The database is not in it"), "{said}");
    let again = other.path().join("again");
    let (done, said) = run(&[
        "restore",
        file.to_str().unwrap(),
        "--data",
        again.to_str().unwrap(),
    ]);
    assert!(
        done && said.contains("restore it by its own means"),
        "{said}"
    );
    let (done, said) = run(&["customer", "list", "--data", again.to_str().unwrap()]);
    assert!(done && said.contains("alice"), "{said}");

    // Somebody who forgot to change the address back, or has not moved yet.
    let configuration = fs::read_to_string(folder.join("reseal.toml")).unwrap();
    let (plain, _) = configuration.split_once("[database]").unwrap();
    fs::write(folder.join("reseal.toml"), plain).unwrap();
    let (done, said) = run(&["customer", "list", "--data", data]);
    assert!(
        !done && said.contains("belongs to a PostgreSQL database"),
        "{said}"
    );
}
