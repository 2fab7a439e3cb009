//! What lies around the server.

use std::time::Duration;

use jiff::Timestamp;
use reseal_lifecycle::services::Trust;
use reseal_lifecycle::transparency::shortage;
use reseal_validation::DnssecProbe;

use super::Report;
use crate::clock;
use crate::config::Config;
use crate::data::DataFolder;
use crate::terms::TLS_ENDS;
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
        Ok(Some(_)) => own_certificate(config, report),
        Ok(None) if config.server.listen.ip().is_loopback() => {
            report.ok("plain HTTP, for this machine or a proxy on it only");
        }
        Ok(None) => report.warn(format!(
            "{} is plain HTTP: set `server.tls_certificate` and `server.tls_key`, or put a proxy before it",
            config.server.listen
        )),
    }
}

/// Until when the certificate is good by which this server is served.
fn own_certificate(config: &Config, report: &mut Report) {
    let now =
        clock::clock(config.policy.profile).map_or_else(|_| Timestamp::now(), |clock| clock.now());
    match wire_up::tls_not_after(config) {
        Err(error) => report.fail(format!("{error:#}")),
        Ok(None) => {}
        Ok(Some(end)) if end < now => report.fail(format!(
            "the certificate in `server.tls_certificate` ended at {end:.0}: customers cannot call"
        )),
        Ok(Some(end)) if now.duration_until(end) < TLS_ENDS => report.warn(format!(
            "the certificate in `server.tls_certificate` ends at {end:.0}: put another one there and restart"
        )),
        Ok(Some(end)) => report.ok(format!("HTTPS is set up, with a certificate until {end:.0}")),
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

/// Whether each log answers and takes certificates below our root, and whether there are enough for what is issued now.
pub(super) async fn logs(data: &DataFolder, config: &Config, report: &mut Report) {
    if config.ct.logs.is_empty() {
        if config.policy.profile == Trust::Public {
            report.warn(
                "`ct.logs` is empty: certificates carry no SCTs, and browsers refuse them (docs/transparency.md)",
            );
        }
        return;
    }
    let now =
        clock::clock(config.policy.profile).map_or_else(|_| Timestamp::now(), |clock| clock.now());
    let shards: Vec<_> = config
        .ct
        .logs
        .iter()
        .map(|log| (log.shard, log.operator.as_str()))
        .collect();
    if let Some(found) = shortage(&shards, now) {
        report.fail(format!(
            "`ct.logs`: {found} logs take certificates that are issued today, which is too few or all of one operator: \
             orders will wait (docs/transparency.md)"
        ));
    }
    let url = wire_up::public_url(config, config.server.listen);
    let root = match wire_up::Embedded::open(data, config, &url) {
        Ok(embedded) => embedded.current.root().certificate_der().to_vec(),
        // Said elsewhere.
        Err(_) => return,
    };
    for configured in &config.ct.logs {
        let name = configured.name();
        let log = match wire_up::log(configured) {
            Ok(log) => log,
            Err(error) => {
                report.fail(format!("{error:#}"));
                continue;
            }
        };
        match tokio::time::timeout(PATIENCE, log.client.roots()).await {
            Err(_) => report.fail(format!("the log {name} did not answer in time")),
            Ok(Err(error)) => report.fail(format!("the log {name} is of no use: {error}")),
            Ok(Ok(roots)) if roots.contains(&root) => {
                report.ok(format!("the log {name} answers, and takes our root"));
            }
            Ok(Ok(_)) => report.fail(format!(
                "the log {name} does not take certificates below our root: ask its operator to add it"
            )),
        }
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

/// Whether records could be published: each server of a hook answers an update that changes nothing, each program is there.
pub(super) async fn dns_hooks(config: &Config, report: &mut Report) {
    for hook in &config.dns_hooks {
        let name = &hook.name;
        let publisher = match wire_up::publisher(hook) {
            Ok(publisher) => publisher,
            Err(error) => {
                report.fail(format!("{error:#}"));
                continue;
            }
        };
        for (what, found) in publisher.probe().await {
            match found {
                Ok(()) => report.ok(format!("the DNS hook `{name}` can be used: {what}")),
                Err(problem) => report.fail(format!("the DNS hook `{name}`, {what}: {problem}")),
            }
        }
    }
}
