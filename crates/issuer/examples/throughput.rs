//! How many certificates a second one core prepares and signs with a P-256
//! authority, beside the floor: one P-256 verification (the CSR) and one
//! signature (the certificate). Run it in release.

#![allow(missing_docs)]
#![expect(clippy::print_stdout, reason = "the report is what it is for")]

use std::{
    error::Error,
    time::{Duration, Instant},
};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    },
};
use jiff::{SignedDuration, Timestamp};
use reseal_issuer::embedded::{Authority, CaSettings, EmbeddedIssuer, KeyType};
use reseal_lifecycle::issuer::{CertificateOrder, Issuer as _};
use reseal_pki::{
    key::PublicKey,
    name::DnsName,
    profile::{PolicyArc, ValidationType},
};

const URL: &str = "http://127.0.0.1:8080";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let now = Timestamp::now();
    let settings = CaSettings::new(KeyType::P256, None, URL)?;
    let authority = Authority::create(&folder.path().join("ca"), &settings, now)?;
    let issuer = EmbeddedIssuer::new(authority, PolicyArc::Private, URL)?;
    let subscriber = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
    let public_key = PublicKey::from_spki_der(subscriber.public_key().as_der()?.as_ref())?;
    let names = ["example.com", "www.example.com", "example.net"]
        .map(str::parse::<DnsName>)
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let order = CertificateOrder {
        public_key: &public_key,
        names: &names,
        common_name: Some("example.com"),
        subject: None,
        validation: ValidationType::Domain,
        not_after_limit: now + SignedDuration::from_hours(365 * 24),
        now,
    };

    let random = SystemRandom::new();
    let message = [7; 900];
    let signature = subscriber.sign(&random, &message)?;
    let verifier = UnparsedPublicKey::new(
        &ECDSA_P256_SHA256_ASN1,
        subscriber.public_key().as_ref().to_vec(),
    );
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;

    let prepare = measure(|| issuer.prepare(&order).map(drop))?;
    let issue = measure(|| {
        let prepared = issuer.prepare(&order)?;
        runtime.block_on(issuer.issue(prepared)).map(drop)
    })?;
    let sign = measure(|| subscriber.sign(&random, &message).map(drop))?;
    let floor = measure(|| {
        verifier.verify(&message, signature.as_ref())?;
        subscriber.sign(&random, &message).map(drop)
    })?;
    for (what, each) in [
        ("prepare (encode, lint)", prepare),
        ("prepare and issue", issue),
        ("floor: sign", sign),
        ("floor: verify and sign", floor),
    ] {
        println!(
            "{what:<24} {:>8.1} µs {:>8.0}/s",
            each.as_secs_f64() * 1e6,
            1.0 / each.as_secs_f64()
        );
    }
    Ok(())
}

/// The mean time of one `deed`, over a second after a warm-up.
fn measure<E>(mut deed: impl FnMut() -> Result<(), E>) -> Result<Duration, E> {
    for _ in 0..500 {
        deed()?;
    }
    let mut count = 0;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(1) {
        for _ in 0..100 {
            deed()?;
        }
        count += 100;
    }
    Ok(begin.elapsed() / count)
}
