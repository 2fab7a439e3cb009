use hickory_proto::{op::ResponseCode, rr::RecordType};

use super::*;
use crate::{
    challenge::Challenge,
    test_world::{Reply, StubDns, cname, perspective, txt},
};

const RECORD: &str = "_validation-persist.example.com";
const OURS: &str = "ca.example; accounturi=acct:alice@ca.example";

async fn attempt_at(dns: &StubDns, wildcard: bool) -> Attempt {
    let record = PersistentRecord {
        adn: "example.com".to_owned(),
        issuer: "ca.example".to_owned(),
        account_uri: "acct:alice@ca.example".to_owned(),
        wildcard,
    };
    let now = Timestamp::from_second(1_795_000_000).unwrap();
    let challenge = Challenge::Persistent { record, now };
    perspective(dns, None).attempt(&challenge).await
}

#[tokio::test]
async fn d_33_what_is_told_to_be_published_proves() {
    for wildcard in [false, true] {
        let dns = StubDns::start().await;
        let absent = attempt_at(&dns, wildcard).await;
        assert_eq!(absent.verdict, Verdict::NotYet);
        assert!(absent.found_nothing(), "{absent:?}");
        let contents = absent.expected.split('`').nth(3).unwrap();
        assert_eq!(contents.contains("policy=wildcard"), wildcard);
        dns.put(RECORD, vec![txt(&[contents])]);
        let found = attempt_at(&dns, wildcard).await;
        assert_eq!(found.verdict, Verdict::Proved, "{found:?}");
        assert!(!found.found_nothing());
    }
}

#[tokio::test]
async fn d_33_one_record_among_those_of_other_issuers_suffices() {
    let dns = StubDns::start().await;
    let mut records: Vec<_> = (0..60)
        .map(|n| txt(&[&format!("other{n}.example; accounturi=x:{n}")]))
        .collect();
    records.push(txt(&["ca.example; accounturi=acct:bob@ca.example"]));
    records.push(txt(&["ca.example; accounturi=acct:", "alice@ca.example"]));
    dns.put(RECORD, records);
    let attempt = attempt_at(&dns, false).await;
    assert_eq!(attempt.verdict, Verdict::Proved, "{attempt:?}");
    assert!(attempt.seen.contains("alice"), "{}", attempt.seen);
    let Evidence::Dns { answers, .. } = &attempt.evidence else {
        panic!("not DNS evidence")
    };
    assert!(answers[0].texts().any(|text| text == OURS), "{answers:?}");
    assert!(answers[0].records.len() < 30);
}

#[tokio::test]
async fn d_33_nasty_128_the_record_that_comes_closest_is_told_of() {
    for (contents, part) in [
        (
            format!("{OURS}; persistUntil=1"),
            "ended at 1970-01-01T00:00:01Z",
        ),
        (OURS.to_owned(), "lacks `policy=wildcard`"),
        ("ca.example".to_owned(), "has no `accounturi`"),
        ("ca.example; accounturi".to_owned(), "malformed"),
        (
            "ca.example; accounturi=acct:bob@ca.example".to_owned(),
            "another account's",
        ),
        (
            "other.example; accounturi=acct:alice@ca.example".to_owned(),
            "another issuer",
        ),
    ] {
        let dns = StubDns::start().await;
        dns.put(RECORD, vec![txt(&["zzz.example"]), txt(&[&contents])]);
        let attempt = attempt_at(&dns, true).await;
        assert_eq!(attempt.verdict, Verdict::NotYet);
        assert!(!attempt.found_nothing());
        assert!(attempt.seen.contains(part), "{contents}: {}", attempt.seen);
        assert!(
            attempt.advice.contains("policy=wildcard"),
            "{}",
            attempt.advice
        );
    }
}

#[tokio::test]
async fn d_33_the_record_may_be_an_alias_and_outages_are_told_apart() {
    let dns = StubDns::start().await;
    dns.put(RECORD, vec![cname("persist.dns.example")])
        .put("persist.dns.example", vec![txt(&[OURS])]);
    assert_eq!(attempt_at(&dns, false).await.verdict, Verdict::Proved);
    dns.set(
        "persist.dns.example",
        RecordType::TXT,
        Reply::Code(ResponseCode::ServFail),
    );
    let outage = attempt_at(&dns, false).await;
    assert_eq!(outage.verdict, Verdict::Unreachable, "{outage:?}");
    assert!(!outage.found_nothing());
    dns.put(RECORD, vec![cname(RECORD)]);
    let looped = attempt_at(&dns, false).await;
    assert_eq!(looped.verdict, Verdict::NotYet, "{looped:?}");
}
