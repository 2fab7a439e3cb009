//! Calls by route, method and status, and how long they took. What every call pays is a look-up in a table that never
//! changes, and a few additions.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use http::Method;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry,
};

use crate::openapi::Described;

/// Statuses that are counted one by one; every other is `other`.
const STATUSES: [u16; 14] = [
    200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 413, 429, 500, 503,
];

/// Upper ends of what is told apart, in seconds: a call is answered in a millisecond or waits for proofs for seconds.
const BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0,
];

pub(crate) struct Measures {
    calls: IntCounterVec,
    routes: HashMap<&'static str, Vec<Measure>>,
    unknown: Measure,
}

/// Of one route and method.
struct Measure {
    method: &'static str,
    route: &'static str,
    took: Histogram,
    /// By [`STATUSES`], then the rest; made when first needed, so that what never happens is no series.
    by_status: [OnceLock<IntCounter>; STATUSES.len() + 1],
}

impl Measures {
    /// Measures for calls of `routes`, seen in `registry`.
    pub(crate) fn new(
        routes: &[Described],
        registry: &Registry,
    ) -> Result<Self, prometheus::Error> {
        let calls = Opts::new(
            "reseal_http_requests_total",
            "Calls by route, method and status of the answer",
        );
        let calls = IntCounterVec::new(calls, &["method", "route", "status"])?;
        let took = HistogramOpts::new(
            "reseal_http_request_duration_seconds",
            "Time from the head of a call to its answer, by route and method",
        );
        let took = HistogramVec::new(took.buckets(BUCKETS.to_vec()), &["method", "route"])?;
        registry.register(Box::new(calls.clone()))?;
        registry.register(Box::new(took.clone()))?;
        let version = Opts::new("reseal_build_info", "1, with the version of the program")
            .const_label("version", env!("CARGO_PKG_VERSION"));
        let version = prometheus::IntGauge::with_opts(version)?;
        version.set(1);
        registry.register(Box::new(version))?;
        let measure = |method, route| Measure {
            method,
            route,
            took: took.with_label_values(&[method, route]),
            by_status: Default::default(),
        };
        let mut by_route: HashMap<_, Vec<_>> = HashMap::new();
        for described in routes {
            let measure = measure(described.method, described.path);
            by_route.entry(described.path).or_default().push(measure);
        }
        Ok(Self {
            unknown: measure("-", "-"),
            routes: by_route,
            calls,
        })
    }

    pub(crate) fn count(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let known = self.routes.get(route).and_then(|measures| {
            let is_meant = |measure: &&Measure| {
                let method = if *method == Method::HEAD {
                    &Method::GET
                } else {
                    method
                };
                measure.method.eq_ignore_ascii_case(method.as_str())
            };
            measures.iter().find(is_meant)
        });
        let measure = known.unwrap_or(&self.unknown);
        measure.took.observe(took.as_secs_f64());
        let place = STATUSES.iter().position(|one| *one == status);
        let place = place.unwrap_or(STATUSES.len());
        let counter = measure.by_status[place].get_or_init(|| {
            let status = STATUSES
                .get(place)
                .map_or("other".to_owned(), u16::to_string);
            self.calls
                .with_label_values(&[measure.method, measure.route, &status])
        });
        counter.inc();
    }
}

#[cfg(test)]
mod tests {
    use prometheus::{Encoder as _, TextEncoder};

    use super::*;
    use crate::router::routes;

    #[test]
    fn calls_are_counted_by_route_and_never_by_what_was_sent() {
        let registry = Registry::new();
        let measures = Measures::new(routes().described(), &registry).unwrap();
        let took = Duration::from_micros(700);
        let known = "/v2/ssl/certificates/{id}";
        for (method, route, status) in [
            ("GET", known, 200),
            ("HEAD", known, 200),
            ("DELETE", known, 418),
            ("BREW", known, 405),
            ("GET", "-", 404),
            ("GET", "/made/up", 404),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            measures.count(&method, route, status, took);
        }
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&registry.gather(), &mut text)
            .unwrap();
        let text = String::from_utf8(text).unwrap();
        let calls: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("reseal_http_requests_total{"))
            .collect();
        assert_eq!(calls.len(), 4, "{calls:#?}");
        for line in [
            format!("{{method=\"get\",route=\"{known}\",status=\"200\"}} 2"),
            format!("{{method=\"delete\",route=\"{known}\",status=\"other\"}} 1"),
            "{method=\"-\",route=\"-\",status=\"404\"} 2".to_owned(),
            "{method=\"-\",route=\"-\",status=\"405\"} 1".to_owned(),
        ] {
            assert!(
                calls.iter().any(|call| call.ends_with(&line)),
                "{line}: {calls:#?}"
            );
        }
        let bucket = format!("duration_seconds_bucket{{method=\"get\",route=\"{known}\",le=");
        let of_get: Vec<_> = text.lines().filter(|line| line.contains(&bucket)).collect();
        assert!(
            of_get[0].ends_with("\"0.0005\"} 0") && of_get[1].ends_with("\"0.001\"} 2"),
            "{of_get:#?}"
        );
    }
}
