//! Two nodes on a PostgreSQL server of their own, customers who go on all the time, and in each round something that
//! fails: a node, the database, its disk, a connection in the middle of a commit. In the end nothing is lost, nothing was
//! done twice, and `reseal doctor --deep` has nothing to say.
//!
//! `RESEAL_TEST_ROUNDS` says how many rounds, `RESEAL_TEST_SEED` repeats what was chosen (not who was faster). Nothing
//! is tested here unless the tests run against PostgreSQL.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod afterwards;
mod chance;
mod cluster;
mod crowd;
mod proxy;
mod vanished;

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::crash::order;
use crate::support::csr::csr;
use crate::support::database;
use crate::support::dns_stub::DnsStub;
use crate::support::http::request;
use crate::world::house::House;
use chance::Chance;
use cluster::{Cluster, Stalled};
use crowd::{Customer, Nodes, Opened, Told, exchange};
use proxy::Proxy;

/// Enough for each fault on average once, and little enough for every run of all tests.
const ROUNDS: u64 = 7;
const CUSTOMERS: usize = 4;
/// Certificates of each customer.
const CERTIFICATES: usize = 2;
/// Longest time until both nodes can read and write again.
const RECOVERY: Duration = Duration::from_secs(40);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    NodeKilled,
    DatabaseKilled,
    EverybodyStalled,
    BackendsStalled,
    DiskStalled,
    CommitsCut,
    SameCertificate,
}

const FAULTS: [Fault; 7] = [
    Fault::NodeKilled,
    Fault::DatabaseKilled,
    Fault::EverybodyStalled,
    Fault::BackendsStalled,
    Fault::DiskStalled,
    Fault::CommitsCut,
    Fault::SameCertificate,
];

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
}

#[test]
fn whatever_fails_nothing_is_lost_and_nothing_done_twice() {
    if !database::is_postgres() {
        return;
    }
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    let seed = number("RESEAL_TEST_SEED").unwrap_or(since.as_secs());
    let rounds = number("RESEAL_TEST_ROUNDS").unwrap_or(ROUNDS);
    println!("RESEAL_TEST_SEED={seed} RESEAL_TEST_ROUNDS={rounds}");
    let begun = Instant::now();
    let mut stage = Stage::build();
    // Proves the name for all that follow.
    let contested = order(&stage.houses[0], &stage.dns);
    let stop = Arc::new(AtomicBool::new(false));
    let crowd: Vec<_> = (0..CUSTOMERS)
        .map(|customer| {
            let newest = (0..CERTIFICATES).map(|_| stage.order()).collect();
            (customer, newest)
        })
        .collect();
    let crowd: Vec<_> = crowd
        .into_iter()
        .map(|(number, newest)| {
            let customer = stage.customer(number, seed);
            let stop = Arc::clone(&stop);
            thread::spawn(move || customer.work(newest, &stop))
        })
        .collect();

    let mut races = Races {
        certificate: contested,
        told: Told::default(),
    };
    let mut chance = Chance::new(seed);
    let mut tally = BTreeMap::<Fault, (u32, Duration)>::new();
    for _ in 0..rounds {
        let fault = stage.next_fault(&mut chance);
        thread::sleep(Duration::from_millis(chance.between(100, 600)));
        let before = Instant::now();
        stage.strike(fault, &mut chance, &mut races);
        stage.recover();
        let entry = tally.entry(fault).or_default();
        entry.0 += 1;
        entry.1 += before.elapsed();
    }
    stop.store(true, Ordering::Relaxed);
    let mut told = races.told;
    for customer in crowd {
        told.add(customer.join().unwrap());
    }
    afterwards::all_is_well(&mut stage, &told, seed);
    for (fault, (times, time)) in tally {
        println!(
            "{fault:?}: {times} rounds, {:.1} s each",
            time.as_secs_f64() / f64::from(times)
        );
    }
    println!(
        "{} calls answered for good, {} processes acknowledged, {} attempts without an answer; the slowest call took \
         {:.1} s; {} commits cut, {} nodes and {} databases started again; {:.0} s",
        told.answered,
        told.opened.len(),
        told.unknown,
        told.slowest.as_secs_f64(),
        stage.proxies.iter().map(Proxy::cuts).sum::<usize>(),
        stage.nodes_restarted,
        stage.databases_restarted,
        begun.elapsed().as_secs_f64()
    );
}

/// A node that is not told whether its commit was carried out neither sits on what it took nor does it twice.
#[test]
fn what_was_taken_in_a_commit_without_an_answer_goes_on_within_seconds() {
    if !database::is_postgres() {
        return;
    }
    let stage = Stage::build();
    let mut newest = order(&stage.houses[0], &stage.dns);
    let [node, _] = *stage.nodes.lock().unwrap();
    // The other would take over.
    *stage.nodes.lock().unwrap() = [node, node];
    let mut customer = stage.customer(0, 1);
    // The commit that takes the key of the call, the one that opens the process, the one that ends it, and the one that
    // keeps the answer.
    for passed in 0..4 {
        stage.proxies[0].cut(passed, 1);
        let begun = Instant::now();
        let (process, _) = customer.reissue(newest, &["reseal.dev"]);
        newest = customer.successor(process);
        assert_eq!(stage.proxies[0].cuts(), passed + 1);
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{passed}: {:?}",
            begun.elapsed()
        );
    }
    let processes = stage
        .cluster
        .rows("SELECT id FROM process WHERE action = 'reissue'");
    assert_eq!(processes.len(), 4);
}

/// All that takes part.
struct Stage {
    houses: [House; 2],
    proxies: [Proxy; 2],
    dns: DnsStub,
    nodes: Nodes,
    nodes_restarted: u32,
    databases_restarted: u32,
    dealt: Vec<Fault>,
    /// The last to go.
    cluster: Cluster,
}

