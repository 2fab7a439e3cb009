//! A slot of the schedule as what a server would have stored for it.

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData as _};
use reseal_issuer::embedded::EmbeddedIssuer;
use reseal_lifecycle::authorization::Authorization;
use reseal_lifecycle::certificate::{
    Certificate, CertificateId, CertificateStatus, Revocation, RevocationReason,
};
use reseal_lifecycle::event::{Event, EventKind};
use reseal_lifecycle::issuer::{CertificateOrder, Issuer as _};
use reseal_lifecycle::price::Allowance;
use reseal_lifecycle::process::{Action, Mpic, Opening, Process};
use reseal_lifecycle::product::CertificateType;
use reseal_lifecycle::store::{LostSerial, Subscription};
use reseal_pki::calendar::rules_at;
use reseal_pki::key::PublicKey;
use reseal_pki::method::Method;
use reseal_pki::name::{DnsName, NamePolicy};
use reseal_pki::profile::ValidationType;
use reseal_store::Batch;
use serde_json::json;
use tokio::runtime::Handle;

use super::schedule::Slot;
use super::{PRODUCT, handle, host};
use crate::wire_up::EMBEDDED;

const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Makes rows of slots.
pub(super) struct Maker<'a> {
    pub(super) issuer: &'a EmbeddedIssuer,
    pub(super) names: &'a NamePolicy,
    pub(super) now: Timestamp,
    /// Whether replaced certificates have their DER and their request too.
    pub(super) all_documents: bool,
    pub(super) runtime: Handle,
}

/// What is signed, or stands for it.
struct Document {
    serial: Vec<u8>,
    spki_sha256: [u8; 32],
    fingerprint: [u8; 32],
    not_before: Timestamp,
    not_after: Timestamp,
    der: Vec<u8>,
    csr: Option<Vec<u8>>,
}

impl Maker<'_> {
    /// The rows of `slots`, the first of which has the number `first`.
    pub(super) fn batch(&self, slots: &[Slot], first: CertificateId) -> anyhow::Result<Batch> {
        let mut batch = Batch::default();
        for (id, slot) in (first..).zip(slots) {
            self.add(&mut batch, id, slot)?;
        }
        Ok(batch)
    }

    /// So many serials that are on lists without a certificate, some in a batch.
    pub(super) fn lost(
        &self,
        count: u32,
        in_a_batch: usize,
    ) -> impl Iterator<Item = anyhow::Result<Batch>> {
        let not_after = self.now + SignedDuration::from_hours(24 * 90);
        let at = self.now - SignedDuration::from_hours(24);
        (0..count).step_by(in_a_batch).map(move |first| {
            let rest = usize::try_from(count - first)?;
            let lost = (0..rest.min(in_a_batch)).map(|_| {
                Ok(LostSerial {
                    issuer: EMBEDDED.to_owned(),
                    serial: numbers::<16>()?.to_vec(),
                    at,
                    not_after,
                })
            });
            Ok(Batch {
                lost: lost.collect::<anyhow::Result<_>>()?,
                ..Batch::default()
            })
        })
    }

    fn add(&self, batch: &mut Batch, id: CertificateId, slot: &Slot) -> anyhow::Result<()> {
        let customer = handle(slot.customer);
        let moment = self.ago(slot.age)?;
        let begin = self.ago(slot.subscription_age)?;
        let subscription = Subscription {
            id: slot.subscription.into(),
            customer: customer.clone(),
            product: PRODUCT.to_owned(),
            start: begin,
            end: begin.checked_add(YEAR)?,
            months: 12,
            allowance: Allowance {
                included: 1,
                ..Allowance::default()
            },
        };
        let name = host(slot);
        let names = [name.clone(), format!("www.{name}")];
        let document = if self.all_documents || slot.is_newest() {
            self.sign(&names, subscription.end, moment)?
        } else {
            stand_in(subscription.end, moment)?
        };
        batch
            .processes
            .push(process(id, slot, &customer, &names, &document, moment));
        if slot.proof > 0 {
            batch.authorizations.push(Authorization {
                id: slot.proof.into(),
                customer: customer.clone(),
                adn: name.clone(),
                method: Method::DnsChange,
                only_itself: false,
                obtained: moment,
                process: id,
                witnesses: Vec::new(),
                alias: None,
                distrusted: None,
            });
            let rests = |name: &String| (slot.proof.into(), id, name.clone());
            batch.reliances.extend(names.iter().map(rests));
        }
        batch.certificates.push(Certificate {
            id,
            customer,
            process: id,
            subscription: slot.subscription.into(),
            product: PRODUCT.to_owned(),
            validation: ValidationType::Domain,
            certificate_type: CertificateType::SingleDomain,
            stored_status: status(slot),
            domain_name: name,
            names: names.into(),
            organization: None,
            coc: None,
            issuer: EMBEDDED.to_owned(),
            serial: document.serial,
            not_before: document.not_before,
            not_after: document.not_after,
            subscription_end: subscription.end,
            key_algorithm: "ECDSA".to_owned(),
            key_size: 256,
            spki_sha256: document.spki_sha256,
            fingerprint: document.fingerprint,
            der: document.der,
            csr: document.csr,
            predecessor: numbered(slot.predecessor),
            successor: numbered(slot.successor),
            revocation: slot.revoked.then_some(Revocation {
                at: moment,
                reason: Some(RevocationReason::Superseded),
                note: None,
            }),
            revocation_scheduled: None,
            mpic: Some(Mpic::NotPerformed),
        });
        if slot.is_first() {
            batch.subscriptions.push(subscription);
        }
        Ok(())
    }

    /// `seconds` before now, on a whole second.
    fn ago(&self, seconds: u32) -> anyhow::Result<Timestamp> {
        Ok(Timestamp::from_second(
            self.now.as_second() - i64::from(seconds),
        )?)
    }

    /// A key of its own, its request, and the certificate that the CA signed for it at `moment`.
    fn sign(
        &self,
        names: &[String; 2],
        limit: Timestamp,
        moment: Timestamp,
    ) -> anyhow::Result<Document> {
        let key = KeyPair::generate().context("no key")?;
        let public_key = PublicKey::from_spki_der(&key.subject_public_key_info())?;
        let parsed = names
            .iter()
            .map(|name| DnsName::parse(name, self.names))
            .collect::<Result<Vec<_>, _>>()?;
        let prepared = self.issuer.prepare(&CertificateOrder {
            public_key: &public_key,
            names: &parsed,
            common_name: Some(&names[0]),
            subject: None,
            validation: ValidationType::Domain,
            not_after_limit: limit,
            now: moment,
        })?;
        let serial = prepared.serial.as_bytes().to_vec();
        let (not_before, not_after) = (prepared.not_before, prepared.not_after);
        let der = self.runtime.block_on(self.issuer.issue(prepared))?;
        Ok(Document {
            serial,
            spki_sha256: public_key.spki_sha256(),
            fingerprint: hash(&der),
            not_before,
            not_after,
            der,
            csr: Some(request(&key, &names[0])?),
        })
    }
}

