//! `reseal perspective`: a remote perspective. Keeps nothing, and needs nothing but its configuration.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, bail};
use reseal_api::{Limits, PerspectiveService, perspective_router};
use tokio::sync::watch;

use crate::args::LogFormat;
use crate::config::{Config, Flags};
use crate::serve::{Signals, announce, listen_on};
use crate::wire_up;

/// Answers until a signal ends it.
pub(crate) async fn run(
    config_file: Option<&Path>,
    listen: Option<SocketAddr>,
    logs: LogFormat,
) -> anyhow::Result<()> {
    let config = Config::load(config_file, &Flags { listen })?;
    let own = &config.perspective;
    if own.name.is_empty() {
        bail!(
            "`perspective.name` is missing: the name by which `dcv.perspectives` of the server that asks knows this \
             perspective"
        );
    }
    let token_file = own.token_file.as_deref();
    let token = token_file
        .map(|path| wire_up::token("perspective.token_file", path))
        .transpose()?;
    let on_loopback = config.server.listen.ip().is_loopback();
    if token.is_none() && !on_loopback {
        bail!(
            "`perspective.token_file` is missing: without a token everybody who reaches {} could send this machine \
             to any name; make one with `openssl rand -hex 32`",
            config.server.listen
        );
    }
    let tls = wire_up::tls(&config)?;
    // Before anything is served, so that a signal during the start is not lost.
    let mut signals = Signals::new()?;
    let listener = listen_on(config.server.listen).await?;
    let address = listener.local_addr()?;
    if token.is_none() {
        tracing::warn!("no `perspective.token_file`: whoever is on this machine may ask");
    }
    if tls.is_none() && !on_loopback {
        tracing::warn!(
            "plain HTTP on {address}: put what speaks HTTPS before it, or set `server.tls_certificate`"
        );
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    let api = perspective_router(PerspectiveService {
        name: own.name.clone(),
        token,
        perspective: wire_up::perspective(&config, vec![address])?,
        names: wire_up::name_policy(&config),
    });
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(reseal_api::serve(
        listener,
        tls,
        api,
        Limits::default(),
        stopped,
    ));
    announce(scheme, address, logs);
    signals.wait().await;
    let _ = stop.send(true);
    serving.await.context("the HTTP server failed")??;
    Ok(())
}
