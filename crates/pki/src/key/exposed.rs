//! The public half of a private key that somebody sent us (C-2).

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, KeyPair,
};

use crate::key::PublicKey;

/// From PKCS#8, SEC 1 or PKCS#1; nothing when it is encrypted, of a type that
/// we refuse anyway, or broken.
pub(crate) fn exposed_public_key(private_key_der: &[u8]) -> Option<PublicKey> {
    let der: PublicKeyX509Der<'_> = [
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        &ECDSA_P521_SHA512_ASN1_SIGNING,
    ]
    .into_iter()
    .find_map(|curve| {
        let pair = EcdsaKeyPair::from_private_key_der(curve, private_key_der).ok()?;
        pair.public_key().as_der().ok()
    })
    .or_else(|| {
        let pair = rsa::KeyPair::from_pkcs8(private_key_der)
            .or_else(|_| rsa::KeyPair::from_der(private_key_der))
            .ok()?;
        pair.public_key().as_der().ok()
    })?;
    PublicKey::from_spki_der(der.as_ref()).ok()
}
