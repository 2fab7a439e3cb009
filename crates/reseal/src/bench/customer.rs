//! What the customer calls for a certificate, and how its end is awaited.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::client::{Connection, Reply};

/// How long an issuance may take after it was accepted.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is asked after.
const POLLED_EVERY: Duration = Duration::from_millis(20);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issued {
    certificate_id: i64,
}

/// Reissues `newest` and gives the number of the new certificate, once it is there: a server that takes too long for a
/// call answers 202, and goes on.
pub(super) async fn reissue(api: &mut Connection, newest: i64, body: Bytes) -> anyhow::Result<i64> {
    let path = format!("/v2/ssl/certificates/{newest}/reissue");
    let reply = api.call(Method::POST, &path, body).await?;
    if reply.status == StatusCode::ACCEPTED {
        let process = reply.process;
        let process = process.ok_or_else(|| anyhow!("{path}: the answer has no X-Process-Id"))?;
        return outcome(api, process).await;
    }
    expect(&reply, StatusCode::CREATED, &path)?;
    let issued: Issued = serde_json::from_slice(&reply.body)
        .with_context(|| format!("POST {path}: no `certificateId` in the answer"))?;
    Ok(issued.certificate_id)
}

/// Waits for the end of an issuance: the number of its certificate.
pub(super) async fn outcome(api: &mut Connection, process: i64) -> anyhow::Result<i64> {
    let path = format!("/v2/processes/{process}");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let state = get(api, &path).await?;
        match state["status"].as_str() {
            Some("COMPLETED") => break,
            Some("FAILED" | "CANCELLED" | "INVALID") => bail!("process {process} ended: {state}"),
            _ if Instant::now() > deadline => {
                bail!("process {process} is not done in time: {state}")
            }
            _ => sleep(POLLED_EVERY).await,
        }
    }
    let list = get(api, &format!("/v2/ssl/certificates?process%3Aeq={process}")).await?;
    let certificate = list["entities"][0]["id"].as_i64();
    certificate.ok_or_else(|| anyhow!("process {process} left no certificate"))
}

/// What is read there.
pub(super) async fn get(api: &mut Connection, path: &str) -> anyhow::Result<Value> {
    let reply = api.call(Method::GET, path, Bytes::new()).await?;
    expect(&reply, StatusCode::OK, path)?;
    serde_json::from_slice(&reply.body).with_context(|| format!("GET {path}: expected JSON"))
}

/// Refuses any other status: what failed fast must not count as fast.
pub(super) fn expect(reply: &Reply, status: StatusCode, what: &str) -> anyhow::Result<()> {
    if reply.status == status {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&reply.body);
    bail!("{what}: expected {status}, saw {}: {body}", reply.status)
}
