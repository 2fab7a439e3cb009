//! `reseal reissue`: the customer's side.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as Group, ValueEnum};

use super::Method;

/// What is to be reissued, and how.
#[derive(Debug, Group)]
pub(crate) struct Reissue {
    /// Number of the certificate
    pub(crate) id: i64,
    /// A request of your own, PEM; the key stays where it is
    #[arg(long, value_name = "FILE", conflicts_with = "new_key")]
    pub(crate) csr: Option<PathBuf>,
    /// Makes a key and a request for the certificate's names on this machine; without either, a P-256 key
    #[arg(long, value_enum, value_name = "KEY")]
    pub(crate) new_key: Option<KeyKind>,
    /// How every name that is not proved yet is to be proved; without it as the last time
    #[arg(long, value_name = "TYPE")]
    pub(crate) dcv: Option<Method>,
    /// Who is asked with `--dcv email`; without it a published contact, else `hostmaster` of each domain
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// Waits until the certificate is there, or the process has ended otherwise; may be interrupted and called again
    #[arg(long)]
    pub(crate) wait: bool,
    /// Folder for key, request and certificates; another call with it goes on. Without it `reissue-ID`
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The server, such as `https://ca.example.com`
    #[arg(long, env = "RESEAL_SERVER", value_name = "URL")]
    pub(crate) server: String,
    /// The API key; better given by the environment, where other users of the machine do not see it
    #[arg(
        long,
        env = "RESEAL_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub(crate) api_key: ApiSecret,
    /// The CA that vouches for the server, PEM, instead of those that this machine trusts
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// A kind of key that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyKind {
    /// ECDSA on P-256
    P256,
    /// ECDSA on P-384
    P384,
    /// RSA with 2048 bits
    Rsa2048,
    /// RSA with 4096 bits
    Rsa4096,
}

impl KeyKind {
    /// As the command line has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa4096 => "rsa4096",
        }
    }
}

/// An API key, which is never shown.
#[derive(Clone)]
pub(crate) struct ApiSecret(String);

impl ApiSecret {
    /// For the header only.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiSecret")
    }
}

impl FromStr for ApiSecret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.trim().to_owned()))
    }
}
