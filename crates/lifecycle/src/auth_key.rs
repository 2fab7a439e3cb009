//! Auth keys: a value that proves control of names before a certificate is asked for, so that the call which asks
//! is answered with the certificate (design decision 10, D-10).
//!
//! A key is made for one customer, product and CSR. It is published at every name, and used by `authKey: true`.

use std::fmt::Write as _;

use async_trait::async_trait;
use aws_lc_rs::{hmac, rand};
use jiff::{SignedDuration, Timestamp};
use reseal_pki::csr::Csr;

use crate::customer::Caller;
use crate::error::{Error, Violation};
use crate::issuance::examine;
use crate::product::{Product, ProductField};
use crate::services::Services;
use crate::store::StoreError;

/// How long a key proves anything (D-3: random values die after 30 days).
pub const VALIDITY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// One that is valid this long is given again instead of a new one: it may be published already.
const WORTH_REPEATING: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Characters of the keyed part: 36^50 is more than 2^256.
const DIGITS: usize = 50;

/// Number of a stored key.
pub type AuthKeyId = i64;

/// A key as it is stored; it is no secret, for it is meant to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthKey {
    /// Its number; 0 until it is stored.
    pub id: AuthKeyId,
    /// Who may use it.
    pub customer: String,
    /// For which product.
    pub product: String,
    /// SHA-256 over the CSR's DER.
    pub csr: [u8; 32],
    /// What is published: 14 digits of the moment it was made (UTC), then 50 of base 36.
    pub token: String,
    /// When it was made.
    pub created: Timestamp,
}

impl AuthKey {
    /// Until when it may be used.
    pub fn valid_until(&self) -> Timestamp {
        self.created
            .saturating_add(VALIDITY)
            .unwrap_or(self.created)
    }
}

/// The part of [`crate::store::Store`] that is about auth keys.
#[async_trait]
pub trait AuthKeyStore: Send + Sync + 'static {
    /// Stores a new key, unless there is a usable one made after `since`: the answer is which one counts. Forgets
    /// a few that nobody can use any more.
    async fn add_auth_key(&self, key: AuthKey, since: Timestamp) -> Result<AuthKey, StoreError>;
    /// The customer's keys for this product and CSR made after `since` that have not led to a certificate and are
    /// not about to, newest first.
    async fn auth_keys(
        &self,
        customer: &str,
        product: &str,
        csr: &[u8; 32],
        since: Timestamp,
    ) -> Result<Vec<AuthKey>, StoreError>;
}

impl Services {
    /// A key that proves names for `csr` with `product`: the newest one there is while that is worth publishing,
    /// else a new one.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`], [`crate::Kind::Constraint`] when the product has no auth keys,
    /// [`crate::Kind::InvalidCsr`].
    pub async fn auth_key(
        &self,
        caller: &Caller,
        product: &str,
        csr: &str,
    ) -> Result<AuthKey, Error> {
        let product = self.product_asked_for(product)?;
        check_offered(product, "product")?;
        let csr = examine(self, caller, csr).await?;
        let now = self.clock.now();
        let key = AuthKey {
            id: 0,
            token: token(&caller.customer, &product.product, csr.der(), now)?,
            customer: caller.customer.clone(),
            product: product.product.clone(),
            csr: csr.sha256(),
            created: now,
        };
        let since = now
            .saturating_sub(VALIDITY - WORTH_REPEATING)
            .map_err(Error::internal)?;
        Ok(self.store.add_auth_key(key, since).await?)
    }

    /// The keys by which `customer` proves names now, newest first; two at most, since the next one is made only
    /// when the last one has little time left.
    pub(crate) async fn usable_auth_keys(
        &self,
        customer: &str,
        product: &Product,
        csr: &Csr,
        now: Timestamp,
    ) -> Result<Vec<AuthKey>, Error> {
        let since = now.saturating_sub(VALIDITY).map_err(Error::internal)?;
        let hash = csr.sha256();
        let mut keys = self
            .store
            .auth_keys(customer, &product.product, &hash, since)
            .await?;
        // A token with a timestamp in the future is dead (D-5): it was made before the clock was set back.
        keys.retain(|key| key.created <= now);
        Ok(keys)
    }
}

/// Whether `product` knows auth keys; `field` is what asked for one.
pub(crate) fn check_offered(product: &Product, field: &str) -> Result<(), Error> {
    let known = |fields: &[ProductField]| fields.contains(&ProductField::AuthKey);
    if known(&product.optional_fields) || known(&product.required_fields) {
        return Ok(());
    }
    let message = format!(
        "product `{}` has no `authKey` among its fields: prove each name by `dcv`",
        product.product
    );
    Err(Error::constraint(vec![Violation::new(
        field, message, None,
    )]))
}

/// A token over everything it is bound to, under a key that is thrown away: nobody can foretell it, and there is no
/// secret to keep.
fn token(customer: &str, product: &str, csr: &[u8], now: Timestamp) -> Result<String, Error> {
    let mut secret = [0_u8; 32];
    rand::fill(&mut secret).map_err(|_| Error::internal("no randomness from the system"))?;
    let mut token = now.strftime("%Y%m%d%H%M%S").to_string();
    let mut code = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &secret));
    for part in [
        token.as_bytes(),
        customer.as_bytes(),
        product.as_bytes(),
        csr,
    ] {
        code.update(&(part.len() as u64).to_be_bytes());
        code.update(part);
    }
    let mut number = [0_u8; 32];
    number.copy_from_slice(code.sign().as_ref());
    // Writing to a `String` cannot fail.
    let _ = write!(token, "{}", base_36(number));
    Ok(token)
}

/// `number`, big-endian, in [`DIGITS`] digits of base 36, lower case.
fn base_36(mut number: [u8; 32]) -> String {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u16;
        for byte in &mut number {
            let dividend = remainder << 8 | u16::from(*byte);
            // Both fit: the remainder is below 36, so the quotient is below 256.
            *byte = (dividend / 36) as u8;
            remainder = dividend % 36;
        }
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::from(remainder)];
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d_10_a_token_is_its_moment_and_fifty_digits_that_nobody_can_foretell() {
        let now: Timestamp = "2026-11-24T19:05:06Z".parse().unwrap();
        let make = || token("acme", "ssl_dv", b"csr", now).unwrap();
        let (one, other) = (make(), make());
        assert_eq!(one.len(), 64);
        assert!(one.starts_with("20261124190506"));
        assert!(
            one.bytes()
                .all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
        );
        assert_ne!(one, other);
    }

    #[test]
    fn base_36_has_leading_zeros_and_room_for_256_bits() {
        let mut number = [0; 32];
        assert_eq!(base_36(number), "0".repeat(DIGITS));
        number[31] = 35;
        assert_eq!(base_36(number), format!("{}z", "0".repeat(DIGITS - 1)));
        number[30] = 1;
        assert_eq!(base_36(number), format!("{}83", "0".repeat(DIGITS - 2)));
        // 2^256 - 1.
        assert_eq!(
            base_36([0xff; 32]),
            "6dp5qcb22im238nr3wvp0ic7q99w035jmy2iw7i6n43d37jtof"
        );
    }
}
