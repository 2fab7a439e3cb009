//! What the document says about blocked keys.

use reseal_lifecycle::query::BlockedKeyField;
use serde_json::json;

use super::block::read;
use super::wire::{BlockedBody, BlockedKeyBody, FIELDS};
use crate::openapi::Operation;

const TAG: &str = "Keys";

pub(crate) fn list() -> Operation {
    Operation::new(TAG, "listBlockedKeys", "List blocked keys")
        .list::<BlockedKeyField, BlockedKeyBody<'static>>(
            "Keys that are never certified again. For operators.",
            FIELDS,
        )
}

pub(crate) fn block() -> Operation {
    Operation::new(TAG, "blockKeys", "Block compromised keys, for everybody and for ever")
        .details(
            "Every certificate with one of the keys, whoever's it is, is revoked within 24 hours. Operators name keys \
             in any way; customers by what proves that they are compromised: the private key, or a request signed by \
             it whose common name is `This key is compromised`.",
        )
        .body(
            read,
            &[
                (
                    "keys",
                    "SHA-256 of a SubjectPublicKeyInfo in hexadecimal, or PEM of a public key, a certificate, a \
                     request or a private key. At most 20 in a call of a customer.",
                ),
                ("reason", "Why; the customers of the certificates read it."),
            ],
        )
        .example(json!({
            "keys": ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
            "reason": "found in a public repository"
        }))
        .json::<BlockedBody<'static>>(200, "What that came to.")
}
