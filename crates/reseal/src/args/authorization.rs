//! `reseal authorization …`.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args as Group, Subcommand};
use jiff::Timestamp;
use reseal_lifecycle::certificate::CertificateId;
use reseal_pki::method::Method;

use super::{Data, moment};

#[derive(Debug, Subcommand)]
pub(crate) enum Authorization {
    /// Lists proofs of control, the oldest first: number, moment, method, customer, domain name, alias, process, how many
    /// perspectives saw the same, certificates that were signed on it with the names it proved for them, since when it is distrusted
    List {
        #[command(flatten)]
        wanted: Wanted,
        /// Prints a JSON object a line, with what each perspective said
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: Data,
    },
    /// Says that proofs are worth nothing: nothing is signed on them any more, and open processes ask for new ones.
    /// Certificates that rest on them stay; see `revocation order --cause unreliable-validation`
    Distrust {
        #[command(flatten)]
        wanted: Wanted,
        /// Why, for the audit log
        #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
        reason: String,
        #[command(flatten)]
        data: Data,
    },
}

/// Which proofs: all that fulfil everything that is given. Texts may have `%` for any characters.
#[derive(Debug, Group)]
pub(crate) struct Wanted {
    /// How control was proved: a section of the Baseline Requirements such as 3.2.2.4.7, or a label of CAA such as
    /// dns-01; may be repeated
    #[arg(long = "method", value_name = "METHOD", value_parser = method)]
    pub(crate) methods: Vec<Method>,
    /// Whose
    #[arg(long, value_name = "HANDLE")]
    pub(crate) customer: Option<String>,
    /// The domain name that was proved, such as `example.com` or `%.example.com`
    #[arg(long, value_name = "NAME")]
    pub(crate) adn: Option<String>,
    /// A name that a certificate has because of it
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Only where an alias (CNAME) led from the record that was asked for to another name that holds it
    #[arg(long)]
    pub(crate) via_alias: bool,
    /// The name that an alias led to, with a dot at its end
    #[arg(long, value_name = "NAME")]
    pub(crate) alias: Option<String>,
    /// Only what a certificate rests on for a name below the one that was proved
    #[arg(long)]
    pub(crate) pruned: bool,
    /// Only what this certificate rests on
    #[arg(long, value_name = "ID")]
    pub(crate) certificate: Option<CertificateId>,
    /// Only what was obtained then or later, such as `2026-11-24`
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(crate) since: Option<Timestamp>,
    /// Only what was obtained before
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(crate) until: Option<Timestamp>,
}

fn method(text: &str) -> Result<Method, String> {
    let named =
        |method: &Method| method.br_section() == text || method.caa_labels().contains(&text);
    Method::ALL.into_iter().find(named).ok_or_else(|| {
        let known = Method::ALL.map(Method::br_section).join(", ");
        format!("expected one of {known}, or a label such as `dns-01`, saw `{text}`")
    })
}
