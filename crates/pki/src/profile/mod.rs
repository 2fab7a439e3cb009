//! What we sign: the certificate profiles of BR 7.1.2 and rules P-1 to P-13.
//!
//! [`leaf_tbs`] is pure: the same input gives the same bytes, so a certificate
//! can be recorded before it is signed and rebuilt after a crash. Whether the
//! result is right is not decided here but by [`crate::lint`], which shares no
//! code with this module.
//!
//! - `leaf`: subscriber certificates
//! - `authority`: our root and our issuing intermediate
//! - `responder`: who answers by OCSP for an authority
//! - `issuer`: what must be known of the issuing certificate
//! - `extension`: one function per extension
//! - `encode`: DER, written in place

mod authority;
pub(crate) mod encode;
mod extension;
mod issuer;
mod leaf;
mod responder;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use authority::{
    AuthorityError, CaSubject, INTERMEDIATE_LIFETIME, IntermediateUrls, ROOT_LIFETIME,
    authority_key_identifier, authority_request, intermediate_tbs, root_tbs,
};
pub use issuer::{IssuingAuthority, IssuingAuthorityError};
pub use leaf::{Leaf, ProfileError, leaf_tbs};
pub use responder::{RESPONDER_LIFETIME, responder_tbs};

use crate::key::{KeyAlgorithm, PublicKey};

/// What was verified about the subject.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum ValidationType {
    /// Control over the names only (DV).
    #[serde(rename = "DOMAIN_VALIDATION")]
    Domain,
    /// Names and the organization (OV).
    #[serde(rename = "ORGANIZATION_VALIDATION")]
    Organization,
    /// Names and the organization by the EV Guidelines (EV).
    #[serde(rename = "EXTENDED_VALIDATION")]
    Extended,
}

/// Under which arc the certificate policy is asserted.
///
/// An authority with private trust must not use the identifiers of the
/// CA/Browser Forum (rules 0.5): they claim an audited public CA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyArc {
    /// 2.23.140.1, the CA/Browser Forum's.
    Cabf,
    /// Our own, `PRIVATE_ARC`: `.1` for DV, `.2` for OV, `.3` for EV.
    Private,
}

/// `1.2.840.113556.1.8000.2554.48825.14774.49448.19283.47886.7811455.11258629`,
/// contents of the object identifier.
///
/// The UUID beb939b6-c128-4b53-bb0e-77317fabcb05 in seven arcs under the one that
/// Microsoft opened to everybody for this. The standard place of a UUID is one
/// arc of 128 bits below 2.25 (ITU-T X.667), but software that counts arcs in 32
/// bits cannot read a *certificate* with such a policy: Go before 1.22 for one.
const PRIVATE_ARC: [u8; 33] = [
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x14, 0x01, 0xbe, 0x40, 0x93, 0x7a, 0x82, 0xfd, 0x39, 0xf3, 0x36,
    0x83, 0x82, 0x28, 0x81, 0x96, 0x53, 0x82, 0xf6, 0x0e, 0x83, 0xdc, 0xe2, 0x7f, 0x85, 0xaf, 0x96,
    0x05,
];

impl PolicyArc {
    /// Contents of the policy's object identifier.
    fn policy_oid(self, validation: ValidationType) -> Vec<u8> {
        match (self, validation) {
            (Self::Cabf, ValidationType::Domain) => vec![0x67, 0x81, 0x0c, 0x01, 0x02, 0x01],
            (Self::Cabf, ValidationType::Organization) => vec![0x67, 0x81, 0x0c, 0x01, 0x02, 0x02],
            (Self::Cabf, ValidationType::Extended) => vec![0x67, 0x81, 0x0c, 0x01, 0x01],
            (Self::Private, validation) => {
                let last = match validation {
                    ValidationType::Domain => 1,
                    ValidationType::Organization => 2,
                    ValidationType::Extended => 3,
                };
                [&PRIVATE_ARC[..], &[last]].concat()
            }
        }
    }

    /// The validation type that a policy's object identifier (contents) asserts
    /// under either arc.
    pub(crate) fn validation_of(oid: &[u8]) -> Option<ValidationType> {
        [
            ValidationType::Domain,
            ValidationType::Organization,
            ValidationType::Extended,
        ]
        .into_iter()
        .find(|&validation| {
            [Self::Cabf, Self::Private]
                .iter()
                .any(|arc| arc.policy_oid(validation) == oid)
        })
    }
}

/// How an authority signs, fixed by its key (P-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384Sha384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaSha256,
}

impl SignatureAlgorithm {
    /// The algorithm an authority with this key signs with; none when no such
    /// authority can exist here.
    pub fn for_key(key: &PublicKey) -> Option<Self> {
        match key.algorithm() {
            KeyAlgorithm::EcP256 => Some(Self::EcdsaP256Sha256),
            KeyAlgorithm::EcP384 => Some(Self::EcdsaP384Sha384),
            KeyAlgorithm::Rsa => Some(Self::RsaSha256),
            KeyAlgorithm::EcP521 | KeyAlgorithm::Other(_) => None,
        }
    }

    /// The AlgorithmIdentifier, DER, as BR 7.1.3.2 prescribes it byte for byte.
    pub fn algorithm_identifier(self) -> &'static [u8] {
        match self {
            Self::EcdsaP256Sha256 => &[
                0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
            ],
            Self::EcdsaP384Sha384 => &[
                0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03,
            ],
            Self::RsaSha256 => &[
                0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05,
                0x00,
            ],
        }
    }
}

/// From when until when a certificate holds; both end seconds count (V-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: Timestamp,
    /// Last second.
    pub not_after: Timestamp,
}

impl Validity {
    /// A validity of exactly `length` that begins with the second of
    /// `not_before`: its last second is `not_before + length - 1 s` (V-2).
    pub fn new(not_before: Timestamp, length: SignedDuration) -> Self {
        let not_before = whole_second(not_before);
        let last = length.saturating_sub(SignedDuration::from_secs(1));
        let not_after = not_before.saturating_add(last).unwrap_or(Timestamp::MAX);
        Self {
            not_before,
            not_after: whole_second(not_after),
        }
    }

    /// The same, cut so that it ends no later than `end` (V-9).
    pub fn ending_by(self, end: Timestamp) -> Self {
        Self {
            not_after: self.not_after.min(whole_second(end)),
            ..self
        }
    }

    /// The number of seconds in it, both ends included (V-2).
    pub fn length(&self) -> SignedDuration {
        self.not_before
            .duration_until(self.not_after)
            .saturating_add(SignedDuration::from_secs(1))
    }
}

fn whole_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

#[cfg(test)]
mod tests;
