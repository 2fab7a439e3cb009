//! Fields of the process list (contract.md section 4.9).

use reseal_lifecycle::query::ProcessField;

use super::{Column, Elements, Listed};
use crate::sql;

impl Listed for ProcessField {
    const TABLE: &'static str = "process";
    const COLUMNS: &'static str = sql::process::COLUMNS;

    const ONLY_GROWS: bool = true;

    fn column(self) -> Column {
        match self {
            Self::Id => Column::Plain("id"),
            Self::Status => Column::Plain("status"),
            Self::DetailStatus => Column::Flag("requires_attention = 1", "SSL_REQUIRES_ATTENTION"),
            // A process is started as soon as it is recorded.
            Self::CreatedDate | Self::StartedDate => Column::Plain("created"),
            Self::UpdatedDate => Column::Plain("updated"),
            Self::Type => Column::Flag("1 = 1", "certificate"),
            Self::Identifier => Column::Plain("identifier"),
            Self::Action => Column::Plain("action"),
            Self::BillableAction => billable(
                "action",
                "(SELECT MIN(action) FROM process_billable WHERE process_billable.process = process.id)",
            ),
            Self::BillableProduct => billable(
                "product",
                "(SELECT MIN(product) FROM process_billable WHERE process_billable.process = process.id)",
            ),
            Self::BillableQuantity => billable(
                "quantity",
                "(SELECT MIN(quantity) FROM process_billable WHERE process_billable.process = process.id)",
            ),
            // Everything is provided by this house.
            Self::BillableProvider => Column::Absent,
        }
    }

    fn may_be_absent(self) -> bool {
        matches!(
            self,
            Self::BillableAction | Self::BillableProduct | Self::BillableQuantity
        )
    }
}

/// A process may have several charges.
fn billable(value: &'static str, order: &'static str) -> Column {
    Column::Many(Elements {
        table: "process_billable",
        owner: "process",
        id: "process.id",
        value,
        order,
    })
}
