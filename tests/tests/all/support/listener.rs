//! A TCP server, on loopback mostly; its threads end with the test binary.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Serves each connection on a thread of its own; the answer is where it listens.
pub(crate) fn listen<S: Send + Sync + 'static>(
    state: &Arc<S>,
    serve: impl Fn(&TcpStream, &S) + Clone + Send + 'static,
) -> SocketAddr {
    listen_at(SocketAddr::from(([127, 0, 0, 1], 0)), state, serve)
}

/// The same at an address of this machine.
pub(crate) fn listen_at<S: Send + Sync + 'static>(
    address: SocketAddr,
    state: &Arc<S>,
    serve: impl Fn(&TcpStream, &S) + Clone + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    let state = Arc::clone(state);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (state, serve) = (Arc::clone(&state), serve.clone());
            thread::spawn(move || serve(&stream, &state));
        }
    });
    address
}
