//! Fields of the list of open validations.

use reseal_lifecycle::query::ValidationField;

use super::{Column, Listed};
use crate::database::Dialect;
use crate::sql;

impl Listed for ValidationField {
    /// In this order, which SQLite has to be told: few processes wait for an operator, however many there are.
    const TABLE: &'static str =
        "pending_validation CROSS JOIN process ON id = pending_validation.process";
    const COLUMNS: &'static str = sql::process::COLUMNS;

    fn column(self) -> Column {
        match self {
            Self::Process => Column::Plain("id"),
            Self::Customer => Column::Plain("customer"),
            Self::CommonName => Column::Plain("identifier"),
            Self::Action => Column::Plain("action"),
            Self::Status => Column::Plain("status"),
            Self::CreatedDate => Column::Plain("created"),
            Self::UpdatedDate => Column::Plain("updated"),
        }
    }

    fn table(dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => Self::TABLE,
            Dialect::Postgres => {
                "pending_validation JOIN process ON id = pending_validation.process"
            }
        }
    }

    fn may_be_absent(self) -> bool {
        false
    }
}
