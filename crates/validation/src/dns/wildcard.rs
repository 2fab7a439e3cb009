//! Proof that a wildcard was rightly expanded (RFC 4035 section 5.3.4), for zones with NSEC.
//!
//! The resolver library accepts such answers in NSEC3 zones, but in NSEC zones it wants the proof
//! to cover the wildcard itself, which exists and so cannot be covered. Without this second look
//! every wildcard record of an NSEC zone would count as bogus.

use hickory_proto::{
    dnssec::rdata::{DNSSECRData, NSEC},
    op::Message,
    rr::{Name, RData, Record, RecordType},
};

/// Whether a signature over records at `name` was made for a wildcard above it.
pub(super) fn is_expanded(message: &Message, name: &Name) -> bool {
    signatures(&message.answers, name).any(|(_, labels, _)| labels < name.num_labels())
}

/// Whether a signed NSEC record shows that nothing closer to `name` exists than the wildcard that
/// its records were expanded from.
pub(super) fn is_rightly_expanded(message: &Message, name: &Name) -> bool {
    let expansion = signatures(&message.answers, name)
        .filter(|(record, ..)| record.proof.is_secure())
        .map(|(_, labels, signer)| (labels, signer))
        .min_by_key(|(labels, _)| *labels);
    let Some((labels, signer)) = expansion else {
        return false;
    };
    message.authorities.iter().any(|record| match &record.data {
        RData::DNSSEC(DNSSECRData::NSEC(nsec)) => {
            record.proof.is_secure()
                && is_signed_by(message, &record.name, signer)
                && covers(&record.name, nsec, name)
                && shared_labels(&record.name, name) <= labels
                && shared_labels(nsec.next_domain_name(), name) <= labels
        }
        _ => false,
    })
}

/// The signatures over records at `name`: the record, its label count and its signer.
fn signatures<'a>(
    records: &'a [Record],
    name: &'a Name,
) -> impl Iterator<Item = (&'a Record, u8, &'a Name)> {
    records.iter().filter_map(move |record| match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) if record.name == *name => {
            let input = signature.input();
            Some((record, input.num_labels, &input.signer_name))
        }
        _ => None,
    })
}

fn is_signed_by(message: &Message, owner: &Name, signer: &Name) -> bool {
    signatures(&message.authorities, owner)
        .any(|(record, _, name)| record.proof.is_secure() && name == signer)
}

/// Whether an NSEC record denies that `name` exists. A record at a zone cut or a DNAME above the
/// name cannot: what is below belongs to another zone (RFC 6840 section 4.1).
fn covers(owner: &Name, nsec: &NSEC, name: &Name) -> bool {
    let types = nsec.type_set();
    let cut = types.contains(RecordType::NS) && !types.contains(RecordType::SOA);
    if owner.zone_of(name) && (cut || types.contains(RecordType::DNAME)) {
        return false;
    }
    let next = nsec.next_domain_name();
    let is_last = next <= owner;
    name > owner && (name < next || is_last && next.zone_of(name))
}

/// How many labels two names have in common, counted from the root.
fn shared_labels(left: &Name, right: &Name) -> u8 {
    let left: Vec<&[u8]> = left.iter().collect();
    let right: Vec<&[u8]> = right.iter().collect();
    let shared = left.iter().rev().zip(right.iter().rev());
    let count = shared
        .take_while(|(left, right)| left.eq_ignore_ascii_case(right))
        .count();
    // A name has at most 127 labels.
    u8::try_from(count).unwrap_or(u8::MAX)
}
