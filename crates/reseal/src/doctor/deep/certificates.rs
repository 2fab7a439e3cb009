//! Whether each certificate is what is stored beside it, and whether its issuer signed what was reserved.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::thread;

use aws_lc_rs::digest::{SHA256, digest};
use reseal_issuer::embedded::EmbeddedIssuer;
use reseal_lifecycle::import;
use reseal_lifecycle::store::StoreError;
use reseal_pki::certificate::{Certificate, verify_signed};
use reseal_pki::transparency::{entry_tbs, has_scts};
use reseal_store::{Checked, Moment, StoredCertificate, Told};

use crate::wire_up::{EMBEDDED, Embedded};

/// Certificates read at once: enough for every core, few enough to be no matter.
const PAGE: u32 = 1000;

/// What came of it.
pub(super) struct Looked {
    pub(super) checks: [Checked; 2],
    /// Certificates by a key that the CA had before.
    pub(super) elsewhere: u64,
}

pub(super) fn check(
    moment: &Moment<'_>,
    embedded: &Embedded,
    told: Told<'_>,
) -> Result<Looked, StoreError> {
    let mut stored = Checked::new(
        "each certificate has the serial number, dates, key and names that are stored beside it",
        "customers are shown, and the worker goes by, what is not so: the certificate itself counts. Restore the row from \
         a backup",
    );
    let mut signed = Checked::new(
        "each certificate bears its issuer's signature, over what was reserved for it unless an upstream issued it",
        "it was put there by somebody else, or the disk is damaged: compare with a backup, and look for it in the audit \
         log",
    );
    let mut elsewhere = 0;
    moment.certificates(PAGE, |page| {
        for (id, verdict) in judge_all(&page, embedded) {
            stored.rows += 1;
            if let Err(what) = verdict.stored {
                stored.find(format!("certificate {id}: {what}"));
            }
            match verdict.signed {
                Signed::Yes => signed.rows += 1,
                Signed::Imported => {}
                Signed::Elsewhere => elsewhere += 1,
                Signed::No(what) => {
                    signed.rows += 1;
                    signed.find(format!("certificate {id}: {what}"));
                }
            }
        }
        told("certificates read", stored.rows);
    })?;
    Ok(Looked {
        checks: [stored, signed],
        elsewhere,
    })
}

/// What is to be said about a certificate.
struct Verdict {
    stored: Result<(), String>,
    signed: Signed,
}

enum Signed {
    Yes,
    /// By others: nothing can be said.
    Imported,
    /// By a key that the CA had before.
    Elsewhere,
    No(String),
}

/// Judges a page, on every core.
fn judge_all(page: &[StoredCertificate], embedded: &Embedded) -> Vec<(i64, Verdict)> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = page.len().div_ceil(cores).max(1);
    let judge_share = |share: &[StoredCertificate]| {
        let verdicts = share.iter().map(|one| (one.id, judge(one, embedded)));
        verdicts.collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let shares: Vec<_> = page
            .chunks(share)
            .map(|share| scope.spawn(move || judge_share(share)))
            .collect();
        // A thread that panicked takes this one with it.
        let verdicts = shares.into_iter().map(|share| match share.join() {
            Ok(verdicts) => verdicts,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        verdicts.flatten().collect()
    })
}

fn judge(stored: &StoredCertificate, embedded: &Embedded) -> Verdict {
    let read = Certificate::from_der(&stored.der);
    let signed = match &read {
        _ if stored.issuer == import::ISSUER => Signed::Imported,
        Ok(certificate) => signed(stored, certificate, embedded),
        Err(_) => Signed::No("it cannot be read".to_owned()),
    };
    let stored = read
        .map_err(|error| format!("it cannot be read: {error}"))
        .and_then(|certificate| compare(stored, &certificate));
    Verdict { stored, signed }
}

