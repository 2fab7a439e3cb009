//! The command line.

mod authorization;
mod bench;
mod ca;
mod campaign;
mod check;
mod form;
mod issuer;
mod reissue;
mod revocation;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use reseal_lifecycle::customer::Role;
use reseal_lifecycle::process::Check;

pub(crate) use authorization::{Authorization, Wanted};
pub(crate) use bench::{BenchOf, Beside, Elsewhere, Loads};
pub(crate) use ca::{Ca, CrlForm};
pub(crate) use campaign::{Campaign, ReportFormat, WantedCampaign};
pub(crate) use check::{Caa, Csr, Dcv, Method, Place};
use form::{address, handle, login, moment};
pub(crate) use issuer::Issuer;
pub(crate) use reissue::{ApiSecret, KeyKind, Reissue, ServerUrl};
pub(crate) use revocation::{Order, Revocation};

/// A certification authority that reissues TLS certificates by API.
#[derive(Debug, Parser)]
#[command(
    name = "reseal",
    version,
    arg_required_else_help = true,
    subcommand_required = true
)]
pub(crate) struct Args {
    /// Configuration file; without it DATA/reseal.toml
    #[arg(long, global = true, env = "RESEAL_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How logs are written to stderr
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub(crate) log_format: LogFormat,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// The folder that everything lies in.
#[derive(Debug, Group)]
pub(crate) struct Data {
    /// Folder with configuration, database, keys and mail
    #[arg(long, env = "RESEAL_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes keys, CA, database and the operator's API key, which is printed once
    Init(Data),
    /// Serves the API; makes what `init` makes first if DIR is empty
    Serve {
        #[command(flatten)]
        data: Data,
        /// Address to listen on, instead of `server.listen`
        #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
        listen: Option<SocketAddr>,
    },
    /// Shows a whole life on loopback: order, prove, issue, reissue by DNS, FILE and EMAIL; then stays up
    Demo {
        /// An empty folder to keep; without it a temporary one
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Leave when everything was shown
        #[arg(long)]
        exit: bool,
    },
    /// Measures reissues a second, their latency and what they cost this machine
    #[command(args_conflicts_with_subcommands = true)]
    Bench {
        #[command(subcommand)]
        of: Option<BenchOf>,
        #[command(flatten)]
        loads: Loads,
    },
    /// Customers
    #[command(subcommand)]
    Customer(Customer),
    /// API keys
    #[command(subcommand)]
    ApiKey(ApiKey),
    /// Where customers' notifications are sent
    #[command(subcommand)]
    Webhook(Webhook),
    /// What waits for an operator: the organizations behind OV and EV certificates
    #[command(subcommand)]
    Validation(Validation),
    /// Reissues a certificate as a customer does, over the API: makes key and request here, shows what to publish,
    /// waits, saves key and chain
    Reissue(Reissue),
    /// Certificate signing requests
    #[command(subcommand)]
    Csr(Csr),
    /// Certification authority authorization: which issuers the DNS permits
    #[command(subcommand)]
    Caa(Caa),
    /// Proofs of control over names, as they are looked for
    #[command(subcommand)]
    Dcv(Dcv),
    /// Writes keys, configuration and the database as they are now into one file; the server may go on
    Backup {
        /// A file that does not exist yet; it holds the CA's keys, so it is for its owner only
        file: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Moves everything from SQLite into an empty PostgreSQL database, and compares; no server may run meanwhile
    Migrate {
        /// Where everything is now
        #[arg(long, value_parser = ["sqlite"])]
        from: String,
        /// The database, which has to be there
        #[arg(long, value_name = "postgres://USER@HOST/NAME")]
        to: String,
        /// File with the password to it, instead of `database.password_file`
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        data: Data,
    },
    /// Makes a server's folder out of a backup
    Restore {
        /// What `backup` wrote
        file: PathBuf,
        /// An empty folder, or one that does not exist yet
        #[command(flatten)]
        data: Data,
    },
    /// Mass reissues: everything that a query selects, at a pace, by a deadline
    #[command(subcommand)]
    Campaign(Campaign),
    /// The CA's certificates and revocation lists
    #[command(subcommand)]
    Ca(Ca),
    /// Issuers elsewhere, over ACME
    #[command(subcommand)]
    Issuer(Issuer),
    /// The rules that depend on a date
    #[command(subcommand)]
    Policy(Policy),
    /// Keys that are never certified again
    #[command(subcommand)]
    Key(Key),
    /// What has to be revoked
    #[command(subcommand)]
    Revocation(Revocation),
    /// Proofs of control over names, and the certificates that rest on them
    #[command(subcommand)]
    Authorization(Authorization),
    /// The audit log: who did what, when and why
    #[command(subcommand)]
    Audit(Audit),
    /// Looks at customers' DNS and web servers for a server elsewhere, as `[perspective]` in the configuration says
    Perspective {
        /// Address to listen on, instead of `server.listen`
        #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
        listen: Option<SocketAddr>,
    },
    /// Prints the API's description, OpenAPI 3.1 in JSON; a running server has it at `/openapi.json` and `/docs`
    Openapi,
    /// Looks for trouble in a server's folder, configuration and surroundings
    Doctor {
        /// Looks at every row of the database as well, every certificate and the whole audit log: some minutes for a million
        /// certificates. Servers may go on meanwhile
        #[arg(long)]
        deep: bool,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Customer {
    /// Adds a customer
    Create {
        /// 3 to 40 letters, digits and `-_@.`
        #[arg(value_parser = handle)]
        handle: String,
        #[command(flatten)]
        data: Data,
    },
    /// Lists all customers
    List(Data),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ApiKey {
    /// Makes a key and prints it, the only time it is shown
    Create {
        /// Whose key it will be
        #[arg(long, value_name = "HANDLE")]
        customer: String,
        /// What it may do: `customer` its own customer's affairs, `operator` everybody's
        #[arg(long, default_value = "customer", value_parser = str::parse::<Role>)]
        role: Role,
        /// Name of the key, shown with what is done by it
        #[arg(long, default_value = "api", value_parser = login, value_name = "NAME")]
        login: String,
        #[command(flatten)]
        data: Data,
    },
    /// Lists all keys, without their secrets
    List(Data),
    /// Refuses a key from now on
    Revoke {
        /// Number from `api-key list`
        id: i64,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Webhook {
    /// Sends a customer's notifications to a receiver, in place of an earlier one; prints the secret of the
    /// signatures if it makes one, the only time it is shown
    Set {
        /// Whose notifications
        #[arg(long, value_name = "HANDLE")]
        customer: String,
        /// Where they go: an https URL
        #[arg(long)]
        url: String,
        /// File with the secret of the signatures, 16 to 255 bytes; without it one is made
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// Name for the receiver's HTTP authentication
        #[arg(long, requires = "password_file", value_name = "NAME")]
        username: Option<String>,
        /// File with the password to it
        #[arg(long, requires = "username", value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        data: Data,
    },
    /// Shows a customer's receiver, how many notifications wait, and what the last attempt came to
    Show {
        /// Whose
        #[arg(long, value_name = "HANDLE")]
        customer: String,
        #[command(flatten)]
        data: Data,
    },
    /// Sends a customer's notifications nowhere any more
    Remove {
        /// Whose
        #[arg(long, value_name = "HANDLE")]
        customer: String,
        #[command(flatten)]
        data: Data,
    },
    /// Lists all receivers
    List(Data),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Validation {
    /// Lists what waits, the oldest first: process, customer, product, name, organization, address, approver, call,
    /// open checks
    List(Data),
    /// Shows a process with each of its checks, and what was decided about it
    Show {
        /// Number of the process
        process: i64,
        #[command(flatten)]
        data: Data,
    },
    /// Approves checks; when nothing is open any more, the certificate is issued
    Approve {
        #[command(flatten)]
        decision: Decision,
        /// Why, for the customer
        #[arg(long)]
        reason: Option<String>,
        /// When what it rests on was obtained, such as `2026-11-24`; without it now
        #[arg(long, value_name = "DATE", value_parser = moment)]
        obtained: Option<Timestamp>,
        #[command(flatten)]
        data: Data,
    },
    /// Rejects checks, which then wait for the customer, or without `--check` the request, which then fails
    Reject {
        #[command(flatten)]
        decision: Decision,
        /// Why, for the customer
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        data: Data,
    },
}

/// What a decision is about.
#[derive(Debug, Group)]
pub(crate) struct Decision {
    /// Number of the process
    pub(crate) process: i64,
    /// One of the checks: organization, docs, voice, whois, agreement; may be repeated. Without it, all
    #[arg(long = "check", value_name = "CHECK", value_parser = str::parse::<Check>)]
    pub(crate) checks: Vec<Check>,
    /// For the audit log only
    #[arg(long)]
    pub(crate) note: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Shows what holds for a certificate that is signed on a day: validity, reuse, methods, perspectives; and what
    /// changes after it
    Show {
        /// The day or moment of signing, such as `2029-03-15`; without it now
        #[arg(long, value_name = "DATE", value_parser = moment)]
        date: Option<Timestamp>,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Blocks a compromised key for everybody and for ever; certificates with it are revoked within a day
    Block {
        /// SHA-256 of its SubjectPublicKeyInfo, or a PEM file with the key, a certificate or a request; `-` is stdin
        key: String,
        /// Why, for the customers of its certificates
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        data: Data,
    },
    /// Blocks every key in a file
    Import {
        /// A hash a line, or PEM blocks; `#` begins a comment; `-` is stdin
        file: PathBuf,
        /// Why, for the customers of their certificates
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        data: Data,
    },
    /// Lists blocked keys: hash, since when, by whom, why
    List(Data),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Checks that nothing was changed, removed or added since it was written; leaves with 1 if anything was
    Verify {
        /// A file with noted heads, such as a copy of DATA/audit-heads.log that was kept elsewhere; may be repeated.
        /// Without it, DATA's own
        #[arg(long, value_name = "FILE")]
        heads: Vec<PathBuf>,
        #[command(flatten)]
        data: Data,
    },
    /// Writes the log and the events that it is about to stdout
    Export {
        /// Only what was recorded then or later, such as `2026-11-24`
        #[arg(long, value_name = "DATE", value_parser = moment)]
        since: Option<Timestamp>,
        /// Only what was recorded before
        #[arg(long, value_name = "DATE", value_parser = moment)]
        until: Option<Timestamp>,
        /// How it is written
        #[arg(long, value_enum, default_value = "jsonl", value_name = "FORMAT")]
        format: AuditFormat,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuditFormat {
    /// One JSON object a line
    Jsonl,
}
