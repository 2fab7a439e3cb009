//! `reseal reissue`: what a customer does with the API, on the customer's machine. [`folder`] keeps what must not be lost
//! before anything is sent, [`order`] makes the call's body, [`http`] carries it, [`progress`] waits, [`delivery`] fetches
//! what came of it.

mod delivery;
mod folder;
mod http;
mod key;
mod order;
mod progress;
mod refusal;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use ::http::{Method, StatusCode};
use anyhow::{Context as _, bail};

use crate::args::Reissue;
use crate::console;
use folder::{Folder, Job};
use http::Server;
use progress::Ended;

/// Reissues certificate `wanted.id`, or goes on with what was begun in the same folder.
pub(crate) async fn reissue(wanted: Reissue) -> anyhow::Result<ExitCode> {
    let server = Server::new(&wanted.server, &wanted.api_key, wanted.ca_file.as_deref())?;
    let out = match &wanted.out {
        Some(out) => out.clone(),
        None => PathBuf::from(format!("reissue-{}", wanted.id)),
    };
    let folder = Folder::new(&out);
    let begun = folder.job()?;
    let goes_on = begun.as_ref().is_some_and(|job| job.process.is_some());
    let mut job = match begun {
        Some(job) => order::resume(&server, &folder, job, &wanted).await?,
        None => order::begin(&server, &folder, &wanted).await?,
    };
    if job.process.is_none() {
        send(&server, &folder, &mut job).await?;
    }
    let Some(process) = job.process else {
        bail!("the server did not say which process it opened: repeat the command");
    };
    let ended = if wanted.wait {
        if goes_on {
            progress::look_again(&server, process).await;
        }
        tokio::select! {
            ended = progress::wait(&server, process) => ended?,
            _ = tokio::signal::ctrl_c() => {
                console::notice(format!(
                    "interrupted: process {process} goes on at the server; the same command continues here"
                ));
                return Ok(ExitCode::FAILURE);
            }
        }
    } else {
        progress::look(&server, process).await?
    };
    match ended {
        Some(Ended::Issued(certificate)) => {
            delivery::save(&server, &folder, &job, certificate).await?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Ended::Otherwise(reason)) => bail!(
            "process {process} has ended: {reason}. Another `--out` begins anew; {} stays as it is",
            folder.root().display()
        ),
        None => {
            console::line(format!(
                "process {process} waits for this; the same command with `--wait` goes on"
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Sends the request. An answer that is lost is asked for again: the key of the call makes that safe.
async fn send(server: &Server, folder: &Folder, job: &mut Job) -> anyhow::Result<()> {
    let path = format!("/v2/ssl/certificates/{}/reissue", job.certificate);
    let body = job.body.to_string();
    let reply = server
        .insist(Method::POST, &path, &body, Some(&job.idempotency_key))
        .await
        .with_context(|| {
            format!(
                "nothing is lost: key and request are in {}, and the same command asks again",
                folder.root().display()
            )
        })?;
    if !matches!(reply.status, StatusCode::CREATED | StatusCode::ACCEPTED) {
        bail!("{}", refusal::in_words(&reply));
    }
    job.process = reply.process;
    folder.record(job)?;
    if let Some(process) = job.process {
        console::notice(format!(
            "certificate {} is reissued by process {process}",
            job.certificate
        ));
    }
    Ok(())
}