/// As a customer makes it.
fn request(key: &KeyPair, name: &str) -> anyhow::Result<Vec<u8>> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params.serialize_request(key)?.der().to_vec())
}

/// Random bytes that begin with a serial number: positive (P-1), and without leading zeros as DER wants it.
fn numbers<const LENGTH: usize>() -> anyhow::Result<[u8; LENGTH]> {
    let mut random = [0; LENGTH];
    rand::fill(&mut random).context("no random numbers")?;
    if let Some(first) = random.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    Ok(random)
}

/// Numbers that are as unlike as those of a real one; nothing was signed.
fn stand_in(limit: Timestamp, moment: Timestamp) -> anyhow::Result<Document> {
    let random = numbers::<80>()?;
    let (serial, hashes) = random.split_at(16);
    let (spki, fingerprint) = hashes.split_at(32);
    let not_after = moment.checked_add(rules_at(moment).default_validity)?;
    Ok(Document {
        serial: serial.to_vec(),
        spki_sha256: spki.try_into()?,
        fingerprint: fingerprint.try_into()?,
        not_before: moment,
        not_after: not_after.min(limit),
        der: Vec::new(),
        csr: None,
    })
}

fn process(
    id: i64,
    slot: &Slot,
    customer: &str,
    names: &[String; 2],
    document: &Document,
    moment: Timestamp,
) -> (Process, Vec<Vec<Event>>) {
    let user = format!("{customer}/fill");
    let accepted = EventKind::Accepted {
        user: user.clone(),
        names: names.to_vec(),
        warnings: Vec::new(),
    };
    let issued = EventKind::Issued {
        serial: hex::encode(&document.serial),
        not_after: document.not_after,
        mpic: Mpic::NotPerformed,
    };
    let opening = Opening {
        customer: customer.to_owned(),
        user,
        action: if slot.is_first() {
            Action::Request
        } else {
            Action::Reissue
        },
        command: json!({ "certificateId": numbered(slot.predecessor) }),
        source: numbered(slot.predecessor),
        subscription: Some(slot.subscription.into()),
    };
    let accepted = vec![Event::new(moment, accepted)];
    let (mut process, first) = Process::done(opening, names[0].clone(), accepted, moment);
    process.id = id;
    process.certificate = Some(id);
    (process, vec![first, vec![Event::new(moment, issued)]])
}

fn status(slot: &Slot) -> CertificateStatus {
    match (slot.revoked, slot.is_newest()) {
        (true, _) => CertificateStatus::Revoked,
        (false, true) => CertificateStatus::Active,
        (false, false) => CertificateStatus::Reissued,
    }
}

fn numbered(number: u32) -> Option<i64> {
    (number > 0).then_some(number.into())
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}
