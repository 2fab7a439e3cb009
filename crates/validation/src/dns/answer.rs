//! One answer of the DNS, as stored evidence.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Record types that validation asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Alias.
    Cname,
    /// Text.
    Txt,
    /// Certification authority authorization, RFC 8659.
    Caa,
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Txt => "TXT",
            Self::Caa => "CAA",
        })
    }
}

/// State of the DNSSEC chain of an answer (RFC 4035 section 4.3, S-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Security {
    /// Validation failed: the answer must not be used.
    Bogus,
    /// Validation could not be done: the answer must not be used.
    Indeterminate,
    /// Validation is switched off.
    NotChecked,
    /// Provably unsigned.
    Insecure,
    /// Signed, and valid up to a trust anchor.
    Secure,
}

/// Why a look-up failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureCause {
    /// No answer in time.
    Timeout,
    /// The resolver answered with an error, such as SERVFAIL.
    Server,
    /// The resolver cannot be reached.
    Network,
    /// The answer cannot be read.
    Malformed,
    /// An alias chain that loops or is too long (nasty 126).
    Chain,
    /// The name cannot be asked for.
    Name,
}

/// What a look-up came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum DnsOutcome {
    /// Records of the kind asked for exist.
    Records,
    /// The name exists, without records of this kind.
    NoRecords,
    /// The name does not exist.
    NoName,
    /// No usable answer.
    Failure {
        /// Class of the failure.
        cause: FailureCause,
        /// What happened, for a person.
        reason: String,
    },
    /// DNSSEC validation failed: never "no record" (S-2).
    Bogus {
        /// What is wrong, for a person.
        reason: String,
    },
}

/// The contents of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "UPPERCASE")]
pub enum RecordValue {
    /// IPv4 address.
    A(Ipv4Addr),
    /// IPv6 address.
    Aaaa(Ipv6Addr),
    /// Target of an alias, lower case, with the root's dot.
    Cname(String),
    /// Strings of one TXT record, joined (D-28); bytes that are not UTF-8 are replaced.
    Txt(String),
    /// A CAA property.
    Caa {
        /// Flags, of which 128 means critical.
        flags: u8,
        /// Property tag as published.
        tag: String,
        /// Property value; bytes that are not UTF-8 are replaced.
        value: String,
    },
}

impl fmt::Display for RecordValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A(address) => write!(f, "{address}"),
            Self::Aaaa(address) => write!(f, "{address}"),
            Self::Cname(text) | Self::Txt(text) => f.write_str(text),
            Self::Caa { flags, tag, value } => write!(f, "{flags} {tag} \"{value}\""),
        }
    }
}

/// A record of an answer, an alias on the way included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DnsRecord {
    /// Owner name, lower case, with the root's dot.
    pub name: String,
    /// Time to live in seconds.
    pub ttl: u32,
    /// Contents.
    pub value: RecordValue,
}

/// One answer of the resolver, with the state of its DNSSEC chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DnsAnswer {
    /// Name asked for, with the root's dot.
    pub name: String,
    /// Kind asked for.
    pub kind: RecordKind,
    /// What it came to.
    pub outcome: DnsOutcome,
    /// The alias chain in order, then the records of the kind asked for.
    pub records: Vec<DnsRecord>,
    /// Records that were seen and compared, but are not kept as evidence.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: usize,
    /// State of the weakest link of the chain.
    pub security: Security,
    /// Resolvers that were asked.
    pub servers: Vec<String>,
    /// When the question was asked.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// Records kept of one answer: enough to see what is published, not what fills a table.
const KEPT_RECORDS: usize = 24;
/// Characters kept of one value, for the same reason.
const KEPT_CHARACTERS: usize = 300;

impl DnsAnswer {
    /// Whether the answer says something that may be relied on: records, or their absence.
    pub fn is_usable(&self) -> bool {
        matches!(
            self.outcome,
            DnsOutcome::Records | DnsOutcome::NoRecords | DnsOutcome::NoName
        )
    }

    /// The TXT contents in the answer.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.records
            .iter()
            .filter_map(|record| match &record.value {
                RecordValue::Txt(text) => Some(text.as_str()),
                _ => None,
            })
    }

    /// The alias target at the very name asked for.
    pub fn alias(&self) -> Option<&str> {
        self.records.first().and_then(|record| match &record.value {
            RecordValue::Cname(target) if record.name == self.name => Some(target.as_str()),
            _ => None,
        })
    }

    /// The addresses in the answer.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.records.iter().filter_map(|record| match record.value {
            RecordValue::A(address) => Some(IpAddr::V4(address)),
            RecordValue::Aaaa(address) => Some(IpAddr::V6(address)),
            _ => None,
        })
    }

    /// The answer in a size fit for storage: `keep` decides which records stay in any case.
    #[must_use]
    pub fn trimmed(mut self, keep: impl Fn(&DnsRecord) -> bool) -> Self {
        let before = self.records.len();
        let mut room = KEPT_RECORDS;
        self.records.retain(|record| {
            let stays = room > 0 || keep(record);
            room = room.saturating_sub(1);
            stays
        });
        self.omitted += before - self.records.len();
        for record in &mut self.records {
            if let RecordValue::Txt(text) = &mut record.value
                && let Some((end, _)) = text.char_indices().nth(KEPT_CHARACTERS)
            {
                text.truncate(end);
                text.push('…');
            }
        }
        self
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}