fn compare(stored: &StoredCertificate, certificate: &Certificate) -> Result<(), String> {
    let differs = |what: &str, has: &dyn std::fmt::Display, beside: &dyn std::fmt::Display| {
        Err(format!("its {what} is {has}, stored beside it is {beside}"))
    };
    if certificate.serial_bytes() != stored.serial {
        let (has, beside) = (certificate.serial_hex(), hex::encode(&stored.serial));
        return differs("serial number", &has, &beside);
    }
    if certificate.not_before() != stored.not_before {
        return differs("begin", &certificate.not_before(), &stored.not_before);
    }
    if certificate.not_after() != stored.not_after {
        return differs("end", &certificate.not_after(), &stored.not_after);
    }
    let key = certificate.public_key();
    if key.spki_sha256()[..] != stored.spki_sha256 {
        let (has, beside) = (
            hex::encode(key.spki_sha256()),
            hex::encode(&stored.spki_sha256),
        );
        return differs("key", &has, &beside);
    }
    if key.algorithm().name() != stored.key_algorithm || key.size_bits() != stored.key_size {
        let has = format!("{} {}", key.algorithm().name(), key.size_bits());
        let beside = format!("{} {}", stored.key_algorithm, stored.key_size);
        return differs("kind of key", &has, &beside);
    }
    if digest(&SHA256, &stored.der).as_ref() != stored.fingerprint {
        let has = hex::encode(digest(&SHA256, &stored.der));
        return differs("fingerprint", &has, &hex::encode(&stored.fingerprint));
    }
    compare_names(stored, certificate)
}

fn compare_names(stored: &StoredCertificate, certificate: &Certificate) -> Result<(), String> {
    let Some(names) = &stored.names else {
        return Err("what is stored beside it is no list of names".to_owned());
    };
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let certified: BTreeSet<&str> = certificate.dns_names().iter().map(String::as_str).collect();
    // What is imported may be listed under a name that it does not have.
    let missing = if stored.issuer == import::ISSUER {
        certified.difference(&names).next()
    } else {
        certified.symmetric_difference(&names).next()
    };
    if let Some(name) = missing {
        return Err(format!("`{name}` is only in it or only stored beside it"));
    }
    if stored.found_by != names.len() as i64 {
        let (has, found_by) = (names.len(), stored.found_by);
        return Err(format!("it has {has} names and is found by {found_by}"));
    }
    Ok(())
}

fn signed(stored: &StoredCertificate, certificate: &Certificate, embedded: &Embedded) -> Signed {
    if let Some(chain) = &stored.upstream {
        return signed_upstream(stored, chain);
    }
    match &stored.reserved {
        None => return Signed::No("nothing was reserved for it".to_owned()),
        Some(reserved) if !is_of(certificate, reserved) => {
            return Signed::No("it is not what was reserved under its serial number".to_owned());
        }
        Some(_) => {}
    }
    let named = embedded.all().find(|one| one.name() == stored.issuer);
    let Some(issuing) = named.map(EmbeddedIssuer::issuing) else {
        return match stored.issuer.strip_prefix(EMBEDDED) {
            Some(_) => Signed::No(format!(
                "`{}` is not in the folder of the CA",
                stored.issuer
            )),
            None => Signed::Elsewhere,
        };
    };
    if verify_signed(&stored.der, issuing.public_key()).is_ok() {
        return Signed::Yes;
    }
    match certificate.authority_key_identifier() {
        Some(key) if embedded.all().all(|one| one.issuing().ski() != key) => Signed::Elsewhere,
        _ => Signed::No("its signature is not the issuer's".to_owned()),
    }
}

/// Whether what was signed is what was reserved, but for the promises of logs.
fn is_of(certificate: &Certificate, reserved: &[u8]) -> bool {
    certificate.tbs_der() == reserved
        || has_scts(certificate.der())
            && entry_tbs(certificate.der()).is_ok_and(|entry| entry == reserved)
}

/// By the first certificate of the chain that it came with.
fn signed_upstream(stored: &StoredCertificate, chain: &[Vec<u8>]) -> Signed {
    let issuing = chain
        .first()
        .and_then(|der| Certificate::from_der(der).ok());
    match issuing {
        Some(issuing) if verify_signed(&stored.der, issuing.public_key()).is_ok() => Signed::Yes,
        _ => Signed::No("its signature is not that of the chain that it came with".to_owned()),
    }
}
