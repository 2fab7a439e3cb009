//! What the demo's customer does, and what it prints.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use http::StatusCode;
use serde_json::{Value, json};

use super::client::{self, Reply};
use super::request::{self, KeyAndRequest};
use super::{CUSTOMER, World, mailbox, timeline, verify};
use crate::console;
use crate::file;

/// How long a step may take until it counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A certificate the customer holds.
pub(super) struct Held {
    pub(super) id: i64,
    names: Vec<&'static str>,
}

/// Three certificates: ordered by DNS, then each reissued in its own way.
pub(super) async fn tell(world: &World) -> anyhow::Result<Vec<Held>> {
    let mut issued = Vec::new();

    heading("1. Order a certificate for shop.demo.internal, proved by DNS");
    let shop = order(world, "ssl_dv", "shop.demo.internal").await?;
    heading(
        "2. Reissue it with a new key: the proof is still good, so the answer is the certificate",
    );
    let names = &["shop.demo.internal", "www.shop.demo.internal"];
    issued.push(reissue(world, &shop, names, None).await?);

    heading(
        "3. Order a second one for blog.demo.internal, and reissue it with another name, proved by FILE",
    );
    let blog = order(world, "ssl_dv_md", "blog.demo.internal").await?;
    let names = &["blog.demo.internal", "media.demo.internal"];
    let dcv = json!([{ "commonName": "media.demo.internal", "type": "FILE" }]);
    issued.push(reissue(world, &blog, names, Some(dcv)).await?);

    heading(
        "4. Order a third one for intranet.demo.internal, and reissue it with another name, proved by EMAIL",
    );
    let intranet = order(world, "ssl_dv_md", "intranet.demo.internal").await?;
    let names = &["intranet.demo.internal", "wiki.demo.internal"];
    let address = "hostmaster@wiki.demo.internal";
    let dcv = json!([{ "commonName": "wiki.demo.internal", "type": "EMAIL", "email": address }]);
    issued.push(reissue(world, &intranet, names, Some(dcv)).await?);

    heading("5. Verify the chains");
    for held in &issued {
        check(world, held).await?;
    }
    Ok(issued)
}

/// Orders a certificate for `name` by DNS.
async fn order(world: &World, product: &str, name: &'static str) -> anyhow::Result<Held> {
    let own = request::make(&[name])?;
    let body = json!({
        "customer": CUSTOMER,
        "product": product,
        "period": 12,
        "csr": own.csr,
        "dcv": [{ "commonName": name, "type": "DNS" }],
    });
    let path = "/v2/ssl/certificates";
    let reply = world
        .api
        .post(path, &body)
        .await?
        .expect(StatusCode::ACCEPTED)?;
    say(format!("POST {path}  ({product}, {name}, DNS)"));
    let process = process_of(&reply)?;
    say(format!(
        "  → 202 Accepted, process {process}: waits for the proof"
    ));
    prove(world, process).await?;
    finish(world, process, &own, vec![name]).await
}

