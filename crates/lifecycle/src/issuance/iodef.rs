//! Reports of refusals to whom CAA `iodef` names (RFC 8659 section 4.4, S-18), where the operator wants them sent: the
//! addresses are the choice of whoever has a domain, and of whoever pretends to. Sent at most once, after the refusal
//! was recorded, and at most once a day for one domain.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reseal_pki::name::DnsName;
use reseal_validation::caa::CaaObservation;
use reseal_validation::email::address_is_safe;
use reseal_validation::webhook::Parcel;

use crate::mail::IncidentLetter;
use crate::process::{CaaState, ProcessId};
use crate::services::Services;

/// Between two reports about one domain.
const PAUSE: SignedDuration = SignedDuration::from_hours(24);
/// Domains whose last report is remembered; beyond that none is sent until the oldest may be forgotten.
const MOST_REMEMBERED: usize = 10_000;
/// Receivers of one report: more is nobody's need.
const MOST_RECEIVERS: usize = 3;

/// When which domain was last reported about.
#[derive(Default)]
pub(crate) struct Reported {
    last: Mutex<HashMap<String, Timestamp>>,
}

impl Reported {
    /// Whether a report about `domain` may go now, which is then taken to be sent.
    fn admits(&self, domain: &str, now: Timestamp) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |at: &Timestamp| now.duration_since(*at) < PAUSE;
        if last.get(domain).is_some_and(is_recent) {
            return false;
        }
        if last.len() >= MOST_REMEMBERED {
            last.retain(|_, at| is_recent(at));
        }
        last.len() < MOST_REMEMBERED && {
            last.insert(domain.to_owned(), now);
            true
        }
    }
}

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Receiver {
    Mail(String),
    Post(String),
}

impl Receiver {
    /// Reads the value of an `iodef` property; only the two schemes of RFC 8659, without parameters.
    fn parse(value: &str) -> Option<Self> {
        let (scheme, rest) = value.split_once(':')?;
        match scheme.to_ascii_lowercase().as_str() {
            "mailto" => {
                let address = rest.to_ascii_lowercase();
                address_is_safe(&address)
                    .is_ok()
                    .then_some(Self::Mail(address))
            }
            "https" => Some(Self::Post(format!("https:{rest}"))),
            _ => None,
        }
    }
}

/// A refusal that somebody wants to hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) name: DnsName,
    domain: String,
    reason: String,
    receivers: Vec<Receiver>,
}

/// The report of a refusal, if its records name a receiver that can be reached.
pub(super) fn report_of(observation: &CaaObservation, state: &CaaState) -> Option<Report> {
    let set = observation.relevant.as_ref().filter(|_| !state.permitted)?;
    let mut receivers: Vec<Receiver> = Vec::new();
    let values = set.records.iter().filter(|record| record.tag == "iodef");
    for receiver in values.filter_map(|record| Receiver::parse(&record.value)) {
        if receivers.len() < MOST_RECEIVERS && !receivers.contains(&receiver) {
            receivers.push(receiver);
        }
    }
    (!receivers.is_empty()).then(|| Report {
        name: state.name.clone(),
        domain: set.found_at.clone(),
        reason: state.reason.clone(),
        receivers,
    })
}

impl Services {
    /// Sends what of `reports` may go, behind the back of who records the refusals of `process`.
    pub(super) fn report_refusals(&self, process: ProcessId, reports: Vec<Report>) {
        if !self.settings.iodef {
            return;
        }
        let now = self.clock.now();
        for report in reports {
            if self.reported.admits(&report.domain, now) {
                self.send_report(process, report, now);
            }
        }
    }

    fn send_report(&self, process: ProcessId, report: Report, now: Timestamp) {
        let identity = &self.settings.caa_identity;
        let letter = IncidentLetter {
            name: report.name.as_str(),
            domain: &report.domain,
            issuer: identity,
            reason: &report.reason,
            process,
        };
        let (message, document) = (letter.letter(), document(&report, identity, process, now));
        let (mailer, courier) = (self.mailer.clone(), self.webhooks.courier.clone());
        let message_id = format!("iodef.{process}.{}@{identity}", now.as_millisecond());
        tokio::spawn(async move {
            for receiver in &report.receivers {
                let sent = match receiver {
                    Receiver::Mail(address) => {
                        let message = message.addressed(address, message_id.clone(), now);
                        let sent = mailer.send(&message).await;
                        sent.map(|_| ()).map_err(|error| error.to_string())
                    }
                    Receiver::Post(url) => {
                        let parcel = Parcel {
                            url,
                            login: None,
                            signature: None,
                            content_type: "application/xml",
                            body: document.clone().into_bytes(),
                        };
                        courier.post(parcel).await
                    }
                };
                let domain = &report.domain;
                match sent {
                    Ok(()) => tracing::info!(process, domain, ?receiver, "CAA refusal reported"),
                    Err(reason) => tracing::warn!(
                        process,
                        domain,
                        ?receiver,
                        reason,
                        "CAA refusal not reported"
                    ),
                }
            }
        });
    }
}

