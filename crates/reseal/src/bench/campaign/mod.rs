//! `reseal bench campaign`: a mass reissue of a whole store, from the plan to the last certificate.
//!
//! - [`audit`]: whether every certificate has exactly one successor
//! - [`report`]: the figures
//!
//! The store is filled with certificates that are in force, whose requests are kept and whose names are proved (see
//! [`super::fill`]); the real server carries the campaign out, and asks the DNS for CAA of every name.

mod audit;
mod report;

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::client::Connection;
use super::customer::expect;
use super::fill::{Contents, Filled};
use super::server::Server;
use crate::console;
use report::{Moment, Report};

/// As a server has it unless told otherwise.
const CAA_REUSE: &str = "0s";
const CAMPAIGNS: &str = "/v2/ssl/campaigns";
/// Everything that is stored.
const SELECTION: &str = "status=ACTIVE and issuer=embedded";
/// Between two looks at how far it is; more when the look itself takes long, so that it costs little.
const LOOK: Duration = Duration::from_secs(1);
const LOOKS_APART: u32 = 20;
/// Nothing is done for so long: it hangs.
const PATIENCE: Duration = Duration::from_mins(2);
/// Percent done at which the server's memory is looked at.
const LOOKED_AT: [u64; 3] = [10, 50, 100];

/// Reissues `count` certificates, over what `database` says; writes JSON instead of a table when `json` is set.
pub(crate) async fn run(count: u32, database: &str, json: bool) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let data = folder.path().join("data");
    let filled = Filled::make(&data, Contents::in_force(count), CAA_REUSE, database).await?;
    let server = Server::start(filled.folder()).await?;
    server.settle().await?;
    let at_rest = server.memory()?;
    let caller = Caller {
        server: &server,
        key: &filled.operator,
    };
    super::progress(format!("plan of {count} certificates"));
    let planned = plan(&caller, count).await?;
    super::progress(format!("campaign over {count} certificates"));
    let report = Report {
        certificates: count,
        at_rest,
        planned,
        ..carry_out(&caller, count).await?
    };
    server.stop().await?;
    audit::check(filled.folder(), count).await?;
    if json {
        console::line(report.json());
    } else {
        report.lines().iter().for_each(console::line);
    }
    Ok(())
}

/// What the campaign would come to; how long that took to say, and the server's memory then.
async fn plan(caller: &Caller<'_>, count: u32) -> anyhow::Result<Moment> {
    let server = caller.server;
    let (used, begun) = (server.processes().processor_time()?, Instant::now());
    let path = format!("{CAMPAIGNS}?dryRun=true");
    let plan = caller.post(&path, StatusCode::OK).await?;
    if plan["atOnce"] != count {
        bail!("the plan has to say that {count} certificates are reissued at once: {plan}");
    }
    Moment::of(server, begun, used)
}

/// Begins the campaign and waits for its end.
async fn carry_out(caller: &Caller<'_>, count: u32) -> anyhow::Result<Report> {
    let server = caller.server;
    let (used, begun) = (server.processes().processor_time()?, Instant::now());
    let campaign = caller.post(CAMPAIGNS, StatusCode::CREATED).await?;
    let id = campaign["id"]
        .as_i64()
        .ok_or_else(|| anyhow!("a campaign without a number: {campaign}"))?;
    let path = format!("{CAMPAIGNS}/{id}");
    let mut pause = LOOK;
    let mut collected = None;
    let mut moments = Vec::new();
    let mut last = (0, Instant::now());
    loop {
        tokio::time::sleep(pause).await;
        let asked = Instant::now();
        let state = caller.get(&path).await?;
        pause = LOOK.max(asked.elapsed() * LOOKS_APART);
        let done = state["done"].as_u64().unwrap_or(0);
        let now = Moment::of(server, begun, used)?;
        if collected.is_none() && state["collected"] == true {
            collected = Some(now);
        }
        let percent = done * 100 / u64::from(count);
        let next = LOOKED_AT.get(moments.len());
        if next.is_some_and(|next| percent >= *next) {
            moments.push(now);
            super::progress(format!("{percent} % done"));
        }
        if state["status"] == "COMPLETED" {
            let reissued = &state["outcomes"]["REISSUED"];
            if *reissued != count {
                bail!("{count} certificates were to be reissued: {state}");
            }
            return Ok(Report {
                collected: collected.unwrap_or(now),
                moments,
                ended: now,
                ..Report::default()
            });
        }
        if done > last.0 {
            last = (done, Instant::now());
        } else if last.1.elapsed() > PATIENCE.max(begun.elapsed() / 2) {
            bail!("the campaign does not go on: {state}");
        }
    }
}

/// An operator of the server. Each call has a connection of its own: the server ends those on which nothing is said for
/// long.
struct Caller<'a> {
    server: &'a Server,
    key: &'a str,
}

impl Caller<'_> {
    async fn post(&self, path: &str, status: StatusCode) -> anyhow::Result<Value> {
        let deadline = Timestamp::now().checked_add(SignedDuration::from_hours(24))?;
        let body = json!({
            "where": SELECTION,
            "key": "keep",
            "deadline": format!("{deadline:.0}"),
            "reason": "a measurement",
        });
        let body = Bytes::from(body.to_string());
        self.call(Method::POST, path, body, status).await
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, Bytes::new(), StatusCode::OK)
            .await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        status: StatusCode,
    ) -> anyhow::Result<Value> {
        let mut connection = Connection::open(&self.server.authority, Some(self.key)).await?;
        let reply = connection.call(method, path, body).await?;
        expect(&reply, status, path)?;
        serde_json::from_slice(&reply.body).with_context(|| format!("{path}: expected JSON"))
    }
}
