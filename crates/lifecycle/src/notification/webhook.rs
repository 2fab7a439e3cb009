//! Where a customer wants its notifications sent, and the secrets that go with it.
//!
//! Secrets are encrypted in the database under a key that lies outside of it: a copy of the database alone
//! signs nothing. They are shown to nobody once they are set.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use reseal_validation::webhook::Courier;
use serde::{Deserialize, Serialize};

use super::Notification;
use crate::customer::Caller;
use crate::error::{Error, Violation};
use crate::services::Services;

/// Fewest and most bytes of a secret.
const SECRET_LENGTH: (usize, usize) = (16, 255);
/// Most bytes of a name and of a password.
const LONGEST_LOGIN: usize = 100;

/// What deliveries work with.
pub struct Webhooks {
    /// Hands messages over.
    pub courier: Courier,
    /// Opens the secrets.
    pub key: SealKey,
    /// A notification as receivers get it.
    pub render: fn(&Notification) -> Result<Vec<u8>, Error>,
}

/// A customer's receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Whose notifications.
    pub customer: String,
    /// Where they go.
    pub url: String,
    /// Name for the receiver's own authentication, when it has one.
    pub login: Option<String>,
    /// The secrets, encrypted.
    pub sealed: Vec<u8>,
    /// When it was set.
    pub created: Timestamp,
    /// Attempts that failed since the last success.
    pub failures: u32,
    /// When to try next.
    pub next_attempt: Timestamp,
    /// What came of the last attempt that failed, until one succeeds.
    pub last_error: Option<String>,
}

/// A receiver as asked for.
#[derive(Default)]
pub struct WebhookSetting {
    /// Where notifications go.
    pub url: String,
    /// Key of the signatures; one is made when there is none.
    pub secret: Option<String>,
    /// Name for the receiver's own authentication.
    pub login: Option<String>,
    /// Password to it.
    pub password: Option<String>,
}

/// What must not be seen.
#[derive(Serialize, Deserialize)]
pub(super) struct Secrets {
    secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
}

impl Secrets {
    /// The header `Signature` of a message: base64 of HMAC-SHA256 (contract.md section 5.8).
    pub(super) fn signature(&self, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        STANDARD.encode(hmac::sign(&key, body))
    }
}

/// The key that secrets are encrypted under.
pub struct SealKey(RandomizedNonceKey);

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

impl SealKey {
    /// The key of these bytes.
    ///
    /// # Errors
    /// The cryptographic library fails.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, Error> {
        RandomizedNonceKey::new(&AES_256_GCM, bytes)
            .map(Self)
            .map_err(|_| Error::internal("a key cannot be used"))
    }

    /// Encrypts; bound to the customer, so that nobody can put one customer's secrets under another.
    fn seal(&self, customer: &str, secrets: &Secrets) -> Result<Vec<u8>, Error> {
        let bytes = serde_json::to_vec(secrets).map_err(Error::internal)?;
        self.seal_bytes(customer, &bytes)
    }

    /// Encrypts `bytes` so that they open for `context` alone.
    pub(crate) fn seal_bytes(&self, context: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let mut bytes = bytes.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut bytes)
            .map_err(|_| Error::internal("a secret cannot be encrypted"))?;
        Ok([nonce.as_ref().as_slice(), &bytes].concat())
    }

    /// What was sealed for `context`; `None` when it was under another key or for something else, or changed.
    pub(crate) fn open_bytes(&self, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = sealed.to_vec();
        let plain = self
            .0
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(context.as_bytes()),
                &mut bytes,
            )
            .ok()?;
        Some(plain.to_vec())
    }

    /// The secrets of a webhook; `None` when they were encrypted under another key, or changed.
    pub(super) fn open(&self, webhook: &Webhook) -> Option<Secrets> {
        let plain = self.open_bytes(&webhook.customer, &webhook.sealed)?;
        serde_json::from_slice(&plain).ok()
    }
}

impl WebhookSetting {
    /// The webhook to store, and the secret if one was made for it. `check` says what is wrong with a URL.
    ///
    /// # Errors
    /// [`crate::Kind::Constraint`] with everything that is wrong.
    pub fn prepare(
        self,
        customer: &str,
        key: &SealKey,
        check: impl FnOnce(&str) -> Result<(), String>,
        now: Timestamp,
    ) -> Result<(Webhook, Option<String>), Error> {
        self.settle(check)?;
        let made = match self.secret {
            Some(_) => None,
            None => Some(random_secret()?),
        };
        let secrets = Secrets {
            secret: self.secret.or_else(|| made.clone()).unwrap_or_default(),
            password: self.password,
        };
        let webhook = Webhook {
            customer: customer.to_owned(),
            url: self.url,
            login: self.login,
            sealed: key.seal(customer, &secrets)?,
            created: now,
            failures: 0,
            next_attempt: now,
            last_error: None,
        };
        Ok((webhook, made))
    }