/// The report as an IODEF document (RFC 7970).
fn document(report: &Report, issuer: &str, process: ProcessId, now: Timestamp) -> String {
    let (name, domain, reason) = (
        escaped(report.name.as_str()),
        escaped(&report.domain),
        escaped(&report.reason),
    );
    let issuer = escaped(issuer);
    let at = now.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <IODEF-Document version=\"2.00\" xml:lang=\"en\" xmlns=\"urn:ietf:params:xml:ns:iodef-2.0\">\n\
         <Incident purpose=\"reporting\" restriction=\"need-to-know\">\n\
         <IncidentID name=\"{issuer}\">{process}</IncidentID>\n\
         <GenerationTime>{at}</GenerationTime>\n\
         <Description>A certificate for {name} was asked for and not issued. CAA records of {domain}: {reason}</Description>\n\
         <Assessment occurrence=\"potential\"><SystemImpact type=\"unknown\"/></Assessment>\n\
         <Contact role=\"creator\" type=\"organization\"><ContactName>{issuer}</ContactName></Contact>\n\
         </Incident>\n\
         </IODEF-Document>\n"
    )
}

/// Text that stands in XML as it is meant.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !character.is_control()) {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use reseal_validation::caa::{CaaOutcome, CaaRecord, CaaSet, CaaStatus};

    use super::*;
    use crate::process::sample;

    fn reported(values: &[&str], permitted: bool) -> Option<Report> {
        let records = values.iter().map(|value| CaaRecord {
            critical: false,
            tag: "iodef".to_owned(),
            value: (*value).to_owned(),
        });
        let name = sample::work(false).order.common_name;
        let observation = CaaObservation {
            name: name.as_str().to_owned(),
            levels: Vec::new(),
            relevant: Some(CaaSet {
                found_at: "reseal.net".to_owned(),
                records: records.collect(),
            }),
            outcome: CaaOutcome::Found,
            ttl: None,
            at: sample::now(),
        };
        let state = CaaState {
            name,
            status: CaaStatus::Invalid,
            permitted,
            reason: "issue `<;>&` permits nobody".to_owned(),
            checked: sample::now(),
            witnesses: Vec::new(),
        };
        report_of(&observation, &state)
    }

    #[test]
    fn s_18_reports_go_to_mailboxes_and_by_https_and_nowhere_else() {
        let mail = |address: &str| Receiver::Mail(address.to_owned());
        let receivers = |values: &[&str]| reported(values, false).map(|report| report.receivers);
        assert_eq!(
            receivers(&["mailto:Sec@Reseal.net"]),
            Some(vec![mail("sec@reseal.net")])
        );
        assert_eq!(
            receivers(&[
                "https://iodef.reseal.net/x",
                "MAILTO:a@reseal.net",
                "mailto:a@reseal.net"
            ]),
            Some(vec![
                Receiver::Post("https://iodef.reseal.net/x".to_owned()),
                mail("a@reseal.net")
            ])
        );
        for value in [
            "http://iodef.reseal.net/",
            "mailto:a@reseal.net?bcc=b@reseal.net",
            "mailto:a@reseal.net,b@reseal.net",
            "mailto:a@reseal.net\r\nBcc: b@reseal.net",
            "file:///etc/passwd",
            "a@reseal.net",
            "",
        ] {
            assert_eq!(receivers(&[value]), None, "{value:?}");
        }
        let many = [
            "mailto:a@reseal.net",
            "mailto:b@reseal.net",
            "mailto:c@reseal.net",
            "mailto:d@reseal.net",
        ];
        assert_eq!(receivers(&many).map(|all| all.len()), Some(MOST_RECEIVERS));
        assert_eq!(reported(&["mailto:a@reseal.net"], true), None);
    }

    #[test]
    fn s_18_a_domain_is_reported_about_once_a_day() {
        let reported = Reported::default();
        let now = sample::now();
        assert!(reported.admits("reseal.net", now));
        assert!(!reported.admits("reseal.net", now + SignedDuration::from_hours(23)));
        assert!(reported.admits("reseal.dev", now));
        assert!(reported.admits("reseal.net", now + SignedDuration::from_hours(24)));
        for number in 0..MOST_REMEMBERED {
            reported.admits(
                &format!("{number}.net"),
                now + SignedDuration::from_hours(25),
            );
        }
        assert!(!reported.admits("one-more.net", now + SignedDuration::from_hours(26)));
        assert!(reported.admits("one-more.net", now + SignedDuration::from_hours(50)));
    }

    #[test]
    fn s_18_foreign_text_is_text_in_the_document() {
        let report = reported(&["mailto:a@reseal.net"], false).unwrap();
        let document = document(&report, "ca.example", 7, sample::now());
        assert!(
            document.contains("issue `&lt;;&gt;&amp;` permits nobody"),
            "{document}"
        );
        assert!(
            document.contains("<IncidentID name=\"ca.example\">7</IncidentID>"),
            "{document}"
        );
    }
}
