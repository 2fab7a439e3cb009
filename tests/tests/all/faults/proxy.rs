//! What stands between a node and its database, and cuts connections in the middle of a commit: the server gets the
//! COMMIT and carries it out, the node never hears of it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// A query message: its kind, its length with itself, the text and its end.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    plan: Arc<Plan>,
}

#[derive(Default)]
struct Plan {
    /// Commits that are let through first.
    to_pass: AtomicUsize,
    to_cut: AtomicUsize,
    cut: AtomicUsize,
}

impl Plan {
    /// Whether this commit is one to be cut.
    fn cuts(&self) -> bool {
        let take_one = |left: &AtomicUsize| {
            let one_less = |left: usize| left.checked_sub(1);
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
                .is_ok()
        };
        !take_one(&self.to_pass) && take_one(&self.to_cut)
    }
}

impl Proxy {
    /// To the server at `to`. Ends with the test's process.
    pub(super) fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            plan: Arc::default(),
        };
        let plan = Arc::clone(&proxy.plan);
        thread::spawn(move || {
            for node in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(to) else {
                    continue;
                };
                carry(node, server, &plan);
            }
        });
        proxy
    }

    /// Cuts the next `count` connections that commit, after `passed` others that may.
    pub(super) fn cut(&self, passed: usize, count: usize) {
        self.plan.to_pass.store(passed, Ordering::SeqCst);
        self.plan.to_cut.store(count, Ordering::SeqCst);
    }

    /// How many were cut so far.
    pub(super) fn cuts(&self) -> usize {
        self.plan.cut.load(Ordering::SeqCst)
    }
}

fn carry(node: TcpStream, server: TcpStream, plan: &Arc<Plan>) {
    let is_cut = Arc::new(AtomicBool::new(false));
    let (plan, says_cut) = (Arc::clone(plan), Arc::clone(&is_cut));
    let (mut from_node, mut to_server) = (node.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from_node.read(&mut buffer) {
            let cuts = buffer[..read].ends_with(COMMIT) && plan.cuts();
            // Before the server can answer.
            says_cut.fetch_or(cuts, Ordering::SeqCst);
            if to_server.write_all(&buffer[..read]).is_err() {
                break;
            }
            if cuts {
                plan.cut.fetch_add(1, Ordering::SeqCst);
                let _ = from_node.shutdown(Shutdown::Both);
                // Time to read it, and to do it.
                thread::sleep(Duration::from_millis(300));
                break;
            }
        }
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let (mut from_server, mut to_node) = (server, node);
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from_server.read(&mut buffer) {
            if is_cut.load(Ordering::SeqCst) || to_node.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to_node.shutdown(Shutdown::Both);
    });
}
