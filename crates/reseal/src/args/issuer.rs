//! `reseal issuer …`.

use clap::Subcommand;
use reseal_lifecycle::process::ProcessId;

use super::Data;

#[derive(Debug, Subcommand)]
pub(crate) enum Issuer {
    /// Lists the accounts at issuers elsewhere: name, directory, customer, account there, how its key stands
    List(Data),
    /// Gives the accounts at an issuer elsewhere other keys; running servers use them from then on
    Rollover {
        /// NAME of `[issuer.NAME]`
        name: String,
        /// Only the account of this customer
        #[arg(long, value_name = "HANDLE")]
        customer: Option<String>,
        #[command(flatten)]
        data: Data,
    },
    /// Fails a process that is in doubt about its order elsewhere, which is noted as an incident
    GiveUp {
        /// Number of the process
        process: ProcessId,
        /// Why; the customer reads it
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        data: Data,
    },
}
