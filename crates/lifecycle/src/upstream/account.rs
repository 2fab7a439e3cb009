//! Accounts at an upstream, one for each customer, because what an account has proved there proves it for every order of
//! the account (RFC 8555 section 7.1.3): made when it is first needed, its key encrypted in the database. Its key can be
//! changed (RFC 8555 section 7.3.5).
//!
//! Every key is on record before the upstream hears of it, so that no crash and no lost answer leaves an account that nobody
//! can use. While a change is under way there are two keys, and only the upstream can say which one it knows: it is asked.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Account, Upstream, UpstreamError, UpstreamStore};
use crate::audit::SERVER;
use crate::clock::Clock;
use crate::error::Error;
use crate::fault;
use crate::notification::SealKey;
use crate::services::Services;
use crate::store::StoreError;

/// An account as it is kept. Registering a key again finds its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccount {
    /// Name of the issuer.
    pub issuer: String,
    /// URL of the directory.
    pub directory: String,
    /// Whose orders are placed with it.
    pub customer: String,
    /// The private key, encrypted.
    pub sealed: Vec<u8>,
    /// What the upstream calls it, once it has answered.
    pub url: Option<String>,
    /// When the key was made.
    pub created: Timestamp,
    /// The key that is to take its place, encrypted, while it is not known that the upstream knows it.
    pub next: Option<Vec<u8>>,
}

/// Why there is no account to work with.
#[derive(Debug)]
pub enum NoAccount {
    /// The upstream says so, or says nothing.
    Upstream(UpstreamError),
    /// Something of ours.
    Own(Error),
}

impl From<UpstreamError> for NoAccount {
    fn from(error: UpstreamError) -> Self {
        Self::Upstream(error)
    }
}

impl From<Error> for NoAccount {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl From<StoreError> for NoAccount {
    fn from(error: StoreError) -> Self {
        Self::Own(error.into())
    }
}

/// How a change of a key came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyChange {
    /// The account has another key.
    Done,
    /// It has the key of a change that was begun before.
    DoneBefore,
    /// There is no account yet whose key could be changed.
    NoAccount,
}

/// Accounts at upstreams, as a server or a command deals with them.
pub struct Accounts<'a> {
    /// Where they are kept.
    pub store: &'a dyn UpstreamStore,
    /// What their keys are encrypted under.
    pub key: &'a SealKey,
    /// The present moment.
    pub clock: Clock,
}

