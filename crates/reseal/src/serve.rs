//! `reseal serve`: listens, works, and stops in order.
//!
//! At start nobody else can be working on DATA (its lock is held), so leases of an earlier run are given up
//! and every open process goes on; in a PostgreSQL database those of nodes that are no more. What was answered survives
//! however the process ends.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reseal_api::Limits;
use reseal_lifecycle::clock::Clock;
use reseal_lifecycle::services::{Services, Trust};
use reseal_lifecycle::store::Store as _;
use reseal_lifecycle::worker::{self, Ended};
use reseal_store::SqlStore;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::args::LogFormat;
use crate::audit::{self, Heads, house};
use crate::clock::clock;
use crate::config::{Config, Flags};
use crate::console;
use crate::data::{DataFolder, Lock, State};
use crate::house::{open_as_node, source};
use crate::init::{self, Plan};
use crate::terms::Terms;
use crate::wire_up::{self, Embedded};

/// What a start waits for longer is named.
const LONG: Duration = Duration::from_secs(3);

/// Longest time for the last entry of the audit log, and for closing the database.
const CLOSE: Duration = Duration::from_secs(10);

/// A running server.
pub(crate) struct Running {
    address: SocketAddr,
    scheme: &'static str,
    stop: watch::Sender<bool>,
    serving: JoinHandle<std::io::Result<()>>,
    working: JoinHandle<Ended>,
    keeping: JoinHandle<()>,
    heads: Arc<Heads>,
    clock: Clock,
    store: Arc<SqlStore>,
    /// What the audit log calls this server.
    name: String,
    _lock: Lock,
}

/// Serves until a signal ends it.
pub(crate) async fn run(
    data: &Path,
    config_file: Option<&Path>,
    listen: Option<SocketAddr>,
    logs: LogFormat,
) -> anyhow::Result<()> {
    let data = DataFolder::new(data);
    data.make()?;
    let lock = data.lock()?;
    let flags = Flags { listen };
    if matches!(data.state(), State::Fresh | State::Interrupted) {
        let plan = Plan::read(&data, config_file, &flags)?;
        let listener = listen_on(plan.config.server.listen).await?;
        let url = wire_up::public_url(&plan.config, listener.local_addr()?);
        let key = init::initialize(&data, &plan, &url).await?;
        if let Err(error) = init::hand_over(&data, &key) {
            console::notice(format!("{error:#}"));
        }
        return run_on(&data, &plan.config, listener, lock, logs).await;
    }
    data.require_initialized()?;
    let config = Config::load(data.config_file(config_file).as_deref(), &flags)?;
    let listener = listen_on(config.server.listen).await?;
    run_on(&data, &config, listener, lock, logs).await
}

/// A listener on `server.listen`.
pub(crate) async fn listen_on(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("`server.listen`: {address} cannot be listened on"))
}

async fn run_on(
    data: &DataFolder,
    config: &Config,
    listener: TcpListener,
    lock: Lock,
    logs: LogFormat,
) -> anyhow::Result<()> {
    // Before anything is served, so that a signal during the start is not lost.
    let mut signals = Signals::new()?;
    let (data, config) = (data.clone(), config.clone());
    // A task of its own: a store that waits for its database is not dropped before that answers.
    let starting = tokio::spawn(async move {
        let server = start(&data, &config, listener, lock).await?;
        // At once, before what it works on says anything.
        server.announce(logs);
        anyhow::Ok(server)
    });
    let server = tokio::select! {
        started = starting => started.context("the start failed")??,
        () = signals.wait() => bail!("stopped before anything was served: the start was not over"),
    };
    signals.wait().await;
    server.stop().await
}

/// Starts serving `listener`.
pub(crate) async fn start(
    data: &DataFolder,
    config: &Config,
    listener: TcpListener,
    lock: Lock,
) -> anyhow::Result<Running> {
    wire_up::check_supported(config)?;
    let address = listener.local_addr()?;
    let clock = clock(config.policy.profile)?;
    if clock.is_shifted() {
        tracing::warn!(now = %clock.now(), "the clock is shifted: certificates are dated by it");
    }
    let tls = wire_up::tls(config)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let store = Arc::new(open_database(data, config).await?);
    let released = store.release_leases().await?;
    if released > 0 {
        tracing::info!(processes = released, "processes of an earlier run go on");
    }
    let embedded = open_authority(data, config, address).await?;
    embedded.prove().await?;
    let services =
        wire_up::services(data, config, embedded, Arc::clone(&store), clock, address).await?;
    let services = Arc::new(services);
    let heads = Arc::new(Heads::of(data));
    let name = house::server(data, store.is_shared())?;
    house::started(&*store, &name, config, &services).await?;
    heads.note(&*store, clock.now(), "start").await?;
    warn_of_missing_intermediates(&services).await?;
    if let Some(reason) = services.signing_refused() {
        tracing::warn!("nothing will be signed: {reason}");
    }
    warn_of_dates_ahead(&services);
    let (stop, stopped) = watch::channel(false);
    let working = tokio::spawn(worker::run(Arc::clone(&services), stopped.clone()));
    let keeping = tokio::spawn(audit::keep(
        Arc::clone(&heads),
        Arc::clone(&store),
        clock,
        config.retention.audit,
        stopped.clone(),
    ));
    let api = reseal_api::router(Arc::clone(&services), wire_up::api_config(config)?);
    let terms = Terms::new(Arc::clone(&services), wire_up::tls_not_after(config)?)?;
    tokio::spawn(terms.watch(stopped.clone()));
    tokio::spawn(reseal_api::share_calls(
        api.clone(),
        services,
        stopped.clone(),
    ));
    let serving = tokio::spawn(reseal_api::serve(
        listener,
        tls,
        api,
        Limits::default(),
        stopped,
    ));
    Ok(Running {
        address,
        scheme,
        stop,
        serving,
        working,
        keeping,
        heads,
        clock,
        store,
        name,
        _lock: lock,
    })
}

