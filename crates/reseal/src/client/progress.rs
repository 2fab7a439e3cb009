//! How far a process is: looked at once, or until it has ended.

use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::http::{Server, Unanswered};
use super::show::{Proof, proofs, to_do};
use crate::console::{self, printable};

/// Between two looks: at first, and at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How a process ended.
pub(super) enum Ended {
    /// With this certificate.
    Issued(i64),
    /// Without one; why.
    Otherwise(String),
}

/// Looks once, and shows what there is to do.
pub(super) async fn look(server: &Server, process: i64) -> anyhow::Result<Option<Ended>> {
    let ended = ended(server, process).await?;
    if ended.is_none() {
        for line in to_do(&info(server, process).await?) {
            console::line(line);
        }
    }
    Ok(ended)
}

/// Has the server look at once, where it waits for something that was published; mails are not sent again.
pub(super) async fn look_again(server: &Server, process: i64) {
    let Ok(info) = info(server, process).await else {
        return;
    };
    let mut open = proofs(&info).filter(Proof::is_open).peekable();
    if open.peek().is_some() && !open.any(|proof| proof.is_by_mail()) {
        // Without it the server looks by its own schedule.
        let path = format!("/v2/processes/{process}/resend");
        let _ = server.insist(Method::POST, &path, "", None).await;
    }
}

/// Waits for the end, and tells of every change.
pub(super) async fn wait(server: &Server, process: i64) -> anyhow::Result<Option<Ended>> {
    let mut told = Vec::new();
    let mut known: Vec<(String, String)> = Vec::new();
    let mut pause = PAUSE;
    loop {
        match round(server, process, &mut told, &mut known).await {
            Ok(Round::Ended(ended)) => return Ok(Some(ended)),
            Ok(Round::Changed) => pause = PAUSE,
            Ok(Round::Same) => pause = (pause * 3 / 2).min(LONGEST_PAUSE),
            // The server may be restarted meanwhile; whoever waits can interrupt.
            Err(error) if error.downcast_ref::<Unanswered>().is_some() => {
                console::notice(format!("{error:#}; still waiting"));
                pause = LONGEST_PAUSE;
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(pause).await;
    }
}

enum Round {
    Ended(Ended),
    Changed,
    Same,
}

async fn round(
    server: &Server,
    process: i64,
    told: &mut Vec<String>,
    known: &mut Vec<(String, String)>,
) -> anyhow::Result<Round> {
    if let Some(ended) = ended(server, process).await? {
        return Ok(Round::Ended(ended));
    }
    let info = info(server, process).await?;
    let lines = to_do(&info);
    let first = known.is_empty();
    let mut changed = first;
    for proof in proofs(&info) {
        let (name, status) = (proof.name(), proof.status());
        match known.iter_mut().find(|(known, _)| *known == name) {
            Some((_, before)) if *before == status => continue,
            Some((_, before)) => before.clone_from(&status),
            None => known.push((name.clone(), status.clone())),
        }
        changed = true;
        match status.as_str() {
            "VALIDATED" => console::notice(format!("{name}: proved")),
            "ATTENTION" => tell_what_is_wrong(server, process, &name).await,
            _ if !first => console::notice(format!("{name}: {status}")),
            _ => {}
        }
    }
    // All of it again when there is something new in it, not when something is done.
    if lines.iter().any(|line| !told.contains(line)) {
        for line in &lines {
            console::line(line);
        }
        changed = true;
    }
    *told = lines;
    Ok(if changed { Round::Changed } else { Round::Same })
}

/// What the server saw of `name` that cannot work.
async fn tell_what_is_wrong(server: &Server, process: i64, name: &str) {
    let path = format!("/v2/processes/{process}/timeline");
    let Ok(events) = server.get(&path).await.and_then(|reply| reply.json()) else {
        return console::notice(format!("{name}: needs attention"));
    };
    let about = |event: &&Value| event["event"] == "attentionNeeded" && event["name"] == name;
    let last = events["entities"]
        .as_array()
        .into_iter()
        .flatten()
        .rev()
        .find(about);
    let text = |field: &str| last.and_then(|event| event[field].as_str()).map(printable);
    console::notice(format!(
        "{name}: the server saw {}. {}",
        text("seen").unwrap_or_else(|| "what cannot serve".to_owned()),
        text("advice").unwrap_or_default()
    ));
}

async fn info(server: &Server, process: i64) -> anyhow::Result<Value> {
    let path = format!("/v2/processes/{process}/info");
    server.get(&path).await?.json()
}

async fn ended(server: &Server, process: i64) -> anyhow::Result<Option<Ended>> {
    let path = format!("/v2/processes/{process}");
    let body = server.get(&path).await?.json()?;
    let status = body["status"].as_str().unwrap_or_default();
    match status {
        "COMPLETED" => {
            let certificate = info(server, process).await?["certificateId"].as_i64();
            Ok(Some(match certificate {
                Some(certificate) => Ended::Issued(certificate),
                None => Ended::Otherwise("COMPLETED, without a certificate".to_owned()),
            }))
        }
        "FAILED" | "CANCELLED" | "INVALID" => {
            let detail = body["statusDetail"]
                .as_str()
                .unwrap_or("no reason is given");
            Ok(Some(Ended::Otherwise(format!(
                "{status}, {}",
                printable(detail)
            ))))
        }
        _ => Ok(None),
    }
}
