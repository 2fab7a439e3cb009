//! A small world for tests: a name server and a web server on loopback, real sockets both.

mod dns;
mod web;

use std::time::Duration;

pub(crate) use dns::{Reply, StubDns, a, aaaa, caa, cname, txt};
pub(crate) use web::{StubWeb, answer};

use crate::{
    perspective::Perspective,
    settings::{Dnssec, Settings},
};

/// Settings that see nothing but this world: loopback is open, DNSSEC is off.
pub(crate) fn settings(dns: &StubDns) -> Settings {
    let mut settings = Settings {
        resolvers: vec![dns.address.to_string()],
        dnssec: Dnssec::Off,
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        dns_timeout: Duration::from_millis(400),
        http_dial_timeout: Duration::from_millis(500),
        http_total_timeout: Duration::from_millis(1500),
        ..Settings::default()
    };
    settings.names.internal_suffixes = vec!["corp".to_owned()];
    settings
}

/// A perspective on `dns`, with FILE requests to the port of `web`.
pub(crate) fn perspective(dns: &StubDns, web: Option<&StubWeb>) -> Perspective {
    let mut settings = settings(dns);
    if let Some(web) = web {
        settings.http_port = web.address.port();
    }
    Perspective::new(settings).unwrap()
}
