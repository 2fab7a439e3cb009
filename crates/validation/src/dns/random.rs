//! A random value alone (D-9): as the label of an alias, or as a TXT record.

use jiff::Timestamp;

use super::{
    answer::{DnsAnswer, RecordKind},
    challenge::{carries, describe, matches, obstacle, sibling},
    resolver::Resolver,
};
use crate::evidence::{Attempt, Evidence, Verdict};

/// Looks for `random`: `_<random>.<adn>` is an alias to `target`, or it is a TXT record at `_dnsauth.<adn>` or at `adn`
/// itself. The label has its underscore in any case: without it, it could be anybody's host name.
pub(crate) async fn attempt(resolver: &Resolver, adn: &str, random: &str, target: &str) -> Attempt {
    let at = Timestamp::now();
    let record = format!("_{random}.{adn}.");
    let texts = [format!("_dnsauth.{adn}."), format!("{adn}.")];
    let mut answers = vec![resolver.lookup(&record, RecordKind::Cname).await];
    let mut wildcard_answer = false;
    let mut proved = carries(&answers[0], target);
    // The value stands in the question, not in the answer: an alias that every name has is no sign that anybody
    // published this one.
    if proved && let Some(sibling) = sibling(&record) {
        let sibling = resolver.lookup(&sibling, RecordKind::Cname).await;
        wildcard_answer = carries(&sibling, target);
        proved = !wildcard_answer && sibling.is_usable();
        answers.push(sibling);
    }
    for text in &texts {
        if !proved {
            let answer = resolver.lookup(text, RecordKind::Txt).await;
            proved = carries(&answer, random);
            answers.push(answer);
        }
    }
    let expected = format!(
        "`{record}` CNAME `{target}`, or TXT `{random}` at `{}` or `{}`",
        texts[0], texts[1]
    );
    let (verdict, advice) = if proved {
        (Verdict::Proved, String::new())
    } else if let Some(obstacle) = obstacle(&answers) {
        obstacle
    } else if wildcard_answer {
        let advice = format!("Publish {expected}; a wildcard record proves nothing here.");
        (Verdict::NotYet, advice)
    } else {
        (Verdict::NotYet, format!("Publish {expected}."))
    };
    let seen: Vec<String> = answers.iter().map(describe).collect();
    let kept = |answer: DnsAnswer| {
        answer.trimmed(|record| matches(&record.value, target) || matches(&record.value, random))
    };
    Attempt {
        verdict,
        expected,
        seen: seen.join("; "),
        advice,
        evidence: Evidence::Dns {
            answers: answers.into_iter().map(kept).collect(),
            wildcard_answer,
        },
        at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        challenge::Challenge,
        test_world::{StubDns, cname, perspective, txt},
    };

    const RANDOM: &str = "abcdefghij0123456789klmno";
    const TARGET: &str = "dcv.dcv.invalid.";

    async fn attempt_at(dns: &StubDns) -> Attempt {
        let challenge = Challenge::DnsRandom {
            adn: "example.com".to_owned(),
            random: RANDOM.to_owned(),
            target: TARGET.to_owned(),
        };
        perspective(dns, None).attempt(&challenge).await
    }

    #[tokio::test]
    async fn d_9_the_value_counts_as_label_and_as_text() {
        let absent = attempt_at(&StubDns::start().await).await;
        assert_eq!(absent.verdict, Verdict::NotYet, "{absent:?}");
        let label = format!("_{RANDOM}.example.com");
        for (name, record) in [
            (label.as_str(), cname(TARGET)),
            ("_dnsauth.example.com", txt(&[RANDOM])),
            ("example.com", txt(&["abcdefghij", "0123456789klmno"])),
        ] {
            let dns = StubDns::start().await;
            dns.put(name, vec![record]);
            let found = attempt_at(&dns).await;
            assert_eq!(found.verdict, Verdict::Proved, "{name}: {found:?}");
        }
    }

    #[tokio::test]
    async fn d_9_a_label_without_its_underscore_or_with_another_target_proves_nothing() {
        let label = format!("_{RANDOM}.example.com");
        for (name, record) in [
            (&label[1..], cname(TARGET)),
            (label.as_str(), cname("dcv.other.invalid.")),
            (label.as_str(), cname(&format!("{RANDOM}.dcv.invalid."))),
            ("_dnsauth.www.example.com", txt(&[RANDOM])),
            ("_dnsauth.example.com", txt(&["ABCDEFGHIJ0123456789KLMNO"])),
        ] {
            let dns = StubDns::start().await;
            dns.put(name, vec![record]);
            let found = attempt_at(&dns).await;
            assert_eq!(found.verdict, Verdict::NotYet, "{name}: {found:?}");
        }
    }

    #[tokio::test]
    async fn d_9_d_30_an_alias_that_every_name_has_publishes_no_value() {
        let dns = StubDns::start().await;
        dns.put("*.example.com", vec![cname(TARGET)]);
        let found = attempt_at(&dns).await;
        assert_eq!(found.verdict, Verdict::NotYet, "{found:?}");
        assert!(found.advice.contains("wildcard"), "{}", found.advice);
    }
}
