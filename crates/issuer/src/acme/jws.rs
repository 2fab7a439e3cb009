//! Signed requests (RFC 8555 section 6.2, RFC 7515), by ECDSA with P-256.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// What an account signs with.
pub(super) struct Key(EcdsaKeyPair);

/// By what the upstream knows the key.
#[derive(Clone, Copy)]
pub(super) enum Signer<'a> {
    /// By the key itself, which is sent along.
    Key,
    /// By the account of that URL.
    Account(&'a str),
}

impl Key {
    /// A new one, PKCS #8.
    pub(super) fn generate() -> Option<Vec<u8>> {
        let made =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        made.ok().map(|document| document.as_ref().to_vec())
    }

    /// The key in a PKCS #8 document.
    pub(super) fn parse(pkcs8: &[u8]) -> Option<Self> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
            .ok()
            .map(Self)
    }

    /// The public half (RFC 7517), its members sorted as RFC 7638 wants them.
    pub(super) fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        // An uncompressed point: 4, x, y.
        let (x, y) = point
            .get(1..)
            .unwrap_or_default()
            .split_at_checked(32)
            .unwrap_or_default();
        json!({"crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y)})
    }

    /// RFC 7638.
    pub(super) fn thumbprint(&self) -> String {
        encode(digest(&SHA256, self.jwk().to_string().as_bytes()).as_ref())
    }

    /// A request to `url`; without a payload it only reads (RFC 8555 section 6.3).
    pub(super) fn sign(
        &self,
        signer: Signer<'_>,
        nonce: &str,
        url: &str,
        payload: Option<&Value>,
    ) -> Option<Vec<u8>> {
        let mut protected = json!({"alg": "ES256", "nonce": nonce, "url": url});
        match signer {
            Signer::Key => protected["jwk"] = self.jwk(),
            Signer::Account(kid) => protected["kid"] = kid.into(),
        }
        Some(self.signed(&protected, payload)?.to_string().into_bytes())
    }

    /// Says by this key that it takes the place of `old` as that of an account (RFC 8555 section 7.3.5). The request that
    /// carries this is signed by `old`.
    pub(super) fn succeed(&self, old: &Self, account: &str, url: &str) -> Option<Value> {
        let protected = json!({"alg": "ES256", "jwk": self.jwk(), "url": url});
        let payload = json!({"account": account, "oldKey": old.jwk()});
        self.signed(&protected, Some(&payload))
    }

    fn signed(&self, protected: &Value, payload: Option<&Value>) -> Option<Value> {
        let protected = encode(protected.to_string().as_bytes());
        let payload = payload.map_or_else(String::new, |payload| {
            encode(payload.to_string().as_bytes())
        });
        let input = format!("{protected}.{payload}");
        let signature = self.0.sign(&SystemRandom::new(), input.as_bytes()).ok()?;
        Some(flattened(&protected, &payload, signature.as_ref()))
    }

    /// Binds this key to an account elsewhere (RFC 8555 section 7.3.4).
    pub(super) fn bind(&self, key_id: &str, mac_key: &[u8], url: &str) -> Value {
        let protected = json!({"alg": "HS256", "kid": key_id, "url": url});
        let protected = encode(protected.to_string().as_bytes());
        let payload = encode(self.jwk().to_string().as_bytes());
        let mac = hmac::Key::new(hmac::HMAC_SHA256, mac_key);
        let tag = hmac::sign(&mac, format!("{protected}.{payload}").as_bytes());
        flattened(&protected, &payload, tag.as_ref())
    }
}

fn flattened(protected: &str, payload: &str, signature: &[u8]) -> Value {
    json!({"protected": protected, "payload": payload, "signature": encode(signature)})
}

/// As ACME writes bytes.
pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    fn decoded(value: &Value) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
    }

    #[test]
    fn a_request_is_signed_over_what_it_says_and_where_it_goes() {
        let key = Key::parse(&Key::generate().unwrap()).unwrap();
        let body = key.sign(
            Signer::Account("https://ca.example/1"),
            "n",
            "https://ca.example/o",
            Some(&json!({"a": 1})),
        );
        let body: Value = serde_json::from_slice(&body.unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&decoded(&body["protected"])).unwrap();
        assert_eq!(header["url"], "https://ca.example/o");
        assert_eq!(header["kid"], "https://ca.example/1");
        assert_eq!(header["nonce"], "n");
        assert_eq!(header.get("jwk"), None);
        let input = format!(
            "{}.{}",
            body["protected"].as_str().unwrap(),
            body["payload"].as_str().unwrap()
        );
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.0.public_key().as_ref());
        public
            .verify(input.as_bytes(), &decoded(&body["signature"]))
            .unwrap();
    }

    #[test]
    fn a_key_is_named_by_the_hash_of_its_sorted_members() {
        let key = Key::parse(&Key::generate().unwrap()).unwrap();
        let text = key.jwk().to_string();
        assert!(
            text.starts_with(r#"{"crv":"P-256","kty":"EC","x":""#),
            "{text}"
        );
        assert_eq!(key.thumbprint().len(), 43);
    }

    #[test]
    fn a_successor_signs_for_the_account_and_the_key_that_it_takes_the_place_of() {
        let [old, next] = [(); 2].map(|()| Key::parse(&Key::generate().unwrap()).unwrap());
        let (account, url) = ("https://ca.example/1", "https://ca.example/key-change");
        let said = next.succeed(&old, account, url).unwrap();
        let header: Value = serde_json::from_slice(&decoded(&said["protected"])).unwrap();
        assert_eq!(
            header,
            json!({"alg": "ES256", "jwk": next.jwk(), "url": url})
        );
        let payload: Value = serde_json::from_slice(&decoded(&said["payload"])).unwrap();
        assert_eq!(payload, json!({"account": account, "oldKey": old.jwk()}));
        let input = format!(
            "{}.{}",
            said["protected"].as_str().unwrap(),
            said["payload"].as_str().unwrap()
        );
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, next.0.public_key().as_ref());
        public
            .verify(input.as_bytes(), &decoded(&said["signature"]))
            .unwrap();
    }

    #[test]
    fn a_binding_is_over_the_key_and_by_the_other_accounts_secret() {
        let key = Key::parse(&Key::generate().unwrap()).unwrap();
        let bound = key.bind("kid-1", b"secret", "https://ca.example/new-account");
        let payload: Value = serde_json::from_slice(&decoded(&bound["payload"])).unwrap();
        assert_eq!(payload, key.jwk());
        let mac = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let input = format!(
            "{}.{}",
            bound["protected"].as_str().unwrap(),
            bound["payload"].as_str().unwrap()
        );
        hmac::verify(&mac, input.as_bytes(), &decoded(&bound["signature"])).unwrap();
    }
}
