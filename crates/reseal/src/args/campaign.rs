//! `reseal campaign …`.

use std::num::NonZeroU32;

use clap::{Args as Group, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::campaign::{CampaignId, KeyChoice, Selection};

use super::{Data, moment};
use crate::config::Span;

#[derive(Debug, Subcommand)]
pub(crate) enum Campaign {
    /// Says what a mass reissue would come to, and begins nothing
    Plan {
        #[command(flatten)]
        wanted: WantedCampaign,
        /// Prints a JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: Data,
    },
    /// Begins a mass reissue: the running server carries it out; prints its number
    Start {
        #[command(flatten)]
        wanted: WantedCampaign,
        /// Why; customers who are told to reissue read it
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Stays and shows how far it is until it ends; leaving does not stop it
        #[arg(long)]
        follow: bool,
        #[command(flatten)]
        data: Data,
    },
    /// Lists all campaigns, or shows how far one is
    Status {
        /// Number of the campaign
        id: Option<CampaignId>,
        /// Stays and shows how far it is until it ends
        #[arg(long, requires = "id")]
        follow: bool,
        /// Prints JSON
        #[arg(long, conflicts_with = "follow")]
        json: bool,
        #[command(flatten)]
        data: Data,
    },
    /// Begins nothing more until it is resumed; what is under way goes on
    Pause {
        /// Number of the campaign
        id: CampaignId,
        #[command(flatten)]
        data: Data,
    },
    /// Lets a paused campaign go on
    Resume {
        /// Number of the campaign
        id: CampaignId,
        #[command(flatten)]
        data: Data,
    },
    /// Ends a campaign; what was reissued stays
    Cancel {
        /// Number of the campaign
        id: CampaignId,
        #[command(flatten)]
        data: Data,
    },
    /// Writes every certificate of a campaign with its outcome to stdout
    Report {
        /// Number of the campaign
        id: CampaignId,
        /// How it is written
        #[arg(long, value_enum, default_value = "csv", value_name = "FORMAT")]
        format: ReportFormat,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// Comma-separated values with a header (RFC 4180)
    Csv,
    /// A JSON object a line
    Json,
}

/// Which certificates, and how they are reissued.
#[derive(Debug, Group)]
pub(crate) struct WantedCampaign {
    /// Conditions joined by `and`, such as `issuer=embedded and status=ACTIVE`; fields as `where` of the API
    #[arg(long = "where", value_name = "CONDITIONS", value_parser = Selection::parse)]
    pub(crate) selection: Selection,
    /// `keep`: reissue at once for the key they have, where that may be; `notify`: tell the customers to reissue with a
    /// new key
    #[arg(long, value_name = "keep|notify")]
    pub(crate) key: KeyChoice,
    /// By when all should be done, as a duration from now
    #[arg(long, value_name = "DURATION", value_parser = span, default_value = "24h")]
    pub(crate) within: SignedDuration,
    /// The same as a moment, such as `2026-12-01T12:00:00Z`
    #[arg(long, value_name = "DATE", value_parser = moment, conflicts_with = "within")]
    pub(crate) deadline: Option<Timestamp>,
    /// Reissues an hour by one issuer, at most
    #[arg(long, value_name = "NUMBER")]
    pub(crate) per_issuer: Option<NonZeroU32>,
    /// Reissues an hour for one customer, at most
    #[arg(long, value_name = "NUMBER")]
    pub(crate) per_customer: Option<NonZeroU32>,
}

fn span(text: &str) -> Result<SignedDuration, String> {
    let span: Result<Span, ()> = text.parse();
    span.map(Span::signed)
        .map_err(|()| format!("expected a duration such as `24h` or `5d`, saw `{text}`"))
}
