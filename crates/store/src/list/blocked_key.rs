//! Fields of the list of blocked keys.

use reseal_lifecycle::query::BlockedKeyField;

use super::{Column, Listed};
use crate::sql;

impl Listed for BlockedKeyField {
    const TABLE: &'static str = "blocked_key";
    const COLUMNS: &'static str = sql::blocked_key::COLUMNS;

    fn column(self) -> Column {
        match self {
            Self::Id => Column::Plain("id"),
            Self::Key => Column::Hash("spki_sha256"),
            Self::Reason => Column::Plain("reason"),
            Self::User => Column::Plain("actor"),
            Self::CreatedDate => Column::Plain("created"),
        }
    }

    fn may_be_absent(self) -> bool {
        false
    }
}
