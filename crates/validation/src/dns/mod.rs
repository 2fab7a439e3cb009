//! The DNS as seen from here: one look-up function ([`Resolver::lookup`]) through which every
//! answer passes, positive or negative, with the state of its DNSSEC chain.

mod anchor;
mod answer;
mod challenge;
mod interpret;
mod random;
mod resolver;
mod wildcard;

pub use answer::{
    DnsAnswer, DnsOutcome, DnsRecord, FailureCause, RecordKind, RecordValue, Security,
};
pub(crate) use challenge::{attempt, attempt_text, carries, describe, obstacle};
pub(crate) use random::attempt as attempt_random;
pub(crate) use resolver::Resolver;