async fn open_database(data: &DataFolder, config: &Config) -> anyhow::Result<SqlStore> {
    let what = format!("the database at {}", source(data, config)?);
    let (data, config) = (data.clone(), config.clone());
    aside(&what, move || open_as_node(&data, &config)).await
}

async fn open_authority(
    data: &DataFolder,
    config: &Config,
    address: SocketAddr,
) -> anyhow::Result<Embedded> {
    let (data, config) = (data.clone(), config.clone());
    aside("the keys of the CA", move || {
        Embedded::open(&data, &config, &wire_up::public_url(&config, address))
    })
    .await
}

/// What `work` comes to, on a thread that may wait for `what`: signals are heard meanwhile.
async fn aside<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let mut working = tokio::task::spawn_blocking(work);
    let done = if let Ok(done) = tokio::time::timeout(LONG, &mut working).await {
        done
    } else {
        tracing::warn!("waiting for {what}");
        working.await
    };
    done.with_context(|| format!("opening {what} failed"))?
}

/// M-11: an operator hears in time that perspectives will be too few.
fn warn_of_dates_ahead(services: &Services) {
    let settings = services.settings();
    if settings.trust == Trust::Public
        && let Some((from, required)) = settings.layout.falls_short_from(services.clock().now())
    {
        let present = settings.layout.remotes.len();
        tracing::warn!(%from, required, present, "too few remote perspectives from that date on: signing will stop");
    }
}

/// A node whose folder is behind that of another cannot finish what that one began.
async fn warn_of_missing_intermediates(services: &Services) -> anyhow::Result<()> {
    if let Some(list) = services.lists_of_others().await?.first() {
        tracing::warn!(
            list,
            "the database has revocation lists of an intermediate that is not in the folder `ca` of this server: copy its \
             files from the server where it was made, and restart"
        );
    }
    Ok(())
}

impl Running {
    fn announce(&self, logs: LogFormat) {
        announce(self.scheme, self.address, logs);
    }

    /// Lets open requests finish, then the worker, then the database, whose last entry says so. What takes longer is left as
    /// it is recorded, which is an orderly end too: nothing can be recorded any more, so nothing new is signed, and what was
    /// signed in the last moment is signed again under the serial number that was recorded before.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let _ = self.stop.send(true);
        let served = self.serving.await;
        let worked = self.working.await;
        let (store, now) = (self.store, self.clock.now());
        let recorded = in_time(async {
            let kept = self.keeping.await;
            house::stopped(&*store, &self.name, now).await?;
            self.heads.note(&*store, now, "stop").await?;
            kept.context("keeping the audit log failed")
        });
        let recorded = recorded.await;
        let closed = in_time(tokio::task::spawn_blocking(move || store.close())).await;
        served.context("the HTTP server failed")??;
        let worked = worked.context("the worker failed")?;
        recorded.context("the stop is not in the audit log")?;
        closed.context("the database was not closed")?;
        if let Ended::Left { processes } = worked {
            tracing::warn!(
                processes,
                "stopped while work was under way: it goes on from what is recorded, at the next start or at another node"
            );
        }
        Ok(())
    }
}

/// What `work` comes to, unless the database keeps it waiting: whoever wants the program to end wants that then, too.
async fn in_time<T, E: Into<anyhow::Error>>(
    work: impl Future<Output = Result<T, E>>,
) -> anyhow::Result<T> {
    match tokio::time::timeout(CLOSE, work).await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => anyhow::bail!(
            "the database did not answer for {} s: what it has stands, and the rest goes on at the next start",
            CLOSE.as_secs()
        ),
    }
}

/// Says where something listens, once it does.
pub(crate) fn announce(scheme: &str, address: SocketAddr, logs: LogFormat) {
    let text = format!("listening on {scheme}://{address}");
    match logs {
        LogFormat::Text => console::notice(text),
        // The form of the log, but never filtered out: scripts wait for it.
        LogFormat::Json => console::notice(serde_json::json!({
            "timestamp": jiff::Timestamp::now(),
            "level": "INFO",
            "fields": { "message": text },
            "target": module_path!(),
        })),
    }
}

/// SIGTERM and SIGINT, which end the program, and SIGHUP.
pub(crate) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be received");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits until somebody wants a server to end. A terminal that is gone, or a log that was rotated, is no reason.
    pub(crate) async fn wait(&mut self) {
        while self.next().await == SignalKind::hangup() {
            tracing::info!("SIGHUP: nothing is read anew: restart to change the configuration");
        }
    }

    async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.hangup.recv() => SignalKind::hangup(),
        }
    }
}

/// Waits until somebody wants what runs in a terminal to end.
pub(crate) async fn stop_signal() -> anyhow::Result<()> {
    Signals::new()?.next().await;
    Ok(())
}
