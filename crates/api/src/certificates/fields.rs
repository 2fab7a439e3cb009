//! The fields that request, reissue and renew have in common (contract.md section 4.1), and what all are answered
//! with.

use http::StatusCode;
use reseal_lifecycle::issuance::{Answer, CertificateRequest, DcvChoice, Mode};
use reseal_lifecycle::process::Approver;
use reseal_lifecycle::product::DcvType;
use reseal_lifecycle::{Language, Violation};
use serde_json::{Map, Value};

use super::dry_run::DryRunBody;
use crate::answer;
use crate::auth::Outcome;
use crate::body::syntax::{DCV_TYPES, LANGUAGES, Text};
use crate::body::{Fields, Findings, json};
use crate::error::Failure;
use crate::processes::{InfoBody, refer_to};
use crate::query::Parameters;
use crate::quote::QuoteBody;

/// Reads the common fields; `command` and `country` are left to the caller.
pub(crate) fn read(fields: &mut Fields<'_, '_>) -> CertificateRequest {
    CertificateRequest {
        csr: fields.required_text("csr", Text::Document),
        domain_name: fields.text("domainName", Text::Domain),
        san: fields.texts("san", Text::Domain),
        organization: fields.text("organization", Text::Length(1, 64)),
        department: fields.text("department", Text::Length(1, 60)),
        state: fields.text("state", Text::Length(1, 60)),
        address: fields.text("address", Text::Length(1, 60)),
        postal_code: fields.text("postalCode", Text::Length(1, 10)),
        city: fields.text("city", Text::Length(1, 60)),
        country: None,
        coc: fields.text("coc", Text::Length(1, 32)),
        language: language(fields, "language"),
        unique_value: fields.text("uniqueValue", Text::UniqueValue),
        auth_key: fields.boolean("authKey").unwrap_or_default(),
        approver: fields.object("approver", approver),
        agreement_email: None,
        dcv: dcv_choices(fields).unwrap_or_default(),
        command: Value::Null,
    }
}

