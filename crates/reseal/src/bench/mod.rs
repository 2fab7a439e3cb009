//! `reseal bench`: how fast reissues with reused authorizations are on this machine, and what they cost.
//!
//! - [`server`]: the real server, a process of its own so that its processor time can be told apart
//! - [`client`]: one keep-alive connection to it
//! - [`customer`]: what is called over it for a certificate
//! - [`world`]: the customer's subscriptions, each name proved once by DNS
//! - [`peer`]: other servers, measured in turn with it
//! - [`requests`]: what they are sent, made in advance
//! - [`load`]: many connections at once, measured
//! - [`processes`]: processor time
//! - [`steadiness`]: whether the processor itself was slower meanwhile
//! - [`floor`]: what the cryptography alone costs, in the same run
//! - [`report`]: the figures, as tables ([`table`]) or as JSON
//! - [`growth`]: the same with many certificates in the store, which [`fill`] puts there
//! - [`revoked`]: the same with very many entries on the lists
//! - [`campaign`]: a mass reissue
//! - [`against`]: another build of this program, in turn
//! - [`sign`]: the key of a CA that is there
//!
//! Without another database it is SQLite with every commit synced, as always, in a folder below the system's temporary
//! folder (`TMPDIR`). Of that nothing survives.

mod against;
mod campaign;
mod client;
mod customer;
mod fill;
mod floor;
mod growth;
mod load;
mod peer;
mod processes;
mod report;
mod requests;
mod revoked;
mod server;
mod sign;
mod steadiness;
mod table;
mod world;

use std::path::{Path, absolute};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::args::{BenchOf, Elsewhere, Loads};
use crate::config::Config;
use crate::console;
use crate::data::DataFolder;
use crate::demo::name_server::NameServer;
use crate::file;
use crate::init::Plan;
use customer::expect;
pub(crate) use growth::SMALLEST;
use load::Pace;
use peer::Peer;
use report::{Report, Row, Start};
use server::Server;
use world::World;

/// Connections of the measurements; each owns one subscription.
const CONNECTIONS: [usize; 4] = [1, 8, 32, 128];
/// Connections of those that are measured at half their rate as well.
const PACED: usize = 32;
/// Connections that read.
const READERS: usize = 8;
/// `dcv.caa_reuse` of the measurements: CAA asked at every issuance, and an answer kept as long as allowed.
const CAA_REUSE: [&str; 2] = ["0s", "8h"];
/// Longest time that requests are made for in advance; they are kept in memory.
const LONGEST: u64 = 60;

/// Measures each load, over SQLite or the database that `loads` names, and prints the figures.
pub(crate) async fn run(loads: Loads) -> anyhow::Result<()> {
    let Loads {
        seconds,
        json,
        elsewhere,
        beside,
    } = loads;
    let measured = measured_for(seconds)?;
    let database = database_table(&elsewhere)?;
    let mut peers = Vec::new();
    for beside in beside {
        peers.push(Peer::find(beside).await?);
    }
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let floor = floor::measure()?;
    let [first, ..] = CAA_REUSE;
    let measurement = Measurement {
        world: World::make(&folder.path().join("data"), first, database).await?,
        peers,
        measured,
    };
    let report = Report {
        floor,
        seconds,
        database: measurement.world.database_version().to_owned(),
        start: measurement.start().await?,
        rows: measurement.rows().await?,
    };
    if json {
        console::line(report.json());
    } else {
        report.lines().iter().for_each(console::line);
    }
    Ok(())
}

/// The other benchmarks.
pub(crate) async fn run_other(of: BenchOf, config: Option<&Path>) -> anyhow::Result<()> {
    match of {
        BenchOf::Sign {
            seconds,
            json,
            data,
        } => sign::run(&data.data, config, seconds, json).await,
        BenchOf::Against {
            program,
            rounds,
            seconds,
            json,
        } => against::run(program, rounds, seconds, json).await,
        BenchOf::Revoked {
            entries,
            seconds,
            json,
        } => revoked::run(entries, seconds, json).await,
        BenchOf::Growth {
            sizes,
            seconds,
            elsewhere,
            json,
        } => growth::run(&sizes, seconds, &database_table(&elsewhere)?, json).await,
        BenchOf::Campaign {
            certificates,
            elsewhere,
            json,
        } => campaign::run(certificates, &database_table(&elsewhere)?, json).await,
    }
}

