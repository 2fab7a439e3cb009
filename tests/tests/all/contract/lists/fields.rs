//! The contract's filter fields with their types, list by list, and which operators each type takes.

/// The contract's field types, as far as operators go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Texts,
    Date,
    Integer,
    /// One of these words, or a list of them.
    Word(&'static str),
}
use Type::{Date, Integer, Text, Texts, Word};

const CERTIFICATES: &[(&str, Type)] = &[
    ("id", Integer),
    ("process", Integer),
    ("domainName", Text),
    ("validationType", Word("DOMAIN_VALIDATION")),
    ("certificateType", Word("SINGLE_DOMAIN")),
    ("product", Text),
    ("organization", Text),
    ("department", Text),
    ("providerId", Text),
    ("postalCode", Text),
    ("addressLine", Texts),
    ("city", Text),
    ("state", Text),
    ("country", Text),
    ("startDate", Date),
    ("expiryDate", Date),
    ("subscriptionEndDate", Date),
    ("contact", Text),
    ("coc", Text),
    ("san", Texts),
    ("status", Word("ACTIVE")),
    ("publicKeyAlgorithm", Word("RSA")),
    ("publicKeySize", Integer),
    ("fingerprint", Text),
];

const PROCESSES: &[(&str, Type)] = &[
    ("id", Integer),
    ("status", Word("COMPLETED")),
    ("detailStatus", Word("SSL_REQUIRES_ATTENTION")),
    ("createdDate", Date),
    ("updatedDate", Date),
    ("startedDate", Date),
    ("type", Text),
    ("identifier", Text),
    ("action", Text),
    ("billableAction", Word("RENEW")),
    ("billableProduct", Text),
    ("billableProvider", Text),
    ("billableQuantity", Integer),
];

const PRODUCTS: &[(&str, Type)] = &[
    ("product", Text),
    ("brand", Text),
    ("name", Text),
    ("validationType", Word("DOMAIN_VALIDATION")),
    ("certificateType", Word("ACME_SUBSCRIPTION")),
    ("features", Word("REISSUE")),
    ("periods", Integer),
    ("warranty", Integer),
    ("issueTime", Text),
    ("renewalWindow", Integer),
    ("includedDomains", Integer),
    ("maxDomains", Integer),
];

const NOTIFICATIONS: &[(&str, Type)] = &[
    ("id", Integer),
    ("fireDate", Date),
    ("readDate", Date),
    ("acknowledgeDate", Date),
    ("deliveryDate", Date),
    ("message", Text),
    ("reason", Text),
    ("eventType", Word("ISSUED")),
    ("notificationType", Text),
    ("processType", Text),
    ("processIdentifier", Text),
    ("statusDetail", Text),
    ("subjectStatus", Word("COMPLETED")),
    ("transferType", Text),
    ("expiryDate", Date),
    ("domainName", Text),
    ("certificateId", Integer),
];

pub(super) const LISTS: [(&str, &[(&str, Type)]); 5] = [
    ("/v2/ssl/certificates", CERTIFICATES),
    ("/v2/customers/alice/certificates", CERTIFICATES),
    ("/v2/processes", PROCESSES),
    ("/v2/ssl/products", PRODUCTS),
    ("/v2/customers/alice/notifications", NOTIFICATIONS),
];

pub(super) const OPERATORS: [&str; 12] = [
    "eq", "ne", "like", "not_like", "gt", "lt", "gte", "lte", "null", "not_null", "in", "not_in",
];

/// The table of contract.md section 1.4.
pub(super) fn offered(operator: &str, kind: Type) -> bool {
    match operator {
        "eq" | "null" | "not_null" => true,
        "ne" => kind != Texts,
        "like" => matches!(kind, Text | Texts | Word(_)),
        "not_like" => matches!(kind, Text | Word(_)),
        "in" | "not_in" => kind != Date,
        _ => !matches!(kind, Word(_)),
    }
}
