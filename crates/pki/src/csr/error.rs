//! What can be wrong with a request, in words.

use crate::asn1::Malformed;
use crate::key::{KeyProblem, SignatureError};
use crate::name::NameError;
use crate::quote::quoted;

/// A reason to refuse a certificate signing request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrError {
    /// Nothing but white space.
    #[error("is empty: expected a PEM block `-----BEGIN CERTIFICATE REQUEST-----`")]
    Empty,
    /// Neither PEM nor anything we recognize.
    #[error(
        "is not PEM: expected a block that starts with `-----BEGIN CERTIFICATE REQUEST-----`, \
         found {}",
        quoted(found)
    )]
    NotPem {
        /// The first characters.
        found: String,
    },
    /// The base64 of a request without the lines around it.
    #[error(
        "is base64 without PEM armour: put it between the lines `-----BEGIN CERTIFICATE \
         REQUEST-----` and `-----END CERTIFICATE REQUEST-----`"
    )]
    BareBase64,
    /// Backslash and n where line breaks should be.
    #[error(
        "contains the two characters `\\n` instead of line breaks: it was escaped twice on its \
         way into JSON; send real line breaks"
    )]
    EscapedLineBreaks,
    /// A PEM block of another kind.
    #[error(
        "is a PEM block of type {}, expected `CERTIFICATE REQUEST`: send the request that you \
         made from your key",
        quoted(found)
    )]
    Label {
        /// The label found.
        found: String,
    },
    /// The first and the last line of the block name different types.
    #[error(
        "begins as {} but ends as {}: both lines must name the same type",
        quoted(begin),
        quoted(end)
    )]
    LabelsDiffer {
        /// Label of the first line.
        begin: String,
        /// Label of the last line.
        end: String,
    },
    /// The last line is missing.
    #[error("has no line `-----END {label}-----`: it was cut off; send the whole block")]
    Unfinished {
        /// Label of the first line.
        label: &'static str,
    },
    /// More than one PEM block.
    #[error("contains more than one PEM block: send the request alone, without certificates")]
    SeveralBlocks,
    /// Text after the block.
    #[error("has text after the PEM block, {}: remove it", quoted(found))]
    TrailingText {
        /// The first characters.
        found: String,
    },
    /// An RFC 1421 header inside the block.
    #[error("has a header inside the PEM block, {}: remove it", quoted(found))]
    Header {
        /// The line.
        found: String,
    },
    /// Something inside the block is not base64.
    #[error("is not valid base64 in line {line} of the PEM block: {problem}")]
    Base64 {
        /// Counted from 1 at the first line after the BEGIN line.
        line: usize,
        /// What was found.
        problem: String,
    },
    /// A private key in place of the request or beside it.
    #[error(
        "contains a PRIVATE KEY: it has left your hands, so regard it as stolen. Make a new key, \
         send only the request made from it, and replace whatever used the old key"
    )]
    PrivateKey {
        /// SHA-256 of the SubjectPublicKeyInfo of each that could be read, for
        /// the list of blocked keys.
        spki_sha256: Vec<[u8; 32]>,
    },
    /// Larger than any sensible request.
    #[error("has {bytes} bytes of {form}, at most {limit} are accepted: ask for fewer names")]
    TooLong {
        /// `PEM` or `DER`.
        form: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Not the DER of a request (RFC 2986).
    #[error("is not a valid PKCS#10 request in DER: at byte {offset}: {problem}")]
    Malformed {
        /// Bytes from the start of the DER.
        offset: usize,
        /// What was expected and found there.
        problem: String,
    },
    /// A version other than 0.
    #[error("is a request of version number {found}, expected 0 (PKCS#10 v1, RFC 2986)")]
    Version {
        /// The number, hexadecimal.
        found: String,
    },
    /// The attributes field is missing.
    #[error(
        "lacks the field `attributes`, which RFC 2986 demands even when it is empty: make the \
         request with another tool"
    )]
    NoAttributes,
    /// Two requests for extensions.
    #[error("contains the attribute `extensionRequest` {found} times, expected at most one")]
    SeveralExtensionRequests {
        /// How many.
        found: usize,
    },
    /// The signature does not count.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The key may not be certified.
    #[error(transparent)]
    Key(#[from] KeyProblem),
    /// An alternative name of a kind that we never certify.
    #[error("asks for an alternative name of type {kind}; accepted are DNS names only: remove it")]
    AlternativeName {
        /// RFC 5280's name of the kind.
        kind: &'static str,
    },
    /// An IP address where only DNS names are offered.
    #[error(
        "asks for the IP address {}; this product certifies DNS names only: remove it",
        quoted(address)
    )]
    IpAddress {
        /// As text.
        address: String,
    },
    /// An extension that makes the certificate something else.
    #[error("asks for {what}, which a TLS server certificate never gets: remove it")]
    Extension {
        /// The extension and value.
        what: String,
    },
    /// More than one common name.
    #[error(
        "has {found} common names in its subject, expected at most one: keep one of them and \
             list the others as alternative names"
    )]
    SeveralCommonNames {
        /// How many.
        found: usize,
    },
    /// A common name in a string type of old.
    #[error("common name is encoded as {found}, expected UTF8String or PrintableString")]
    CommonNameType {
        /// ASN.1 type.
        found: String,
    },
    /// A DNS name in the request breaks a rule for names.
    #[error("{place} {error}")]
    Name {
        /// `common name` or `alternative name`.
        place: &'static str,
        /// The name as received.
        name: String,
        /// The rule it breaks.
        error: NameError,
    },
}

impl CsrError {
    /// The rule in the rule book.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Empty
            | Self::NotPem { .. }
            | Self::BareBase64
            | Self::EscapedLineBreaks
            | Self::Label { .. }
            | Self::LabelsDiffer { .. }
            | Self::Unfinished { .. }
            | Self::SeveralBlocks
            | Self::TrailingText { .. }
            | Self::Header { .. }
            | Self::Base64 { .. } => "C-1",
            Self::PrivateKey { .. } => "C-2",
            Self::TooLong { .. } => "C-3",
            Self::Malformed { .. } | Self::Version { .. } | Self::NoAttributes => "C-4",
            Self::SeveralExtensionRequests { .. } => "C-5",
            Self::AlternativeName { .. } | Self::IpAddress { .. } => "C-6",
            Self::Extension { .. } => "C-7",
            Self::SeveralCommonNames { .. } | Self::CommonNameType { .. } => "C-8",
            Self::Signature(error) => error.rule(),
            Self::Key(problem) => problem.rule(),
            Self::Name { error, .. } => error.rule(),
        }
    }
}

impl From<Malformed> for CsrError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed {
            offset: malformed.offset,
            problem: malformed.problem,
        }
    }
}
