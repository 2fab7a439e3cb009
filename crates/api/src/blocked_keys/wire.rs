//! Blocked keys as they are shown.

use reseal_lifecycle::compromise::{Affected, Blocked, BlockedKey};
use schemars::JsonSchema;
use serde::Serialize;

use crate::date::Date;

/// Every field, the identifying one first.
pub(super) const FIELDS: &[&str] = &["id", "key", "reason", "user", "createdDate"];

/// A blocked key.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "BlockedKey")]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockedKeyBody<'a> {
    id: i64,
    /// SHA-256 of the SubjectPublicKeyInfo, hexadecimal.
    key: String,
    reason: &'a str,
    /// Who blocked it.
    user: &'a str,
    created_date: Date,
}

impl<'a> BlockedKeyBody<'a> {
    pub(super) fn of(key: &'a BlockedKey) -> Self {
        Self {
            id: key.id,
            key: key.hash(),
            reason: &key.reason,
            user: &key.actor,
            created_date: Date(key.created),
        }
    }
}

/// What blocking came to.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "BlockedKeys")]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockedBody<'a> {
    /// Keys that were not on the list before.
    new: usize,
    /// Keys that were, each counted once.
    known: usize,
    /// Certificates that will be revoked because of it, as far as the caller may see them.
    certificates: Vec<AffectedBody<'a>>,
}

/// A certificate that will be revoked.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "AffectedCertificate")]
#[serde(rename_all = "camelCase")]
struct AffectedBody<'a> {
    certificate_id: i64,
    customer: &'a str,
    domain_name: &'a str,
    /// When it will be revoked.
    revocation_date: Date,
    /// By when it must be.
    deadline: Date,
}

impl<'a> BlockedBody<'a> {
    pub(super) fn of(blocked: &'a Blocked) -> Self {
        let affected = |one: &'a Affected| AffectedBody {
            certificate_id: one.certificate,
            customer: &one.customer,
            domain_name: &one.domain_name,
            revocation_date: Date(one.scheduled),
            deadline: Date(one.deadline),
        };
        Self {
            new: blocked.new,
            known: blocked.known,
            certificates: blocked.certificates.iter().map(affected).collect(),
        }
    }
}
