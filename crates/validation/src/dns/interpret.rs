//! What one response means for one name and kind.
//!
//! Only records *at the name asked for* are taken from a response. An alias is followed by asking
//! for its target anew: so each proof of existence or absence is about the name it is used for,
//! and nothing in a response that the resolver library did not check can slip in.

use hickory_net::{DnsError, NetError};
use hickory_proto::{
    dnssec::{Proof, rdata::DNSSECRData},
    op::{Message, ResponseCode},
    rr::{Name, RData, Record, RecordType},
};

use super::{
    answer::{DnsOutcome, FailureCause, Security},
    wildcard::{is_expanded, is_rightly_expanded},
};

/// Meaning of a response for the name asked for.
#[derive(Debug)]
pub(super) enum Step {
    /// Records of the kind asked for.
    Records(Vec<Record>, Security),
    /// An alias; the search goes on at its target.
    Alias(Box<Record>, Name, Security),
    /// No such records; `exists` tells NODATA from NXDOMAIN.
    Absent { exists: bool, security: Security },
    /// No usable answer; the outcome is `Failure` or `Bogus`.
    Unusable(DnsOutcome),
}

/// A failed look-up.
pub(super) fn failure(cause: FailureCause, reason: impl Into<String>) -> Step {
    let reason = reason.into();
    Step::Unusable(DnsOutcome::Failure { cause, reason })
}

fn bogus(reason: impl Into<String>) -> Step {
    let reason = reason.into();
    Step::Unusable(DnsOutcome::Bogus { reason })
}

/// Reads a result of the resolver library. `validating` says whether proofs were established.
pub(super) fn interpret(
    result: Result<Message, NetError>,
    name: &Name,
    kind: RecordType,
    validating: bool,
) -> Step {
    match result {
        Ok(message) => read(&message, name, kind, validating),
        Err(NetError::Dns(DnsError::Nsec {
            response, proof, ..
        })) => read_unproved(&response, name, kind, proof),
        Err(NetError::Dns(DnsError::NoRecordsFound(absent))) if !validating => Step::Absent {
            exists: absent.response_code != ResponseCode::NXDomain,
            security: Security::NotChecked,
        },
        Err(NetError::Dns(DnsError::DnssecBogus)) => bogus("DNSSEC validation failed"),
        Err(NetError::Dns(DnsError::ResponseCode(code))) => failure(
            FailureCause::Server,
            format!("the resolver answered {}", code_name(code)),
        ),
        Err(NetError::Timeout) => failure(FailureCause::Timeout, "no answer in time"),
        Err(error @ (NetError::Io(_) | NetError::NoConnections | NetError::Busy)) => failure(
            FailureCause::Network,
            format!("the resolver cannot be reached: {error}"),
        ),
        Err(error) => failure(
            FailureCause::Malformed,
            format!("the answer cannot be read: {error}"),
        ),
    }
}

/// A response in which the library accepted the proofs (or made none).
fn read(message: &Message, name: &Name, kind: RecordType, validating: bool) -> Step {
    if let Some(step) = positive(message, name, kind, validating) {
        return if is_replayed(message, name, &step) {
            bogus("nothing proves that the wildcard is the closest name there is")
        } else {
            step
        };
    }
    let code = message.metadata.response_code;
    if code != ResponseCode::NoError && code != ResponseCode::NXDomain {
        return failure(
            FailureCause::Server,
            format!("the resolver answered {}", code_name(code)),
        );
    }
    let exists = code == ResponseCode::NoError;
    if !validating {
        let security = Security::NotChecked;
        return Step::Absent { exists, security };
    }
    match absence_security(message, name) {
        Some(security) => Step::Absent { exists, security },
        None => bogus("the absence of records is attested by another zone"),
    }
}

/// Whether signed records came from a wildcard in a response that has no signed proof beside them that nothing is closer.
/// The library asks for none when every authority record is provably unsigned, whatever zone those belong to: a
/// wildcard's records would then stand for a name that has others (RFC 4035 section 5.3.4).
fn is_replayed(message: &Message, name: &Name, step: &Step) -> bool {
    let (Step::Records(_, security) | Step::Alias(_, _, security)) = step else {
        return false;
    };
    *security == Security::Secure && is_expanded(message, name) && !has_signed_denial(message)
}

