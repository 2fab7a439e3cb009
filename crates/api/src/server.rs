//! Connections: accepting, TLS, time limits, the orderly end.
//!
//! What survives: a handler's future does not survive its connection, so nothing durable may depend on it. At
//! shutdown no new connection is taken, idle ones are closed, and busy ones get [`Limits::drain`] to finish.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::answer::Api;
use crate::linger::Lingering;
use crate::stall::Impatient;

/// Bytes of a request's line and headers together.
const LARGEST_HEAD: usize = 64 * 1024;

/// Where a request comes from, as far as the connection tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// What one server takes upon itself.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time; further ones wait in the listener's backlog.
    pub connections: u32,
    /// How long the head of a request may take to arrive, which is also how long a connection may be idle.
    pub head: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long the other side may take nothing of an answer.
    pub write: Duration,
    /// How long open requests may go on after the shutdown began.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            write: Duration::from_secs(30),
            drain: Duration::from_secs(20),
        }
    }
}

/// Serves `api` on `listener` until `shutdown` becomes true or its sender is gone; by TLS when given.
///
/// # Errors
/// The listener cannot tell its address, so it is no listener. Failures of single connections are
/// theirs and end only them.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    api: Api,
    limits: Limits,
    mut shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let acceptor = tls.map(TlsAcceptor::from);
    let free = Arc::new(Semaphore::new(limits.connections as usize));
    loop {
        let (stream, permit) = tokio::select! {
            () = stopping(&mut shutdown) => break,
            next = accept(&listener, &free) => next,
        };
        tokio::spawn(connection(
            stream,
            acceptor.clone(),
            api.clone(),
            limits,
            shutdown.clone(),
            permit,
        ));
    }
    drop(listener);
    tracing::info!(%address, "no new connections are taken");
    if timeout(limits.drain, free.acquire_many(limits.connections))
        .await
        .is_err()
    {
        tracing::warn!(%address, "requests were still open when the time to finish them was over");
    }
    Ok(())
}

/// Waits for the shutdown.
pub(crate) async fn stopping(shutdown: &mut watch::Receiver<bool>) {
    // An error says that nobody is left who could ask for it: that ends the server too.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(permit) = Arc::clone(free).acquire_owned().await else {
            // Nobody closes the semaphore; without it there is no connection to wait for.
            return std::future::pending().await;
        };
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                // Out of file descriptors, or a client that is gone already: others may still come.
                tracing::warn!(%error, "a connection could not be taken");
                drop(permit);
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    api: Api,
    limits: Limits,
    shutdown: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    // Answers are written whole: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok().map(|address| Peer(address.ip()));
    let Some(acceptor) = acceptor else {
        return exchange(stream, peer, api, limits, shutdown).await;
    };
    match timeout(limits.handshake, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => exchange(stream, peer, api, limits, shutdown).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: Option<Peer>,
    api: Api,
    limits: Limits,
    mut shutdown: watch::Receiver<bool>,
) {
    let service = service_fn(|mut request: http::Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        let api = api.clone();
        async move { Ok::<_, Infallible>(api.answer(request.map(Body::new)).await) }
    });
    let stream = Lingering::new(Impatient::new(stream, limits.write));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(LARGEST_HEAD)
        .max_header_size(LARGEST_HEAD)
        // A client that has sent its request may close its half and still wait for the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stopping(&mut shutdown) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended badly");
    }
}

#[cfg(test)]
mod tests;
