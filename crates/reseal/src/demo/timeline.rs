//! The timeline of a process, a line an event, as far as events tell the demo's reader something.

use http::StatusCode;
use serde_json::Value;

use super::client::Client;

/// What Reseal did and saw in `process`.
pub(super) async fn lines(api: &Client, process: i64) -> anyhow::Result<Vec<String>> {
    let path = format!("/v2/processes/{process}/timeline");
    let answer = api.get(&path).await?.expect(StatusCode::OK)?.json()?;
    let events = answer.as_array().or(answer["entities"].as_array());
    let told = events.into_iter().flatten().filter_map(tell);
    let heading = format!("  what Reseal did and saw (GET {path}):");
    Ok(std::iter::once(heading)
        .chain(told.map(|line| format!("    {line}")))
        .collect())
}

fn tell(event: &Value) -> Option<String> {
    let field = |name: &str| event[name].as_str().unwrap_or_default();
    let name = field("name");
    Some(match field("event") {
        "proofReused" => format!(
            "{name}: proved already, by {} at {}",
            field("adn"),
            field("obtained")
        ),
        "attempt" => format!(
            "{name}: {} {}; saw {}",
            field("method"),
            field("verdict"),
            field("seen")
        ),
        "proved" => format!("{name}: proved (BR {})", field("method")),
        "mailSent" => format!("mail to {} handed over", field("address")),
        "mailFailed" => format!("mail to {} failed: {}", field("address"), field("reason")),
        "mailAnswered" if event["approved"] == true => format!("{} approved", field("address")),
        "mailAnswered" => format!("{} rejected", field("address")),
        "caaChecked" if event["permitted"] == true => {
            format!("{name}: CAA permits: {}", field("reason"))
        }
        "caaChecked" => format!("{name}: CAA forbids: {}", field("reason")),
        "reserved" => format!("serial {} recorded; nothing is signed yet", field("serial")),
        "issued" => format!("signed and stored: serial {}", field("serial")),
        "replaced" => format!(
            "certificate {} is {} now",
            event["certificate"],
            field("status")
        ),
        "waiting" => format!("waits: {}", field("reason")),
        "failed" => format!("failed: {}", field("reason")),
        _ => return None,
    })
}
