//! Addresses for the servers that a test starts.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};

/// An address of one server alone: the whole of 127/8 is this machine, so no port has to be found and lost again.
pub(crate) fn own_address() -> IpAddr {
    static STARTED: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    let host = STARTED.fetch_add(1, Ordering::Relaxed);
    IpAddr::from([127, high, low, host])
}
