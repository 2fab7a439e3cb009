//! What ends, and is not replaced by itself: the log says so in time, once a day. `doctor` looks at the same dates, and
//! `/metrics` shows them.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use prometheus::IntGauge;
use reseal_issuer::embedded::ROTATION_DUE;
use reseal_lifecycle::Services;
use reseal_lifecycle::metrics::{Ending, Term};
use tokio::sync::watch::Receiver;

/// Between two warnings about the same.
const DAY: Duration = Duration::from_hours(24);

/// A certificate of the API should be replaced this long before its end.
pub(crate) const TLS_ENDS: SignedDuration = SignedDuration::from_hours(21 * 24);
/// Lists are good for a week and signed every six hours: one with less than this left was not signed for two days.
const LISTS_END: SignedDuration = SignedDuration::from_hours(5 * 24);
/// The root's list needs the root's key, which may be far away.
pub(crate) const ROOT_LIST_ENDS: SignedDuration = SignedDuration::from_hours(60 * 24);

/// The ends of what a server uses.
pub(crate) struct Terms {
    services: Arc<Services>,
    tls: Option<Timestamp>,
}

impl Terms {
    /// Those of `services`, and of the certificate by which the API is served.
    pub(crate) fn new(services: Arc<Services>, tls: Option<Timestamp>) -> anyhow::Result<Self> {
        if let Some(end) = tls {
            let gauge = IntGauge::new(
                "reseal_tls_certificate_not_after_timestamp_seconds",
                "Last second of the certificate by which this server is served",
            )?;
            gauge.set(end.as_second());
            services.metrics().registry().register(Box::new(gauge))?;
        }
        Ok(Self { services, tls })
    }

    /// Warns at once and then once a day, until `shutdown` becomes true.
    pub(crate) async fn watch(self, mut shutdown: Receiver<bool>) {
        loop {
            let now = self.services.clock().now();
            match self.services.terms().await {
                Ok(terms) => {
                    for text in warnings(&terms, self.tls, now) {
                        tracing::warn!("{text}");
                    }
                    if let Some(found) = self.services.log_shortage(now) {
                        tracing::warn!(
                            "{found} logs of `ct.logs` take what is issued now, which is too few or all of one operator: \
                             certificates wait until there are more"
                        );
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the ends of certificates and lists were not looked at");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(DAY) => {}
                changed = shutdown.changed() => if changed.is_err() || *shutdown.borrow() { break },
            }
        }
    }
}

/// What has to be said at `now`.
fn warnings(terms: &[Term], tls: Option<Timestamp>, now: Timestamp) -> Vec<String> {
    let is_due = |end: Timestamp, early| now.duration_until(end) < early;
    let mut texts: Vec<String> = terms
        .iter()
        .filter_map(|Term { what, name, end }| match what {
            Ending::Issuing if is_due(*end, ROTATION_DUE) => Some(if name == "root" {
                format!("the root ends at {end:.0}, and nothing below it lasts longer: a new CA is needed")
            } else {
                format!("the issuing certificate `{name}` ends at {end:.0}: rotate the CA (`reseal ca rotate`)")
            }),
            Ending::Lists if is_due(*end, LISTS_END) => Some(format!(
                "revocation lists {name}/… are good until {end:.0} and were not signed for days: then clients refuse every \
                 certificate on them"
            )),
            Ending::RootList if is_due(*end, ROOT_LIST_ENDS) => Some(format!(
                "the root's revocation list is good until {end:.0}: `reseal ca crl root --sign` with the root's key in its \
                 place"
            )),
            _ => None,
        })
        .collect();
    if let Some(end) = tls.filter(|end| is_due(*end, TLS_ENDS)) {
        texts.push(format!(
            "the certificate in `server.tls_certificate` ends at {end:.0}: put another one there and restart"
        ));
    }
    texts.sort();
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_is_told_in_time_and_not_before() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let days = |days: i64| now + SignedDuration::from_hours(24 * days);
        let term = |what, name: &str, end| Term {
            what,
            name: name.to_owned(),
            end,
        };
        let calm = [
            term(Ending::Issuing, "embedded", days(399)),
            term(Ending::Issuing, "root", days(399)),
            // Nothing has to be done about one that was replaced.
            term(Ending::Retired, "embedded", days(1)),
            term(Ending::Lists, "ab", days(6)),
            term(Ending::RootList, "root", days(61)),
        ];
        assert_eq!(warnings(&calm, Some(days(22)), now), [""; 0]);
        let due = [
            term(Ending::Issuing, "embedded-1", days(397)),
            term(Ending::Issuing, "root", days(397)),
            term(Ending::Lists, "ab", days(4)),
            term(Ending::RootList, "root", days(59)),
        ];
        let said = warnings(&due, Some(days(20)), now);
        assert_eq!(said.len(), 5);
        for part in [
            "`embedded-1` ends at",
            "the root ends at",
            "lists ab/…",
            "crl root --sign",
            "`server.tls_certificate` ends",
        ] {
            assert!(
                said.iter().any(|text| text.contains(part)),
                "{part}: {said:#?}"
            );
        }
    }
}