struct Measurement {
    world: World,
    peers: Vec<Peer>,
    /// How long each load lasts.
    measured: Duration,
}

impl Measurement {
    /// How a server begins that has its keys and nothing else.
    async fn start(&self) -> anyhow::Result<Start> {
        progress("a start");
        let began = Instant::now();
        let server = Server::start(self.world.folder()).await?;
        let mut api = self.world.service(&server).connect().await?;
        let path = "/readyz";
        let reply = api.call(Method::GET, path, Bytes::new()).await?;
        expect(&reply, StatusCode::OK, path)?;
        let answered = began.elapsed();
        server.settle().await?;
        let memory = server.memory()?;
        server.stop().await?;
        Ok(Start { answered, memory })
    }

    async fn rows(mut self) -> anyhow::Result<Vec<Row>> {
        let connections = CONNECTIONS.into_iter().max().unwrap_or(1);
        let mut rows = Vec::new();
        let mut reads = Vec::new();
        for reuse in CAA_REUSE {
            self.world.configure(reuse)?;
            let server = Server::start(self.world.folder()).await?;
            self.world.prove(&server, connections).await?;
            rows.extend(self.reissues(&server, reuse).await?);
            if reads.is_empty() {
                reads = self.reads(&server).await?;
            }
            server.stop().await?;
        }
        rows.extend(reads);
        rows.push(self.status().await?);
        Ok(rows)
    }

    /// Reissues at full speed on ever more connections, with the other servers in turn; on [`PACED`] of them also at half
    /// that rate.
    async fn reissues(
        &mut self,
        server: &Server,
        caa_reuse: &'static str,
    ) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for connections in CONNECTIONS {
            let mut row = self
                .reissue(server, caa_reuse, connections, Pace::Full)
                .await?;
            for peer in &self.peers {
                progress(format!("{}, {connections} connections", peer.name));
                let tasks = peer.tasks(connections, self.measured)?;
                let (_, summary) =
                    load::run(&peer.service, tasks, self.measured, Pace::Full).await?;
                row.beside.push((peer.name.clone(), summary));
            }
            let pace = Pace::half(row.summary.rate);
            rows.push(row);
            if connections == PACED {
                rows.push(self.reissue(server, caa_reuse, connections, pace).await?);
            }
        }
        Ok(rows)
    }

    async fn reissue(
        &mut self,
        server: &Server,
        caa_reuse: &'static str,
        connections: usize,
        pace: Pace,
    ) -> anyhow::Result<Row> {
        progress(format!(
            "reissues, caa_reuse {caa_reuse}, {connections} connections"
        ));
        let tasks = self.world.reissue_tasks(connections, self.measured, pace)?;
        let service = self.world.service(server);
        let (tasks, summary) = load::run(&service, tasks, self.measured, pace).await?;
        self.world.take_back(tasks);
        Ok(Row {
            what: "reissue",
            caa_reuse: Some(caa_reuse),
            connections,
            paced: matches!(pace, Pace::Every(_)),
            summary,
            beside: Vec::new(),
        })
    }

    /// OCSP, each answer signed when it is asked for, from a server that offers it.
    async fn status(&self) -> anyhow::Result<Row> {
        let what = "OCSP";
        self.world.offer_ocsp()?;
        let server = Server::start(self.world.folder()).await?;
        let tasks = self.world.status_tasks(&server, READERS).await?;
        progress(format!("{what}, {READERS} connections"));
        let service = self.world.service(&server);
        let (_, summary) = load::run(&service, tasks, self.measured, Pace::Full).await?;
        server.stop().await?;
        Ok(Row {
            what,
            caa_reuse: None,
            connections: READERS,
            paced: false,
            summary,
            beside: Vec::new(),
        })
    }

    /// Reads of a certificate and of a process.
    async fn reads(&self, server: &Server) -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        let service = self.world.service(server);
        for (what, tasks) in [
            ("GET certificate", self.world.certificate_tasks(READERS)),
            ("GET process", self.world.process_tasks(READERS)),
        ] {
            progress(format!("{what}, {READERS} connections"));
            let (_, summary) = load::run(&service, tasks, self.measured, Pace::Full).await?;
            rows.push(Row {
                what,
                caa_reuse: None,
                connections: READERS,
                paced: false,
                summary,
                beside: Vec::new(),
            });
        }
        Ok(rows)
    }
}

