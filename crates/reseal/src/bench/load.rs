//! Many connections at once: what each does, and how long it took.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::bail;
use bytes::Bytes;
use http::{Method, StatusCode};

use super::client::{Connection, Reply};
use super::customer::{expect, reissue};
use super::processes::Processes;
use super::steadiness::{Steadiness, Watch};

/// Who is called, and whose processor time is counted.
pub(super) struct Service {
    /// `host:port`.
    pub(super) authority: String,
    /// API key, where one is needed.
    pub(super) key: Option<String>,
    /// Of the server, where they can be seen.
    pub(super) server: Option<Processes>,
    /// Of its database, where it has processes of its own that can be seen.
    pub(super) database: Option<Processes>,
}

impl Service {
    pub(super) async fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(&self.authority, self.key.as_deref()).await
    }

    /// Processor time used so far by the server and by its database.
    fn used(&self) -> anyhow::Result<[Option<Duration>; 2]> {
        let used = |processes: Option<Processes>| processes.map(Processes::processor_time);
        Ok([
            used(self.server).transpose()?,
            used(self.database).transpose()?,
        ])
    }
}

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
    /// Has one request after the other signed.
    Sign {
        path: String,
        bodies: VecDeque<Bytes>,
    },
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

/// What a measurement gave.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub(super) calls: usize,
    /// Calls a second.
    pub(super) rate: f64,
    pub(super) median: Duration,
    /// 99 of 100 calls took at most this long.
    pub(super) p99: Duration,
    /// The same of the calls during which, and shortly before which, the processor was as fast as usual.
    pub(super) steady_p99: Option<Duration>,
    /// Of the time, the share in which it was slower.
    pub(super) slowed: f64,
    /// Of the calls, the share that met that.
    pub(super) touched: f64,
    /// Processor time of the server for one call.
    pub(super) server: Option<Duration>,
    /// The same of its database, where that has processes of its own.
    pub(super) database: Option<Duration>,
}

impl Summary {
    /// Processor time for one call, database included.
    pub(super) fn processor(&self) -> Option<Duration> {
        Some(self.server? + self.database.unwrap_or_default())
    }
}

#[cfg(test)]
impl Summary {
    /// Of one call, which took 1 ms, with so much processor time of the server.
    pub(super) fn sample(rate: f64, server: Duration) -> Self {
        Self {
            calls: 1,
            rate,
            median: Duration::from_millis(1),
            p99: Duration::from_millis(2),
            steady_p99: None,
            slowed: 0.0,
            touched: 0.0,
            server: Some(server),
            database: None,
        }
    }
}

/// Runs `tasks`, each on a connection of its own, for `measured`, or until one of them has nothing left to
/// send. Gives them back as they are afterwards. Anything but the expected status ends the whole measurement.
pub(super) async fn run(
    service: &Service,
    tasks: Vec<Task>,
    measured: Duration,
    pace: Pace,
) -> anyhow::Result<(Vec<Task>, Summary)> {
    let mut connections = Vec::new();
    for _ in &tasks {
        connections.push(service.connect().await?);
    }
    let count = u32::try_from(tasks.len())?;
    let before = service.used()?;
    let watch = Watch::start()?;
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
    let mut calls = Vec::new();
    for worker in running {
        let (task, made) = worker.await??;
        tasks.push(task);
        calls.extend(made);
    }
    let elapsed = start.elapsed();
    let steadiness = watch.stop()?;
    let [server, database] = service.used()?;
    let [server_before, database_before] = before;
    let used = [(server, server_before), (database, database_before)]
        .map(|(after, before)| Some(after?.saturating_sub(before?)));
    let summary = summarize(&calls, &steadiness, elapsed, used)?;
    Ok((tasks, summary))
}

