use hickory_proto::{op::ResponseCode, rr::RecordType};

use super::*;
use crate::{
    challenge::Challenge,
    test_world::{Reply, StubDns, a, cname, perspective, txt},
};

const RECORD: &str = "_abc.example.com.";
const CONTENTS: &str = "s1.s2.random0123456789.dcv.invalid.";

fn challenge() -> Challenge {
    Challenge::Dns {
        record: RECORD.to_owned(),
        contents: CONTENTS.to_owned(),
    }
}

async fn attempt_at(dns: &StubDns) -> Attempt {
    perspective(dns, None).attempt(&challenge()).await
}

fn answers(attempt: &Attempt) -> (&[DnsAnswer], bool) {
    match &attempt.evidence {
        Evidence::Dns {
            answers,
            wildcard_answer,
        } => (answers, *wildcard_answer),
        other => panic!("not DNS evidence: {other:?}"),
    }
}

#[tokio::test]
async fn d_28_a_cname_proves_whatever_the_case_and_the_dot() {
    for target in [CONTENTS, "S1.s2.RANDOM0123456789.dcv.invalid"] {
        let dns = StubDns::start().await;
        dns.put("_abc.example.com", vec![cname(target)]);
        let attempt = attempt_at(&dns).await;
        assert_eq!(attempt.verdict, Verdict::Proved, "{attempt:?}");
        assert_eq!(attempt.advice, "");
        assert!(!answers(&attempt).1);
    }
}

#[tokio::test]
async fn d_28_nasty_125_txt_strings_are_joined_and_any_one_record_suffices() {
    let dns = StubDns::start().await;
    let mut records: Vec<_> = (0..200).map(|n| txt(&[&format!("filler {n}")])).collect();
    records.insert(150, txt(&["s1.s2.ran", "dom0123456789.", "dcv.invalid"]));
    dns.put("_abc.example.com", records);
    let attempt = attempt_at(&dns).await;
    assert_eq!(attempt.verdict, Verdict::Proved, "{attempt:?}");
    let (answers, _) = answers(&attempt);
    let found = answers.last().unwrap();
    assert!(found.records.len() < 30 && found.omitted > 170);
    assert!(
        found
            .texts()
            .any(|text| text == CONTENTS.trim_end_matches('.'))
    );
}

#[tokio::test]
async fn nasty_125_an_answer_of_sixty_kilobytes_comes_over_tcp() {
    let dns = StubDns::start().await;
    let filler = "x".repeat(250);
    let mut records: Vec<_> = (0..230).map(|_| txt(&[&filler])).collect();
    records.push(txt(&[CONTENTS]));
    dns.put("_abc.example.com", records);
    let attempt = attempt_at(&dns).await;
    assert_eq!(attempt.verdict, Verdict::Proved, "{}", attempt.seen);
    assert!(serde_json::to_string(&attempt).unwrap().len() < 20_000);
}

#[tokio::test]
async fn d_10_a_token_at_the_bare_name_is_looked_for_in_txt_only() {
    let dns = StubDns::start().await;
    dns.put("example.com", vec![txt(&["20261124token"])]);
    let challenge = Challenge::Dns {
        record: "example.com.".to_owned(),
        contents: "20261124token".to_owned(),
    };
    let attempt = perspective(&dns, None).attempt(&challenge).await;
    assert_eq!(attempt.verdict, Verdict::Proved, "{attempt:?}");
    assert_eq!(attempt.expected, "`example.com.` TXT `20261124token`");
    assert_eq!(dns.asked("example.com", RecordType::CNAME), 0);
}

#[tokio::test]
async fn d_28_txt_is_case_sensitive_and_exact() {
    for text in [
        "S1.s2.random0123456789.dcv.invalid.",
        "s1.s2.random0123456789.dcv.invalid. ",
        "x s1.s2.random0123456789.dcv.invalid.",
        "s1.s2.random0123456789",
    ] {
        let dns = StubDns::start().await;
        dns.put("_abc.example.com", vec![txt(&[text])]);
        let attempt = attempt_at(&dns).await;
        assert_eq!(attempt.verdict, Verdict::NotYet, "{text}");
        assert!(attempt.seen.contains(text), "{}", attempt.seen);
        assert!(attempt.advice.contains(CONTENTS), "{}", attempt.advice);
    }
}

