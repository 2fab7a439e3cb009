//! Revocations that the house orders: for a cause of BR 4.9.1.1, at a moment before its deadline.

use jiff::Timestamp;

use super::block::{Ground, KeyBlock, block_keys, check_reason};
use super::{Affected, Duty};
use crate::certificate::CertificateId;
use crate::customer::Scope;
use crate::error::{Error, Kind};
use crate::import;
use crate::store::Store;

/// Certificates in one order.
pub const MOST_ORDERED: usize = 3000;

/// Certificates that have to go, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationOrder {
    /// Which.
    pub certificates: Vec<CertificateId>,
    /// Why, since when that is known, and by when it has to be done.
    pub duty: Duty,
    /// When it will be done; behind the deadline, the deadline counts.
    pub moment: Timestamp,
    /// Who orders it, as an actor of the audit log.
    pub actor: String,
    /// When it is ordered.
    pub at: Timestamp,
}

/// Records the duty and schedules the revocation of every certificate of `order`, all or none, and tells their customers.
/// Where the cause condemns the key, it is blocked, and every other certificate with it goes as well. The answer has
/// those for which something is new.
///
/// # Errors
/// [`Kind::Constraint`] for the reason; [`Kind::Rule`] when one of the certificates is none that can be revoked, or the
/// cause became known in the future; the store's.
pub async fn order_revocation(
    store: &dyn Store,
    mut order: RevocationOrder,
) -> Result<Vec<Affected>, Error> {
    check_reason(&order.duty.cause)?;
    if order.duty.received > order.at {
        let received = order.duty.received;
        return Err(refusal(format!(
            "{received:.0} is in the future: when did it become known?"
        )));
    }
    order.certificates.sort_unstable();
    order.certificates.dedup();
    if order.certificates.len() > MOST_ORDERED {
        return Err(refusal(format!(
            "At most {MOST_ORDERED} certificates at once, saw {}",
            order.certificates.len()
        )));
    }
    order.moment = order.moment.min(order.duty.deadline);
    let keys = keys_of(store, &order).await?;
    if !order.duty.ground.condemns_key() {
        return Ok(store.order_revocations(order).await?);
    }
    let block = KeyBlock {
        keys,
        reason: order.duty.cause.clone(),
        actor: order.actor,
        at: order.at,
        ground: Ground::Proof(order.duty, order.moment),
    };
    Ok(block_keys(store, block).await?.certificates)
}

/// The keys of the certificates of `order`, each of which can be revoked.
async fn keys_of(store: &dyn Store, order: &RevocationOrder) -> Result<Vec<[u8; 32]>, Error> {
    let mut keys = Vec::new();
    for id in &order.certificates {
        let Some(certificate) = store.certificate(&Scope::Everything, *id).await? else {
            return Err(refusal(format!("There is no certificate {id}")));
        };
        if certificate.issuer == import::ISSUER {
            return Err(refusal(format!(
                "Certificate {id} is imported: it was issued elsewhere and can only be revoked there"
            )));
        }
        if certificate.revocation.is_some() {
            return Err(refusal(format!("Certificate {id} is REVOKED already")));
        }
        if certificate.not_after < order.at {
            return Err(refusal(format!("Certificate {id} is EXPIRED")));
        }
        if !keys.contains(&certificate.spki_sha256) {
            keys.push(certificate.spki_sha256);
        }
    }
    Ok(keys)
}

fn refusal(text: String) -> Error {
    Error::new(Kind::Rule, text)
}
