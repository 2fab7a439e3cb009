//! Fields of the notification list (contract.md section 5.8).

use reseal_lifecycle::query::NotificationField;

use super::{Column, Listed};
use crate::sql;

impl Listed for NotificationField {
    const TABLE: &'static str = "notification";
    const COLUMNS: &'static str = sql::notification::COLUMNS;

    const ONLY_GROWS: bool = true;

    fn column(self) -> Column {
        match self {
            Self::Id => Column::Plain("id"),
            Self::FireDate => Column::Plain("fired"),
            Self::ReadDate => Column::Plain("read_at"),
            Self::AcknowledgeDate => Column::Plain("acknowledged"),
            Self::DeliveryDate => Column::Plain("delivered"),
            Self::Message => Column::Plain("message"),
            Self::Reason => Column::Plain("reason"),
            Self::Process => Column::Plain("process"),
            Self::EventType => Column::Plain("occasion"),
            Self::NotificationType => Column::Flag("1 = 1", "SSLCertificateNotification"),
            Self::ProcessType => Column::Flag("process IS NOT NULL", "certificate"),
            // The same name; without a process there is nothing to identify.
            Self::ProcessIdentifier => {
                Column::Plain("CASE WHEN process IS NOT NULL THEN domain_name END")
            }
            Self::StatusDetail => Column::Plain("status_detail"),
            Self::SubjectStatus => Column::Plain("subject_status"),
            Self::ExpiryDate => Column::Plain("expires"),
            Self::DomainName => Column::Plain("domain_name"),
            Self::CertificateId => Column::Plain("certificate"),
            Self::Product => Column::Plain("product"),
            Self::ValidationType => Column::Plain("validation"),
            // Of domains.
            Self::TransferType => Column::Absent,
        }
    }

    fn may_be_absent(self) -> bool {
        matches!(
            self,
            Self::ReadDate
                | Self::AcknowledgeDate
                | Self::DeliveryDate
                | Self::Reason
                | Self::Process
                | Self::ProcessIdentifier
                | Self::StatusDetail
                | Self::ExpiryDate
                | Self::CertificateId
                | Self::Product
                | Self::ValidationType
        )
    }
}
