//! CAA records as published (RFC 8659 section 4).

use serde::{Deserialize, Serialize};

use crate::dns::{DnsAnswer, RecordValue};

/// Flag bit of a critical property.
const CRITICAL: u8 = 0x80;
/// Bit that some software sets for "critical", counting bits from the other end. It is honoured
/// too (S-10): the stricter reading.
const CRITICAL_MISREAD: u8 = 0x01;

/// One CAA property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaaRecord {
    /// An issuer that does not understand the tag must not issue.
    pub critical: bool,
    /// Property tag, lower case (tags compare without regard to case).
    pub tag: String,
    /// Property value as published.
    pub value: String,
}

impl CaaRecord {
    /// The CAA records of an answer.
    pub(crate) fn all(answer: &DnsAnswer) -> Vec<Self> {
        let records = answer.records.iter();
        records
            .filter_map(|record| match &record.value {
                RecordValue::Caa { flags, tag, value } => Some(Self {
                    critical: flags & (CRITICAL | CRITICAL_MISREAD) != 0,
                    tag: tag.to_ascii_lowercase(),
                    value: value.clone(),
                }),
                _ => None,
            })
            .collect()
    }
}
