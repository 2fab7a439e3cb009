//! The customer's own part: a key that never leaves this side, and the request made from it.

use anyhow::Context as _;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

/// A fresh key and its request, PEM.
pub(crate) struct KeyAndRequest {
    pub(crate) key: String,
    pub(crate) csr: String,
}

/// Makes a P-256 key and a request for `names`, the first one also as common name.
pub(crate) fn make(names: &[&str]) -> anyhow::Result<KeyAndRequest> {
    let make = || -> Result<KeyAndRequest, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params =
            CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        params.distinguished_name = DistinguishedName::new();
        if let Some(first) = names.first() {
            params.distinguished_name.push(DnType::CommonName, *first);
        }
        let csr = params.serialize_request(&key)?.pem()?;
        Ok(KeyAndRequest {
            key: key.serialize_pem(),
            csr,
        })
    };
    make().context("a key and a request cannot be made")
}
