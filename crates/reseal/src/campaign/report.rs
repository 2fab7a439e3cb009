//! Every certificate of a campaign with its outcome, some hundred at a time.

use reseal_api::campaign_item;
use reseal_lifecycle::campaign::{CampaignId, CampaignStore as _, Item};

use super::progress;
use crate::args::ReportFormat;
use crate::console;
use crate::house::House;

const PAGE: u32 = 1000;
const HEADER: &str =
    "certificate,customer,issuer,urgent,outcome,process,successor,attempts,detail,updated";

/// Writes the certificates of campaign `id` by their numbers.
pub(super) async fn write(
    house: &House,
    id: CampaignId,
    format: ReportFormat,
) -> anyhow::Result<()> {
    progress(house, id).await?;
    if format == ReportFormat::Csv {
        console::line(HEADER);
    }
    let mut after = 0;
    loop {
        let items = house.store.items(id, after, PAGE).await?;
        let Some(last) = items.last() else {
            return Ok(());
        };
        after = last.certificate;
        for item in &items {
            match format {
                ReportFormat::Csv => console::line(record(item)),
                ReportFormat::Json => console::line(campaign_item(item)?),
            }
        }
    }
}

fn record(item: &Item) -> String {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let fields = [
        item.certificate.to_string(),
        item.customer.clone(),
        item.issuer.clone(),
        format!("{:.0}", item.urgent),
        item.outcome.as_str().to_owned(),
        number(item.process),
        number(item.successor),
        item.attempts.to_string(),
        item.detail.clone().unwrap_or_default(),
        format!("{:.0}", item.updated),
    ];
    fields.map(|field| quoted(&field)).join(",")
}

/// As RFC 4180 has it.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_separators_are_quoted() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a, \"b\"\n"), "\"a, \"\"b\"\"\n\"");
    }
}
