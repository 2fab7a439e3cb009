//! What lies around the server.

use std::time::Duration;

use jiff::Timestamp;
use reseal_lifecycle::services::Trust;
use reseal_validation::DnssecProbe;

use super::Report;
use crate::clock;
use crate::config::Config;
use crate::data::DataFolder;
use crate::wire_up;

/// How long the DNS and the mail server may take together with all their retries.
const PATIENCE: Duration = Duration::from_secs(30);

/// Before this second no such program existed: the clock is wrong.
const EARLIEST: i64 = 1_767_225_600; // 2026-01-01

pub(super) fn clock(config: &Config, report: &mut Report) {
    if Timestamp::now().as_second() < EARLIEST {
        report.fail("the system's clock is years behind: certificates and DNSSEC depend on it");
    }
    match clock::clock(config.policy.profile) {
        Err(error) => report.fail(error.to_string()),
        Ok(clock) if clock.is_shifted() => report.warn(format!(
            "{} is set: this server lives at {:.0}",
            clock::VARIABLE,
            clock.now()
        )),
        Ok(_) => report.ok("the clock is the system's"),
    }
}

/// Links in mails, and the pointers in certificates, must lead here.
pub(super) fn public_url(config: &Config, report: &mut Report) {
    let url = wire_up::public_url(config, config.server.listen);
    let host = url.split("://").nth(1).unwrap_or_default();
    let local = ["127.", "localhost", "[::1]", "0.0.0.0", "[::]"]
        .iter()
        .any(|prefix| host.starts_with(prefix));
    if local {
        report.warn(format!(
            "`server.public_url` is {url}: links in mails and certificates work on this machine only"
        ));
    } else if url.starts_with("http://") && config.policy.profile == Trust::Public {
        report.warn(format!(
            "`server.public_url` is {url}: API keys travel unprotected without HTTPS"
        ));
    } else {
        report.ok(format!("links in mails and certificates lead to {url}"));
    }
}

pub(super) fn tls(config: &Config, report: &mut Report) {
    match wire_up::tls(config) {
        Err(error) => report.fail(format!("{error:#}")),
        Ok(Some(_)) => report.ok("HTTPS is set up"),
        Ok(None) if config.server.listen.ip().is_loopback() => {
            report.ok("plain HTTP, for this machine or a proxy on it only");
        }
        Ok(None) => report.warn(format!(
            "{} is plain HTTP: set `server.tls_certificate` and `server.tls_key`, or put a proxy before it",
            config.server.listen
        )),
    }
}

pub(super) async fn mail(data: &DataFolder, config: &Config, report: &mut Report) {
    let probe = async {
        let mailer = wire_up::mailer(data, config)?;
        Ok::<_, anyhow::Error>(mailer.probe().await?)
    };
    match tokio::time::timeout(PATIENCE, probe).await {
        Err(_) => report.fail("the mail server did not answer in time"),
        Ok(Err(error)) => report.fail(format!("mail cannot be sent: {error:#}")),
        Ok(Ok(found)) if config.mail.url == "maildir" => {
            report.warn(format!(
                "{found}: nobody gets it. Set `mail.url` to a mail server for EMAIL proofs"
            ));
        }
        Ok(Ok(found)) => report.ok(found),
    }
}

pub(super) async fn dns(config: &Config, report: &mut Report) {
    let perspective = match wire_up::perspective(config, Vec::new()) {
        Ok(perspective) => perspective,
        Err(error) => return report.fail(format!("{error:#}")),
    };
    let Ok(probe) = tokio::time::timeout(PATIENCE, perspective.probe()).await else {
        return report.fail("the resolvers did not answer in time");
    };
    let servers = probe.servers.join(", ");
    if probe.resolves {
        report.ok(format!("the resolvers answer: {servers}"));
    } else {
        let seen = probe
            .answers
            .first()
            .map(|answer| format!("{:?}", answer.outcome));
        report.fail(format!(
            "the resolvers give no usable answer: {servers}{}",
            seen.map(|seen| format!(" ({seen})")).unwrap_or_default()
        ));
    }
    match probe.dnssec {
        DnssecProbe::Works => report.ok("DNSSEC validation works: a bogus name is refused"),
        DnssecProbe::BogusUnseen => report.ok("DNSSEC validation works for signed names"),
        DnssecProbe::Off => report.warn("`dcv.dnssec` is `off`: forged answers of the DNS would be believed"),
        DnssecProbe::Broken => report.fail(
            "DNSSEC validation does not work: signed names are not seen as secure. Do the resolvers pass \
             DNSSEC records on, is the trust anchor right, is the clock?",
        ),
        DnssecProbe::AcceptsBogus => report.fail("DNSSEC validation does not work: a bogus name is accepted"),
    }
}

/// Whether each remote perspective answers, to this server's token and by its own name.
pub(super) async fn perspectives(config: &Config, report: &mut Report) {
    if config.dcv.perspectives.is_empty() {
        if config.policy.profile == Trust::Private {
            report
                .ok("no remote perspectives: certificates are recorded with `mpic: not_performed`");
        }
        return;
    }
    for configured in &config.dcv.perspectives {
        let name = &configured.name;
        let remote = match wire_up::remote(configured) {
            Ok(remote) => remote,
            Err(error) => {
                report.fail(format!("{error:#}"));
                continue;
            }
        };
        match remote.about().await {
            Ok(about) => report.ok(format!(
                "the perspective `{name}` answers, version {}",
                about.version
            )),
            Err(reason) => report.fail(format!("the perspective `{name}` is of no use: {reason}")),
        }
    }
}
