//! An ACME server as an issuer (RFC 8555): [`AcmeUpstream`] speaks to it for `lifecycle`, which decides what is said.
//!
//! - `answer`: what answers mean
//! - `jws`: how requests are signed
//! - `rest`: when nothing is sent
//! - `settings`: what an operator says of it
//! - `wire`: what the server says

mod answer;
mod jws;
mod rest;
mod settings;
mod wire;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http::{Method, StatusCode};
use jiff::SignedDuration;
use reseal_lifecycle::certificate::RevocationReason;
use reseal_lifecycle::upstream::{
    Account, Advised, AuthorizationState, Delivered, OrderState, Upstream, UpstreamError,
};
use reseal_pki::certificate::Certificate;
use reseal_pki::name::DnsName;
use serde_json::{Value, json};

use answer::{
    delivered, location, nothing_done, nothing_works, own, placed, read, refusal, unanswered,
};
use jws::{Key, Signer, encode};
use rest::Rest;
pub use settings::{AcmeError, AcmeSettings};
use wire::{Authorization, Directory, Order, RenewalInfo};

use crate::https::{Answer, Http, Place};

/// How long the directory is believed.
const DIRECTORY_LIFE: Duration = Duration::from_hours(1);
/// How often a request is signed anew because the server did not take its nonce.
const MOST_NONCES: usize = 10;
/// Nonces that are kept for later requests.
const MOST_KEPT: usize = 20;
/// Most bytes of an answer: a chain of certificates is the longest there is.
const LARGEST_ANSWER: usize = 256 * 1024;
/// Media type of what is sent (RFC 8555 section 6.2).
const JOSE: &str = "application/jose+json";
/// Most chains that are looked at for the one that the operator prefers.
const MOST_CHAINS: usize = 8;

/// An ACME server.
pub struct AcmeUpstream {
    settings: AcmeSettings,
    http: Http,
    directory: Mutex<Option<(Instant, Directory)>>,
    nonces: Mutex<Vec<String>>,
    rest: Rest,
}

impl AcmeUpstream {
    /// Prepares; nothing is sent yet.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn new(mut settings: AcmeSettings) -> Result<Self, AcmeError> {
        Place::parse(&settings.directory).map_err(AcmeError::Directory)?;
        let roots = std::mem::take(&mut settings.tls_roots);
        Ok(Self {
            http: Http::new(roots, LARGEST_ANSWER).map_err(AcmeError::Tls)?,
            settings,
            directory: Mutex::default(),
            nonces: Mutex::default(),
            rest: Rest::default(),
        })
    }

    async fn urls(&self) -> Result<Directory, UpstreamError> {
        let known = self
            .directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((read, directory)) = known
            && read.elapsed() < DIRECTORY_LIFE
        {
            return Ok(directory);
        }
        let answer = self
            .http
            .send(Method::GET, &self.settings.directory, None)
            .await;
        let answer = answer.map_err(|error| nothing_works(unanswered(error)))?;
        if answer.status != StatusCode::OK {
            self.rest.heed(&answer);
            return Err(nothing_works(refusal(&answer)));
        }
        let directory: Directory = read(&answer).map_err(nothing_works)?;
        let fresh = Some((Instant::now(), directory.clone()));
        *self
            .directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(directory)
    }

    fn keep_nonce(&self, answer: &Answer) {
        let Some(nonce) = answer.header("replay-nonce") else {
            return;
        };
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.len() < MOST_KEPT {
            nonces.push(nonce.to_owned());
        }
    }

    async fn nonce(&self, directory: &Directory) -> Result<String, UpstreamError> {
        let kept = self
            .nonces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        if let Some(nonce) = kept {
            return Ok(nonce);
        }
        let answer = self
            .http
            .send(Method::HEAD, &directory.new_nonce, None)
            .await;
        let answer = answer.map_err(|error| nothing_works(unanswered(error)))?;
        self.rest.heed(&answer);
        let nonce = answer.header("replay-nonce").map(str::to_owned);
        nonce.ok_or_else(|| nothing_works(refusal(&answer)))
    }

    /// Sends a signed request, again with another nonce where the server wants one; the answer is a good one.
    async fn post(
        &self,
        key: &Key,
        signer: Signer<'_>,
        url: &str,
        payload: Option<&Value>,
    ) -> Result<Answer, UpstreamError> {
        let directory = self.urls().await?;
        let mut last = own("no nonce was taken");
        for _ in 0..MOST_NONCES {
            let nonce = self.nonce(&directory).await?;
            let body = key.sign(signer, &nonce, url, payload);
            let body = body.ok_or_else(|| own("the request cannot be signed"))?;
            let answer = self
                .http
                .send(Method::POST, url, Some((JOSE, body)))
                .await
                .map_err(unanswered)?;
            self.keep_nonce(&answer);
            if answer.status.is_success() {
                return Ok(answer);
            }
            self.rest.heed(&answer);
            last = refusal(&answer);
            if !last.is("badNonce") {
                return Err(last);
            }
        }
        Err(nothing_done(last))
    }

    async fn ask(
        &self,
        account: &Account,
        url: &str,
        payload: Option<&Value>,
    ) -> Result<Answer, UpstreamError> {
        self.rest.check()?;
        self.insist(account, url, payload).await
    }

    /// The same while the upstream wants to be left alone.
    async fn insist(
        &self,
        account: &Account,
        url: &str,
        payload: Option<&Value>,
    ) -> Result<Answer, UpstreamError> {
        let key = key_of(account)?;
        self.post(&key, Signer::Account(&account.url), url, payload)
            .await
    }

    /// Reads: whatever fails has changed nothing.
    async fn look(&self, account: &Account, url: &str) -> Result<Answer, UpstreamError> {
        let answer = self.ask(account, url, None).await;
        answer.map_err(|error| match error {
            UpstreamError::Lost(_) => nothing_done(error),
            other => other,
        })
    }

    async fn chain(
        &self,
        account: &Account,
        url: &str,
    ) -> Result<(Delivered, Answer), UpstreamError> {
        let answer = self.look(account, url).await?;
        Ok((delivered(&answer.body)?, answer))
    }

    fn is_preferred(&self, delivered: &Delivered) -> bool {
        let Some(wanted) = &self.settings.preferred_chain else {
            return true;
        };
        let all = std::iter::once(&delivered.leaf).chain(&delivered.chain);
        all.filter_map(|der| Certificate::from_der(der).ok())
            .any(|certificate| certificate.issuer_text().contains(wanted.as_str()))
    }
}

