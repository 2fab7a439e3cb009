//! What an operator says of an ACME server.

use jiff::SignedDuration;

/// `[issuer.NAME]`.
pub struct AcmeSettings {
    /// URL of the directory.
    pub directory: String,
    /// CAs that may vouch for the server beside those that this machine trusts, DER.
    pub tls_roots: Vec<Vec<u8>>,
    /// Where the account's owner can be reached, such as `mailto:pki@example.com`.
    pub contact: Option<String>,
    /// An account elsewhere that the account is bound to: its name, and the key that it was given for that.
    pub external_account: Option<(String, Vec<u8>)>,
    /// A chain is preferred in which some issuer's name has this text.
    pub preferred_chain: Option<String>,
    /// The longest validity that is taken.
    pub longest_validity: Option<SignedDuration>,
    /// The roots that certificates have to lead to, DER; none: any will do.
    pub roots: Vec<Vec<u8>>,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The directory.
    #[error("`directory`: {0}")]
    Directory(String),
    /// A certificate that shall vouch for it.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}
