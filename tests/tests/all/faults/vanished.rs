//! A machine that says nothing of its end: its power or its network is gone.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use crate::support::database;
use crate::support::namespace::Namespace;
use crate::support::server::binary;
use crate::world::house::House;

/// How long the others may take it for living: five seconds, and what a busy host adds.
const LONGEST: Duration = Duration::from_secs(9);
const PATIENCE: Duration = Duration::from_secs(30);

struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Node {
    /// A server in `place` on the folder of `house`, once it listens.
    fn start(place: &Namespace, house: &House) -> Self {
        let mut child = place
            .command(binary())
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(house.data())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let listens = lines.by_ref().any(|line| line.contains("listening on"));
        // Read to the end, so that the server never waits for us.
        thread::spawn(move || lines.for_each(drop));
        let node = Self(child);
        assert!(listens);
        node
    }
}

#[test]
fn a_node_that_vanishes_from_the_network_is_soon_missed() {
    if !database::is_postgres() {
        return;
    }
    let place = Namespace::start();
    let cluster = Cluster::start_at(place.here.into());
    let url = format!(
        "postgres://reseal@{}/postgres?sslmode=disable",
        cluster.address()
    );
    let house = House::over("", &format!("\n[database]\nurl = \"{url}\"\n"));
    let _node = Node::start(&place, &house);
    let seen = || cluster.rows("SELECT node FROM living_node").len();
    assert_eq!(seen(), 1);
    // A silence by itself is no end.
    thread::sleep(LONGEST);
    assert_eq!(seen(), 1);
    let cut = place
        .command("ip")
        .args(["link", "set", "out", "down"])
        .status();
    assert!(cut.unwrap().success());
    let began = Instant::now();
    while seen() > 0 {
        assert!(began.elapsed() < PATIENCE, "still taken for living");
        thread::sleep(Duration::from_millis(100));
    }
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
}
