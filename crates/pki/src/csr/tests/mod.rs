//! Requests made by OpenSSL (`testdata/csr`), by rcgen, and piece by piece.

mod build;
mod envelope;
mod extension;
mod key;
mod property;
mod structure;
mod subject;

use super::{Csr, CsrError, CsrPolicy};
use crate::key::KeyPolicy;
use crate::name::NamePolicy;

/// A request of `testdata/csr`.
macro_rules! testdata {
    ($name:literal) => {
        include_str!(concat!("../../../testdata/csr/", $name, ".pem"))
    };
}
use testdata;

fn check(csr: &Csr) -> Vec<CsrError> {
    csr.check(&CsrPolicy {
        keys: KeyPolicy::default(),
        names: &NamePolicy::default(),
        allow_ip: false,
    })
}

/// Parses and checks.
fn errors(pem: &str) -> Vec<CsrError> {
    match Csr::parse(pem) {
        Ok(csr) => check(&csr),
        Err(error) => vec![error],
    }
}

/// The rules of everything found.
fn rules(pem: &str) -> Vec<&'static str> {
    errors(pem).iter().map(CsrError::rule).collect()
}

/// The only message.
fn message(pem: &str) -> String {
    let errors = errors(pem);
    let [error] = errors.as_slice() else {
        panic!("expected one error, found {errors:?}");
    };
    error.to_string()
}
