//! `reseal doctor`: looks for trouble before it happens, a line a check. Changes nothing but what opening the
//! database brings along.
//!
//! - [`house`]: what lies in DATA
//! - [`world`]: what lies around: DNS, mail, the address customers use, the clock
//! - [`deep`]: everything that is stored, when asked for

mod deep;
mod house;
mod world;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use reseal_lifecycle::services::Trust;

use crate::clock::clock;
use crate::config::{Config, Flags};
use crate::console;
use crate::data::DataFolder;
use crate::wire_up;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fail,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// Findings as they come.
#[derive(Debug, Default)]
struct Report {
    findings: Vec<(Level, String)>,
}

impl Report {
    fn ok(&mut self, text: impl Into<String>) {
        self.findings.push((Level::Ok, text.into()));
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.findings.push((Level::Warn, text.into()));
    }

    fn fail(&mut self, text: impl Into<String>) {
        self.findings.push((Level::Fail, text.into()));
    }

    fn count(&self, level: Level) -> usize {
        self.findings
            .iter()
            .filter(|(found, _)| *found == level)
            .count()
    }
}

/// Checks everything; leaves with 1 when something fails.
pub(crate) async fn run(
    data: &Path,
    config_file: Option<&Path>,
    is_deep: bool,
) -> anyhow::Result<ExitCode> {
    let data = DataFolder::new(data);
    let mut report = Report::default();
    if let Err(error) = data.require_initialized() {
        report.fail(format!("{error:#}"));
        return Ok(show(&report));
    }
    match Config::load(data.config_file(config_file).as_deref(), &Flags::default()) {
        Err(error) => error.to_string().lines().for_each(|line| report.fail(line)),
        Ok(config) => {
            examine(&data, &config, &mut report).await;
            if is_deep {
                deep::examine(&data, &config, &mut report);
            }
        }
    }
    Ok(show(&report))
}

async fn examine(data: &DataFolder, config: &Config, report: &mut Report) {
    match wire_up::check_supported(config) {
        Ok(()) => report.ok("the configuration is understood"),
        Err(error) => error.to_string().lines().for_each(|line| report.fail(line)),
    }
    policy(config, report);
    house::files(data, config, report);
    house::catalogue(data, report);
    house::authority(data, config, report);
    house::database(data, config, report).await;
    house::revocation_lists(data, config, report).await;
    house::weak_keys(report);
    world::clock(config, report);
    world::public_url(config, report);
    world::tls(config, report);
    world::mail(data, config, report).await;
    world::dns(config, report).await;
    world::perspectives(config, report).await;
    world::dns_hooks(config, report).await;
    world::logs(data, config, report).await;
}

fn policy(config: &Config, report: &mut Report) {
    let now = clock(config.policy.profile).map_or_else(|_| Timestamp::now(), |clock| clock.now());
    let settings = wire_up::settings(config, String::new());
    match (config.policy.profile, settings.signing_refused(now)) {
        (Trust::Private, _) => {
            report.ok("the profile is `private`: certificates of the house's own trust");
        }
        (Trust::Public, None) => {
            report.ok("the profile is `public`, and what it needs is configured");
        }
        (Trust::Public, Some(reason)) => {
            report.warn(format!("this server will refuse to sign: {reason}"));
        }
    }
    if config.policy.profile == Trust::Public
        && let Some((from, required)) = settings.layout.falls_short_from(now)
    {
        report.warn(format!(
            "you need {required} remote perspectives from {} on, and have {}: signing will stop [M-3]",
            from.strftime("%Y-%m-%d"),
            settings.layout.remotes.len()
        ));
    }
    if config.webhook.allow_http {
        report.warn("`webhook.allow_http`: notifications may be read and changed on their way");
    }
    if let Err(error) = wire_up::courier_settings(config, Vec::new()) {
        report.fail(format!("{error:#}"));
    }
}

fn show(report: &Report) -> ExitCode {
    for (level, text) in &report.findings {
        console::line(format!("{level:<4}  {text}"));
    }
    let (failed, warned) = (report.count(Level::Fail), report.count(Level::Warn));
    console::line(format!("{failed} failed, {warned} to be considered"));
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
