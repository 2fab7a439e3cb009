//! From a host to a connection: its addresses, which of them may be used, and the first that answers.
//! Whatever leaves this host by HTTP goes this way.

use std::net::{IpAddr, SocketAddr};

use super::{
    Connector, FileOutcome, Guard,
    connect::{DialError, Stream},
    target::Target,
};
use crate::dns::{DnsAnswer, DnsOutcome, RecordKind, Resolver};

/// Most refused addresses that are named.
const MAX_SHOWN: usize = 16;

/// All addresses of a name.
pub(crate) async fn resolve(resolver: &Resolver, name: &str) -> Result<Vec<IpAddr>, FileOutcome> {
    let (six, four) = tokio::join!(
        resolver.lookup(name, RecordKind::Aaaa),
        resolver.lookup(name, RecordKind::A)
    );
    let addresses: Vec<IpAddr> = six.addresses().chain(four.addresses()).collect();
    let answers = [six, four];
    if let Some(reason) = answers.iter().find_map(bogus_reason) {
        return Err(FileOutcome::Refused {
            reason: format!("the addresses of `{name}` are bogus: {reason}"),
        });
    }
    if !addresses.is_empty() {
        return Ok(addresses);
    }
    match answers.iter().find_map(failure_reason) {
        Some(reason) => Err(FileOutcome::Unreachable {
            reason: format!("the addresses of `{name}` cannot be looked up: {reason}"),
        }),
        None => Err(FileOutcome::NoAddress {
            reason: format!("`{name}` has no A and no AAAA record"),
        }),
    }
}

/// The addresses that may be connected to: at most one of each family, in their order (D-24).
pub(crate) fn usable(guard: &Guard, all: &[IpAddr], port: u16) -> Result<Vec<IpAddr>, FileOutcome> {
    let mut refusals = Vec::new();
    let mut usable: Vec<IpAddr> = Vec::new();
    for address in all {
        match guard.check(*address, port) {
            Err(reason) if refusals.len() < MAX_SHOWN => refusals.push(reason),
            Err(_) => {}
            Ok(())
                if usable
                    .iter()
                    .any(|chosen| chosen.is_ipv4() == address.is_ipv4()) => {}
            Ok(()) => usable.push(*address),
        }
    }
    if usable.is_empty() {
        return Err(FileOutcome::Refused {
            reason: format!("no usable address: {}", refusals.join(", ")),
        });
    }
    Ok(usable)
}

/// Dials the addresses in order; the next only if there is no connection to the one before (nasty 113).
pub(crate) async fn connect(
    connector: &Connector,
    guard: &Guard,
    target: &Target,
    addresses: &[IpAddr],
    mut trying: impl FnMut(SocketAddr),
) -> Result<Box<dyn Stream>, FileOutcome> {
    let mut failures = Vec::new();
    for address in addresses {
        trying(SocketAddr::new(*address, target.port));
        match connector.dial(*address, target, guard).await {
            Ok(stream) => return Ok(stream),
            Err(DialError::Own) => {
                return Err(FileOutcome::Refused {
                    reason: format!("{address}:{} is this server itself", target.port),
                });
            }
            Err(DialError::Failed(reason)) => failures.push(format!("{address}: {reason}")),
        }
    }
    Err(FileOutcome::Unreachable {
        reason: format!(
            "no connection to port {}: {}",
            target.port,
            failures.join(", ")
        ),
    })
}

fn bogus_reason(answer: &DnsAnswer) -> Option<&str> {
    match &answer.outcome {
        DnsOutcome::Bogus { reason } => Some(reason),
        _ => None,
    }
}

fn failure_reason(answer: &DnsAnswer) -> Option<&str> {
    match &answer.outcome {
        DnsOutcome::Failure { reason, .. } => Some(reason),
        _ => None,
    }
}
