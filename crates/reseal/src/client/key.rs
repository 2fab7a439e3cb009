//! A key that never leaves this machine, and the request made from it.

use anyhow::{Context as _, anyhow};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, RsaKeySize,
};
use reseal_pki::csr::Csr;

use crate::args::KeyKind;

/// Most characters of a common name (C-8); a longer name stands among the alternative names alone.
const LONGEST_COMMON_NAME: usize = 64;

/// A fresh key, PEM, and the request for it.
pub(super) struct KeyAndRequest {
    pub(super) key: String,
    pub(super) request: String,
}

/// Makes a key and a request for `names`, of which `common_name` is one.
pub(super) fn make(
    kind: KeyKind,
    common_name: &str,
    names: &[String],
) -> anyhow::Result<KeyAndRequest> {
    let make = || -> Result<KeyAndRequest, rcgen::Error> {
        let key = match kind {
            KeyKind::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
            KeyKind::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?,
            KeyKind::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?,
            KeyKind::Rsa4096 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096)?,
        };
        let mut params = CertificateParams::new(names.to_vec())?;
        params.distinguished_name = DistinguishedName::new();
        if common_name.len() <= LONGEST_COMMON_NAME {
            params
                .distinguished_name
                .push(DnType::CommonName, common_name);
        }
        let request = params.serialize_request(&key)?.pem()?;
        Ok(KeyAndRequest {
            key: key.serialize_pem(),
            request,
        })
    };
    make().context("a key and a request cannot be made")
}

/// A request that was made elsewhere.
pub(super) fn parse(request: &str) -> anyhow::Result<Csr> {
    Csr::parse(request).map_err(|error| anyhow!("the request {error} [{}]", error.rule()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_8_c_14_requests_are_what_the_server_takes() {
        let long = format!("{}.example.com", "a".repeat(60));
        let names = [
            "example.com".to_owned(),
            "*.example.com".to_owned(),
            long.clone(),
        ];
        for (kind, bits) in [
            (KeyKind::P256, 256),
            (KeyKind::P384, 384),
            (KeyKind::Rsa2048, 2048),
        ] {
            let made = make(kind, "example.com", &names).unwrap();
            let csr = parse(&made.request).unwrap();
            assert_eq!(csr.dns_names(), names);
            assert_eq!(csr.common_name(), Some("example.com"));
            assert_eq!(csr.public_key().size_bits(), bits);
            assert!(made.key.starts_with("-----BEGIN PRIVATE KEY-----"));
        }
        let made = make(KeyKind::P256, &long, &names).unwrap();
        assert_eq!(parse(&made.request).unwrap().common_name(), None);
    }
}