#[async_trait]
impl Upstream for AcmeUpstream {
    fn directory(&self) -> &str {
        &self.settings.directory
    }

    fn longest_validity(&self) -> Option<SignedDuration> {
        self.settings.longest_validity
    }

    fn roots(&self) -> &[Vec<u8>] {
        &self.settings.roots
    }

    fn new_key(&self) -> Result<Vec<u8>, UpstreamError> {
        Key::generate().ok_or_else(|| own("no key can be made"))
    }

    async fn register(&self, key: &[u8]) -> Result<String, UpstreamError> {
        let key = Key::parse(key).ok_or_else(|| own("the account key cannot be used"))?;
        self.rest.check()?;
        let url = self.urls().await?.new_account;
        let mut payload = json!({"termsOfServiceAgreed": true});
        if let Some(contact) = &self.settings.contact {
            payload["contact"] = json!([contact]);
        }
        if let Some((id, secret)) = &self.settings.external_account {
            payload["externalAccountBinding"] = key.bind(id, secret, &url);
        }
        let answer = self.post(&key, Signer::Key, &url, Some(&payload)).await?;
        location(&answer)
    }

    async fn find(&self, key: &[u8]) -> Result<Option<String>, UpstreamError> {
        let key = Key::parse(key).ok_or_else(|| own("the account key cannot be used"))?;
        self.rest.check()?;
        let url = self.urls().await?.new_account;
        let payload = json!({"onlyReturnExisting": true});
        match self.post(&key, Signer::Key, &url, Some(&payload)).await {
            Ok(answer) => location(&answer).map(Some).map_err(nothing_done),
            Err(error) if error.is("accountDoesNotExist") => Ok(None),
            // Nothing was to be changed.
            Err(error) => Err(nothing_done(error)),
        }
    }

    async fn changes_keys(&self) -> Result<bool, UpstreamError> {
        Ok(self.urls().await?.key_change.is_some())
    }

    async fn change_key(&self, account: &Account, next: &[u8]) -> Result<(), UpstreamError> {
        let url = self.urls().await?.key_change;
        let url = url.ok_or_else(|| own("its directory does not say where keys are changed"))?;
        let (old, next) = (key_of(account)?, Key::parse(next));
        let payload = next.and_then(|next| next.succeed(&old, &account.url, &url));
        let payload = payload.ok_or_else(|| own("the next account key cannot be used"))?;
        self.ask(account, &url, Some(&payload)).await.map(drop)
    }

    fn key_authorization(&self, account: &Account, token: &str) -> Result<String, UpstreamError> {
        Ok(format!("{token}.{}", key_of(account)?.thumbprint()))
    }

    async fn caa_identities(&self) -> Result<Vec<String>, UpstreamError> {
        Ok(self.urls().await?.meta.caa_identities)
    }