#[tokio::test]
async fn d_28_txt_behind_an_alias_counts_and_the_chain_is_kept() {
    let dns = StubDns::start().await;
    dns.put("_abc.example.com", vec![cname("_abc.other.net")])
        .put("_abc.other.net", vec![txt(&[CONTENTS])]);
    let attempt = attempt_at(&dns).await;
    assert_eq!(attempt.verdict, Verdict::Proved);
    let chain = &answers(&attempt).0[1].records;
    assert_eq!(chain[0].value.to_string(), "_abc.other.net.");
    assert_eq!(chain[1].name, "_abc.other.net.");
}

#[tokio::test]
async fn d_30_a_wildcard_record_proves_and_is_marked() {
    let dns = StubDns::start().await;
    dns.put("*.example.com", vec![txt(&[CONTENTS])]);
    let attempt = attempt_at(&dns).await;
    assert_eq!(attempt.verdict, Verdict::Proved);
    let (answers, wildcard_answer) = answers(&attempt);
    assert!(wildcard_answer);
    let sibling = &answers.last().unwrap().name;
    assert!(sibling.starts_with('_') && sibling.ends_with(".example.com."));
    assert_ne!(sibling, RECORD);
}

#[tokio::test]
async fn absence_is_told_from_outage() {
    let dns = StubDns::start().await;
    let attempt = attempt_at(&dns).await;
    assert_eq!(attempt.verdict, Verdict::NotYet);
    assert!(attempt.seen.contains("the name does not exist"));

    for reply in [
        Reply::Code(ResponseCode::ServFail),
        Reply::Code(ResponseCode::Refused),
        Reply::Silence,
    ] {
        let dns = StubDns::start().await;
        dns.set("_abc.example.com", RecordType::CNAME, reply.clone());
        dns.set("_abc.example.com", RecordType::TXT, reply);
        let attempt = attempt_at(&dns).await;
        assert_eq!(attempt.verdict, Verdict::Unreachable, "{attempt:?}");
    }
}

#[tokio::test]
async fn nasty_126_loops_and_long_chains_fail() {
    let dns = StubDns::start().await;
    dns.put("_abc.example.com", vec![cname("x.example.com")])
        .put("x.example.com", vec![cname("_abc.example.com")]);
    let attempt = attempt_at(&dns).await;
    assert_eq!(attempt.verdict, Verdict::NotYet);
    assert!(attempt.seen.contains("loops"), "{}", attempt.seen);

    let dns = StubDns::start().await;
    dns.put("_abc.example.com", vec![cname("h0.example.com")]);
    for hop in 0..20 {
        let target = format!("h{}.example.com", hop + 1);
        dns.put(&format!("h{hop}.example.com"), vec![cname(&target)]);
    }
    dns.put("h20.example.com", vec![txt(&[CONTENTS])]);
    let attempt = attempt_at(&dns).await;
    assert_eq!(attempt.verdict, Verdict::NotYet);
    assert!(attempt.seen.contains("longer than 8"), "{}", attempt.seen);
}

#[tokio::test]
async fn d_32_nothing_is_cached() {
    let dns = StubDns::start().await;
    let perspective = perspective(&dns, None);
    dns.put("www.example.com", vec![a("192.0.2.1")]);
    let first = perspective.lookup("www.example.com", RecordKind::A).await;
    dns.put("www.example.com", vec![a("192.0.2.2")]);
    let second = perspective.lookup("WWW.example.com.", RecordKind::A).await;
    assert_eq!(first.addresses().next(), Some([192, 0, 2, 1].into()));
    assert_eq!(second.addresses().next(), Some([192, 0, 2, 2].into()));
    assert_eq!(second.name, "www.example.com.");
    assert_eq!(dns.asked("www.example.com", RecordType::A), 2);
}

