//! `reseal bench sign`: how many signatures a second the key that issues makes, beside one in memory of the same kind.
//! What is signed says nothing, and is thrown away.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use reseal_issuer::embedded::{SigningKey, SoftwareKey};
use serde_json::json;
use tokio::task::JoinSet;

use super::table::{Table, figure};
use super::{measured_for, millis};
use crate::config::{Config, Flags};
use crate::console;
use crate::data::DataFolder;
use crate::wire_up::{self, Embedded};

/// How many signatures are asked for at a time.
const AT_A_TIME: [usize; 2] = [1, 8];

/// What one key has done.
struct Row {
    key: String,
    at_a_time: usize,
    /// Signatures a second.
    rate: f64,
    median: Duration,
    p99: Duration,
}

/// Measures each key for `seconds`, in turn, and prints the figures.
pub(super) async fn run(
    data: &Path,
    config: Option<&Path>,
    seconds: u64,
    as_json: bool,
) -> anyhow::Result<()> {
    let measured = measured_for(seconds)?;
    let data = DataFolder::new(data);
    data.require_initialized()?;
    let config = Config::load(data.config_file(config).as_deref(), &Flags::default())?;
    let url = wire_up::public_url(&config, config.server.listen);
    let issuer = Embedded::open(&data, &config, &url)?.current;
    let key = issuer
        .signing_key()
        .context("there is no key that issues")?;
    let kind = key.key_type();
    let beside = SigningKey::Software(SoftwareKey::generate(kind)?);
    let mut rows = Vec::new();
    for at_a_time in AT_A_TIME {
        for (name, key) in [
            (format!("{kind}, {}", issuer.key_place()), key),
            (format!("{kind}, in memory"), &beside),
        ] {
            rows.push(measure(name, key, at_a_time, measured).await?);
        }
    }
    if as_json {
        console::line(json_of(&rows));
    } else {
        table_of(&rows).iter().for_each(console::line);
    }
    Ok(())
}

/// As many tasks as are wanted at a time sign one after the other until the time is over.
async fn measure(
    name: String,
    key: &SigningKey,
    at_a_time: usize,
    measured: Duration,
) -> anyhow::Result<Row> {
    // The first one opens the connection with a token.
    key.prove().await?;
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..at_a_time {
        let key = key.clone();
        tasks.spawn(async move {
            let mut times = Vec::new();
            while begin.elapsed() < measured {
                let asked = Instant::now();
                key.prove().await?;
                times.push(asked.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        times.extend(ended??);
    }
    let took = begin.elapsed();
    times.sort_unstable();
    let at = |percent: usize| {
        let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        times.get(index).copied().unwrap_or_default()
    };
    Ok(Row {
        key: name,
        at_a_time,
        rate: times.len() as f64 / took.as_secs_f64(),
        median: at(50),
        p99: at(99),
    })
}

fn table_of(rows: &[Row]) -> Vec<String> {
    let figures = ["at a time", "signatures/s", "p50 ms", "p99 ms"];
    let mut table = Table::new(&["key"], &figures);
    for row in rows {
        table.add([
            row.key.clone(),
            row.at_a_time.to_string(),
            figure(row.rate),
            figure(millis(row.median)),
            figure(millis(row.p99)),
        ]);
    }
    table.lines()
}

fn json_of(rows: &[Row]) -> String {
    let rows = rows.iter().map(|row| {
        json!({
            "key": row.key,
            "atATime": row.at_a_time,
            "signaturesPerSecond": row.rate,
            "p50Ms": millis(row.median),
            "p99Ms": millis(row.p99),
        })
    });
    json!({"sign": rows.collect::<Vec<_>>()}).to_string()
}
