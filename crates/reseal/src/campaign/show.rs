//! What people read of a plan and of a campaign. Scripts get what the API answers.

use std::collections::BTreeMap;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;
use reseal_lifecycle::campaign::{Campaign, NewCampaign, Outcome, Plan, Progress};

/// Counts certificates while a plan is made.
pub(super) fn counter() -> ProgressBar {
    let style = ProgressStyle::with_template("{pos} certificates looked at, {elapsed}");
    styled(ProgressBar::new_spinner(), style)
}

/// Shows how far a campaign is.
pub(super) fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{bar:40} {pos}/{len} {percent}%, {per_sec}, left {eta} {msg}",
    );
    styled(ProgressBar::new(0), style)
}

fn styled(
    bar: ProgressBar,
    style: Result<ProgressStyle, indicatif::style::TemplateError>,
) -> ProgressBar {
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

pub(super) fn advance(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.total());
    bar.set_position(progress.done());
    let campaign = &progress.campaign;
    let collecting = if campaign.is_collected() {
        ""
    } else {
        ", still collecting"
    };
    bar.set_message(format!("{}{collecting}", campaign.status.as_str()));
}

pub(super) fn plan_lines(plan: &Plan, new: &NewCampaign) -> Vec<String> {
    let mut lines = vec![
        row("certificates", plan.total),
        row("reissued at once", plan.at_once),
        row("reissued once names are proved again", plan.after_proof),
        row("reissued once another process ends", plan.after_process),
        row("customers told", plan.told.values().sum::<u64>()),
    ];
    lines.extend(reasons(&plan.told));
    lines.push(row("replaced or revoked already", plan.settled));
    lines.push(row(
        "nothing to be done",
        plan.skipped.values().sum::<u64>(),
    ));
    lines.extend(reasons(&plan.skipped));
    lines.push(row("of use no more before the deadline", plan.urgent));
    for (issuer, count) in &plan.issuers {
        lines.push(row(&format!("signed by `{issuer}`"), count));
    }
    if plan.busiest.reissues > 0 {
        let customer = &plan.busiest.customer;
        lines.push(row(
            &format!("most of one customer, `{customer}`"),
            plan.busiest.reissues,
        ));
    }
    let lasts = match plan.duration {
        Some(duration) => format!("{duration:#}"),
        None => "as long as the server needs: no pace is set".to_owned(),
    };
    lines.push(row("lasts", lasts));
    lines.push(row("deadline", format!("{:.0}", new.deadline)));
    let revoked = match plan.revoked_after {
        Some(SignedDuration::ZERO) => "as soon as they are replaced".to_owned(),
        Some(after) => format!("{after:#} after they are replaced"),
        None => "never because of this (policy.revoke_replaced_after)".to_owned(),
    };
    lines.push(row("old certificates are revoked", revoked));
    lines
}

fn row(what: &str, value: impl std::fmt::Display) -> String {
    format!("{what:<40} {value}")
}

fn reasons(counts: &BTreeMap<String, u64>) -> impl Iterator<Item = String> {
    counts
        .iter()
        .map(|(why, count)| row(&format!("  {why}"), count))
}

/// Number, status, beginning, deadline, end, who, selection, reason; with tabs between.
pub(super) fn campaign_line(campaign: &Campaign) -> String {
    let ended = campaign
        .ended
        .map_or_else(|| "-".to_owned(), |ended| format!("{ended:.0}"));
    format!(
        "{}\t{}\t{:.0}\t{:.0}\t{ended}\t{}\t{}\t{}",
        campaign.id,
        campaign.status.as_str(),
        campaign.created,
        campaign.deadline,
        campaign.actor,
        campaign.selection,
        campaign.reason
    )
}

pub(super) fn progress_lines(progress: &Progress) -> Vec<String> {
    let campaign = &progress.campaign;
    let mut lines = vec![
        row("campaign", campaign.id),
        row("status", campaign.status.as_str()),
        row("where", &campaign.selection),
        row("deadline", format!("{:.0}", campaign.deadline)),
    ];
    if !campaign.is_collected() {
        lines.push(row("certificates", "still being collected"));
    }
    lines.push(row(
        "done",
        format!("{} of {}", progress.done(), progress.total()),
    ));
    for outcome in Outcome::ALL {
        lines.push(row(
            &format!("  {}", outcome.as_str()),
            progress.count(outcome),
        ));
    }
    lines
}
