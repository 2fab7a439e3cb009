//! `Idempotency-Key`: a call that is sent twice is carried out once.
//!
//! The key is taken durably before its call begins. The commit that opens a process notes it at the key, so that the
//! answer to a call whose server died can still be given: it is the process as it stands. The commit that begins a
//! campaign keeps the answer itself ([`Promised`]). A call that was refused changed nothing and leaves its key free.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::customer::Caller;
use crate::error::{Error, Kind};
use crate::hands::Thing;
use crate::process::{Process, ProcessId};
use crate::services::Services;
use crate::store::StoreError;

/// How long a key is remembered.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// After this time a call without an answer is believed dead: far longer than any call takes.
pub const ABANDONED: SignedDuration = SignedDuration::from_mins(10);

/// Number of a taken key.
pub type ClaimId = i64;

/// A call that carries a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedCall {
    /// Whose key it is: two customers may use the same.
    pub customer: String,
    /// SHA-256 of the key.
    pub key: [u8; 32],
    /// SHA-256 of everything that tells this call from another.
    pub fingerprint: [u8; 32],
    /// When it came.
    pub at: Timestamp,
}

/// What was answered, as it is given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// Names and values of the headers that belong to the answer.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The answer to a call that makes a `T`, to be kept by the commit that makes it: whoever asks again after that commit
/// has no second one made.
pub struct Promised<T> {
    /// The key's number.
    pub claim: ClaimId,
    /// How a `T` is answered.
    pub answer: AnswerOf<T>,
}

/// How a call that makes a `T` is answered. The error: it cannot be written as JSON.
pub type AnswerOf<T> = fn(&T) -> serde_json::Result<KeptAnswer>;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: it is taken now, and the call may begin.
    First(ClaimId),
    /// The same call was answered.
    Answered(KeptAnswer),
    /// The same call opened this process; its answer was never recorded.
    Opened(ProcessId),
    /// The same call is being carried out.
    Running,
    /// Another call has used it.
    OtherCall,
}

/// The part of [`crate::store::Store`] that is about keys.
#[async_trait]
pub trait IdempotencyStore: Send + Sync + 'static {
    /// Takes the key of `call`, or says what it was used for. Keys older than [`REMEMBERED`] are forgotten, and
    /// those older than [`ABANDONED`] whose call left nothing behind are free again.
    async fn claim_key(&self, call: KeyedCall) -> Result<Claim, StoreError>;
    /// The same without taking it; `None` when it could be taken.
    async fn find_key(&self, call: &KeyedCall) -> Result<Option<Claim>, StoreError>;
    /// Keeps what the call was answered.
    async fn keep_answer(&self, claim: ClaimId, answer: KeptAnswer) -> Result<(), StoreError>;
    /// Frees the key of a call that was refused; one that opened a process stays taken.
    async fn free_key(&self, claim: ClaimId) -> Result<(), StoreError>;
}

/// What is to be done with a call that carries a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// Carry it out, then [`Services::settle_key`].
    First(ClaimId),
    /// Give this answer again.
    Again(KeptAnswer),
    /// Answer with this process, which the call had opened.
    Opened(Box<Process>),
    /// Another node or connection is at it.
    Running,
}

impl Services {
    /// Takes the key that a call carries.
    ///
    /// # Errors
    /// [`Kind::Rule`] when the key was used for another call.
    pub async fn take_key(
        &self,
        caller: &Caller,
        key: [u8; 32],
        fingerprint: [u8; 32],
    ) -> Result<Turn, Error> {
        let call = KeyedCall {
            customer: caller.customer.clone(),
            key,
            fingerprint,
            at: self.clock.now(),
        };
        // Whoever waits for another call only reads.
        let claim = match self.store.find_key(&call).await? {
            Some(known) => known,
            None => self.store.claim_key(call).await?,
        };
        Ok(match claim {
            Claim::First(id) => {
                self.hands.take(Thing::Call(id));
                Turn::First(id)
            }
            Claim::Answered(answer) => Turn::Again(answer),
            Claim::Running => Turn::Running,
            Claim::Opened(id) => {
                let process = self.store.process(&caller.scope(), id).await?;
                let process =
                    process.ok_or_else(|| Error::internal(format!("process {id} is gone")))?;
                Turn::Opened(Box::new(process))
            }
            Claim::OtherCall => {
                return Err(Error::new(
                    Kind::Rule,
                    "This `Idempotency-Key` was used for another call within the last 24 hours: expected the same \
                     path, query and body as then, or a new key",
                ));
            }
        })
    }

    /// Records how the call ended: with an answer, or with a refusal (`None`) that leaves the key free.
    ///
    /// # Errors
    /// The store's.
    pub async fn settle_key(
        &self,
        claim: ClaimId,
        answer: Option<KeptAnswer>,
    ) -> Result<(), Error> {
        let call = Thing::Call(claim);
        if let Some(answer) = answer {
            self.store.keep_answer(claim, answer).await?;
            // Only now: what was answered must not be done again because the answer could not be kept.
            self.hands.let_go(call);
        } else {
            // If the key cannot be freed now, it is given back as soon as it can.
            self.hands.let_go(call);
            self.store.free_key(claim).await?;
        }
        Ok(())
    }
}
