//! OCSPResponse, RFC 6960 section 4.2.

use jiff::Timestamp;

use super::request::CertId;
use crate::{
    asn1,
    profile::{
        SignatureAlgorithm,
        encode::{bit_string, element, extension, generalized_time, primitive, sequence},
    },
};

const ENUMERATED: u8 = 0x0a;
const BASIC: [u8; 9] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
const NONCE: [u8; 9] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02];

/// An answer that is not signed and says nothing about any certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request cannot be read.
    Malformed,
    /// Not now; the same request may be answered later.
    TryLater,
    /// About no certificate of the request anything is known here (RFC 5019 section 2.2.3).
    Unauthorized,
}

impl Refusal {
    /// The whole answer, DER.
    pub fn to_der(self) -> Vec<u8> {
        let status = match self {
            Self::Malformed => 1,
            Self::TryLater => 3,
            Self::Unauthorized => 6,
        };
        vec![asn1::SEQUENCE, 3, ENUMERATED, 1, status]
    }
}

/// What is said about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertStatus {
    /// It was issued and is not revoked.
    Good,
    /// It is revoked.
    Revoked {
        /// Since when.
        at: Timestamp,
        /// CRLReason; `None` leaves it out, as on the list.
        reason: Option<u8>,
    },
    /// It was not issued by who answers, as far as is known.
    Unknown,
}

/// The answer about one certificate.
#[derive(Clone, Copy, Debug)]
pub struct SingleResponse<'a> {
    /// The certificate, as it was asked about.
    pub certificate: &'a CertId,
    /// What is said.
    pub status: CertStatus,
    /// When that was known to be so.
    pub this_update: Timestamp,
    /// Until when it may be relied on.
    pub next_update: Timestamp,
}

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct ResponseContent<'a> {
    /// The subject of the responder's certificate, DER.
    pub responder: &'a [u8],
    /// The moment of signing.
    pub produced_at: Timestamp,
    /// The `responses` field, as [`SingleResponse::write_all`] wrote it.
    pub responses: &'a [u8],
    /// The request's, repeated (RFC 9654).
    pub nonce: Option<&'a [u8]>,
}

impl SingleResponse<'_> {
    /// The `responses` field of a ResponseData, DER. The same answers give the same bytes, whoever signs them.
    pub fn write_all(responses: &[Self]) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + 160 * responses.len());
        sequence(&mut out, |out| {
            for response in responses {
                response.write(out);
            }
        });
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        sequence(out, |out| {
            out.extend_from_slice(self.certificate.encoding());
            match self.status {
                CertStatus::Good => primitive(out, 0x80, &[]),
                CertStatus::Revoked { at, reason } => element(out, 0xa1, |out| {
                    generalized_time(out, at);
                    if let Some(reason) = reason {
                        element(out, 0xa0, |out| primitive(out, ENUMERATED, &[reason]));
                    }
                }),
                CertStatus::Unknown => primitive(out, 0x82, &[]),
            }
            generalized_time(out, self.this_update);
            element(out, 0xa0, |out| generalized_time(out, self.next_update));
        });
    }
}

/// The ResponseData, DER: what the responder signs.
pub fn response_data(content: &ResponseContent<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.responses.len() + 384);
    sequence(&mut out, |out| {
        element(out, 0xa1, |out| out.extend_from_slice(content.responder));
        generalized_time(out, content.produced_at);
        out.extend_from_slice(content.responses);
        if let Some(nonce) = content.nonce {
            element(out, 0xa1, |out| {
                sequence(out, |out| {
                    extension(out, &NONCE, false, |out| {
                        primitive(out, asn1::OCTET_STRING, nonce);
                    });
                });
            });
        }
    });
    out
}

/// The whole answer, DER: `data` from [`response_data`], the `signature` over it, and the certificate of who signed.
pub fn respond(
    data: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
    responder_certificate: &[u8],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + responder_certificate.len() + 256);
    sequence(&mut out, |out| {
        primitive(out, ENUMERATED, &[0]);
        element(out, 0xa0, |out| {
            sequence(out, |out| {
                primitive(out, asn1::OID, &BASIC);
                element(out, asn1::OCTET_STRING, |out| {
                    sequence(out, |out| {
                        out.extend_from_slice(data);
                        out.extend_from_slice(algorithm.algorithm_identifier());
                        bit_string(out, signature);
                        element(out, 0xa0, |out| {
                            sequence(out, |out| out.extend_from_slice(responder_certificate));
                        });
                    });
                });
            });
        });
    });
    out
}
