//! Doors for the fuzz targets: what strangers send, as far as it is read without a server. Compiled for nothing else.

use reseal_lifecycle::query::CertificateField;

use crate::body::{Fields, Findings, json};
use crate::query::{ListRequest, Parameters};
use crate::{certificates, public};

/// The body of a reissue.
pub fn reissue_body(bytes: &[u8]) {
    let Ok(body) = json::object(bytes) else {
        return;
    };
    let mut findings = Findings::default();
    let mut fields = Fields::of(&body, &mut findings);
    let request = certificates::read_common(&mut fields);
    fields.finish();
    let accepted = findings.settle().is_ok();
    // A request that passed is within every limit of the contract.
    if accepted {
        assert!(!request.csr.trim().is_empty());
        assert!(request.unique_value.is_none_or(|value| value.len() <= 20));
        let names = request.san.iter().flatten();
        for name in names.chain(&request.domain_name) {
            assert!(name.is_ascii() && (4..=255).contains(&name.len()));
        }
    }
}

/// The query of a list of certificates.
pub fn list_query(query: &str) {
    const FIELDS: &[&str] = &["id", "process", "domainName", "status"];
    if let Ok(request) = ListRequest::<CertificateField>::read(&Parameters::parse(query), FIELDS) {
        assert!(request.query.limit.is_none_or(|limit| limit <= 250));
    }
}

/// The form behind a mailed link.
pub fn approval_form(form: &str) {
    let form = Parameters::parse(form);
    if let Some(decided) = public::submitted(&form) {
        assert!(form.first("form_token") == Some(decided));
        assert!(form.first("approve").is_some() != form.first("reject").is_some());
    }
}
