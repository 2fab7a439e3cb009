//! What the certificates of a campaign are chosen by.

use reseal_lifecycle::query::SelectionField;

use super::{CERTIFICATE_NAMES, Column, Listed};
use crate::sql;

impl Listed for SelectionField {
    const TABLE: &'static str = "certificate";
    const COLUMNS: &'static str = sql::certificate::COLUMNS;
    const LEAN_COLUMNS: &'static str = sql::certificate::LEAN_COLUMNS;

    fn column(self) -> Column {
        match self {
            Self::Id => Column::Plain("id"),
            Self::Customer => Column::Plain("customer"),
            Self::Issuer => Column::Plain("issuer"),
            Self::Product => Column::Plain("product"),
            Self::Status => Column::CertificateStatus,
            Self::DomainName => Column::OneOf("domain_name", CERTIFICATE_NAMES),
            Self::San => Column::Many(CERTIFICATE_NAMES),
            Self::Organization => Column::Plain("organization"),
            Self::ValidationType => Column::Plain("validation"),
            Self::CertificateType => Column::Plain("certificate_type"),
            Self::StartDate => Column::Plain("not_before"),
            Self::ExpiryDate => Column::Plain("not_after"),
            Self::SubscriptionEndDate => Column::Plain("subscription_end"),
            Self::PublicKeyAlgorithm => Column::Plain("key_algorithm"),
            Self::PublicKeySize => Column::Plain("key_size"),
            Self::Fingerprint => Column::Hash("fingerprint"),
            Self::ProviderId => Column::Hash("serial"),
        }
    }

    fn may_be_absent(self) -> bool {
        self == Self::Organization
    }
}
