//! A machine that says nothing of its end: its power or its network is gone, or it hangs.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use crate::support::database;
use crate::support::namespace::Namespace;
use crate::support::server::binary;
use crate::world::house::House;

/// How long the others may take it for living: five seconds, and what a busy host adds.
const LONGEST: Duration = Duration::from_secs(9);
/// What is under way has 20 seconds, the last entry of the audit log ten, and closing the database as well.
const STOP: Duration = Duration::from_secs(50);
const PATIENCE: Duration = Duration::from_secs(30);

struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Node {
    /// A server by `program` on the folder of `house`, once it listens.
    fn start(mut program: Command, house: &House) -> Self {
        let mut child = program
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

    /// Tells it to stop, and waits until it has; whether it says that it could.
    fn stop(&mut self) -> bool {
        let began = Instant::now();
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.unwrap().success());
        loop {
            if let Some(ended) = self.0.try_wait().unwrap() {
                return ended.success();
            }
            assert!(began.elapsed() < STOP, "it does not stop");
            thread::sleep(Duration::from_millis(100));
        }
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
    let _node = Node::start(place.command(binary()), &house);
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

#[test]
fn a_server_stops_although_its_database_says_nothing_more() {
    if !database::is_postgres() {
        return;
    }
    let cluster = Cluster::start();
    let url = format!("postgres://reseal@{}/postgres", cluster.address());
    let house = House::over("", &format!("\n[database]\nurl = \"{url}\"\n"));
    let mut node = Node::start(Command::new(binary()), &house);
    cluster.freeze();
    assert!(!node.stop(), "its stop is recorded nowhere");
}