/// A language of ours, by the contract's word for it.
pub(super) fn language(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<Language> {
    let code = fields.text(name, Text::WordOfAnyCase(LANGUAGES))?;
    Language::from_code(&code)
}

fn approver(fields: &mut Fields<'_, '_>) -> Approver {
    Approver {
        first_name: fields.required_text("firstName", Text::Length(1, 40)),
        last_name: fields.required_text("lastName", Text::Length(1, 40)),
        job_title: fields.text("jobTitle", Text::Length(1, 40)),
        email: fields.required_text("email", Text::Email),
        voice: fields.required_text("voice", Text::Voice),
    }
}

/// The list `dcv`; `None` when it is absent.
pub(crate) fn dcv_choices(fields: &mut Fields<'_, '_>) -> Option<Vec<DcvChoice>> {
    fields.objects("dcv", |entry| {
        let common_name = entry.required_text("commonName", Text::Domain);
        let method = match entry.required_text("type", Text::Word(DCV_TYPES)).as_str() {
            "EMAIL" => DcvType::Email,
            "FILE" => DcvType::File,
            // DNS, or a type that was refused.
            _ => DcvType::Dns,
        };
        DcvChoice {
            common_name,
            method,
            // One client sends an address with every type; it means something with EMAIL only.
            email: entry.text_with("email", Text::Email, ("type", "EMAIL")),
        }
    })
}

/// Whether to do it, or only to price or rehearse it, by the query's `quote` and `dryRun`.
pub(super) fn mode(parameters: &Parameters, findings: &mut Findings) -> Mode {
    let quote = parameters.flag("quote", false, findings);
    let dry_run = parameters.flag("dryRun", false, findings);
    match (quote, dry_run) {
        (true, true) => {
            let message = "excludes `quote`: a dry run says the price too";
            findings.violation(Violation::new("dryRun", message, Some("true")));
            Mode::Quote
        }
        (true, false) => Mode::Quote,
        (false, true) => Mode::DryRun,
        (false, false) => Mode::Execute,
    }
}

/// The accepted body as the process shows it.
pub(super) fn command(mut body: Map<String, Value>) -> Value {
    json::without_nulls(&mut body);
    Value::Object(body)
}

/// 201 when the certificate was issued within the call, 202 when the process goes on, 200 for a quote
/// (design decision 1).
pub(crate) fn respond(answer: &Answer) -> Outcome {
    let (process, certificate) = match answer {
        Answer::Quote(quote) => return Ok(answer::json(StatusCode::OK, &QuoteBody::of(quote))),
        Answer::Rehearsal(rehearsal) => {
            return Ok(answer::json(StatusCode::OK, &DryRunBody::of(rehearsal)));
        }
        Answer::Unacknowledged(quote) => return Err(Failure::unacknowledged(quote)),
        Answer::Process {
            process,
            certificate,
        } => (process, *certificate),
    };
    let (status, location) = match certificate {
        Some(id) => (StatusCode::CREATED, format!("/v2/ssl/certificates/{id}")),
        None => (
            StatusCode::ACCEPTED,
            format!("/v2/processes/{}", process.id),
        ),
    };
    let body = InfoBody::of(process).with_certificate(certificate);
    let mut response = answer::json(status, &body);
    refer_to(&mut response, process.id, Some(&location));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: &Value) -> Result<CertificateRequest, Failure> {
        let mut findings = Findings::default();
        let mut fields = Fields::of(body.as_object().unwrap(), &mut findings);
        let request = read(&mut fields);
        fields.finish();
        findings.settle().map(|()| request)
    }

    #[test]
    fn every_field_arrives() {
        let request = parse(&json!({
            "csr": " PEM ", "domainName": "example.com", "san": ["www.example.com"],
            "organization": "O", "department": "OU", "state": "ST", "address": "A",
            "postalCode": "1", "city": "C", "coc": "2", "language": "NL", "uniqueValue": "u1",
            "authKey": true,
            "approver": {"firstName": "F", "lastName": "L", "jobTitle": null,
                "email": "a@example.com", "voice": "+31.384530759"},
            "dcv": [{"commonName": "example.com", "type": "EMAIL", "email": "admin@example.com"}]
        }))
        .unwrap();
        assert_eq!(
            request,
            CertificateRequest {
                csr: "PEM".into(),
                domain_name: Some("example.com".into()),
                san: Some(vec!["www.example.com".into()]),
                organization: Some("O".into()),
                department: Some("OU".into()),
                state: Some("ST".into()),
                address: Some("A".into()),
                postal_code: Some("1".into()),
                city: Some("C".into()),
                country: None,
                coc: Some("2".into()),
                language: Some(Language::Nl),
                unique_value: Some("u1".into()),
                auth_key: true,
                approver: Some(Approver {
                    first_name: "F".into(),
                    last_name: "L".into(),
                    job_title: None,
                    email: "a@example.com".into(),
                    voice: "+31.384530759".into(),
                }),
                agreement_email: None,
                dcv: vec![DcvChoice {
                    common_name: "example.com".into(),
                    method: DcvType::Email,
                    email: Some("admin@example.com".into()),
                }],
                command: Value::Null,
            }
        );
    }

    #[test]
    fn nasty_008_san_absent_or_null_is_not_an_empty_san() {
        assert_eq!(parse(&json!({"csr": "x"})).unwrap().san, None);
        assert_eq!(parse(&json!({"csr": "x", "san": null})).unwrap().san, None);
        assert_eq!(
            parse(&json!({"csr": "x", "san": []})).unwrap().san,
            Some(vec![])
        );
    }

    #[test]
    fn nasty_095_email_is_required_with_its_type_and_ignored_with_others() {
        let entry = |entry: Value| parse(&json!({"csr": "x", "dcv": [entry]}));
        for bad in [
            json!({"commonName": "a.example", "type": "EMAIL"}),
            json!({"commonName": "a.example", "type": "EMAIL", "email": null}),
            json!({"commonName": "a.example", "type": "EMAIL", "email": "x"}),
            json!({"commonName": "a.example", "type": "HTTP"}),
            json!({"commonName": "a.example", "type": "dns"}),
            json!({"commonName": "a.example"}),
            json!({"type": "DNS"}),
            json!({"commonName": "a.example", "type": "DNS", "email": 1}),
        ] {
            assert!(entry(bad.clone()).is_err(), "{bad}");
        }
        for email in [json!(null), json!(""), json!("not an address")] {
            let request =
                entry(json!({"commonName": "a.example", "type": "FILE", "email": email})).unwrap();
            assert_eq!(request.dcv[0].email, None);
        }
    }

    #[test]
    fn r_8_nasty_006_fields_of_other_calls_are_unknown_here() {
        for field in [
            "country",
            "product",
            "period",
            "customer",
            "saEmail",
            "billables",
            "sans",
        ] {
            assert!(parse(&json!({"csr": "x", field: "y"})).is_err(), "{field}");
        }
    }
}