impl Accounts<'_> {
    /// The account that `customer` has at the issuer `name`; made if there is none.
    pub(crate) async fn get(
        &self,
        name: &str,
        upstream: &Arc<dyn Upstream>,
        customer: &str,
    ) -> Result<Account, NoAccount> {
        let directory = upstream.directory();
        let known = self
            .store
            .upstream_account(name, directory, customer)
            .await?;
        let stored = if let Some(stored) = known {
            stored
        } else {
            let key = upstream.new_key()?;
            let fresh = StoredAccount {
                issuer: name.to_owned(),
                directory: directory.to_owned(),
                customer: customer.to_owned(),
                sealed: self.seal(name, directory, customer, &key)?,
                url: None,
                created: self.clock.now(),
                next: None,
            };
            self.store.keep_upstream_account(fresh).await?
        };
        if let Some(url) = stored.url.clone() {
            let key = match self.settle(&stored, upstream, SERVER).await? {
                Some(next) => next,
                None => self.opened(&stored, &stored.sealed)?,
            };
            return Ok(Account { url, key });
        }
        let key = self.opened(&stored, &stored.sealed)?;
        let url = upstream.register(&key).await?;
        let now = self.clock.now();
        self.store.name_upstream_account(&stored, &url, now).await?;
        tracing::info!(
            issuer = name,
            customer,
            account = url,
            "an account at the upstream was made"
        );
        Ok(Account { url, key })
    }

    /// The account that takes the place of `lost`, which the upstream does not know any more: the one that it has for its key,
    /// or a new one. An account that the upstream closed for good it makes no more; it says so.
    pub(crate) async fn replace(
        &self,
        name: &str,
        upstream: &Arc<dyn Upstream>,
        customer: &str,
        lost: &Account,
    ) -> Result<Account, NoAccount> {
        let Account { url, key } = self.get(name, upstream, customer).await?;
        if url != lost.url {
            return Ok(Account { url, key });
        }
        let found = match upstream.find(&key).await? {
            Some(found) => found,
            None => upstream.register(&key).await?,
        };
        let directory = upstream.directory();
        let stored = self
            .store
            .upstream_account(name, directory, customer)
            .await?;
        let stored = stored.filter(|stored| stored.url.as_ref() == Some(&url) && found != url);
        if let Some(stored) = stored {
            let now = self.clock.now();
            self.store
                .name_upstream_account(&stored, &found, now)
                .await?;
            tracing::warn!(
                issuer = name,
                customer,
                lost = url,
                account = found,
                "the upstream lost an account, and has another one of its key"
            );
        }
        Ok(Account { url: found, key })
    }

    /// Gives the account that `customer` has at the issuer `name` another key. A change that was begun before is brought to
    /// its end instead, with the key that was made for it.
    ///
    /// # Errors
    /// The change may have been made, or not: the account can be used all the same, and this can be called again.
    pub async fn change_key(
        &self,
        name: &str,
        upstream: &Arc<dyn Upstream>,
        customer: &str,
        actor: &str,
    ) -> Result<KeyChange, NoAccount> {
        let directory = upstream.directory();
        let known = self
            .store
            .upstream_account(name, directory, customer)
            .await?;
        let Some((stored, url)) = known.and_then(|known| Some((known.clone(), known.url?))) else {
            return Ok(KeyChange::NoAccount);
        };
        if self.settle(&stored, upstream, actor).await?.is_some() {
            return Ok(KeyChange::DoneBefore);
        }
        let stored = if stored.next.is_some() {
            stored
        } else {
            if !upstream.changes_keys().await? {
                return Err(NoAccount::Upstream(UpstreamError::Refused {
                    kind: "keyChange".to_owned(),
                    detail: "its directory does not say where keys are changed".to_owned(),
                }));
            }
            let fresh = self.seal(name, directory, customer, &upstream.new_key()?)?;
            // Of two that begin at the same time both go on with the key of the first.
            self.store.begin_key_change(&stored, fresh).await?
        };
        let Some(next) = &stored.next else {
            return Ok(KeyChange::DoneBefore);
        };
        fault::point(fault::Point::KeyKept).await;
        let account = Account {
            url,
            key: self.opened(&stored, &stored.sealed)?,
        };
        let next = self.opened(&stored, next)?;
        let changed = upstream.change_key(&account, &next).await;
        fault::point(fault::Point::KeyChanged).await;
        match changed {
            Ok(()) => self.finish(&stored, actor).await?,
            // A lost answer; or a refusal because somebody else has made the change.
            Err(error @ (UpstreamError::Lost(_) | UpstreamError::Refused { .. })) => {
                if self.settle(&stored, upstream, actor).await?.is_none() {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(KeyChange::Done)
    }

    /// The next key, if the upstream knows it: then it is the account's from now on. What the upstream does not know yet is
    /// kept: the change may be on its way.
    async fn settle(
        &self,
        stored: &StoredAccount,
        upstream: &Arc<dyn Upstream>,
        actor: &str,
    ) -> Result<Option<Vec<u8>>, NoAccount> {
        let Some(sealed) = &stored.next else {
            return Ok(None);
        };
        let next = self.opened(stored, sealed)?;
        let found = match upstream.find(&next).await {
            Ok(found) => found,
            // Not every upstream says that it does not know a key; of one that it knows, each does.
            Err(error) => {
                let old = self.opened(stored, &stored.sealed)?;
                match upstream.find(&old).await? {
                    Some(found) if Some(&found) == stored.url.as_ref() => None,
                    _ => return Err(error.into()),
                }
            }
        };
        if found.is_none() || found != stored.url {
            return Ok(None);
        }
        self.finish(stored, actor).await?;
        Ok(Some(next))
    }

    async fn finish(&self, stored: &StoredAccount, actor: &str) -> Result<(), NoAccount> {
        let now = self.clock.now();
        self.store.finish_key_change(stored, actor, now).await?;
        tracing::info!(
            issuer = stored.issuer,
            customer = stored.customer,
            "the account at the upstream has another key"
        );
        Ok(())
    }

    fn seal(
        &self,
        name: &str,
        directory: &str,
        customer: &str,
        key: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.key
            .seal_bytes(&bound_to(name, directory, customer), key)
    }

    fn opened(&self, stored: &StoredAccount, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let context = bound_to(&stored.issuer, &stored.directory, &stored.customer);
        let key = self.key.open_bytes(&context, sealed);
        key.ok_or_else(|| {
            Error::internal(format!(
                "the account key of issuer `{}` was encrypted under another key than this server's",
                stored.issuer
            ))
        })
    }
}

impl Services {
    /// The account that `customer` has at the issuer `name`; made if there is none.
    pub(crate) async fn upstream_account(
        &self,
        name: &str,
        upstream: &Arc<dyn Upstream>,
        customer: &str,
    ) -> Result<Account, NoAccount> {
        self.accounts().get(name, upstream, customer).await
    }

    pub(crate) fn accounts(&self) -> Accounts<'_> {
        Accounts {
            store: &*self.store,
            key: &self.webhooks.key,
            clock: self.clock,
        }
    }
}

/// What an account key is encrypted for: it opens for nothing else.
fn bound_to(name: &str, directory: &str, customer: &str) -> String {
    match customer {
        // One that all customers shared.
        "" => format!("issuer/{name}/{directory}"),
        customer => format!("issuer/{name}/{customer}/{directory}"),
    }
}
