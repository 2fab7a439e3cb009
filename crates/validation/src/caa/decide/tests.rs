use jiff::Timestamp;
use proptest::prelude::*;
use reseal_pki::method::Method;

use super::*;
use crate::caa::CaaSet;

const ACCOUNT: &str = "acct:alice@ca.example";

fn observed(outcome: CaaOutcome, records: &[(u8, &str, &str)]) -> CaaObservation {
    let records: Vec<CaaRecord> = records
        .iter()
        .map(|(flags, tag, value)| CaaRecord {
            critical: flags & 0x81 != 0,
            tag: tag.to_ascii_lowercase(),
            value: (*value).to_owned(),
        })
        .collect();
    CaaObservation {
        name: "www.example.com".to_owned(),
        levels: Vec::new(),
        relevant: (!records.is_empty()).then(|| CaaSet {
            found_at: "example.com".to_owned(),
            records,
        }),
        outcome,
        ttl: None,
        at: Timestamp::UNIX_EPOCH,
    }
}

fn decided(records: &[(u8, &str, &str)], wildcard: bool, method: Method) -> CaaDecision {
    let outcome = if records.is_empty() {
        CaaOutcome::None
    } else {
        CaaOutcome::Found
    };
    let identities = ["ca.example".to_owned(), "ca.example.net".to_owned()];
    decide(
        &observed(outcome, records),
        &CaaRequest {
            identities: &identities,
            wildcard,
            account_uri: ACCOUNT,
            method,
        },
    )
}

/// Decision for the plain name and for the wildcard.
fn both(records: &[(u8, &str, &str)]) -> (bool, bool) {
    let permitted = |wildcard| decided(records, wildcard, Method::DnsChange).permitted;
    (permitted(false), permitted(true))
}

#[test]
fn s_10_the_whole_table() {
    const US: (u8, &str, &str) = (0, "issue", "ca.example");
    const OTHER: (u8, &str, &str) = (0, "issue", "other.example");
    const NOBODY: (u8, &str, &str) = (0, "issue", ";");
    const WILD_US: (u8, &str, &str) = (0, "issuewild", "ca.example");
    const WILD_OTHER: (u8, &str, &str) = (0, "issuewild", "other.example");
    const WILD_NOBODY: (u8, &str, &str) = (0, "issuewild", ";");
    for (records, expected) in [
        (&[][..], (true, true)),
        (&[(0, "iodef", "mailto:a@b.c")], (true, true)),
        (
            &[(0, "tbs", "x"), (0, "contactemail", "a@b.c")],
            (true, true),
        ),
        (&[US], (true, true)),
        (&[US, WILD_NOBODY], (true, false)),
        (&[US, WILD_OTHER], (true, false)),
        (&[US, WILD_US], (true, true)),
        (&[NOBODY], (false, false)),
        (&[OTHER], (false, false)),
        (&[NOBODY, WILD_US], (false, true)),
        (&[OTHER, WILD_US], (false, true)),
        (&[WILD_US], (true, true)),
        (&[WILD_NOBODY], (true, false)),
        (&[WILD_OTHER], (true, false)),
        (&[US, NOBODY], (true, true)),
        (&[US, OTHER], (true, true)),
        (&[US, NOBODY, WILD_OTHER], (true, false)),
        (&[(0, "issue", "ca.example; foo")], (false, false)),
        (&[(0, "issue", "ca.example; foo"), US], (true, true)),
        (&[(0, "issue", "")], (false, false)),
        (&[(0, "ISSUE", "CA.Example")], (true, true)),
        (&[(0, "IsSuE", "other.example")], (false, false)),
        (&[(0, "issue", " ca.example\t; policy=ev")], (true, true)),
        (
            &[(128, "issue", "ca.example"), (128, "iodef", "x")],
            (true, true),
        ),
        (&[(0, "issue", "ca.example.evil.org")], (false, false)),
        (&[(0, "issue", "xca.example")], (false, false)),
        (&[(0, "issuemail", "other.example")], (true, true)),
    ] {
        assert_eq!(both(records), expected, "{records:?}");
    }
}

