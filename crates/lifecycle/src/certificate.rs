//! One signed certificate, and what became of it.

use jiff::Timestamp;
use reseal_pki::dn::OrganizationSubject;
use reseal_pki::profile::ValidationType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::process::Mpic;
use crate::product::CertificateType;

/// Number of a certificate.
pub type CertificateId = i64;
/// Number of a subscription: what was bought, of which certificates are shorter pieces.
pub type SubscriptionId = i64;

/// What a certificate is at a moment. `Expired` is not stored: it follows from the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum CertificateStatus {
    /// In force.
    Active,
    /// Its time is over.
    Expired,
    /// Withdrawn before its time.
    Revoked,
    /// A reissue gave it a successor; it may still be valid.
    Reissued,
    /// A renewal gave it a successor; it may still be valid.
    Renewed,
}

impl CertificateStatus {
    /// Every status, in the contract's order.
    pub const ALL: [Self; 5] = [
        Self::Active,
        Self::Expired,
        Self::Revoked,
        Self::Reissued,
        Self::Renewed,
    ];

    /// As the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Expired => "EXPIRED",
            Self::Revoked => "REVOKED",
            Self::Reissued => "REISSUED",
            Self::Renewed => "RENEWED",
        }
    }

    /// The status of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// A certificate in the store. `id`, `process` and `subscription` are 0 until it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its number.
    pub id: CertificateId,
    /// Whose it is.
    pub customer: String,
    /// The process that led to it.
    pub process: i64,
    /// The subscription it belongs to.
    pub subscription: SubscriptionId,
    /// Handle of the product.
    pub product: String,
    /// Validation level.
    pub validation: ValidationType,
    /// Shape of its name set.
    pub certificate_type: CertificateType,
    /// The status as stored: never `Expired`. Ask [`Certificate::status`].
    pub stored_status: CertificateStatus,
    /// Common name.
    pub domain_name: String,
    /// Every name in it, the common name included.
    pub names: Vec<String>,
    /// The verified organization it carries.
    pub organization: Option<OrganizationSubject>,
    /// `coc` of the request, kept for the record.
    pub coc: Option<String>,
    /// Name of the issuer that signed it; `import` for foreign ones.
    pub issuer: String,
    /// Serial number, big-endian.
    pub serial: Vec<u8>,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// End of the subscription.
    pub subscription_end: Timestamp,
    /// `RSA` or `ECDSA`.
    pub key_algorithm: String,
    /// Bits of the key.
    pub key_size: u32,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// The CSR it answers, DER; foreign certificates may have none.
    pub csr: Option<Vec<u8>>,
    /// The certificate this one replaces.
    pub predecessor: Option<CertificateId>,
    /// The certificate that replaces this one.
    pub successor: Option<CertificateId>,
    /// When and why it was revoked.
    pub revocation: Option<Revocation>,
    /// When it will be revoked, if that is decided (rules.md R-4).
    pub revocation_scheduled: Option<Timestamp>,
    /// Whether what it rests on was seen from several networks; `None` for foreign ones.
    pub mpic: Option<Mpic>,
}

impl Certificate {
    /// What it is at `now`.
    pub fn status(&self, now: Timestamp) -> CertificateStatus {
        match self.stored_status {
            CertificateStatus::Active if self.not_after < now => CertificateStatus::Expired,
            other => other,
        }
    }
}

/// A recorded revocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Since when.
    pub at: Timestamp,
    /// What the CRL will say; `None` leaves the extension out (rules.md X-3).
    pub reason: Option<RevocationReason>,
    /// The caller's own words.
    pub note: Option<String>,
}

/// Reasons that a list may show; a subscriber may give all but the last (rules.md X-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RevocationReason {
    /// keyCompromise (1)
    KeyCompromise,
    /// affiliationChanged (3)
    AffiliationChanged,
    /// superseded (4)
    Superseded,
    /// cessationOfOperation (5)
    CessationOfOperation,
    /// privilegeWithdrawn (9): the CA's own.
    PrivilegeWithdrawn,
}

impl RevocationReason {
    /// CRLReason of RFC 5280 section 5.3.1.
    pub fn code(self) -> u8 {
        match self {
            Self::KeyCompromise => 1,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::PrivilegeWithdrawn => 9,
        }
    }

    /// Whether another certificate in its place would be no better: the subscriber lost the right to it, or a name in it.
    pub fn bars_successors(self) -> bool {
        matches!(self, Self::PrivilegeWithdrawn | Self::CessationOfOperation)
    }

    /// The reason that `text` of a subscriber names, in any case and with or without separators; `None` for other words.
    pub fn from_text(text: &str) -> Option<Self> {
        let letters: String = text
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        match letters.as_str() {
            "keycompromise" => Some(Self::KeyCompromise),
            "affiliationchanged" => Some(Self::AffiliationChanged),
            "superseded" => Some(Self::Superseded),
            "cessationofoperation" => Some(Self::CessationOfOperation),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_3_reason_words_set_the_code_in_any_spelling() {
        for (text, code) in [
            ("KEY_COMPROMISE", 1),
            ("keyCompromise", 1),
            ("affiliation changed", 3),
            ("Superseded", 4),
            ("cessation-of-operation", 5),
        ] {
            assert_eq!(
                RevocationReason::from_text(text).map(RevocationReason::code),
                Some(code),
                "{text}"
            );
        }
        assert_eq!(RevocationReason::from_text("UNSPECIFIED"), None);
        assert_eq!(RevocationReason::from_text("PRIVILEGE_WITHDRAWN"), None);
        assert_eq!(RevocationReason::from_text("moved house"), None);
    }
}
