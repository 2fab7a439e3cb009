//! Which addresses may be connected to (D-24): none in the IANA special-purpose registries, none
//! this server listens on, unless the operator opened the network.

use std::net::{IpAddr, SocketAddr};

use crate::settings::{Network, Settings};

/// Blocks of the IANA special-purpose address registries, multicast, and blocks that carry an
/// IPv4 address inside. Membership alone counts, whatever the "globally reachable" column says.
const RESERVED: &[(Network, &str)] = &[
    (Network::v4(0, 0, 0, 8), "this network"),
    (Network::v4(10, 0, 0, 8), "private"),
    (Network::v4(100, 64, 0, 10), "shared address space"),
    (Network::v4(127, 0, 0, 8), "loopback"),
    (Network::v4(169, 254, 0, 16), "link-local"),
    (Network::v4(172, 16, 0, 12), "private"),
    (Network::v4(192, 0, 0, 24), "protocol assignments"),
    (Network::v4(192, 0, 2, 24), "documentation"),
    (Network::v4(192, 31, 196, 24), "AS112"),
    (Network::v4(192, 52, 193, 24), "AMT"),
    (Network::v4(192, 88, 99, 24), "6to4 relay"),
    (Network::v4(192, 168, 0, 16), "private"),
    (Network::v4(192, 175, 48, 24), "AS112"),
    (Network::v4(198, 18, 0, 15), "benchmarking"),
    (Network::v4(198, 51, 100, 24), "documentation"),
    (Network::v4(203, 0, 113, 24), "documentation"),
    (Network::v4(224, 0, 0, 4), "multicast"),
    (Network::v4(240, 0, 0, 4), "reserved"),
    (Network::v6([0, 0, 0, 0], 96), "loopback or IPv4-compatible"),
    (Network::v6([0x64, 0xff9b, 0, 0], 96), "NAT64"),
    (Network::v6([0x64, 0xff9b, 1, 0], 48), "local NAT64"),
    (Network::v6([0x100, 0, 0, 0], 64), "discard-only"),
    (Network::v6([0x100, 0, 0, 1], 64), "dummy prefix"),
    (Network::v6([0x2001, 0, 0, 0], 32), "Teredo"),
    (Network::v6([0x2001, 0, 0, 0], 23), "protocol assignments"),
    (Network::v6([0x2001, 0xdb8, 0, 0], 32), "documentation"),
    (Network::v6([0x2002, 0, 0, 0], 16), "6to4"),
    (Network::v6([0x2620, 0x4f, 0x8000, 0], 48), "AS112"),
    (Network::v6([0x3fff, 0, 0, 0], 20), "documentation"),
    (Network::v6([0x5f00, 0, 0, 0], 16), "segment routing"),
    (Network::v6([0xfc00, 0, 0, 0], 7), "unique local"),
    (Network::v6([0xfe80, 0, 0, 0], 10), "link-local"),
    (Network::v6([0xfec0, 0, 0, 0], 10), "site-local"),
    (Network::v6([0xff00, 0, 0, 0], 8), "multicast"),
];

/// The unicast space that is handed out at all (RFC 4291 section 2.4, IANA).
const GLOBAL_UNICAST: Network = Network::v6([0x2000, 0, 0, 0], 3);

/// Why an address is not a public one; `None` if it is.
pub fn reserved(address: IpAddr) -> Option<&'static str> {
    if let IpAddr::V6(address) = address
        && address.to_ipv4_mapped().is_some()
    {
        return Some("IPv4-mapped");
    }
    let listed = RESERVED
        .iter()
        .find(|(network, _)| network.contains(address));
    match listed {
        Some((_, reason)) => Some(reason),
        None if address.is_ipv6() && !GLOBAL_UNICAST.contains(address) => {
            Some("outside of global unicast")
        }
        None => None,
    }
}

/// The address rules with the operator's exceptions.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    allowed: Vec<Network>,
    own: Vec<SocketAddr>,
}

impl Guard {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            allowed: settings.allow_networks.clone(),
            own: settings.own_addresses.clone(),
        }
    }

    /// Checks an address together with the port that would be connected to.
    pub(crate) fn check(&self, address: IpAddr, port: u16) -> Result<(), String> {
        if self.is_own(SocketAddr::new(address, port), address.is_loopback()) {
            return Err(format!("{address}:{port} is this server itself"));
        }
        match reserved(address) {
            Some(reason) if !self.allowed.iter().any(|network| network.contains(address)) => {
                Err(format!("{address} is not a public address ({reason})"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a connected socket leads back to this server: a listener on an unspecified address
    /// is reached on every address of the host, and both ends then have the same one.
    pub(crate) fn is_own_connection(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        self.is_own(remote, local.ip() == remote.ip())
    }

    fn is_own(&self, target: SocketAddr, on_this_host: bool) -> bool {
        self.own.iter().any(|own| {
            own.port() == target.port()
                && (own.ip() == target.ip() || own.ip().is_unspecified() && on_this_host)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allowed: &[&str], own: &[&str]) -> Guard {
        Guard::new(&Settings {
            allow_networks: allowed.iter().map(|text| text.parse().unwrap()).collect(),
            own_addresses: own.iter().map(|text| text.parse().unwrap()).collect(),
            ..Settings::default()
        })
    }

    #[test]
    fn nasty_099_reserved_addresses_are_refused() {
        let guard = guard(&[], &[]);
        for address in [
            "127.0.0.1",
            "127.255.255.255",
            "10.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "172.31.0.1",
            "192.168.1.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.19.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::1",
            "::",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "::ffff:8.8.8.8",
            "::8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "2001::1",
            "2001:db8::1",
            "ff02::1",
            "4000::1",
            "3fff::1",
            "100::1",
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert!(guard.check(address, 80).is_err(), "{address}");
        }
        for address in [
            "8.8.8.8",
            "172.32.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1",
            "2a00:1450::1",
            "2001:4860:4860::8888",
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(guard.check(address, 80), Ok(()), "{address}");
        }
    }

    #[test]
    fn d_24_the_operator_may_open_networks_but_not_forms_that_hide_an_address() {
        let guard = guard(&["127.0.0.0/8", "fd00::/8"], &[]);
        assert!(guard.check("127.0.0.1".parse().unwrap(), 80).is_ok());
        assert!(guard.check("fd12::1".parse().unwrap(), 80).is_ok());
        assert!(
            guard
                .check("::ffff:127.0.0.1".parse().unwrap(), 80)
                .is_err()
        );
        assert!(guard.check("10.0.0.1".parse().unwrap(), 80).is_err());
    }

    #[test]
    fn nasty_103_this_server_is_never_a_target() {
        let guard = guard(
            &["127.0.0.0/8"],
            &["127.0.0.1:80", "0.0.0.0:443", "203.0.113.9:80"],
        );
        let check = |address: &str, port| guard.check(address.parse().unwrap(), port);
        assert!(check("127.0.0.1", 80).is_err());
        assert!(check("127.0.0.2", 80).is_ok());
        assert!(check("127.0.0.2", 443).is_err());
        let socket = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert!(guard.is_own_connection(socket("8.8.8.8:5000"), socket("8.8.8.8:443")));
        assert!(!guard.is_own_connection(socket("8.8.8.9:5000"), socket("8.8.8.8:443")));
        assert!(!guard.is_own_connection(socket("8.8.8.8:5000"), socket("8.8.8.8:80")));
    }
}