/// A certificate that several customers want to replace at the same instant.
struct Races {
    certificate: i64,
    told: Told,
}

impl Stage {
    fn build() -> Self {
        let cluster = Cluster::start();
        let proxies = [
            Proxy::start(cluster.address()),
            Proxy::start(cluster.address()),
        ];
        let dns = DnsStub::start();
        let configuration = format!(
            "[dcv]\nresolvers = [\"{}\"]\ndnssec = \"off\"\nallow_networks = [\"127.0.0.0/8\"]\n\
             [limits]\nenabled = false\n",
            dns.address
        );
        let database = |proxy: &Proxy| {
            format!(
                "\n[database]\nurl = \"postgres://reseal@{}/postgres\"\n",
                proxy.address
            )
        };
        let one = House::over(&configuration, &database(&proxies[0]));
        let other = one.another_node();
        let path = other.data().join("reseal.toml");
        fs::write(path, format!("{configuration}{}", database(&proxies[1]))).unwrap();
        let mut houses = [one, other];
        for house in &mut houses {
            house.start(None);
        }
        let addresses = houses.each_ref().map(|house| house.alice.address);
        Self {
            houses,
            proxies,
            dns,
            nodes: Arc::new(Mutex::new(addresses)),
            nodes_restarted: 0,
            databases_restarted: 0,
            dealt: Vec::new(),
            cluster,
        }
    }

    /// A certificate whose name is proved already.
    #[track_caller]
    fn order(&self) -> i64 {
        let house = &self.houses[0];
        let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["reseal.dev"])});
        let reply = house.alice.post("/v2/ssl/certificates", &body);
        reply.expect(201);
        house.certificate_of(reply.process())
    }

    fn customer(&self, number: usize, seed: u64) -> Customer {
        let seed = seed.wrapping_add(1 + number as u64);
        let key = &self.houses[0].alice.key;
        Customer::new(number, Arc::clone(&self.nodes), key, seed)
    }

    /// Each comes as often as the others, in an order that is different each time.
    fn next_fault(&mut self, chance: &mut Chance) -> Fault {
        if self.dealt.is_empty() {
            let mut left = FAULTS.to_vec();
            while !left.is_empty() {
                let place = chance.between(0, left.len() as u64);
                self.dealt
                    .push(left.swap_remove(usize::try_from(place).unwrap()));
            }
        }
        self.dealt.pop().unwrap()
    }

    fn strike(&mut self, fault: Fault, chance: &mut Chance, races: &mut Races) {
        let time = Duration::from_millis(chance.between(1000, 3000));
        match fault {
            Fault::NodeKilled => {
                let node = usize::try_from(chance.between(0, 2)).unwrap();
                self.houses[node].kill();
                thread::sleep(Duration::from_millis(chance.between(0, 1500)));
                self.start(node);
            }
            Fault::DatabaseKilled => {
                self.cluster.kill();
                thread::sleep(Duration::from_millis(chance.between(0, 1500)));
                self.cluster.restart();
                self.databases_restarted += 1;
            }
            Fault::EverybodyStalled => self.cluster.stall(Stalled::Everybody, time),
            Fault::BackendsStalled => self.cluster.stall(Stalled::Backends, time),
            Fault::DiskStalled => self.cluster.stall(Stalled::Background, time),
            Fault::CommitsCut => {
                for proxy in &self.proxies {
                    proxy.cut(0, usize::try_from(chance.between(1, 4)).unwrap());
                }
                thread::sleep(time);
            }
            Fault::SameCertificate => self.race(chance, races),
        }
    }

    fn start(&mut self, node: usize) {
        self.houses[node].start(None);
        self.nodes.lock().unwrap()[node] = self.houses[node].alice.address;
        self.nodes_restarted += 1;
    }

    /// Several at once on both nodes: one gets the successor.
    fn race(&self, chance: &mut Chance, races: &mut Races) {
        let old = races.certificate;
        let key = &self.houses[0].alice.key;
        let path = format!("/v2/ssl/certificates/{old}/reissue");
        let nodes = *self.nodes.lock().unwrap();
        let calls: Vec<_> = (0..8)
            .map(|caller| {
                let body = json!({"csr": csr(&["reseal.dev"])}).to_string();
                let authorization = format!("Authorization: ApiKey {key}");
                let headers = [&*authorization, "Content-Type: application/json"];
                let bytes = request("POST", &path, &headers, body.as_bytes());
                thread::spawn(move || exchange(nodes[caller % 2], &bytes))
            })
            .collect();
        let replies: Vec<_> = calls.into_iter().map(|call| call.join().unwrap()).collect();
        let mut won = replies
            .iter()
            .flatten()
            .filter(|reply| [201, 202].contains(&reply.status));
        let process = won.next().map(|reply| (reply.process(), reply.status));
        assert!(won.next().is_none(), "{old} was replaced twice");
        drop(won);
        races.told.answered += replies
            .iter()
            .flatten()
            .filter(|reply| reply.status < 500)
            .count() as u64;
        let Some((process, status)) = process else {
            panic!("nobody got the successor of {old}: {replies:?}");
        };
        races.told.opened.push(Opened {
            call: None,
            process,
            status,
        });
        let mut customer = self.customer(100, chance.between(0, u64::MAX));
        races.certificate = customer.successor(process);
    }

    /// Waits until both nodes read and write again.
    #[track_caller]
    fn recover(&self) {
        let deadline = Instant::now() + RECOVERY;
        let nodes = *self.nodes.lock().unwrap();
        for address in nodes {
            let asks = request("GET", "/readyz", &[], b"");
            while exchange(address, &asks).is_none_or(|reply| reply.status != 200) {
                assert!(Instant::now() < deadline, "a node does not come back");
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
}
