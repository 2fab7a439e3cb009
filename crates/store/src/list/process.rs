//! Fields of the process list (contract.md section 4.9).

use reseal_lifecycle::query::ProcessField;

use super::{Column, Listed};
use crate::sql;

impl Listed for ProcessField {
    const TABLE: &'static str = "process";
    const COLUMNS: &'static str = sql::process::COLUMNS;

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
            Self::BillableAction
            | Self::BillableProduct
            | Self::BillableProvider
            | Self::BillableQuantity => Column::Absent,
        }
    }
}
