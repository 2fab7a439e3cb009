//! What the cryptography of one reissue costs alone: the proof of possession of the request is verified, the
//! certificate is signed. Same library, same curve, same machine, same run.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};

/// Each operation is repeated for so long, and so often: the fastest round is the one that nothing else disturbed.
const ROUND: Duration = Duration::from_millis(50);
const ROUNDS: usize = 10;
/// Bytes that are signed: about the signed part of a leaf certificate.
const MESSAGE: [u8; 700] = [0x5a; 700];

/// Processor time of one operation, on an idle processor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floor {
    pub(super) verify: Duration,
    pub(super) sign: Duration,
}

impl Floor {
    pub(super) fn total(self) -> Duration {
        self.verify + self.sign
    }
}

pub(super) fn measure() -> anyhow::Result<Floor> {
    let failed = |_| anyhow!("the crypto library refused a P-256 operation");
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(failed)?;
    let random = SystemRandom::new();
    let signature = key.sign(&random, &MESSAGE).map_err(failed)?;
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.public_key().as_ref());
    let verify = time(|| public.verify(&MESSAGE, signature.as_ref()).map_err(failed))?;
    let sign = time(|| key.sign(&random, &MESSAGE).map(drop).map_err(failed))?;
    Ok(Floor { verify, sign })
}

fn time(mut operation: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let mut fastest = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut times = 0;
        while start.elapsed() < ROUND {
            operation()?;
            times += 1;
        }
        fastest = fastest.min(start.elapsed() / times);
    }
    Ok(fastest)
}
