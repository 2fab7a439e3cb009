//! What is said about a name that may not be certified.

use crate::quote::quoted;

/// Why a name was refused; [`rule`](NameError::rule) is its id in the rule book.
///
/// The message says what was seen, what was expected and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// An IP address, or text that some resolver would take for one (N-1).
    #[error("{} is an IP address, expected a domain name", quoted(.0))]
    IpAddress(String),
    /// White space, a control character or NUL (N-2).
    #[error("{} contains white space or a control character: remove it", quoted(.0))]
    Space(String),
    /// An upper-case letter where only lower case is taken (N-3).
    #[error("{} contains upper-case letters: write it in lower case", quoted(.0))]
    UpperCase(String),
    /// A last label that no top-level domain can have (N-3).
    #[error("{} does not end in a top-level domain: its last label must begin with a letter and have two characters or more", quoted(.0))]
    LastLabel(String),
    /// More than 253 octets (N-4).
    #[error("{} has {length} octets, a domain name may have 253", quoted(.name))]
    TooLong {
        /// The name.
        name: String,
        /// Octets, the wildcard not counted.
        length: usize,
    },
    /// A label of more than 63 octets (N-4).
    #[error("{} has a label of {length} octets, a label may have 63", quoted(.name))]
    LabelTooLong {
        /// The name.
        name: String,
        /// Octets of the label.
        length: usize,
    },
    /// Only one label (N-4).
    #[error("{} has one label, expected a host or domain below a top-level domain", quoted(.0))]
    OneLabel(String),
    /// More labels than the policy allows (N-4).
    #[error("{} has {count} labels, at most {limit} are accepted", quoted(.name))]
    TooManyLabels {
        /// The name.
        name: String,
        /// Labels, the wildcard not counted.
        count: usize,
        /// The policy's limit.
        limit: usize,
    },
    /// A label with other characters than letters, digits and inner hyphens (N-5).
    #[error("{} has the label {}: labels consist of letters, digits and hyphens, and neither begin nor end with a hyphen", quoted(.name), quoted(.label))]
    LabelCharacters {
        /// The name.
        name: String,
        /// The label.
        label: String,
    },
    /// An underscore, which is allowed in DNS records only (N-5).
    #[error("{} contains an underscore: such names exist in the DNS but not in certificates", quoted(.0))]
    Underscore(String),
    /// Hyphens in the third and fourth place without `xn` before them (N-6).
    #[error("{} has the label {}: hyphens in the third and fourth place are reserved for internationalized labels", quoted(.name), quoted(.label))]
    ReservedLabel {
        /// The name.
        name: String,
        /// The label.
        label: String,
    },
    /// An A-label that is not valid under IDNA2008 (N-7).
    #[error("{} has the label {}, which is not a valid internationalized label: {reason}", quoted(.name), quoted(.label))]
    ALabel {
        /// The name.
        name: String,
        /// The label.
        label: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A leading dot, a trailing dot or two dots in a row (N-8).
    #[error("{} has an empty label: remove the superfluous dot", quoted(.0))]
    EmptyLabel(String),
    /// Characters outside ASCII (N-9).
    #[error("{} is not ASCII: {}", quoted(.name), a_label_hint(.a_label.as_deref()))]
    NotAscii {
        /// The name.
        name: String,
        /// The same name in A-labels, when there is one.
        a_label: Option<String>,
    },
    /// An asterisk that is not alone in the leftmost label (N-10).
    #[error("{} is not a wildcard name: expected one `*` as the whole leftmost label, followed by a domain name", quoted(.0))]
    Wildcard(String),
    /// A top-level domain that the root zone does not have (N-11).
    #[error("{} ends in {}, which is not a top-level domain: only names in the public DNS can be certified here", quoted(.name), quoted(.tld))]
    UnknownTld {
        /// The name.
        name: String,
        /// Its last label.
        tld: String,
    },
    /// A name reserved for special use (N-12).
    #[error("{} lies in {}, which is reserved: nobody can prove control over it", quoted(.name), quoted(.zone))]
    Reserved {
        /// The name.
        name: String,
        /// The reserved zone.
        zone: &'static str,
    },
    /// A name in the reverse zones (N-13).
    #[error("{} lies in {}: names of the reverse DNS cannot be certified", quoted(.name), quoted(.zone))]
    ReverseZone {
        /// The name.
        name: String,
        /// The reverse zone.
        zone: &'static str,
    },
    /// A public suffix (N-14).
    #[error("{} is a public suffix, expected a domain registered below it", quoted(.0))]
    PublicSuffix(String),
    /// A wildcard directly below a public suffix (N-23).
    #[error("{} would cover every domain below the public suffix {}", quoted(.name), quoted(.suffix))]
    WildcardOverSuffix {
        /// The name.
        name: String,
        /// The suffix.
        suffix: String,
    },
}

impl NameError {
    /// The id of the violated rule.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::IpAddress(_) => "N-1",
            Self::Space(_) => "N-2",
            Self::UpperCase(_) | Self::LastLabel(_) => "N-3",
            Self::TooLong { .. }
            | Self::LabelTooLong { .. }
            | Self::OneLabel(_)
            | Self::TooManyLabels { .. } => "N-4",
            Self::LabelCharacters { .. } | Self::Underscore(_) => "N-5",
            Self::ReservedLabel { .. } => "N-6",
            Self::ALabel { .. } => "N-7",
            Self::EmptyLabel(_) => "N-8",
            Self::NotAscii { .. } => "N-9",
            Self::Wildcard(_) => "N-10",
            Self::UnknownTld { .. } => "N-11",
            Self::Reserved { .. } => "N-12",
            Self::ReverseZone { .. } => "N-13",
            Self::PublicSuffix(_) => "N-14",
            Self::WildcardOverSuffix { .. } => "N-23",
        }
    }
}

fn a_label_hint(a_label: Option<&str>) -> String {
    match a_label {
        Some(a_label) => format!("if {} is meant, write that", quoted(a_label)),
        None => "it has no form in ASCII that could be certified".to_owned(),
    }
}