    fn settle(&self, check: impl FnOnce(&str) -> Result<(), String>) -> Result<(), Error> {
        let mut violations = Vec::new();
        if let Err(reason) = check(&self.url) {
            let message = format!("must be the URL of a receiver: {reason}");
            violations.push(Violation::new("url", message, Some(&self.url)));
        }
        let (least, most) = SECRET_LENGTH;
        if let Some(secret) = &self.secret
            && !(least..=most).contains(&secret.len())
        {
            let message = format!(
                "must have {least} to {most} bytes, saw {}; without one, one is made",
                secret.len()
            );
            violations.push(Violation::new("secret", message, None));
        }
        if self.login.is_some() != self.password.is_some() {
            let message = "comes together with the other of `username` and `password`";
            violations.push(Violation::new("username", message, None));
        }
        if let Some(login) = &self.login
            && (!is_printable(login) || login.contains(':'))
        {
            let message = "must be 1 to 100 printable characters without a colon";
            violations.push(Violation::new("username", message, Some(login)));
        }
        if self.password.as_ref().is_some_and(|it| !is_printable(it)) {
            let message = "must be 1 to 100 printable characters";
            violations.push(Violation::new("password", message, None));
        }
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Error::constraint(violations))
        }
    }
}

fn is_printable(text: &str) -> bool {
    (1..=LONGEST_LOGIN).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// 256 random bits as text.
fn random_secret() -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes).map_err(|_| Error::internal("no randomness from the system"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl Services {
    /// Sends the notifications of the caller's customer to a receiver from now on; what waits for an earlier one goes there
    /// too. The answer has the secret if one was made: it is shown this once.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`] for the customer, [`crate::Kind::Constraint`].
    pub async fn set_webhook(
        &self,
        caller: &Caller,
        setting: WebhookSetting,
    ) -> Result<(Webhook, Option<String>), Error> {
        let customer = caller.customer.as_str();
        if !self.store.customer_exists(customer).await? {
            return Err(Error::not_found("Customer"));
        }
        let Webhooks { courier, key, .. } = &self.webhooks;
        let (webhook, made) =
            setting.prepare(customer, key, |url| courier.check(url), self.clock.now())?;
        self.store
            .set_webhook(webhook.clone(), &caller.user)
            .await?;
        Ok((webhook, made))
    }

    /// `customer`'s receiver, and how many notifications wait for it.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn webhook(&self, customer: &str) -> Result<(Webhook, u64), Error> {
        self.store
            .webhook(customer)
            .await?
            .ok_or_else(|| Error::not_found("Webhook"))
    }

    /// Sends the notifications of the caller's customer nowhere any more; what waits is not sent.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn remove_webhook(&self, caller: &Caller) -> Result<(), Error> {
        let now = self.clock.now();
        let removed = self
            .store
            .remove_webhook(&caller.customer, now, &caller.user);
        if removed.await? {
            return Ok(());
        }
        Err(Error::not_found("Webhook"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_000_000).unwrap()
    }

    fn key(byte: u8) -> SealKey {
        SealKey::new(&[byte; 32]).unwrap()
    }

    fn prepared(setting: WebhookSetting) -> Result<(Webhook, Option<String>), Error> {
        let check = |url: &str| match url {
            "https://good.test/" => Ok(()),
            _ => Err("bad".to_owned()),
        };
        setting.prepare("acme", &key(1), check, now())
    }

    fn good() -> WebhookSetting {
        WebhookSetting {
            url: "https://good.test/".to_owned(),
            ..WebhookSetting::default()
        }
    }

    #[test]
    fn the_signature_is_the_contracts() {
        // RFC 4231 section 4.3, test case 2, in base64.
        let secrets = Secrets {
            secret: "Jefe".to_owned(),
            password: None,
        };
        assert_eq!(
            secrets.signature(b"what do ya want for nothing?"),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        );
    }

    #[test]
    fn secrets_are_sealed_for_one_customer_and_one_key() {
        let (webhook, made) = prepared(WebhookSetting {
            login: Some("user".to_owned()),
            password: Some("pass phrase".to_owned()),
            ..good()
        })
        .unwrap();
        let made = made.unwrap();
        assert_eq!(made.len(), 43);
        let opened = key(1).open(&webhook).unwrap();
        assert_eq!(opened.secret, made);
        assert_eq!(opened.password.as_deref(), Some("pass phrase"));
        let shown = format!("{webhook:?} {:?}", key(1));
        assert!(
            !shown.contains(&made) && !shown.contains("phrase"),
            "{shown}"
        );
        let sealed = String::from_utf8_lossy(&webhook.sealed).into_owned();
        assert!(!sealed.contains(&made), "{sealed}");

        assert!(key(2).open(&webhook).is_none());
        let moved = Webhook {
            customer: "rival".to_owned(),
            ..webhook.clone()
        };
        assert!(key(1).open(&moved).is_none());
        let cut = Webhook {
            sealed: webhook.sealed[..5].to_vec(),
            ..webhook
        };
        assert!(key(1).open(&cut).is_none());
    }

    #[test]
    fn everything_wrong_is_said_at_once_and_secrets_are_not_shown() {
        let wrong = WebhookSetting {
            url: "ftp://x".to_owned(),
            secret: Some("short".to_owned()),
            login: Some("a:b".to_owned()),
            password: Some("line\nbreak".to_owned()),
        };
        let violations = prepared(wrong).unwrap_err().violations;
        let fields: Vec<_> = violations.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["url", "secret", "username", "password"]);
        assert!(violations[1].value.is_none() && violations[3].value.is_none());
        let alone = WebhookSetting {
            password: Some("x".to_owned()),
            ..good()
        };
        assert!(prepared(alone).is_err());
        let given = WebhookSetting {
            secret: Some("a".repeat(16)),
            ..good()
        };
        assert_eq!(prepared(given).unwrap().1, None);
    }
}
