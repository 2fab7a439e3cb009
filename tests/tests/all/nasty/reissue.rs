//! One certificate and every kind of bad body, all through the real call: nothing of them may be left.

use rcgen::KeyPair;
use serde_json::{Value, json};

use super::Target;
use crate::support::csr::{common_name_only, csr, stored, with_raw_alternative_names};
use crate::support::http::Reply;

/// What a bad body is answered with.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    /// `InvalidMessage`.
    Unreadable,
    /// `UnrecognizedPropertyException` for this property.
    Unrecognized(&'static str),
    /// `ConstraintViolationException` with this field.
    Violation(&'static str),
    /// `InvalidCSRException` by a rule.
    Csr(&'static str),
}

impl Refusal {
    #[track_caller]
    fn is(self, reply: &Reply) {
        match self {
            Self::Unreadable => drop(reply.refused(400, "InvalidMessage")),
            Self::Unrecognized(property) => {
                let body = reply.refused(400, "UnrecognizedPropertyException");
                assert_eq!(body["property"], property, "{body}");
            }
            Self::Violation(field) => drop(reply.violates(field)),
            Self::Csr(rule) => drop(reply.bad_csr_by(rule)),
        }
    }
}

/// Bodies with a usable CSR and one thing that is wrong.
fn bad_fields() -> Vec<(Value, Refusal)> {
    use Refusal::{Unrecognized, Violation};
    let mut bodies = vec![
        (json!({"san": "reseal.dev"}), Unrecognized("san")),
        (json!({"san": [1]}), Unrecognized("san[0]")),
        (json!({"dcv": {}}), Unrecognized("dcv")),
        (json!({"dcv": [{"x": 1}]}), Unrecognized("dcv[0].x")),
        (json!({"authKey": "true"}), Unrecognized("authKey")),
        (json!({"approver": []}), Unrecognized("approver")),
        (json!({"language": "XX"}), Violation("language")),
        (json!({"organization": ""}), Violation("organization")),
        (
            json!({"organization": "a\u{202e}b"}),
            Violation("organization"),
        ),
        (
            json!({"postalCode": "12345678901"}),
            Violation("postalCode"),
        ),
        (json!({"uniqueValue": "a.b"}), Violation("uniqueValue")),
        (
            json!({"uniqueValue": "123456789012345678901"}),
            Violation("uniqueValue"),
        ),
        (json!({"san": vec!["x"; 1]}), Violation("san[0]")),
        (json!({"domainName": "*.com"}), Violation("domainName")),
        (
            json!({"san": ["reseal.dev", "*.co.uk"]}),
            Violation("san[1]"),
        ),
        (
            json!({"dcv": [{"commonName": "reseal.dev", "type": "HTTP"}]}),
            Violation("dcv[0].type"),
        ),
        (
            json!({"dcv": [{"commonName": "reseal.dev", "type": "EMAIL"}]}),
            Violation("dcv[0].email"),
        ),
        (
            json!({"dcv": [{"commonName": "other.dev", "type": "DNS"}]}),
            Violation("dcv[0].commonName"),
        ),
        (
            json!({"approver": {"firstName": "F", "lastName": "L", "email": "x@y.dev", "voice": "1"}}),
            Violation("approver.voice"),
        ),
    ];
    for field in [
        "sans", "notAfter", "serial", "country", "product", "period", "customer", "reason",
    ] {
        bodies.push((json!({field: "NL"}), Unrecognized(field)));
    }
    for email in [
        "admin@reseal.dev,x@evil.dev",
        "admin@reseal.dev\r\nBcc: x@evil.dev",
    ] {
        bodies.push((by_mail(email), Violation("dcv[0].email")));
    }
    let wildcard = json!([{"commonName": "*.reseal.dev", "type": "FILE"}]);
    bodies.push((
        json!({"san": ["*.reseal.dev"], "dcv": wildcard}),
        Violation("dcv[0].type"),
    ));
    bodies
}

fn bad_csrs() -> Vec<(Value, Refusal)> {
    let mut csrs = vec![
        (String::new(), Refusal::Violation("csr")),
        ("x".to_owned(), Refusal::Csr("C-1")),
        (
            KeyPair::generate().unwrap().serialize_pem(),
            Refusal::Csr("C-2"),
        ),
        (common_name_only("192.0.2.1"), Refusal::Csr("C-6")),
        (
            with_raw_alternative_names(&[(0x82, b"a\0b.dev")]),
            Refusal::Csr("N-2"),
        ),
    ];
    for (file, rule) in [
        ("rsa-md5", "C-12"),
        ("ec-sha1", "C-12"),
        ("ed25519", "C-13"),
        ("dsa", "C-13"),
        ("ec-secp256k1", "C-13"),
        ("rsa-1024", "C-14"),
        ("rsa-16384", "C-14"),
        ("rsa-exponent-3", "C-14"),
        ("ec-explicit", "C-15"),
        ("ec-compressed", "C-16"),
        ("rsa-even", "C-17"),
        ("rsa-square", "C-17"),
        ("rsa-close-primes-100", "C-18"),
        ("rsa-roca", "C-19"),
        ("ca-true", "C-7"),
        ("name-constraints", "C-7"),
        ("code-signing", "C-7"),
        ("ocsp-signing", "C-7"),
        ("any-purpose", "C-7"),
        ("san-email", "C-6"),
        ("san-uri", "C-6"),
        ("san-other-name", "C-6"),
        ("san-directory-name", "C-6"),
        ("san-ip", "C-6"),
    ] {
        csrs.push((stored(&format!("csr/{file}.pem")), Refusal::Csr(rule)));
    }
    csrs.push((stored("debian/p256.csr.pem"), Refusal::Csr("C-20")));
    csrs.push((stored("debian/rsa2048.csr.pem"), Refusal::Csr("C-20")));
    let body = |(csr, refusal)| (json!({"csr": csr}), refusal);
    csrs.into_iter().map(body).collect()
}

fn by_mail(address: &str) -> Value {
    let dcv = json!([{"commonName": "reseal.dev", "type": "EMAIL", "email": address}]);
    json!({"dcv": dcv})
}

/// Who may approve beside the constructed addresses, only the DNS can tell: it is asked, and nothing else happens.
#[test]
fn nasty_091_strangers_cannot_approve_and_hear_of_nothing() {
    let target = Target::start();
    let (processes, mails, _) = target.server.traces();
    for address in ["ceo@reseal.dev", "admin@evil.dev", "admin+x@reseal.dev"] {
        let mut body = by_mail(address);
        Refusal::Violation("dcv[0].email").is(&target.reissue(&body));
        let questions = target.server.dns.questions();
        body["csr"] = csr(&["reseal.dev"]).into();
        let path = format!("{}/reissue?quote=true", target.path);
        Refusal::Violation("dcv[0].email").is(&target.server.alice.post(&path, &body));
        assert_eq!(target.server.dns.questions(), questions);
    }
    let (processes_then, mails_then, _) = target.server.traces();
    assert_eq!((processes_then, mails_then), (processes, mails));
}

#[test]
fn nasty_001_to_097_bad_bodies_leave_no_trace_of_a_reissue() {
    let target = Target::start();
    let path = format!("{}/reissue", target.path);
    for body in [
        &b""[..],
        b"[]",
        b"{",
        b"{\"csr\":1e999}",
        b"{\"csr\":\"\\ud800\"}",
        b"{\"csr\":\"a\",\"csr\":\"b\"}",
    ] {
        Refusal::Unreadable.is(&target.server.alice.post_raw(&path, body));
    }
    for (body, refusal) in bad_fields().into_iter().chain(bad_csrs()) {
        refusal.is(&target.reissue(&body));
        // Trying it on as a quote tells the same and leaves as little.
        let mut quoted = body.clone();
        if quoted.get("csr").is_none() {
            quoted["csr"] = csr(&["reseal.dev"]).into();
        }
        refusal.is(&target
            .server
            .alice
            .post(&format!("{path}?quote=true"), &quoted));
    }
    target.is_untouched();
    target.reissue(&json!({})).expect(201);
}
