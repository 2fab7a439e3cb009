//! `GET /v2/ssl/certificates/{id}/download` (contract.md section 4.6, design decision 14).

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use reseal_lifecycle::certificate::Certificate;
use reseal_lifecycle::{Error, Kind, Violation, import};
use reseal_pki::certificate::pem;
use reseal_pki::pkcs7;

use super::archive::{self, file_stem};
use crate::auth::{Call, Outcome};
use crate::error::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csr,
    Crt,
    Zip,
    Pkcs7,
    Ca,
    CaBundle,
}

/// The words for it.
pub(super) const FORMATS: [&str; 6] = ["CSR", "CRT", "ZIP", "PKCS7", "CA", "CA_BUNDLE"];

impl Format {
    fn from_wire(word: &str) -> Option<Self> {
        Some(match word {
            "CSR" => Self::Csr,
            "CRT" => Self::Crt,
            "ZIP" => Self::Zip,
            "PKCS7" => Self::Pkcs7,
            "CA" => Self::Ca,
            "CA_BUNDLE" => Self::CaBundle,
            _ => return None,
        })
    }

    /// What follows the name in the file's name. The ZIP travels as base64 text, as clients expect it.
    fn extension(self) -> &'static str {
        match self {
            Self::Csr => "csr",
            Self::Crt => "crt",
            Self::Zip => "zip.base64",
            Self::Pkcs7 => "p7b",
            Self::Ca => "ca.crt",
            Self::CaBundle => "ca-bundle",
        }
    }
}

/// The certificate, its chain or its CSR as a file.
pub(crate) async fn download(call: Call) -> Outcome {
    let format = match call.query().first("format") {
        None => Format::Zip,
        Some(word) => Format::from_wire(word).ok_or_else(|| {
            let message = format!("must be one of {}", FORMATS.join(", "));
            Failure::constraints(vec![Violation::new("format", message, Some(word))])
        })?,
    };
    let certificate = call.services().certificate(&call.caller, call.id()).await?;
    let chain = match call.services().chain_of(&certificate).await? {
        Some(chain) => chain,
        None if certificate.issuer == import::ISSUER => Vec::new(),
        None if matches!(format, Format::Csr | Format::Crt) => Vec::new(),
        None => return Err(unknown_issuer(&certificate).into()),
    };
    let content = content(format, &certificate, &chain)?;
    let name = format!(
        "{}.{}",
        file_stem(&certificate.domain_name),
        format.extension()
    );
    Ok(file(content, &name))
}

/// Another node has an intermediate that this one has not loaded.
fn unknown_issuer(certificate: &Certificate) -> Error {
    Error::unavailable(
        "This server does not know yet who issued the certificate",
        Duration::from_secs(30),
        format!(
            "certificate {} is of `{}`, which is not in the folder of the CA or was put there after the start",
            certificate.id, certificate.issuer
        ),
    )
}

fn content(
    format: Format,
    certificate: &Certificate,
    chain: &[Vec<u8>],
) -> Result<String, Failure> {
    let missing = |what: &str| {
        let message = format!("Certificate {} has no {what} here", certificate.id);
        Failure::from(Error::new(Kind::NotFound, message))
    };
    match format {
        Format::Csr => {
            let csr = certificate.csr.as_deref().ok_or_else(|| missing("CSR"))?;
            Ok(pem("CERTIFICATE REQUEST", csr))
        }
        Format::Crt => Ok(pem("CERTIFICATE", &certificate.der)),
        Format::Ca => {
            let issuing = chain
                .first()
                .ok_or_else(|| missing("issuing certificate"))?;
            Ok(pem("CERTIFICATE", issuing))
        }
        Format::CaBundle if chain.is_empty() => Err(missing("issuing certificates")),
        Format::CaBundle => Ok(bundle(chain)),
        Format::Pkcs7 => Ok(pkcs7_pem(certificate, chain)),
        Format::Zip => archive::zip(&archive::Contents {
            domain_name: &certificate.domain_name,
            leaf: &pem("CERTIFICATE", &certificate.der),
            bundle: &bundle(chain),
            pkcs7: &pkcs7_pem(certificate, chain),
        })
        .map(|bytes| STANDARD.encode(bytes))
        .map_err(Failure::internal),
    }
}

/// Intermediates, then the root.
fn bundle(chain: &[Vec<u8>]) -> String {
    chain.iter().map(|der| pem("CERTIFICATE", der)).collect()
}

fn pkcs7_pem(certificate: &Certificate, chain: &[Vec<u8>]) -> String {
    let leaf = std::iter::once(certificate.der.as_slice());
    let all: Vec<&[u8]> = leaf.chain(chain.iter().map(Vec::as_slice)).collect();
    pem("PKCS7", &pkcs7::certs_only(&all))
}

/// `name` must hold nothing but letters, digits, `-`, `_` and `.`.
fn file(content: String, name: &str) -> Response {
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nasty_143_a_format_is_one_of_six_words() {
        for word in FORMATS {
            assert!(Format::from_wire(word).is_some(), "{word}");
        }
        for word in ["", "crt", "PEM", "P7B", "../../etc/passwd"] {
            assert_eq!(Format::from_wire(word), None, "{word}");
        }
    }
}
