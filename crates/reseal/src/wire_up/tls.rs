//! Certificates and keys in files: what serves the API, and whom its clients trust.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use reseal_pki::certificate::Certificate;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::Config;

/// The certificates, DER, in the PEM file that the key `key` names.
pub(super) fn certificates(key: &str, path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(key, path, &error))?;
    Ok(found
        .iter()
        .map(|certificate| certificate.to_vec())
        .collect())
}

/// HTTPS, when configured.
pub(crate) fn tls(config: &Config) -> anyhow::Result<Option<Arc<rustls::ServerConfig>>> {
    let Some((certificate, key)) = &config.server.tls else {
        return Ok(None);
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable("server.tls_certificate", certificate, &error))?;
    let key_der = tls_key(key)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .with_context(|| {
            format!(
                "{} and {} cannot serve HTTPS together",
                certificate.display(),
                key.display()
            )
        })?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(tls)))
}

/// Last second of the certificate by which the API is served; `None` when it is not served by HTTPS.
pub(crate) fn tls_not_after(config: &Config) -> anyhow::Result<Option<Timestamp>> {
    let Some((path, _)) = &config.server.tls else {
        return Ok(None);
    };
    let chain = certificates("server.tls_certificate", path)?;
    let leaf = chain.first().map(|der| Certificate::from_der(der));
    let leaf = leaf.transpose().with_context(|| {
        format!(
            "`server.tls_certificate`: {} cannot be read",
            path.display()
        )
    })?;
    Ok(leaf.map(|leaf| leaf.not_after()))
}

fn tls_key(path: &Path) -> anyhow::Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| unreadable("server.tls_key", path, &error))
}

/// SHA-256 of the SubjectPublicKeyInfo of the key by which the API is served, if it is served by HTTPS: it must not be
/// certified by the CA behind it (C-22).
pub(super) fn tls_spki_sha256(config: &Config) -> anyhow::Result<Option<[u8; 32]>> {
    let Some((_, path)) = &config.server.tls else {
        return Ok(None);
    };
    let key = any_supported_type(&tls_key(path)?)
        .with_context(|| format!("`server.tls_key`: {} cannot be used", path.display()))?;
    let public = key.public_key();
    let hash = public.map(|spki| digest(&SHA256, spki.as_ref()));
    Ok(hash.and_then(|hash| hash.as_ref().try_into().ok()))
}

fn unreadable(key: &str, path: &Path, error: &rustls::pki_types::pem::Error) -> anyhow::Error {
    anyhow!("`{key}`: {} is not usable PEM: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_22_the_key_of_the_api_is_one_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reseal.toml");
        let none = Config::from_toml("", &path).unwrap();
        assert_eq!(tls_spki_sha256(&none).unwrap(), None);
        let made = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap();
        let key = folder.path().join("key.pem");
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let text = "[server]\ntls_certificate = \"chain.pem\"\ntls_key = \"key.pem\"\n";
        let config = Config::from_toml(text, &path).unwrap();
        let spki = rcgen::PublicKeyData::subject_public_key_info(&made.signing_key);
        let hash = digest(&SHA256, &spki);
        let found = tls_spki_sha256(&config).unwrap();
        assert_eq!(found.as_ref().map(|found| &found[..]), Some(hash.as_ref()));
    }
}