/// RFC 8659 sections 4.2 to 4.5 and 7, and errata 7139, as examples: each for the name and for the wildcard.
#[test]
fn s_10_the_examples_of_rfc_8659() {
    for (records, expected) in [
        // 4.2: one issuer, with and without what only it understands.
        (&[(0, "issue", "ca.example")][..], (true, true)),
        (&[(0, "issue", "ca.example; account=230123")], (true, true)),
        // 4.2: nobody, and a value that is malformed and so permits nobody.
        (&[(0, "issue", ";")], (false, false)),
        (&[(0, "issue", "%%%%%")], (false, false)),
        (&[(0, "issue", "ca.example; %%%%%")], (false, false)),
        // 4.2: records are alternatives, and each is read by itself.
        (
            &[(0, "issue", "ca.example"), (0, "issue", "%%%%%")],
            (true, true),
        ),
        (
            &[(0, "issue", "other.example; a=b"), (0, "issue", ";")],
            (false, false),
        ),
        // 4.3: `issuewild` stands instead of `issue` for wildcards, and says nothing about other names.
        (
            &[
                (0, "issue", "ca.example"),
                (0, "issuewild", "other.example"),
            ],
            (true, false),
        ),
        (
            &[
                (0, "issue", "other.example"),
                (0, "issuewild", "ca.example"),
            ],
            (false, true),
        ),
        (
            &[(0, "issue", "ca.example"), (0, "issuewild", "")],
            (true, false),
        ),
        (
            &[(0, "issue", "ca.example"), (0, "issuewild", "%%%%%")],
            (true, false),
        ),
        (
            &[(0, "issuewild", ";"), (0, "issuewild", "ca.example")],
            (true, true),
        ),
        (&[(0, "IssueWild", "other.example")], (true, false)),
        // 4.4: `iodef` restricts nobody, nor does it permit anybody.
        (
            &[
                (0, "iodef", "mailto:security@example.com"),
                (0, "iodef", "https://iodef.example.com/"),
            ],
            (true, true),
        ),
        (
            &[
                (0, "issue", ";"),
                (0, "iodef", "mailto:security@example.com"),
            ],
            (false, false),
        ),
        // 4.5: what is critical and unknown forbids, whatever else stands there.
        (
            &[(0, "issue", "ca.example"), (128, "tbs", "Unknown")],
            (false, false),
        ),
        (
            &[(0, "issue", "ca.example"), (0, "tbs", "Unknown")],
            (true, true),
        ),
        // Erratum 7139: white space around the parts, and none within them.
        (&[(0, "issue", "\t ca.example \t;\ta=b ")], (true, true)),
        (&[(0, "issue", "ca .example")], (false, false)),
        (&[(0, "issue", "ca.example;;a=b")], (false, false)),
        // The root's dot is no part of the grammar.
        (&[(0, "issue", "ca.example.")], (false, false)),
    ] {
        assert_eq!(both(records), expected, "{records:?}");
    }
}

#[test]
fn s_11_critical_tags_that_are_known_are_harmless() {
    const US: (u8, &str, &str) = (0, "issue", "ca.example");
    for tag in [
        "iodef",
        "contactemail",
        "contactphone",
        "issuemail",
        "issuevmc",
        "ContactEmail",
    ] {
        assert_eq!(both(&[US, (128, tag, "x")]), (true, true), "{tag}");
        assert_eq!(both(&[(1, tag, "x")]), (true, true), "{tag}");
    }
    for tag in ["contact", "issueemail", "auth", "path", "policy", ""] {
        assert_eq!(both(&[US, (128, tag, "x")]), (false, false), "{tag}");
        assert_eq!(both(&[US, (2, tag, "x")]), (true, true), "{tag}");
    }
}

#[test]
fn s_11_the_critical_flag_is_harmless_on_every_known_tag() {
    for tag in [
        "iodef",
        "contactemail",
        "contactphone",
        "issuemail",
        "issuevmc",
    ] {
        for flags in [0, 1, 128] {
            let records = [(flags, tag, "x"), (128, "issue", "ca.example")];
            assert_eq!(both(&records), (true, true), "{tag} {flags}");
        }
    }
    assert_eq!(both(&[(128, "issuewild", "ca.example")]), (true, true));
}

#[test]
fn s_12_any_of_our_names_counts_whatever_its_case_and_none_beside_them() {
    for name in [
        "ca.example",
        "CA.EXAMPLE",
        "ca.example.net",
        " ca.Example\t",
    ] {
        assert_eq!(both(&[(0, "issue", name)]), (true, true), "{name:?}");
    }
    for name in [
        "example",
        "ca.example.",
        "www.ca.example",
        "ca-example",
        "ca.example.ne",
    ] {
        assert_eq!(both(&[(0, "issue", name)]), (false, false), "{name:?}");
    }
}

#[test]
fn nasty_120_unknown_critical_tags_deny_in_either_bit_order() {
    for flags in [128, 1, 0xff] {
        let decision = decided(
            &[(flags, "tbs", "x"), (0, "issue", "ca.example")],
            false,
            Method::DnsChange,
        );
        assert!(!decision.permitted);
        assert_eq!(decision.status, CaaStatus::UnrecognizedCriticalTag);
        assert!(decision.reason.contains("tbs"));
    }
}

#[test]
fn nasty_119_issue_nobody_is_invalid_and_says_so() {
    let decision = decided(&[(0, "issue", ";")], false, Method::DnsChange);
    assert!(!decision.permitted);
    assert_eq!(decision.status, CaaStatus::Invalid);
    assert!(
        decision.reason.contains("example.com"),
        "{}",
        decision.reason
    );
    assert!(
        decision.reason.contains("ca.example"),
        "{}",
        decision.reason
    );
}

