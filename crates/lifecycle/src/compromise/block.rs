//! Putting keys on the list.

use jiff::{SignedDuration, Timestamp};
use reseal_pki::key::NamedKey;

use super::{Affected, BlockedKey, Duty};
use crate::customer::{Caller, Role};
use crate::error::{Error, Kind, Violation};
use crate::query::{BlockedKeyQuery, Page};
use crate::services::Services;
use crate::store::Store;

/// Keys in one call of an operator.
pub const MOST_KEYS: usize = 3000;
/// Keys in one call of a customer: while new ones are written, nobody's certificate is stored.
const MOST_KEYS_OF_CUSTOMER: usize = 20;
/// What customers are told when somebody else has proved that their key is compromised.
const PROVED: &str = "it was proved that its key is compromised";
const WITHOUT_PROOF: &str = "this proves nothing: send a request that the key has signed and whose common name is \
    `This key is compromised`, or revoke your own certificates with the reason KEY_COMPROMISE";
/// Longest reason, in bytes.
const LONGEST_REASON: usize = 1000;

/// Keys that are blocked together, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyBlock {
    /// SHA-256 of their SubjectPublicKeyInfos, each once.
    pub keys: Vec<[u8; 32]>,
    /// Why.
    pub reason: String,
    /// Who says so, as an actor of the audit log.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// How much of it is known.
    pub ground: Ground,
}

/// What a block rests on, and so how far it reaches (C-21, X-4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The keys are compromised for certain: refused to everybody, and every certificate with one of them, whoever's it
    /// is, has the duty and will be revoked at the moment beside it.
    Proof(Duty, Timestamp),
    /// This customer says so, which is enough to refuse the keys to this customer and not to anybody else: a certificate
    /// for somebody's key can be had with a CSR of theirs that was seen, without the key.
    Claim(String),
}

impl KeyBlock {
    /// The keys are compromised, and that is certain: every certificate has to go, `delay` from now.
    pub fn certain(
        keys: Vec<[u8; 32]>,
        reason: &str,
        actor: &str,
        now: Timestamp,
        delay: SignedDuration,
    ) -> Self {
        let duty = Duty::key_compromise(now, reason);
        let moment = duty.moment(delay);
        Self::new(keys, reason, actor, now, Ground::Proof(duty, moment))
    }

    /// `customer` says so of keys of its own certificates.
    pub fn claimed(
        customer: &str,
        keys: Vec<[u8; 32]>,
        reason: &str,
        actor: &str,
        now: Timestamp,
    ) -> Self {
        let ground = Ground::Claim(customer.to_owned());
        Self::new(keys, reason, actor, now, ground)
    }

    fn new(
        mut keys: Vec<[u8; 32]>,
        reason: &str,
        actor: &str,
        at: Timestamp,
        ground: Ground,
    ) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self {
            keys,
            reason: reason.to_owned(),
            actor: actor.to_owned(),
            at,
            ground,
        }
    }
}

/// What blocking came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocked {
    /// How many keys were not on the list before.
    pub new: usize,
    /// How many were.
    pub known: usize,
    /// Certificates that must be revoked now and did not have to before.
    pub certificates: Vec<Affected>,
}

/// Blocks keys that are certainly compromised.
///
/// # Errors
/// [`Kind::Constraint`] for the reason; the store's.
pub async fn block_keys(store: &dyn Store, block: KeyBlock) -> Result<Blocked, Error> {
    check_reason(&block.reason)?;
    Ok(store.block_keys(block).await?)
}

/// What customers name is little, and proved.
fn check_customers_keys(keys: &[NamedKey]) -> Result<(), Error> {
    if keys.len() > MOST_KEYS_OF_CUSTOMER {
        let problem = format!(
            "may have at most {MOST_KEYS_OF_CUSTOMER} elements in a call of a customer, saw {}: send them in several calls",
            keys.len()
        );
        return Err(Error::constraint(vec![Violation::new(
            "keys", problem, None,
        )]));
    }
    let unproved: Vec<Violation> = keys
        .iter()
        .enumerate()
        .filter(|(_, key)| !key.is_proof)
        .map(|(index, _)| Violation::new(format!("keys[{index}]"), WITHOUT_PROOF, None))
        .collect();
    if unproved.is_empty() {
        return Ok(());
    }
    Err(Error::constraint(unproved))
}

/// What customers are told is one line of text.
pub(super) fn check_reason(reason: &str) -> Result<(), Error> {
    let problem = if reason.trim().is_empty() || reason.len() > LONGEST_REASON {
        format!(
            "length must be between 1 and {LONGEST_REASON} bytes, saw {}",
            reason.len()
        )
    } else if reason.chars().any(char::is_control) {
        "must be one line of printable text".to_owned()
    } else {
        return Ok(());
    };
    let violation = Violation::new("reason", problem, Some(reason));
    Err(Error::constraint(vec![violation]))
}

impl Services {
    /// Keys on the list.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] for anybody but operators.
    pub async fn blocked_keys(
        &self,
        caller: &Caller,
        query: &BlockedKeyQuery,
    ) -> Result<Page<BlockedKey>, Error> {
        require_operator(caller)?;
        Ok(self.store.blocked_keys(query).await?)
    }

    /// Blocks compromised keys, for everybody and for ever. An operator's word is enough; customers prove it, and
    /// hear of their own certificates only.
    ///
    /// # Errors
    /// [`Kind::Constraint`] for more than 20 keys of a customer, for each that one names without proof, and those of
    /// [`block_keys`].
    pub async fn block_keys(
        &self,
        caller: &Caller,
        keys: &[NamedKey],
        reason: &str,
    ) -> Result<Blocked, Error> {
        if caller.role == Role::Customer {
            check_customers_keys(keys)?;
        }
        let delay = self.settings.revoke_compromised_after;
        let keys = keys.iter().map(|key| key.spki_sha256).collect();
        let mut block = KeyBlock::certain(keys, reason, &caller.user, self.clock.now(), delay);
        // What a stranger writes does not reach others as the house's own words.
        if let (Role::Customer, Ground::Proof(duty, _)) = (caller.role, &mut block.ground) {
            PROVED.clone_into(&mut duty.cause);
        }
        let mut blocked = block_keys(&*self.store, block).await?;
        let scope = caller.scope();
        blocked
            .certificates
            .retain(|one| scope.admits(&one.customer));
        Ok(blocked)
    }
}

/// The list is the house's.
pub fn require_operator(caller: &Caller) -> Result<(), Error> {
    match caller.role {
        Role::Operator => Ok(()),
        Role::Customer => Err(Error::new(
            Kind::Forbidden,
            "The list of blocked keys is for operators only",
        )),
    }
}
