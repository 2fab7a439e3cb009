//! `reseal reissue`: the customer's side.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Args as Group, Command, ValueEnum};
use http::Uri;
use http::uri::Authority;

use super::Method;
use crate::console::printable;

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
    #[arg(long, env = "RESEAL_SERVER", hide_env_values = true, value_parser = ServerUrlParser, value_name = "URL")]
    pub(crate) server: ServerUrl,
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

/// Where the server is.
#[derive(Clone, Debug)]
pub(crate) struct ServerUrl {
    /// As given, without a slash at its end.
    pub(crate) text: String,
    pub(crate) secure: bool,
    pub(crate) authority: Authority,
    /// In front of the API's paths, without a slash at its end.
    pub(crate) path: String,
}

impl FromStr for ServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // What stands before an `@` may be a password.
        if text.contains('@') {
            return Err("expected a URL without a user: the key alone says who calls".to_owned());
        }
        let bad = || {
            let shown = printable(text);
            format!("expected a URL such as `https://ca.example.com`, saw `{shown}`")
        };
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let secure = uri.scheme_str() == Some("https");
        let authority = uri.authority().cloned();
        let authority = authority.filter(|_| secure || uri.scheme_str() == Some("http"));
        if uri.query().is_some() || text.contains('#') {
            return Err(bad());
        }
        Ok(Self {
            text: text.trim_end_matches('/').to_owned(),
            secure,
            authority: authority.ok_or_else(bad)?,
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

/// Shows a value that it refuses only if that holds no secret, unlike clap.
#[derive(Clone)]
struct ServerUrlParser;

impl TypedValueParser for ServerUrlParser {
    type Value = ServerUrl;

    fn parse_ref(
        &self,
        command: &Command,
        _argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<ServerUrl, clap::Error> {
        let text = value.to_string_lossy();
        text.parse().map_err(|reason| {
            let text = format!("`--server`: {reason}\n");
            clap::Error::raw(ErrorKind::ValueValidation, text).with_cmd(command)
        })
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