#[tokio::test]
async fn evidence_survives_storage() {
    let dns = StubDns::start().await;
    dns.put("_abc.example.com", vec![cname(CONTENTS)]);
    let attempt = attempt_at(&dns).await;
    let stored = serde_json::to_value(&attempt).unwrap();
    assert_eq!(stored["evidence"]["method"], "DNS");
    assert_eq!(
        stored["evidence"]["answers"][0]["outcome"]["kind"],
        "records"
    );
    assert_eq!(serde_json::from_value::<Attempt>(stored).unwrap(), attempt);
}

#[tokio::test]
async fn names_that_cannot_be_asked_for_are_an_answer_too() {
    let dns = StubDns::start().await;
    let perspective = perspective(&dns, None);
    let long = "a".repeat(64);
    for name in [long.as_str(), "a..b", "\u{1}\u{ff}"] {
        let answer = perspective.lookup(name, RecordKind::Txt).await;
        assert!(
            matches!(
                answer.outcome,
                DnsOutcome::Failure {
                    cause: FailureCause::Name,
                    ..
                }
            ),
            "{name}: {answer:?}"
        );
    }
}

proptest::proptest! {
    /// Names are compared without regard to case and the root's dot, texts to the letter; nothing else is the same.
    #[test]
    fn d_28_contents_are_the_same_or_not_at_all(
        contents in "[a-z0-9]{1,20}(\\.[A-Za-z0-9-]{1,20}){1,3}",
        at in 0..60_usize,
        other in "[a-z0-9.-]",
    ) {
        let cased = contents.to_ascii_uppercase();
        let (dotted, spaced) = (format!("{contents}."), format!(" {contents}"));
        proptest::prop_assert!(same_name(&cased, &dotted) && same_text(&contents, &dotted));
        proptest::prop_assert!(!same_text(&contents, &spaced) && !same_name(&contents, &spaced));
        proptest::prop_assert_eq!(same_text(&contents, &cased), contents == cased);
        let at = at % contents.len();
        let changed = format!("{}{other}{}", &contents[..at], &contents[at + 1..]);
        // A dot at the end is the root's.
        let same = without_dot(&changed) == contents;
        proptest::prop_assert_eq!(same_text(&contents, &changed), same);
        proptest::prop_assert_eq!(
            same_name(&contents, &changed),
            without_dot(&changed).eq_ignore_ascii_case(&contents)
        );
        for cut in [&contents[1..], &contents[..contents.len() - 1]] {
            proptest::prop_assert!(!same_text(&contents, cut) && !same_name(&contents, cut));
        }
    }
}

#[tokio::test]
async fn x_13_an_alias_on_the_way_to_the_contents_is_told_from_one_that_is_the_contents() {
    let elsewhere = "token.elsewhere.net.";
    for (at_record, at_target, expected) in [
        (cname(elsewhere), txt(&[CONTENTS]), Some(elsewhere)),
        (cname(CONTENTS), txt(&["x"]), None),
        (txt(&[CONTENTS]), txt(&["x"]), None),
    ] {
        let dns = StubDns::start().await;
        dns.put("_abc.example.com", vec![at_record]);
        dns.put("token.elsewhere.net", vec![at_target]);
        let attempt = attempt_at(&dns).await;
        assert_eq!(attempt.verdict, Verdict::Proved, "{attempt:?}");
        assert_eq!(challenge().alias(&attempt).as_deref(), expected);
    }
}

#[tokio::test]
async fn x_13_the_last_name_of_a_chain_is_the_one_that_holds_the_contents() {
    let dns = StubDns::start().await;
    for (name, target) in [
        ("_abc.example.com", "one.elsewhere.net."),
        ("one.elsewhere.net", "two.elsewhere.net."),
    ] {
        dns.put(name, vec![cname(target)]);
    }
    dns.put("two.elsewhere.net", vec![txt(&["other"]), txt(&[CONTENTS])]);
    let alias = challenge().alias(&attempt_at(&dns).await);
    assert_eq!(alias.as_deref(), Some("two.elsewhere.net."));
}
