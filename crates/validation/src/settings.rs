//! How a perspective reaches the network: resolvers, DNSSEC, ports, address rules, time limits.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use reseal_pki::name::NamePolicy;

/// Whether answers of the resolver are checked up to the trust anchor (S-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dnssec {
    /// Validate; bogus answers count as failures.
    Validate,
    /// Take what the resolver says. Only for private trust.
    Off,
}

/// Settings of the local perspective.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Resolvers to ask: `system`, or addresses with an optional port (`127.0.0.1:5353`).
    pub resolvers: Vec<String>,
    /// DNSSEC validation.
    pub dnssec: Dnssec,
    /// Text of a trust anchor file (DS or DNSKEY records in zone file format) that replaces the
    /// built-in anchors of the root.
    pub trust_anchor: Option<String>,
    /// Port of the first FILE request, and of redirects to `http` without a port.
    pub http_port: u16,
    /// Port of redirects to `https` without a port.
    pub https_port: u16,
    /// Networks that FILE may reach although the address rules forbid them.
    pub allow_networks: Vec<Network>,
    /// Sockets this server listens on: never a target of FILE. An unspecified address (`0.0.0.0`)
    /// stands for every address of this host.
    pub own_addresses: Vec<SocketAddr>,
    /// Which names redirects may lead to, beside those of the public DNS.
    pub names: NamePolicy,
    /// `User-Agent` of FILE requests.
    pub user_agent: String,
    /// Limit for one question to a resolver; a validated answer may take several questions.
    pub dns_timeout: Duration,
    /// Limit for one TCP connection and its TLS handshake.
    pub http_dial_timeout: Duration,
    /// Limit for a whole FILE fetch, redirects and look-ups included.
    pub http_total_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            resolvers: vec!["system".to_owned()],
            dnssec: Dnssec::Validate,
            trust_anchor: None,
            http_port: 80,
            https_port: 443,
            allow_networks: Vec::new(),
            own_addresses: Vec::new(),
            names: NamePolicy::default(),
            user_agent: concat!("Reseal/", env!("CARGO_PKG_VERSION")).to_owned(),
            dns_timeout: Duration::from_secs(3),
            http_dial_timeout: Duration::from_secs(5),
            http_total_timeout: Duration::from_secs(10),
        }
    }
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A resolver is neither `system` nor an address.
    #[error("resolver `{0}` is neither `system` nor an IP address with an optional port")]
    Resolver(String),
    /// No resolver at all.
    #[error("no resolver is configured: list at least one, or `system`")]
    NoResolver,
    /// `system` was asked for and the system's resolvers cannot be read.
    #[error("the system's resolvers cannot be read: {0}")]
    System(String),
    /// The trust anchor file is not understood.
    #[error("trust anchor, line {line}: {reason}")]
    TrustAnchor {
        /// Line in the text, from 1.
        line: usize,
        /// What was expected and what was seen.
        reason: String,
    },
    /// A network is not in CIDR notation.
    #[error("network `{0}` is not an address with a prefix length, such as `10.0.0.0/8`")]
    Network(String),
    /// The user agent cannot be sent in a header.
    #[error("user agent `{0}` has characters that a header cannot carry")]
    UserAgent(String),
    /// The TLS library refuses to start.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// A block of IP addresses in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether `address` lies in the block. IPv4-mapped IPv6 addresses are IPv6 addresses here.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(block), IpAddr::V4(address)) => same_prefix(
                u128::from(block.to_bits()) << 96,
                u128::from(address.to_bits()) << 96,
                self.prefix,
            ),
            (IpAddr::V6(block), IpAddr::V6(address)) => {
                same_prefix(block.to_bits(), address.to_bits(), self.prefix)
            }
            _ => false,
        }
    }

    /// An IPv4 block for tables; `prefix` is at most 32.
    pub(crate) const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Self {
        Self {
            address: IpAddr::V4(std::net::Ipv4Addr::new(a, b, c, 0)),
            prefix,
        }
    }

    /// An IPv6 block for tables, given by its first four groups; `prefix` is at most 128.
    pub(crate) const fn v6(groups: [u16; 4], prefix: u8) -> Self {
        let [a, b, c, d] = groups;
        Self {
            address: IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)),
            prefix,
        }
    }
}

fn same_prefix(left: u128, right: u128, prefix: u8) -> bool {
    prefix == 0 || (left ^ right) >> (128 - u32::from(prefix.min(128))) == 0
}

impl FromStr for Network {
    type Err = SettingsError;

    /// Reads `10.0.0.0/8` or `fd00::/8`; an address alone is a block of one.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || SettingsError::Network(text.chars().take(100).collect());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| bad())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse().map_err(|_| bad())?,
            None => longest,
        };
        if prefix > longest {
            return Err(bad());
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_exactly_their_prefix() {
        let ten: Network = "10.0.0.0/8".parse().unwrap();
        assert!(ten.contains("10.255.255.255".parse().unwrap()));
        assert!(!ten.contains("11.0.0.0".parse().unwrap()));
        assert!(!ten.contains("::ffff:10.0.0.1".parse().unwrap()));
        let one: Network = "192.0.2.7".parse().unwrap();
        assert!(one.contains("192.0.2.7".parse().unwrap()));
        assert!(!one.contains("192.0.2.6".parse().unwrap()));
        let all: Network = "::/0".parse().unwrap();
        assert!(all.contains("2001:db8::1".parse().unwrap()));
        assert_eq!(all.to_string(), "::/0");
    }

    #[test]
    fn broken_networks_are_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/-1",
            "example.com/8",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
