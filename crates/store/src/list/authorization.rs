//! Fields of the list of proofs.

use reseal_lifecycle::query::AuthorizationField;

use super::{Column, Elements, Listed};
use crate::sql;

/// A column of the names that rest on a proof.
const fn relying(value: &'static str) -> Column {
    Column::Many(Elements {
        table: "reliance",
        owner: "proof",
        id: "domain_authorization.id",
        value,
        order: "id",
    })
}

impl Listed for AuthorizationField {
    const TABLE: &'static str = "domain_authorization";
    const COLUMNS: &'static str = sql::authorization::COLUMNS;

    fn column(self) -> Column {
        match self {
            Self::Id => Column::Plain("id"),
            Self::Customer => Column::Plain("customer"),
            Self::Adn => Column::Plain("adn"),
            Self::Method => Column::Plain("method"),
            Self::ObtainedDate => Column::Plain("obtained"),
            Self::Process => Column::Plain("process"),
            Self::Alias => Column::Plain("alias"),
            Self::Name => relying("name"),
            Self::Certificate => relying("certificate"),
            // A wildcard stands for its own base: nothing was pruned for it.
            Self::Reach => Column::Flag(
                "EXISTS (SELECT 1 FROM reliance WHERE reliance.proof = domain_authorization.id \
                 AND name <> adn AND name <> '*.' || adn)",
                "PRUNED",
            ),
        }
    }

    fn may_be_absent(self) -> bool {
        matches!(self, Self::Alias)
    }
}
