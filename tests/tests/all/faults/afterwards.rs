//! What has to hold when everything is over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::Stage;
use super::crowd::{Opened, Told};
use crate::deep::examine;
use crate::support::http::Client;

/// Longest time until what was begun has ended.
const PATIENCE: Duration = Duration::from_mins(1);
/// Certificates that `openssl` looks at.
const SAMPLE: usize = 10;
/// Calls that are made once more.
const REPEATED: usize = 50;

#[track_caller]
pub(super) fn all_is_well(stage: &mut Stage, told: &Told, seed: u64) {
    rests(stage);
    acknowledged(stage, told);
    answers_stay(stage, told, seed);
    verified(stage);
    for house in &mut stage.houses {
        house.kill();
    }
    let (said, wrong) = examine(&stage.houses[0].data());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        said.contains("the audit log and the timelines are as they were written"),
        "{said}"
    );
}

/// Nothing is under way any more: no process but those that nobody withdrew, no list that is due.
#[track_caller]
fn rests(stage: &Stage) {
    let open = "SELECT id, status FROM process WHERE open = 1";
    let unlisted = "SELECT encode(serial, 'hex'), 'unlisted' FROM crl_entry WHERE listed IS NULL";
    let deadline = Instant::now() + PATIENCE;
    loop {
        let open = stage.cluster.rows(open);
        let unlisted = stage.cluster.rows(unlisted);
        if open.is_empty() && unlisted.is_empty() {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "not at rest: {open:?} {unlisted:?}"
        );
        thread::sleep(Duration::from_millis(200));
    }
}

/// Everything that somebody was told is there.
#[track_caller]
fn acknowledged(stage: &Stage, told: &Told) {
    let rows = stage.cluster.rows("SELECT id, status, action FROM process");
    let processes: BTreeMap<i64, (String, String)> = rows
        .into_iter()
        .map(|row| (row[0].parse().unwrap(), (row[1].clone(), row[2].clone())))
        .collect();
    for Opened {
        call,
        process,
        status,
    } in &told.opened
    {
        let known = processes.get(process);
        let known = known.unwrap_or_else(|| panic!("process {process} of {call:?} is gone"));
        let wanted: &[&str] = match status {
            201 => &["COMPLETED"],
            _ => &["COMPLETED", "CANCELLED"],
        };
        assert!(wanted.contains(&&*known.0), "{process} is {}", known.0);
    }
    for process in &told.cancelled {
        assert_eq!(processes[process].0, "CANCELLED", "{process}");
    }
    let revoked = stage
        .cluster
        .rows("SELECT id FROM certificate WHERE status = 'REVOKED'");
    let revoked: BTreeSet<i64> = revoked.iter().map(|row| row[0].parse().unwrap()).collect();
    for certificate in &told.revoked {
        assert!(
            revoked.contains(certificate),
            "{certificate} is not revoked"
        );
    }
    // Each call opened one process, and nobody else did: what was done by an attempt without an answer was answered later.
    let opened: BTreeSet<i64> = told.opened.iter().map(|one| one.process).collect();
    assert_eq!(opened.len(), told.opened.len());
    let reissues = processes
        .iter()
        .filter(|(_, (_, action))| action == "reissue");
    let unknown: Vec<_> = reissues.filter(|(id, _)| !opened.contains(id)).collect();
    assert!(unknown.is_empty(), "nobody was told of {unknown:?}");
}

/// Whoever repeats a call is answered as the first time, by any node.
#[track_caller]
fn answers_stay(stage: &Stage, told: &Told, seed: u64) {
    let keyed = told.opened.iter().filter(|one| one.call.is_some());
    let rows = stage
        .cluster
        .rows("SELECT process FROM idempotency_key WHERE process IS NOT NULL");
    assert_eq!(rows.len(), keyed.clone().count());
    let mut customer = stage.customer(99, seed);
    for one in keyed.rev().take(REPEATED) {
        let (key, path, body) = one.call.as_ref().unwrap();
        let again = customer.until_known("POST", path, Some(key), body.as_bytes());
        assert_eq!(again.process(), one.process, "{key}");
        // An answer that was made from a process under way may be another when that has ended.
        assert!(
            again.status == one.status || one.status == 202,
            "{key}: {again:?}"
        );
    }
}

/// `openssl` takes what was issued.
#[track_caller]
fn verified(stage: &Stage) {
    let house = &stage.houses[1];
    let folder = TempDir::new().unwrap();
    let save = |client: &Client, id: &str, format: &str| {
        let path = format!("/v2/ssl/certificates/{id}/download?format={format}");
        let reply = client.get(&path);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let file = folder.path().join(format);
        fs::write(&file, reply.body).unwrap();
        file
    };
    let active = "SELECT id FROM certificate WHERE status = 'ACTIVE' ORDER BY id DESC";
    for row in stage.cluster.rows(active).iter().take(SAMPLE) {
        let output = Command::new("openssl")
            .args(["verify", "-x509_strict", "-purpose", "sslserver"])
            .args(["-verify_hostname", "reseal.dev", "-CAfile"])
            .arg(house.data().join("ca/root.pem"))
            .arg("-untrusted")
            .arg(save(&house.alice, &row[0], "CA"))
            .arg(save(&house.alice, &row[0], "CRT"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