/// Reissues `held` with a new key for `names`; `dcv` says how a new name will be proved. Without any, nothing
/// is left to prove and the certificate has to come at once.
async fn reissue(
    world: &World,
    held: &Held,
    names: &[&'static str],
    dcv: Option<Value>,
) -> anyhow::Result<Held> {
    let own = request::make(names)?;
    let mut body = json!({ "csr": own.csr });
    let expected = match dcv {
        Some(dcv) => {
            body["san"] = json!(names);
            body["dcv"] = dcv;
            StatusCode::ACCEPTED
        }
        None => StatusCode::CREATED,
    };
    let path = format!("/v2/ssl/certificates/{}/reissue", held.id);
    say(format!(
        "POST {path}  (new key, names {})",
        names.join(", ")
    ));
    let reply = world.api.post(&path, &body).await?.expect(expected)?;
    let process = process_of(&reply)?;
    if expected == StatusCode::CREATED {
        let id = reply.json()?["certificateId"].clone();
        say(format!(
            "  → 201 Created, process {process}, certificate {id}: issued within the call"
        ));
    } else {
        say(format!(
            "  → 202 Accepted, process {process}: waits for the proof of the new name"
        ));
        prove(world, process).await?;
    }
    let new = finish(world, process, &own, names.to_vec()).await?;
    let old = certificate(world, held.id).await?;
    say(format!(
        "  certificate {} is now {}",
        held.id,
        text(&old["status"])
    ));
    if text(&old["status"]) != "REISSUED" {
        bail!("expected certificate {} to be REISSUED", held.id);
    }
    Ok(new)
}

/// Does what the process's `info` asks for, each open name in its way.
async fn prove(world: &World, process: i64) -> anyhow::Result<()> {
    let info = world
        .api
        .get(&format!("/v2/processes/{process}/info"))
        .await?;
    let info = info.expect(StatusCode::OK)?.json()?;
    let entries = info["validations"]["dcv"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let mut published = false;
    let mut done: Vec<String> = Vec::new();
    for entry in entries
        .iter()
        .filter(|entry| text(&entry["status"]) != "VALIDATED")
    {
        // Names that share a record or a mail show the same one.
        let place = ["dnsRecord", "fileLocation", "email"]
            .map(|field| text(&entry[field]).to_owned())
            .concat();
        if done.contains(&place) {
            continue;
        }
        done.push(place);
        match text(&entry["type"]) {
            "DNS" => {
                let (record, contents) = (text(&entry["dnsRecord"]), text(&entry["dnsContents"]));
                world.dns.publish_alias(record, contents).await?;
                say(format!("  in the DNS now: {record} CNAME {contents}"));
                published = true;
            }
            "FILE" => {
                let (location, contents) =
                    (text(&entry["fileLocation"]), text(&entry["fileContents"]));
                world.web.put(location, contents);
                say(format!("  on the web now: http://{location}"));
                contents
                    .lines()
                    .for_each(|line| say(format!("                  | {line}")));
                published = true;
            }
            "EMAIL" => approve(world, text(&entry["email"])).await?,
            other => bail!(
                "process {process} asks for a proof by `{other}`, which the demo does not know"
            ),
        }
    }
    if published {
        let path = format!("/v2/processes/{process}/resend");
        let reply = world
            .api
            .post(&path, &json!({}))
            .await?
            .expect(StatusCode::OK)?;
        let warning = if reply.text.is_empty() {
            String::new()
        } else {
            format!(" {}", reply.text)
        };
        say(format!("POST {path}  (look now)\n  → 200{warning}"));
    }
    Ok(())
}

/// Plays the owner of the mailbox `address`: opens the mail, its link, and approves.
async fn approve(world: &World, address: &str) -> anyhow::Result<()> {
    let server = &world.api.url;
    let mail = mailbox::wait_for_mail(&world.data.mail(), address, server, PATIENCE).await?;
    say(format!("  mail to {address}: \"{}\"", mail.subject));
    let page = client::open_page(&mail.link)
        .await?
        .expect(StatusCode::OK)?;
    say(format!(
        "GET {}\n  → 200, a page that asks; nothing has changed yet",
        mail.link
    ));
    let token = page
        .text
        .split_once("name=\"form_token\" value=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(token, _)| token)
        .ok_or_else(|| anyhow!("the approval page has no form"))?;
    let fields = format!("form_token={token}&approve=approve");
    client::submit_form(&mail.link, &fields)
        .await?
        .expect(StatusCode::OK)?;
    say("POST the same link, approve\n  → 200, approved");
    Ok(())
}

/// Waits for the end of the process, shows what Reseal saw, and keeps what was issued.
async fn finish(
    world: &World,
    process: i64,
    own: &KeyAndRequest,
    names: Vec<&'static str>,
) -> anyhow::Result<Held> {
    let ended = wait(world, process).await;
    for line in timeline::lines(&world.api, process).await? {
        say(line);
    }
    ended?;
    let path = format!("/v2/ssl/certificates?process%3Aeq={process}");
    let list = world.api.get(&path).await?.expect(StatusCode::OK)?.json()?;
    let found = &list["entities"][0];
    let id = found["id"]
        .as_i64()
        .ok_or_else(|| anyhow!("process {process} left no certificate"))?;
    say(format!(
        "  process {process} COMPLETED: certificate {id} for {}, until {}",
        text(&found["domainName"]),
        text(&found["expiryDate"])
    ));
    keep(world, id, own).await?;
    Ok(Held { id, names })
}

async fn wait(world: &World, process: i64) -> anyhow::Result<()> {
    let path = format!("/v2/processes/{process}");
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let state = world.api.get(&path).await?.expect(StatusCode::OK)?.json()?;
        match text(&state["status"]) {
            "COMPLETED" => return Ok(()),
            "FAILED" | "CANCELLED" | "INVALID" => bail!("process {process} ended: {state}"),
            _ if tokio::time::Instant::now() > deadline => {
                bail!(
                    "process {process} is not done after {} seconds: {state}",
                    PATIENCE.as_secs()
                )
            }
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Saves key, certificate and chain of `id` below DATA/demo.
async fn keep(world: &World, id: i64, own: &KeyAndRequest) -> anyhow::Result<()> {
    let folder = world.data.root().join("demo");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let leaf = download(world, id, "CRT").await?;
    let chain = download(world, id, "CA_BUNDLE").await?;
    let write = |suffix: &str, contents: &str, mode: u32| {
        let path = folder.join(format!("{id}.{suffix}"));
        file::write("a file of the demo", &path, contents.as_bytes(), mode)
    };
    write("key", &own.key, 0o600)?;
    write("crt", &leaf, 0o644)?;
    write("chain", &chain, 0o644)
}

async fn download(world: &World, id: i64, format: &str) -> anyhow::Result<String> {
    let path = format!("/v2/ssl/certificates/{id}/download?format={format}");
    Ok(world.api.get(&path).await?.expect(StatusCode::OK)?.text)
}

/// Verifies a certificate from what a client would get, and says how to repeat it.
async fn check(world: &World, held: &Held) -> anyhow::Result<()> {
    let (leaf, chain) = (
        download(world, held.id, "CRT").await?,
        download(world, held.id, "CA_BUNDLE").await?,
    );
    let root = world.data.ca().join("root.pem");
    let trusted = std::fs::read_to_string(&root)
        .with_context(|| format!("{} cannot be read", root.display()))?;
    verify::verify(&leaf, &chain, &trusted, &held.names)?;
    say(format!(
        "certificate {} verifies for {}; to repeat it:",
        held.id,
        held.names.join(", ")
    ));
    let folder = world.data.root().join("demo");
    let folder = folder.display();
    let id = held.id;
    say(format!(
        "  openssl verify -x509_strict -CAfile {} -untrusted {folder}/{id}.chain {folder}/{id}.crt",
        root.display()
    ));
    Ok(())
}

async fn certificate(world: &World, id: i64) -> anyhow::Result<Value> {
    let path = format!("/v2/ssl/certificates/{id}");
    world.api.get(&path).await?.expect(StatusCode::OK)?.json()
}

fn process_of(reply: &Reply) -> anyhow::Result<i64> {
    reply
        .process
        .ok_or_else(|| anyhow!("the answer has no X-Process-Id"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn heading(title: &str) {
    console::line(format!("\n{title}"));
}

fn say(line: impl std::fmt::Display) {
    for line in line.to_string().lines() {
        console::line(format!("   {line}"));
    }
}