    async fn place(
        &self,
        account: &Account,
        names: &[DnsName],
        replaces: Option<&[u8]>,
    ) -> Result<(String, OrderState), UpstreamError> {
        let directory = self.urls().await?;
        let identifiers = names
            .iter()
            .map(|name| json!({"type": "dns", "value": name.as_str()}));
        let mut payload = json!({"identifiers": identifiers.collect::<Vec<_>>()});
        let replaced = replaces
            .filter(|_| directory.renewal_info.is_some())
            .and_then(|der| certificate_id(&Certificate::from_der(der).ok()?));
        if let Some(id) = replaced {
            payload["replaces"] = id.into();
            match self
                .ask(account, &directory.new_order, Some(&payload))
                .await
            {
                // That another order has replaced it, or that it is not known there, is no reason to have none.
                Err(UpstreamError::Refused { kind, .. })
                    if ["alreadyReplaced", "malformed", "unauthorized"]
                        .contains(&kind.as_str()) => {}
                answer => return placed(&answer?),
            }
            payload
                .as_object_mut()
                .map(|payload| payload.remove("replaces"));
        }
        placed(
            &self
                .ask(account, &directory.new_order, Some(&payload))
                .await?,
        )
    }

    async fn order(&self, account: &Account, url: &str) -> Result<OrderState, UpstreamError> {
        let answer = self.look(account, url).await?;
        Ok(read::<Order>(&answer)?.state(answer.retry_after()))
    }

    async fn authorization(
        &self,
        account: &Account,
        url: &str,
    ) -> Result<AuthorizationState, UpstreamError> {
        let answer = self.look(account, url).await?;
        Ok(read::<Authorization>(&answer)?.state(answer.retry_after()))
    }

    async fn tell(&self, account: &Account, challenge: &str) -> Result<(), UpstreamError> {
        self.ask(account, challenge, Some(&json!({})))
            .await
            .map(drop)
    }

    async fn finalize(
        &self,
        account: &Account,
        finalize: &str,
        csr: &[u8],
    ) -> Result<(), UpstreamError> {
        let payload = json!({"csr": encode(csr)});
        self.ask(account, finalize, Some(&payload)).await.map(drop)
    }

    async fn download(&self, account: &Account, url: &str) -> Result<Delivered, UpstreamError> {
        let (first, answer) = self.chain(account, url).await?;
        if self.is_preferred(&first) {
            return Ok(first);
        }
        for url in answer.links("alternate").iter().take(MOST_CHAINS) {
            // One that cannot be had is no reason to go without any, and one of another certificate is none.
            if let Ok((other, _)) = self.chain(account, url).await
                && other.leaf == first.leaf
                && self.is_preferred(&other)
            {
                return Ok(other);
            }
        }
        Ok(first)
    }

    async fn renewal_info(&self, certificate: &[u8]) -> Result<Option<Advised>, UpstreamError> {
        self.rest.check()?;
        let Some(base) = self.urls().await?.renewal_info else {
            return Ok(None);
        };
        let leaf = Certificate::from_der(certificate).ok();
        let id = leaf.as_ref().and_then(certificate_id);
        let id = id.ok_or_else(|| own("the certificate does not name its issuer's key"))?;
        let url = format!("{}/{id}", base.trim_end_matches('/'));
        let answer = self.http.send(Method::GET, &url, None).await;
        let answer = answer.map_err(|error| nothing_done(unanswered(error)))?;
        if answer.status != StatusCode::OK {
            self.rest.heed(&answer);
            return Err(refusal(&answer));
        }
        let advice = read::<RenewalInfo>(&answer)?.advice();
        let advice = advice.ok_or_else(|| own("its renewal window ends before it begins"))?;
        Ok(Some(Advised {
            advice,
            retry_after: answer.retry_after(),
        }))
    }

    async fn revoke(
        &self,
        account: &Account,
        certificate: &[u8],
        reason: Option<RevocationReason>,
    ) -> Result<Option<RevocationReason>, UpstreamError> {
        let url = self.urls().await?.revoke_cert;
        let mut payload = json!({"certificate": encode(certificate)});
        if let Some(reason) = reason {
            payload["reason"] = reason.code().into();
        }
        // Nobody goes on trusting a compromised key because an upstream is busy.
        let told = if reason == Some(RevocationReason::KeyCompromise) {
            self.insist(account, &url, Some(&payload)).await
        } else {
            self.ask(account, &url, Some(&payload)).await
        };
        match told {
            // That it is revoked matters more than why (RFC 8555 section 7.6).
            Err(error) if reason.is_some() && error.is("badRevocationReason") => {
                self.revoke(account, certificate, None).await
            }
            Err(error) if error.is("alreadyRevoked") => Ok(reason),
            done => done.map(|_| reason),
        }
    }
}

fn key_of(account: &Account) -> Result<Key, UpstreamError> {
    Key::parse(&account.key).ok_or_else(|| own("the account key cannot be used"))
}

/// By what a certificate is known to renewal information (RFC 9773 section 4.1).
fn certificate_id(certificate: &Certificate) -> Option<String> {
    let key = certificate.authority_key_identifier()?;
    // The content of the INTEGER, which begins with a zero where it would be negative otherwise.
    let serial = certificate.serial_bytes();
    let zero: &[u8] = if serial.first().is_some_and(|first| *first >= 0x80) {
        &[0]
    } else {
        &[]
    };
    Some(format!(
        "{}.{}",
        encode(&key),
        encode(&[zero, serial].concat())
    ))
}
