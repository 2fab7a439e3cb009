//! `reseal ca …`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::Data;

#[derive(Debug, Subcommand)]
pub(crate) enum Ca {
    /// Shows the CA's certificates and where its revocation lists are
    Show(Data),
    /// Shows all revocation lists, or shows, writes or signs one
    Crl {
        /// `root`, or the number of a list of certificates; without it a line for each list
        list: Option<String>,
        /// How the list is written
        #[arg(long, value_enum, default_value = "text", requires = "list")]
        form: CrlForm,
        /// Where to, instead of stdout
        #[arg(long, value_name = "FILE", requires = "list")]
        out: Option<PathBuf>,
        /// Signs the list anew first; for `root`, this needs the root's key
        #[arg(long, requires = "list")]
        sign: bool,
        #[command(flatten)]
        data: Data,
    },
    /// Makes another intermediate, which issues from the next start of the server on; this needs the root's key, unless it
    /// is done in two steps
    Rotate {
        /// First step without the root's key: makes a key, and writes a request for its certificate here
        #[arg(long, value_name = "FILE")]
        request: Option<PathBuf>,
        /// Second step: takes the certificate that `ca sign-intermediate` made for it
        #[arg(long, value_name = "FILE", conflicts_with = "request")]
        certificate: Option<PathBuf>,
        #[command(flatten)]
        data: Data,
    },
    /// Signs the certificate of an intermediate for a request, where the root's key is; nothing but `ca/root.pem`,
    /// `ca/root.key` and the configuration has to be there
    SignIntermediate {
        /// The file that `ca rotate --request` wrote
        request: PathBuf,
        /// Where the certificate goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Moves the CA's keys from their files into the token that is configured, which never hands them out again; the server
    /// uses them there from its next start on
    MigrateKey(Data),
    /// Looks at every certificate that was issued and is not expired with the linter of this program: certificate, customer,
    /// name, REVOKED, finding; leaves with 1 when one is wrong and not revoked
    Lint {
        /// Prints a JSON object a line
        #[arg(long)]
        json: bool,
        /// Takes each finding for mis-issuance: its certificate is revoked within five days, as by `revocation order`
        #[arg(long)]
        open_duties: bool,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CrlForm {
    /// A summary for people
    Text,
    /// PEM
    Pem,
    /// DER
    Der,
}
