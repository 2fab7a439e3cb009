//! Fields of the certificate list (contract.md section 4.5).

use reseal_lifecycle::query::CertificateField;

use super::{CERTIFICATE_NAMES, Column, Listed};
use crate::sql;

impl Listed for CertificateField {
    const TABLE: &'static str = "certificate";
    const COLUMNS: &'static str = sql::certificate::COLUMNS;
    const LEAN_COLUMNS: &'static str = sql::certificate::LEAN_COLUMNS;

    const ONLY_GROWS: bool = true;

    fn column(self) -> Column {
        match self {
            Self::Id => Column::Plain("id"),
            Self::Process => Column::Plain("process"),
            Self::DomainName => Column::OneOf("domain_name", CERTIFICATE_NAMES),
            Self::ValidationType => Column::Plain("validation"),
            Self::CertificateType => Column::Plain("certificate_type"),
            Self::Product => Column::Plain("product"),
            Self::Organization => Column::Plain("organization"),
            Self::PostalCode => Column::Plain("postal_code"),
            // The wire shows a list of at most one.
            Self::AddressLine => Column::Plain("street"),
            Self::City => Column::Plain("city"),
            Self::State => Column::Plain("state"),
            Self::Country => Column::Plain("country"),
            Self::StartDate => Column::Plain("not_before"),
            Self::ExpiryDate => Column::Plain("not_after"),
            Self::SubscriptionEndDate => Column::Plain("subscription_end"),
            Self::Coc => Column::Plain("coc"),
            Self::San => Column::Many(CERTIFICATE_NAMES),
            Self::Status => Column::CertificateStatus,
            Self::PublicKeyAlgorithm => Column::Plain("key_algorithm"),
            Self::PublicKeySize => Column::Plain("key_size"),
            Self::Fingerprint => Column::Hash("fingerprint"),
            Self::ProviderId => Column::Hash("serial"),
            // Not issued any more (rules.md P-3), and people that this schema has none of.
            Self::Department | Self::Contact => Column::Absent,
        }
    }

    fn may_be_absent(self) -> bool {
        matches!(
            self,
            Self::Organization
                | Self::PostalCode
                | Self::AddressLine
                | Self::City
                | Self::State
                | Self::Country
                | Self::Coc
        )
    }
}
