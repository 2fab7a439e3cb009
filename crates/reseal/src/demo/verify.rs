//! A second opinion on what was issued: the path check that TLS clients do, by a library that Reseal's own
//! issuing does not use.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

/// Whether a client that trusts nothing but `root` would accept `leaf` for every one of `names`, given the
/// certificates in `bundle`. All PEM.
pub(super) fn verify(leaf: &str, bundle: &str, root: &str, names: &[&str]) -> anyhow::Result<()> {
    let one = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes());
    let leaf = one(leaf).map_err(|error| anyhow!("the certificate is not PEM: {error}"))?;
    let root = one(root).map_err(|error| anyhow!("the root is not PEM: {error}"))?;
    let bundle = CertificateDer::pem_slice_iter(bundle.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| anyhow!("the bundle is not PEM: {error}"))?;
    let mut roots = RootCertStore::empty();
    roots.add(root).context("the root cannot be trusted")?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
    for name in names {
        let server = ServerName::try_from(*name)?;
        verifier
            .verify_server_cert(&leaf, &bundle, &server, &[], UnixTime::now())
            .with_context(|| format!("the chain does not verify for {name}"))?;
    }
    Ok(())
}
