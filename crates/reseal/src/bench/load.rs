//! Many connections at once: what each does, and how long it took.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;

use super::client::{Connection, Reply};
use super::server::Server;

/// How fast a connection calls.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// The next call follows the answer at once.
    Full,
    /// All connections together begin one call in each such interval, answered or not.
    Every(Duration),
}

impl Pace {
    /// Half of `rate` calls a second.
    pub(super) fn half(rate: f64) -> Self {
        Self::Every(Duration::from_secs_f64(2.0 / rate.max(1.0)))
    }
}

/// What one connection does.
pub(super) enum Task {
    /// Reissues the newest certificate of one subscription, with one request body after the other.
    Reissue {
        subscription: usize,
        newest: i64,
        bodies: VecDeque<Bytes>,
    },
    /// Reissues one certificate after the other, and begins anew behind the last.
    ReissueAll { targets: VecDeque<Target> },
    /// Reads the same thing again and again.
    Read { path: String },
    /// Reads one thing after the other, and begins anew behind the last.
    ReadAll { paths: VecDeque<String> },
}

/// The newest certificate of a subscription, and requests for its names.
pub(super) struct Target {
    pub(super) newest: i64,
    pub(super) bodies: VecDeque<Bytes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issued {
    certificate_id: i64,
}

/// What a measurement gave.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub(super) calls: usize,
    /// Calls a second.
    pub(super) rate: f64,
    pub(super) median: Duration,
    /// 99 of 100 calls took at most this long.
    pub(super) p99: Duration,
    /// Of the server, for one call.
    pub(super) processor: Duration,
}

/// Runs `tasks`, each on a connection of its own, for `measured`, or until one of them has nothing left to
/// send. Gives them back as they are afterwards. Anything but the expected status ends the whole measurement.
pub(super) async fn run(
    server: &Server,
    key: &str,
    tasks: Vec<Task>,
    measured: Duration,
    pace: Pace,
) -> anyhow::Result<(Vec<Task>, Summary)> {
    let mut connections = Vec::new();
    for _ in &tasks {
        connections.push(Connection::open(&server.authority, key).await?);
    }
    let count = u32::try_from(tasks.len())?;
    let used = server.processor_time()?;
    let start = Instant::now();
    let mut running = Vec::new();
    for (index, (task, connection)) in (0..count).zip(tasks.into_iter().zip(connections)) {
        let schedule = Schedule {
            // Connections that keep a pace take turns.
            start: match pace {
                Pace::Full => start,
                Pace::Every(interval) => start + interval * index,
            },
            end: start + measured,
            interval: match pace {
                Pace::Full => None,
                Pace::Every(interval) => Some(interval * count),
            },
        };
        running.push(tokio::spawn(work(task, connection, schedule)));
    }
    let mut tasks = Vec::new();
    let mut latencies = Vec::new();
    for worker in running {
        let (task, taken) = worker.await??;
        tasks.push(task);
        latencies.extend(taken);
    }
    let elapsed = start.elapsed();
    let used = server.processor_time()?.saturating_sub(used);
    Ok((tasks, summarize(latencies, elapsed, used)?))
}

/// When a connection calls.
struct Schedule {
    start: Instant,
    end: Instant,
    interval: Option<Duration>,
}

async fn work(
    mut task: Task,
    mut connection: Connection,
    schedule: Schedule,
) -> anyhow::Result<(Task, Vec<Duration>)> {
    let mut latencies = Vec::new();
    let mut due = schedule.start;
    loop {
        let began = match schedule.interval {
            None => Instant::now(),
            // Counted from the moment it was due: a late answer delays the calls after it, which is its fault.
            Some(interval) => {
                let began = due;
                tokio::time::sleep_until(began.into()).await;
                due += interval;
                began
            }
        };
        if began >= schedule.end || !step(&mut task, &mut connection).await? {
            return Ok((task, latencies));
        }
        latencies.push(began.elapsed());
    }
}

/// Makes one call; `false` when there is nothing left to send.
async fn step(task: &mut Task, connection: &mut Connection) -> anyhow::Result<bool> {
    match task {
        Task::Reissue { newest, bodies, .. } => {
            let Some(body) = bodies.pop_front() else {
                return Ok(false);
            };
            *newest = reissue(connection, *newest, body).await?;
        }
        Task::ReissueAll { targets } => {
            let Some(mut target) = targets.pop_front() else {
                return Ok(false);
            };
            if let Some(body) = target.bodies.pop_front() {
                target.newest = reissue(connection, target.newest, body).await?;
            }
            if !target.bodies.is_empty() {
                targets.push_back(target);
            }
        }
        Task::Read { path } => read(connection, path).await?,
        Task::ReadAll { paths } => {
            let Some(path) = paths.pop_front() else {
                return Ok(false);
            };
            read(connection, &path).await?;
            paths.push_back(path);
        }
    }
    Ok(true)
}

/// The number of the new certificate.
async fn reissue(connection: &mut Connection, newest: i64, body: Bytes) -> anyhow::Result<i64> {
    let path = format!("/v2/ssl/certificates/{newest}/reissue");
    let reply = connection.call(Method::POST, &path, body).await?;
    expect(&reply, StatusCode::CREATED, &path)?;
    let issued: Issued = serde_json::from_slice(&reply.body)
        .with_context(|| format!("POST {path}: no `certificateId` in the answer"))?;
    Ok(issued.certificate_id)
}

async fn read(connection: &mut Connection, path: &str) -> anyhow::Result<()> {
    let reply = connection.call(Method::GET, path, Bytes::new()).await?;
    expect(&reply, StatusCode::OK, path)
}

/// Refuses any other status: what failed fast must not count as fast.
pub(super) fn expect(reply: &Reply, status: StatusCode, what: &str) -> anyhow::Result<()> {
    if reply.status == status {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&reply.body);
    bail!("{what}: expected {status}, saw {}: {body}", reply.status)
}

fn summarize(
    mut latencies: Vec<Duration>,
    elapsed: Duration,
    used: Duration,
) -> anyhow::Result<Summary> {
    latencies.sort_unstable();
    let calls = latencies.len();
    let at = |percent: usize| latencies.get((calls * percent / 100).min(calls.saturating_sub(1)));
    let (Some(&median), Some(&p99)) = (at(50), at(99)) else {
        bail!("no call was answered");
    };
    let count = u32::try_from(calls)?;
    Ok(Summary {
        calls,
        rate: f64::from(count) / elapsed.as_secs_f64(),
        median,
        p99,
        processor: used / count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_takes_ranks_of_all_latencies() {
        let latencies = (1..=200).rev().map(Duration::from_millis).collect();
        let summary = summarize(latencies, Duration::from_secs(4), Duration::from_secs(1)).unwrap();
        assert_eq!(summary.calls, 200);
        assert!((summary.rate - 50.0).abs() < 1e-9, "{}", summary.rate);
        assert_eq!(summary.median, Duration::from_millis(101));
        assert_eq!(summary.p99, Duration::from_millis(199));
        assert_eq!(summary.processor, Duration::from_millis(5));
        assert!(summarize(Vec::new(), Duration::from_secs(1), Duration::ZERO).is_err());
    }
}