/// How long each load is measured.
fn measured_for(seconds: u64) -> anyhow::Result<Duration> {
    if !(1..=LONGEST).contains(&seconds) {
        bail!("--seconds: expected 1 to {LONGEST}, saw {seconds}");
    }
    Ok(Duration::from_secs(seconds))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn progress(what: impl std::fmt::Display) {
    console::notice(format!("measuring: {what}"));
}

/// The table `database` of the server's configuration; nothing for SQLite.
fn database_table(elsewhere: &Elsewhere) -> anyhow::Result<String> {
    let Some(url) = &elsewhere.database else {
        return Ok(String::new());
    };
    let mut table = toml::Table::new();
    table.insert("url".to_owned(), url.as_str().into());
    if let Some(file) = &elsewhere.password_file {
        // The configuration lies elsewhere.
        let file = absolute(file).with_context(|| file.display().to_string())?;
        let file = file
            .to_str()
            .context("--password-file: expected a path in UTF-8")?;
        table.insert("password_file".to_owned(), file.into());
    }
    Ok(format!("[database]\n{table}"))
}

/// Writes the configuration of the measured server into `data`.
fn configure(
    data: &DataFolder,
    dns: &NameServer,
    caa_reuse: &str,
    tables: &str,
) -> anyhow::Result<Plan> {
    let anchor = dns.write_trust_anchor(data)?;
    let text = configuration(&dns.address.to_string(), caa_reuse, &anchor, tables);
    let path = data.config();
    file::write("the configuration", &path, text.as_bytes(), 0o600)?;
    let config = Config::from_toml(&text, &path)?;
    Ok(Plan { config, text })
}

/// `tables`: further ones.
fn configuration(resolver: &str, caa_reuse: &str, anchor: &Path, tables: &str) -> String {
    format!(
        r#"# Made by `reseal bench`.
[server]
listen = "127.0.0.1:0"
public_url = "http://127.0.0.1"

{tables}
[policy]
profile = "private"
internal_names = ["demo.internal"]

[dcv]
resolvers = ["{resolver}"]
dnssec = "validate"
trust_anchor_file = "{}"
caa_reuse = "{caa_reuse}"
allow_networks = ["127.0.0.0/8"]

[mail]
url = "maildir"

# One key does what a day's customers would.
[limits]
enabled = false
"#,
        anchor.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_database_of_the_measured_server_is_the_one_that_is_wanted() {
        let config = |database: Option<&str>, file: Option<&str>| {
            let elsewhere = Elsewhere {
                database: database.map(str::to_owned),
                password_file: file.map(Into::into),
            };
            let table = database_table(&elsewhere).unwrap();
            let anchor = Path::new("/tmp/anchor");
            let text = configuration("127.0.0.1:53", "8h", anchor, &table);
            Config::from_toml(&text, Path::new("reseal.toml")).unwrap()
        };
        let sqlite = config(None, None);
        assert_eq!(sqlite.database.url, "sqlite");
        let url = r#"postgres://a"b@db/na\me"#;
        let postgres = config(Some(url), Some("a file"));
        assert_eq!(postgres.database.url, url);
        let file = postgres.database.password_file.unwrap();
        assert!(file.is_absolute() && file.ends_with("a file"), "{file:?}");
    }
}
