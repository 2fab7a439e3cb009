//! `reseal revocation …`.

use clap::{Args as Group, Subcommand};
use jiff::Timestamp;
use reseal_lifecycle::certificate::CertificateId;
use reseal_lifecycle::compromise::Cause;

use super::{Data, moment};

#[derive(Debug, Subcommand)]
pub(crate) enum Revocation {
    /// Lists certificates whose revocation is scheduled, the soonest first: moment, deadline, OVERDUE, certificate,
    /// customer, name, cause
    Due {
        /// Prints JSON, with every clock
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: Data,
    },
    /// Records that certificates must be revoked, and by when; tells their customers at once, and has the server do it in
    /// time
    Order {
        #[command(flatten)]
        order: Order,
        #[command(flatten)]
        data: Data,
    },
}

/// What has to be revoked, and when.
#[derive(Debug, Group)]
// The subcommand's group has this name already.
#[group(skip)]
pub(crate) struct Order {
    /// Numbers of the certificates; all or none
    #[arg(required = true, value_name = "CERTIFICATE")]
    pub(crate) certificates: Vec<CertificateId>,
    /// Within 24 hours: subscriber-request, not-authorized, key-compromise, unreliable-validation. Within five days:
    /// key-size, mis-issued, misused, terms-breached, material-change, inaccurate, misleading-wildcard, name-not-allowed,
    /// flawed-key
    #[arg(long, value_parser = str::parse::<Cause>)]
    pub(crate) cause: Cause,
    /// What happened, for the customers
    #[arg(long)]
    pub(crate) reason: String,
    /// When the house learnt of it, such as `2026-11-24T09:30:00Z`: time runs from then; without it now
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(crate) received: Option<Timestamp>,
    /// When they are revoked; without it some hours before the deadline, and never behind it
    #[arg(long, value_name = "DATE", value_parser = moment, conflicts_with = "now")]
    pub(crate) at: Option<Timestamp>,
    /// Revokes them at once
    #[arg(long)]
    pub(crate) now: bool,
}
