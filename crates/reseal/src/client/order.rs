//! What is asked for: key, request, and the body of the call; kept before it is sent.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use reseal_pki::csr::Csr;
use serde_json::{Value, json};

use super::folder::{Folder, Job, idempotency_key};
use super::http::Server;
use super::key;
use crate::args::{KeyKind, Method, Reissue};
use crate::console;

/// Most bytes of a request that is read.
const LARGEST_REQUEST: u64 = 64 * 1024;
/// Who is asked where nobody is published: the mailbox of whoever looks after the host.
const USUAL_MAILBOX: &str = "hostmaster";

/// The certificate that is replaced, as far as it matters here.
struct Present {
    common_name: String,
    names: Vec<String>,
    is_multi_domain: bool,
}

/// Makes key and request, and keeps them with what will be sent.
pub(super) async fn begin(
    server: &Server,
    folder: &Folder,
    wanted: &Reissue,
) -> anyhow::Result<Job> {
    let present = present(server, wanted.id).await?;
    let own = wanted.csr.as_deref().map(given).transpose()?;
    let (made, request) = if let Some(csr) = &own {
        (None, csr.pem())
    } else {
        let kind = wanted.new_key.unwrap_or(KeyKind::P256);
        let made = key::make(kind, &present.common_name, &present.names)?;
        (Some((kind, made.key)), made.request)
    };
    let job = Job {
        server: server.url().to_owned(),
        certificate: wanted.id,
        new_key: made.as_ref().map(|(kind, _)| kind.word().to_owned()),
        dcv: wanted.dcv.map(|dcv| dcv.word().to_owned()),
        email: wanted.email.clone(),
        idempotency_key: idempotency_key()?,
        body: body(server, wanted, &present, &request).await?,
        process: None,
    };
    folder.prepare()?;
    if let Some((_, key)) = made {
        folder.keep_key(&key)?;
    }
    folder.keep_request(&request)?;
    folder.record(&job)?;
    Ok(job)
}

/// Goes on with `job`. While no process is known, another `--dcv` is another call.
pub(super) async fn resume(
    server: &Server,
    folder: &Folder,
    mut job: Job,
    wanted: &Reissue,
) -> anyhow::Result<Job> {
    let root = folder.root().display();
    if job.certificate != wanted.id || job.server != server.url() {
        bail!(
            "{root} holds a reissue of certificate {} at {}: choose another `--out`",
            job.certificate,
            job.server
        );
    }
    let kind = wanted.new_key.map(KeyKind::word);
    let other_key = match &wanted.csr {
        Some(path) => given(path)?.der() != key::parse(&folder.request()?)?.der(),
        None => {
            job.new_key.is_none() || kind.is_some_and(|kind| job.new_key.as_deref() != Some(kind))
        }
    };
    if other_key {
        bail!("{root} holds a reissue with another key or request: choose another `--out`");
    }
    let dcv = wanted.dcv.map(|dcv| dcv.word().to_owned());
    if job.dcv == dcv && job.email == wanted.email {
        return Ok(job);
    }
    if let Some(process) = job.process {
        console::notice(format!(
            "note: process {process} goes on as it was begun; `--dcv` and `--email` change nothing of it"
        ));
        return Ok(job);
    }
    let present = present(server, wanted.id).await?;
    job.body = body(server, wanted, &present, &folder.request()?).await?;
    job.idempotency_key = idempotency_key()?;
    (job.dcv, job.email) = (dcv, wanted.email.clone());
    folder.record(&job)?;
    Ok(job)
}

/// The request that the caller brings.
fn given(path: &Path) -> anyhow::Result<Csr> {
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_REQUEST + 1).read_to_end(&mut text))
        .with_context(|| format!("{} cannot be read", path.display()))?;
    if text.len() as u64 > LARGEST_REQUEST {
        bail!(
            "{} is too long for a request: expected at most {LARGEST_REQUEST} bytes",
            path.display()
        );
    }
    key::parse(&String::from_utf8_lossy(&text))
}

async fn present(server: &Server, id: i64) -> anyhow::Result<Present> {
    let certificate = server
        .get(&format!("/v2/ssl/certificates/{id}"))
        .await?
        .json()?;
    let Some(common_name) = certificate["domainName"].as_str() else {
        bail!("the server's answer has no `domainName`: is it a Reseal server?");
    };
    let mut names = vec![common_name.to_owned()];
    for name in certificate["san"].as_array().into_iter().flatten() {
        if let Some(name) = name.as_str()
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    Ok(Present {
        common_name: common_name.to_owned(),
        names,
        is_multi_domain: certificate["certificateType"] == "MULTI_DOMAIN",
    })
}

/// The body of the call.
async fn body(
    server: &Server,
    wanted: &Reissue,
    present: &Present,
    request: &str,
) -> anyhow::Result<Value> {
    let mut body = json!({ "csr": request });
    // A single name whose free counterpart was declined stays single.
    if wanted.csr.is_none() && !present.is_multi_domain && present.names.len() == 1 {
        body["san"] = json!([]);
    }
    let Some(dcv) = wanted.dcv else {
        return Ok(body);
    };
    let csr = key::parse(request)?;
    let in_request = csr.common_name().map(str::to_ascii_lowercase);
    let in_request = in_request.into_iter();
    let in_request = in_request.chain(csr.dns_names().iter().map(|name| name.to_ascii_lowercase()));
    let mut names: Vec<String> = Vec::new();
    for name in in_request {
        // Other products take the request's common name alone, and its counterpart.
        if !names.contains(&name) && (present.is_multi_domain || present.names.contains(&name)) {
            names.push(name);
        }
    }
    let mut choices = Vec::new();
    for name in &names {
        if dcv == Method::File && name.starts_with("*.") {
            console::notice(format!(
                "note: a file cannot prove `{name}`, which is proved as the last time, else by DNS [D-21]"
            ));
            continue;
        }
        let mut choice = json!({"commonName": name, "type": dcv.dcv_type().as_str()});
        if dcv == Method::Email {
            let address = match &wanted.email {
                Some(address) => address.clone(),
                None => approver(server, name).await?,
            };
            choice["email"] = address.into();
        }
        choices.push(choice);
    }
    body["dcv"] = choices.into();
    Ok(body)
}

/// Who is asked about `name`: whom its owner published, else the usual mailbox of the highest domain.
async fn approver(server: &Server, name: &str) -> anyhow::Result<String> {
    let base = name.strip_prefix("*.").unwrap_or(name);
    let path = format!("/v2/ssl/dcvemailaddresslist/{base}");
    let listed: Vec<String> = serde_json::from_value(server.get(&path).await?.json()?)
        .context("the server's list of addresses is not understood")?;
    let constructed = |address: &&String| {
        let (local, domain) = address.split_once('@').unwrap_or_default();
        let above = base == domain || base.ends_with(&format!(".{domain}"));
        above
            && [
                "admin",
                "administrator",
                "webmaster",
                "hostmaster",
                "postmaster",
            ]
            .contains(&local)
    };
    let published = listed.iter().find(|address| !constructed(address));
    let usual = listed
        .iter()
        .filter(|address| address.split('@').next() == Some(USUAL_MAILBOX))
        .min_by_key(|address| address.len());
    let Some(address) = published.or(usual) else {
        bail!("nobody can be asked by mail about `{name}`: choose another `--dcv`");
    };
    console::notice(format!(
        "`{name}`: {address} is asked; `--email` names another"
    ));
    Ok(address.clone())
}
