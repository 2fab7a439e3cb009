//! Customers, their API keys, and who is calling.

use async_trait::async_trait;
use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;

use crate::campaign::Ticket;
use crate::error::{Error, Kind, Violation};
use crate::idempotency::ClaimId;
use crate::store::StoreError;

/// A tenant: owns certificates, processes and API keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// How it is addressed: contract.md's HANDLE.
    pub handle: String,
    /// When it was created.
    pub created: Timestamp,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its own customer's objects.
    Customer,
    /// Every customer's objects.
    Operator,
}

impl Role {
    /// As stored and as the command line spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Operator => "operator",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "customer" => Ok(Self::Customer),
            "operator" => Ok(Self::Operator),
            other => Err(format!("expected `customer` or `operator`, saw `{other}`")),
        }
    }
}

/// An API key as it is stored: the secret only as a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Number by which it is listed and revoked.
    pub id: i64,
    /// Whose it is.
    pub customer: String,
    /// Name of the key within the customer.
    pub login: String,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created: Timestamp,
    /// Since when it is refused.
    pub revoked: Option<Timestamp>,
}

/// The part of [`crate::store::Store`] that is about customers and their keys.
#[async_trait]
pub trait AccountStore: Send + Sync + 'static {
    /// Adds a customer, as `actor` wanted. [`StoreError::Exists`] when the handle is taken.
    async fn create_customer(&self, customer: Customer, actor: &str) -> Result<(), StoreError>;
    /// All customers by handle.
    async fn customers(&self) -> Result<Vec<Customer>, StoreError>;
    /// Whether the customer exists.
    async fn customer_exists(&self, handle: &str) -> Result<bool, StoreError>;
    /// Adds an API key under the hash of its secret, as `actor` wanted; the answer is its number.
    async fn add_api_key(
        &self,
        customer: &str,
        login: &str,
        role: Role,
        secret_hash: [u8; 32],
        now: Timestamp,
        actor: &str,
    ) -> Result<i64, StoreError>;
    /// All keys.
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;
    /// Refuses the key from `now` on, as `actor` wanted; `false` when there is no such key.
    async fn revoke_api_key(
        &self,
        id: i64,
        now: Timestamp,
        actor: &str,
    ) -> Result<bool, StoreError>;
    /// The unrevoked key whose secret has that hash.
    async fn api_key(&self, secret_hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError>;
}

/// Whoever makes a call, authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The customer the key belongs to.
    pub customer: String,
    /// `<customer>/<login>`, as a process's `user` shows it.
    pub user: String,
    /// What the key may do.
    pub role: Role,
    /// Number of the key.
    pub key: i64,
    /// The `Idempotency-Key` that the call has taken.
    pub claim: Option<ClaimId>,
    /// The certificate of a campaign that the call is about.
    pub ticket: Option<Ticket>,
}

impl Caller {
    /// Whose objects this caller sees.
    pub fn scope(&self) -> Scope {
        match self.role {
            Role::Customer => Scope::Customer(self.customer.clone()),
            Role::Operator => Scope::Everything,
        }
    }
}

/// Whose objects a read may return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One customer's.
    Customer(String),
    /// All of them: an operator, or the server itself.
    Everything,
}

impl Scope {
    /// Whether an object of `customer` is inside.
    pub fn admits(&self, customer: &str) -> bool {
        match self {
            Self::Customer(own) => own == customer,
            Self::Everything => true,
        }
    }
}

/// A freshly minted key: the only moment its text exists.
pub struct MintedKey {
    /// What the customer uses: base64 of `handle/login:secret` (design decision 18).
    pub text: String,
    /// What is stored.
    pub secret_hash: [u8; 32],
}

/// Makes a key for `customer`/`login` with a secret of 256 random bits.
pub fn mint_key(customer: &str, login: &str) -> Result<MintedKey, Error> {
    let mut secret = [0_u8; 32];
    rand::fill(&mut secret).map_err(|_| Error::internal("no randomness from the system"))?;
    let plain = format!("{customer}/{login}:{}", URL_SAFE_NO_PAD.encode(secret));
    Ok(MintedKey {
        text: STANDARD.encode(&plain),
        secret_hash: hash_plain_key(plain.as_bytes()),
    })
}

/// The hash under which the key `text` would be stored; `None` when it cannot be a key at all.
pub fn hash_key(text: &str) -> Option<[u8; 32]> {
    if text.len() > 512 {
        return None;
    }
    let plain = STANDARD.decode(text).ok()?;
    Some(hash_plain_key(&plain))
}

/// SHA-256 is enough for a secret of 256 random bits; a slow hash would only slow every call down.
fn hash_plain_key(plain: &[u8]) -> [u8; 32] {
    let mut hash = [0_u8; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, plain).as_ref());
    hash
}

/// Checks a customer handle: contract.md HANDLE, `[a-zA-Z0-9\-_@\.]+`, 3 to 40 bytes.
pub fn check_handle(handle: &str) -> Result<(), Error> {
    let fits = (3..=40).contains(&handle.len())
        && handle
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_@.".contains(&b));
    if fits {
        return Ok(());
    }
    Err(Error {
        kind: Kind::Constraint,
        ..Error::constraint(vec![Violation::new(
            "customer",
            "a handle has 3 to 40 characters out of letters, digits, `-`, `_`, `@` and `.`",
            Some(handle),
        )])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_key_is_found_by_its_hash_and_names_its_customer() {
        let key = mint_key("house", "admin").unwrap();
        assert_eq!(hash_key(&key.text), Some(key.secret_hash));
        let plain = String::from_utf8(STANDARD.decode(&key.text).unwrap()).unwrap();
        assert_eq!(plain.split('/').next(), Some("house"));
        assert!(plain.len() > "house/admin:".len() + 40);
    }

    #[test]
    fn a_handle_is_checked_at_both_ends() {
        assert!(check_handle("abc").is_ok());
        assert!(check_handle(&"a".repeat(40)).is_ok());
        for bad in ["ab", &"a".repeat(41), "a b c", "käse"] {
            assert!(check_handle(bad).is_err(), "{bad}");
        }
    }
}
