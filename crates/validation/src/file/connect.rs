//! Connections to the very address that was checked: no name is resolved here (D-24).

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{
    guard::Guard,
    target::{Host, Target},
};
use crate::settings::{Settings, SettingsError};

/// A connected stream, TLS or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Why there is no connection.
pub(crate) enum DialError {
    /// The address leads back to this server.
    Own,
    /// TCP or TLS failed.
    Failed(String),
}

/// Dials checked addresses.
#[derive(Clone)]
pub(crate) struct Connector {
    tls: TlsConnector,
    limit: Duration,
}

impl Connector {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| SettingsError::Tls(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            limit: settings.http_dial_timeout,
        })
    }

    /// The same, for hosts that must show a certificate below `roots`.
    pub(crate) fn verifying(
        settings: &Settings,
        roots: RootCertStore,
    ) -> Result<Self, SettingsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| SettingsError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            limit: settings.http_dial_timeout,
        })
    }

    /// Connects to `address`, which must have passed the guard.
    pub(crate) async fn dial(
        &self,
        address: IpAddr,
        target: &Target,
        guard: &Guard,
    ) -> Result<Box<dyn Stream>, DialError> {
        tokio::time::timeout(self.limit, self.open(address, target, guard))
            .await
            .unwrap_or_else(|_| {
                Err(DialError::Failed(format!(
                    "no connection within {} s",
                    self.limit.as_secs()
                )))
            })
    }

    async fn open(
        &self,
        address: IpAddr,
        target: &Target,
        guard: &Guard,
    ) -> Result<Box<dyn Stream>, DialError> {
        let failed = |error: std::io::Error| DialError::Failed(error.to_string());
        let remote = SocketAddr::new(address, target.port);
        let stream = TcpStream::connect(remote).await.map_err(failed)?;
        let local = stream.local_addr().map_err(failed)?;
        if guard.is_own_connection(local, remote) {
            return Err(DialError::Own);
        }
        if !target.secure {
            return Ok(Box::new(stream));
        }
        let name = match &target.host {
            Host::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| DialError::Failed(format!("`{name}` cannot be asked for in TLS")))?,
            Host::Address(address) => ServerName::from(*address),
        };
        let stream = self.tls.connect(name, stream).await.map_err(failed)?;
        Ok(Box::new(stream))
    }
}

/// Accepts every certificate: that a site has no working one yet is the normal case of a check
/// that leads to one (D-25). Signatures of the
/// handshake are not checked either: an expired or X.509 v1 certificate would fail there, and with
/// no trust in the certificate they prove nothing.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
