//! Certificate signing requests made in advance, so that the clock sees only the servers' work and the sending.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::anyhow;
use bytes::Bytes;
use serde_json::json;

use super::load::Pace;
use crate::demo::request;

/// What one connection and all together are expected to reach a second at most; a measurement whose requests run out
/// ends early.
const MOST_A_CONNECTION: u32 = 4_000;
const MOST_TOGETHER: u32 = 10_000;

/// The name that the connection of that number has requests for.
pub(super) fn host(number: usize) -> String {
    format!("host-{number}.demo.internal")
}

/// How many requests each of `connections` may come to send within `measured`.
pub(super) fn enough(connections: usize, measured: Duration, pace: Pace) -> anyhow::Result<u32> {
    let seconds = u32::try_from(measured.as_secs())?;
    let count = u32::try_from(connections)?.max(1);
    Ok(match pace {
        Pace::Full => seconds * MOST_A_CONNECTION.min(MOST_TOGETHER.div_ceil(count)),
        Pace::Every(interval) => {
            let all = measured.as_nanos() / interval.as_nanos().max(1);
            u32::try_from(all)?.div_ceil(count) + 1
        }
    })
}

/// For each of `names` `each` requests with keys of their own, in PEM, as JSON objects `{field: request}`.
pub(super) fn make(
    names: &[String],
    each: u32,
    field: &str,
) -> anyhow::Result<Vec<VecDeque<Bytes>>> {
    let pile = |name: &String| -> anyhow::Result<VecDeque<Bytes>> {
        let body = |_| {
            Ok(json!({ field: request::make(&[name])?.csr })
                .to_string()
                .into())
        };
        (0..each).map(body).collect()
    };
    let pile = &pile;
    // Keys and signatures: as much work as the measurement, so on all cores.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = names.len().div_ceil(cores).max(1);
    let made: Vec<anyhow::Result<Vec<_>>> = std::thread::scope(|scope| {
        let makers: Vec<_> = names
            .chunks(share)
            .map(|names| scope.spawn(move || names.iter().map(pile).collect()))
            .collect();
        let made = makers.into_iter().map(|maker| {
            let made = maker.join();
            made.unwrap_or_else(|_| Err(anyhow!("the requests cannot be made")))
        });
        made.collect()
    });
    let mut all = Vec::with_capacity(names.len());
    for piles in made {
        all.extend(piles?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_enough_requests_for_the_pace() {
        let three = Duration::from_secs(3);
        assert_eq!(enough(1, three, Pace::Full).unwrap(), 12_000);
        assert_eq!(enough(32, three, Pace::Full).unwrap(), 939);
        // Half of 1,000 a second, by 32.
        assert_eq!(enough(32, three, Pace::half(1_000.0)).unwrap(), 48);
    }

    #[test]
    fn every_request_has_a_key_of_its_own_and_its_connections_name() {
        let names = ["a.example", "b.example", "c.example"].map(str::to_owned);
        let piles = make(&names, 2, "request").unwrap();
        let mut seen = std::collections::HashSet::new();
        for (name, pile) in names.iter().zip(&piles) {
            for body in pile {
                let body: serde_json::Value = serde_json::from_slice(body).unwrap();
                let pem = body["request"].as_str().unwrap();
                let request = reseal_pki::csr::Csr::parse(pem).unwrap();
                assert!(request.dns_names().contains(name), "{pem}");
                assert!(seen.insert(pem.to_owned()));
            }
        }
        assert_eq!(seen.len(), 6);
    }
}