#[test]
fn nasty_121_s_13_account_uri_must_be_the_customers_own() {
    let ours = "ca.example; accounturi=acct:alice@ca.example";
    let others = "ca.example; accounturi=acct:bob@ca.example";
    let folded = "ca.example; AccountURI=acct:bob@ca.example";
    let cased = "ca.example; accounturi=acct:Alice@ca.example";
    let twice = "ca.example; accounturi=acct:alice@ca.example; accounturi=acct:alice@ca.example";
    for (value, expected) in [
        (ours, true),
        (others, false),
        (folded, false),
        (cased, false),
        (twice, false),
        ("ca.example; accounturi=", false),
    ] {
        let decision = decided(&[(0, "issue", value)], false, Method::DnsChange);
        assert_eq!(decision.permitted, expected, "{value}");
    }
    assert_eq!(
        both(&[(0, "issue", others), (0, "issue", ours)]),
        (true, true)
    );
}

#[test]
fn nasty_122_s_14_validation_methods_restrict_by_label() {
    let value = |methods: &str| format!("ca.example; validationmethods={methods}");
    for (methods, dns, file) in [
        ("dns-01", true, false),
        ("ca-tbr-7", true, false),
        ("CA-TBR-7", true, false),
        ("ca-tbr-18", false, true),
        ("unknown,ca-tbr-18", false, true),
        ("dns-01,ca-tbr-18", true, true),
        ("unknown", false, false),
        ("", false, false),
        ("dns-01,", false, false),
        ("dns_01,dns-01", false, false),
    ] {
        let value = value(methods);
        let records = [(0, "issue", value.as_str())];
        let with = |method| decided(&records, false, method).permitted;
        assert_eq!(
            (with(Method::DnsChange), with(Method::Website)),
            (dns, file),
            "{methods}"
        );
    }
    for (label, method) in [
        ("ca-tbr-4", Method::ConstructedEmail),
        ("ca-tbr-13", Method::CaaEmail),
        ("ca-tbr-14", Method::TxtEmail),
        ("ca-tbr-22", Method::PersistentTxt),
        ("dns-persist-01", Method::PersistentTxt),
    ] {
        let value = value(label);
        let records = [(0, "issue", value.as_str())];
        for other in Method::ALL {
            let permitted = decided(&records, false, other).permitted;
            assert_eq!(permitted, other == method, "{label} {other}");
        }
    }
    let twice = "ca.example; validationmethods=dns-01; validationmethods=dns-01";
    assert_eq!(both(&[(0, "issue", twice)]), (false, false));
}

#[test]
fn s_17_failures_never_permit() {
    let failed = |timeout| CaaOutcome::Failed {
        reason: "x".to_owned(),
        at_level: "com".to_owned(),
        timeout,
    };
    let malformed = CaaOutcome::Malformed {
        reason: "x".to_owned(),
        at_level: "com".to_owned(),
    };
    for (outcome, status) in [
        (failed(true), CaaStatus::Timeout),
        (failed(false), CaaStatus::Unknown),
        (malformed, CaaStatus::MalformedResponse),
        (CaaOutcome::Found, CaaStatus::Unknown),
    ] {
        let identities = ["ca.example".to_owned()];
        let decision = decide(
            &observed(outcome, &[]),
            &CaaRequest {
                identities: &identities,
                wildcard: false,
                account_uri: ACCOUNT,
                method: Method::DnsChange,
            },
        );
        assert_eq!((decision.permitted, decision.status), (false, status));
    }
}

#[test]
fn statuses_have_the_contracts_names() {
    let names: Vec<String> = [
        CaaStatus::Unknown,
        CaaStatus::Valid,
        CaaStatus::Invalid,
        CaaStatus::Waiting,
        CaaStatus::Empty,
        CaaStatus::Timeout,
        CaaStatus::UnrecognizedCriticalTag,
        CaaStatus::MalformedResponse,
    ]
    .iter()
    .map(|status| serde_json::to_string(status).unwrap())
    .collect();
    assert_eq!(
        names.join(","),
        r#""UNKNOWN","VALID","INVALID","WAITING","EMPTY","TIMEOUT","UNRECOGNIZED_CRITICAL_TAG","MALFORMED_RESPONSE""#
    );
}

proptest! {
    /// Adding records for other issuers never opens what was closed.
    #[test]
    fn s_10_strangers_records_never_permit(values in prop::collection::vec("[a-z.;= -]{0,20}", 1..6)) {
        prop_assume!(values.iter().all(|value| !value.contains("ca.example")));
        let records: Vec<(u8, &str, &str)> =
            values.iter().map(|value| (0, "issue", value.as_str())).collect();
        prop_assert_eq!(both(&records), (false, false));
    }
}
