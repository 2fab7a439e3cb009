//! `reseal csr check`, `reseal caa check`, `reseal dcv check`: the server's own checks, explained.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args as Group, Subcommand, ValueEnum};
use reseal_lifecycle::process::ProcessId;
use reseal_lifecycle::product::DcvType;

#[derive(Debug, Subcommand)]
pub(crate) enum Csr {
    /// Checks a request as the server would
    Check {
        /// PEM file; `-` is stdin
        file: PathBuf,
        /// A server's folder, whose configuration then counts
        #[arg(long, env = "RESEAL_DATA", value_name = "DIR")]
        data: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Caa {
    /// Looks up CAA as the server would before it signs, and explains the decision; leaves with 1 when a certificate
    /// would be refused
    Check {
        /// The name, such as `www.example.com` or `*.example.com`
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// How the name is proved, which records may ask for; without it each way is shown, and one is enough
        #[arg(long = "type", value_name = "TYPE")]
        method: Option<Method>,
        #[command(flatten)]
        from: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dcv {
    /// Looks for a proof of control as the server would, and explains what was seen; leaves with 1 when it is not found
    Check {
        /// The name, such as `www.example.com` or `*.example.com`
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// How the name is to be proved
        #[arg(long = "type", value_name = "TYPE")]
        method: Method,
        /// Looks for what this process waits for. Without it, shows what is published, and what would be expected;
        /// leaves with 1 when a challenge could not be seen there
        #[arg(
            long,
            value_name = "ID",
            requires = "data",
            conflicts_with = "customer"
        )]
        process: Option<ProcessId>,
        #[command(flatten)]
        from: Place,
    },
}

/// From where and for whom is looked.
#[derive(Debug, Group)]
pub(crate) struct Place {
    /// The customer, whom records may name
    #[arg(long, value_name = "HANDLE")]
    pub(crate) customer: Option<String>,
    /// Prints JSON, with all evidence
    #[arg(long)]
    pub(crate) json: bool,
    /// A server's folder, whose configuration then counts
    #[arg(long, env = "RESEAL_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// How a name is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// A record in the DNS
    Dns,
    /// A file on the web server
    File,
    /// A mail that somebody approves
    Email,
}

impl Method {
    /// As the contract has it.
    pub(crate) fn dcv_type(self) -> DcvType {
        match self {
            Self::Dns => DcvType::Dns,
            Self::File => DcvType::File,
            Self::Email => DcvType::Email,
        }
    }

    /// As the command line has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::File => "file",
            Self::Email => "email",
        }
    }
}
