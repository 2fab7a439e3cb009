//! Rows of campaigns and of their certificates.

use std::num::NonZeroU32;

use reseal_lifecycle::campaign::{Campaign, CampaignStatus, Item, Outcome, Pace, Selection};

use super::super::columns::Columns;
use crate::database::{self, Row};

pub(super) fn campaign(row: &Row<'_>) -> database::Result<Campaign> {
    let mut columns = Columns::of(row);
    Ok(Campaign {
        id: columns.value()?,
        actor: columns.value()?,
        created: columns.moment()?,
        reason: columns.value()?,
        selection: Selection::parse(columns.text()?).map_err(|error| columns.fault(error))?,
        key: columns
            .text()?
            .parse()
            .map_err(|error: String| columns.fault(unknown(error)))?,
        deadline: columns.moment()?,
        pace: Pace {
            per_issuer: columns.value::<Option<u32>>()?.and_then(NonZeroU32::new),
            per_customer: columns.value::<Option<u32>>()?.and_then(NonZeroU32::new),
        },
        status: status(&mut columns)?,
        ended: columns.optional_moment()?,
        last: columns.value()?,
        through: columns.value()?,
    })
}

fn status(columns: &mut Columns<'_>) -> database::Result<CampaignStatus> {
    let word = columns.text()?;
    CampaignStatus::from_word(word)
        .ok_or_else(|| columns.fault(unknown(format!("`{word}` is no status of a campaign"))))
}

pub(super) fn item(row: &Row<'_>) -> database::Result<Item> {
    let mut columns = Columns::of(row);
    Ok(Item {
        certificate: columns.value()?,
        customer: columns.value()?,
        issuer: columns.value()?,
        urgent: columns.moment()?,
        due: columns.moment()?,
        has_place: columns.value::<i64>()? != 0,
        outcome: outcome(&mut columns)?,
        process: columns.value()?,
        successor: columns.value()?,
        attempts: columns.value()?,
        detail: columns.value()?,
        updated: columns.moment()?,
    })
}

pub(super) fn outcome(columns: &mut Columns<'_>) -> database::Result<Outcome> {
    let word = columns.text()?;
    Outcome::from_word(word)
        .ok_or_else(|| columns.fault(unknown(format!("`{word}` is no outcome of a certificate"))))
}

fn unknown(message: String) -> std::io::Error {
    std::io::Error::other(message)
}
