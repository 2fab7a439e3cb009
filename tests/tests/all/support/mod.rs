//! What the tests stand on: a server of their own, a customer's HTTP client, keys, and a name server.

pub(crate) mod csr;
pub(crate) mod dns_stub;
pub(crate) mod http;
pub(crate) mod server;
