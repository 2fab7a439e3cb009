//! Answers about single certificates (RFC 6960, RFC 5019, RFC 9654, rule X-9).
//!
//! - `request`: what is asked, read from whatever a stranger sends
//! - `authority`: whose certificates are meant: hashes of a name and a key
//! - `response`: what is answered: [`response_data`] is what gets signed, a [`Refusal`] needs no signature

mod authority;
mod request;
mod response;

pub use authority::AuthorityId;
pub use request::{CertId, MOST_CERTIFICATES, OcspRequest, RequestError};
pub use response::{CertStatus, Refusal, ResponseContent, SingleResponse, respond, response_data};

#[cfg(test)]
mod tests;