/// A call that was answered.
#[derive(Clone, Copy)]
struct Made {
    due: Instant,
    taken: Duration,
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
) -> anyhow::Result<(Task, Vec<Made>)> {
    let mut calls = Vec::new();
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
            return Ok((task, calls));
        }
        calls.push(Made {
            due: began,
            taken: began.elapsed(),
        });
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
        Task::Sign { path, bodies } => {
            let Some(body) = bodies.pop_front() else {
                return Ok(false);
            };
            let reply = connection.call(Method::POST, path, body).await?;
            expect_certificate(&reply, path)?;
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

async fn read(connection: &mut Connection, path: &str) -> anyhow::Result<()> {
    let reply = connection.call(Method::GET, path, Bytes::new()).await?;
    expect(&reply, StatusCode::OK, path)
}

/// Refuses anything but a certificate of a server that is not ours.
fn expect_certificate(reply: &Reply, what: &str) -> anyhow::Result<()> {
    const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let mut pieces = reply.body.windows(CERTIFICATE.len());
    if reply.status.is_success() && pieces.any(|piece| piece == CERTIFICATE) {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&reply.body);
    bail!(
        "{what}: expected a certificate, saw {}: {body}",
        reply.status
    )
}

/// `used`: processor time of the server and of its database.
fn summarize(
    calls: &[Made],
    steadiness: &Steadiness,
    elapsed: Duration,
    used: [Option<Duration>; 2],
) -> anyhow::Result<Summary> {
    let all = calls.iter().map(|call| call.taken).collect();
    let Some([median, p99]) = ranks(all) else {
        bail!("no call was answered");
    };
    let steady = calls
        .iter()
        .filter(|call| !steadiness.is_touched(call.due, call.taken));
    let steady: Vec<_> = steady.map(|call| call.taken).collect();
    let touched = 1.0 - steady.len() as f64 / calls.len() as f64;
    let steady = ranks(steady);
    let count = u32::try_from(calls.len())?;
    let [server, database] = used.map(|used| Some(used? / count));
    Ok(Summary {
        calls: calls.len(),
        rate: f64::from(count) / elapsed.as_secs_f64(),
        median,
        p99,
        steady_p99: steady.map(|[_, p99]| p99),
        slowed: steadiness.slowed_share(),
        touched,
        server,
        database,
    })
}

/// The median and the 99th percentile; nothing of nothing.
fn ranks(mut latencies: Vec<Duration>) -> Option<[Duration; 2]> {
    latencies.sort_unstable();
    let count = latencies.len();
    let at = |percent: usize| latencies.get((count * percent / 100).min(count.checked_sub(1)?));
    Some([*at(50)?, *at(99)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_takes_ranks_of_all_latencies() {
        let due = Instant::now();
        let made = |taken| Made { due, taken };
        let latencies = (1..=200).rev().map(Duration::from_millis);
        let calls: Vec<_> = latencies.map(made).collect();
        let [four, one, half] = [4_000, 1_000, 500].map(Duration::from_millis);
        let steady = Steadiness::default();
        let of = |used| summarize(&calls, &steady, four, used).unwrap();
        let summary = of([Some(one), None]);
        assert_eq!(summary.calls, 200);
        assert!((summary.rate - 50.0).abs() < 1e-9, "{}", summary.rate);
        assert_eq!(summary.median, Duration::from_millis(101));
        assert_eq!(summary.p99, Duration::from_millis(199));
        assert_eq!(summary.steady_p99, Some(Duration::from_millis(199)));
        assert_eq!(summary.processor(), Some(Duration::from_millis(5)));
        // What the database used is told apart, and counts.
        let summary = of([Some(one), Some(half)]);
        assert_eq!(summary.server, Some(Duration::from_millis(5)));
        assert_eq!(summary.database, Some(Duration::from_micros(2_500)));
        assert_eq!(summary.processor(), Some(Duration::from_micros(7_500)));
        assert_eq!(of([None, None]).processor(), None);
        assert!(summarize(&[], &steady, one, [None, None]).is_err());
    }

    #[test]
    fn calls_that_met_a_slower_processor_are_told_apart() {
        let start = Instant::now();
        let call = |due: u64, taken: u64| Made {
            due: start + Duration::from_millis(due),
            taken: Duration::from_millis(taken),
        };
        let mut calls: Vec<_> = (0..100).map(|number| call(number, 2)).collect();
        calls.extend((200..210).map(|number| call(number, 40)));
        let steadiness = Steadiness::slowed_at(vec![start + Duration::from_millis(205)], 100);
        let summary = summarize(&calls, &steadiness, Duration::from_secs(1), [None, None]);
        let summary = summary.unwrap();
        assert_eq!(summary.p99, Duration::from_millis(40));
        assert_eq!(summary.steady_p99, Some(Duration::from_millis(2)));
        assert!((summary.slowed - 0.01).abs() < 1e-9);
        assert!((summary.touched - 10.0 / 110.0).abs() < 1e-9);
    }

    #[test]
    fn only_a_certificate_is_an_answer_of_another_server() {
        let reply = |status, body: &'static str| Reply {
            status,
            process: None,
            body: Bytes::from_static(body.as_bytes()),
        };
        let certificate = r#"{"certificate":"-----BEGIN CERTIFICATE-----\nMII"}"#;
        let seen = |status, body| expect_certificate(&reply(status, body), "/sign");
        assert!(seen(StatusCode::OK, certificate).is_ok());
        assert!(seen(StatusCode::BAD_REQUEST, certificate).is_err());
        let error = seen(StatusCode::OK, r#"{"success":false}"#).unwrap_err();
        assert!(error.to_string().contains("success"), "{error}");
    }
}