fn has_signed_denial(message: &Message) -> bool {
    message.authorities.iter().any(|record| {
        record.proof.is_secure()
            && matches!(
                record.data,
                RData::DNSSEC(DNSSECRData::NSEC(_) | DNSSECRData::NSEC3(_))
            )
    })
}

/// How well the absence of records is proved in a response that the library let pass; `None` if
/// it is not proved at all.
///
/// The library lets a negative response pass when every authority record is provably unsigned,
/// whatever zone those belong to. That would let an attacker deny records of a signed zone with
/// the SOA of an unsigned one, so at least one of them must stand at or above the name.
fn absence_security(message: &Message, name: &Name) -> Option<Security> {
    if has_signed_denial(message) {
        return Some(Security::Secure);
    }
    let authorities = &message.authorities;
    let all_unsigned = authorities.iter().all(|record| record.proof.is_insecure());
    let related = authorities.iter().any(|record| record.name.zone_of(name));
    (authorities.is_empty() || !all_unsigned || related).then_some(Security::Insecure)
}

/// A response whose proof of absence (of the name, or of a closer match than a wildcard) the
/// library did not accept as secure.
///
/// A record set that was not expanded from a wildcard needs no such proof: it stands by its own
/// signature, and is used. One that was gets a second look at its proof.
fn read_unproved(message: &Message, name: &Name, kind: RecordType, proof: Proof) -> Step {
    let lenient = proof.is_insecure();
    let stands = lenient || !is_expanded(message, name) || is_rightly_expanded(message, name);
    if stands && let Some(step) = positive(message, name, kind, true) {
        return match step {
            Step::Records(records, security) if lenient => {
                Step::Records(records, security.min(Security::Insecure))
            }
            Step::Alias(record, target, security) if lenient => {
                Step::Alias(record, target, security.min(Security::Insecure))
            }
            step => step,
        };
    }
    match proof {
        Proof::Insecure => Step::Absent {
            exists: message.metadata.response_code != ResponseCode::NXDomain,
            security: Security::Insecure,
        },
        Proof::Indeterminate => failure(
            FailureCause::Server,
            "the proof that there are no records cannot be established",
        ),
        Proof::Bogus | Proof::Secure => bogus("the proof that there are no records is not valid"),
    }
}

/// The records or the alias at the name itself.
fn positive(message: &Message, name: &Name, kind: RecordType, validating: bool) -> Option<Step> {
    let at_name = |wanted: RecordType| {
        message
            .answers
            .iter()
            .filter(move |record| record.name == *name && record.record_type() == wanted)
            .cloned()
            .collect::<Vec<_>>()
    };
    let records = at_name(kind);
    if !records.is_empty() {
        return Some(match security_of(&records, validating) {
            Ok(security) => Step::Records(records, security),
            Err(step) => step,
        });
    }
    let mut aliases = at_name(RecordType::CNAME);
    if aliases.len() > 1 {
        let reason = format!(
            "`{name}` has {} CNAME records, one is allowed",
            aliases.len()
        );
        return Some(failure(FailureCause::Malformed, reason));
    }
    let security = match security_of(&aliases, validating) {
        Ok(security) => security,
        Err(step) => return Some(step),
    };
    let alias = aliases.pop()?;
    let RData::CNAME(target) = &alias.data else {
        return None;
    };
    let target = target.0.clone();
    Some(Step::Alias(Box::new(alias), target, security))
}

/// The weakest proof of a record set; an error step if it must not be used (S-2).
fn security_of(records: &[Record], validating: bool) -> Result<Security, Step> {
    if !validating {
        return Ok(Security::NotChecked);
    }
    match records.iter().map(|record| record.proof).min() {
        None | Some(Proof::Secure) => Ok(Security::Secure),
        Some(Proof::Insecure) => Ok(Security::Insecure),
        Some(Proof::Bogus) => Err(bogus("the signatures of the records are not valid")),
        Some(Proof::Indeterminate) if records.iter().any(|record| record.proof.is_bogus()) => {
            Err(bogus("the signatures of the records are not valid"))
        }
        Some(Proof::Indeterminate) => Err(failure(
            FailureCause::Server,
            "it cannot be established whether the records are signed",
        )),
    }
}

fn code_name(code: ResponseCode) -> String {
    match code {
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        other => format!("with error `{other}`"),
    }
}

#[cfg(test)]
mod tests;
