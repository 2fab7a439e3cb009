use hickory_proto::{op::ResponseCode, rr::RecordType};
use reseal_pki::name::NamePolicy;

use super::*;
use crate::{
    dns::Security,
    perspective::Perspective,
    settings::{Dnssec, Settings},
    test_world::{self, Reply, StubDns, caa, cname, perspective},
};

fn name(text: &str) -> DnsName {
    let policy = NamePolicy {
        internal_suffixes: vec!["corp".to_owned()],
        ..NamePolicy::default()
    };
    DnsName::parse(text, &policy).unwrap()
}

async fn observe(dns: &StubDns, text: &str) -> CaaObservation {
    perspective(dns, None)
        .caa(&name(text), &Levels::default())
        .await
}

fn asked(observation: &CaaObservation) -> Vec<&str> {
    let levels = observation.levels.iter();
    levels.map(|level| level.name.as_str()).collect()
}

#[tokio::test]
async fn s_8_the_climb_goes_up_to_the_top_level_domain() {
    let dns = StubDns::start().await;
    let observation = observe(&dns, "*.a.shop.corp").await;
    assert_eq!(asked(&observation), ["a.shop.corp.", "shop.corp.", "corp."]);
    assert_eq!(observation.outcome, CaaOutcome::None);
    assert_eq!(observation.ttl, None);
}

#[tokio::test]
async fn s_8_the_first_non_empty_set_wins() {
    let dns = StubDns::start().await;
    dns.put(
        "shop.corp",
        vec![caa(0, "Issue", "ca.example"), caa(1, "tbs", "x")],
    )
    .put("corp", vec![caa(0, "issue", ";")]);
    let observation = observe(&dns, "www.shop.corp").await;
    assert_eq!(asked(&observation), ["www.shop.corp.", "shop.corp."]);
    let set = observation.relevant.as_ref().unwrap();
    assert_eq!(set.found_at, "shop.corp");
    assert_eq!(set.records[0].tag, "issue");
    assert!(!set.records[0].critical && set.records[1].critical);
    assert_eq!(observation.ttl, Some(300));
    assert_eq!(observation.outcome, CaaOutcome::Found);
}

#[tokio::test]
async fn nasty_118_s_9_a_failing_level_is_retried_once_and_then_fails_the_whole() {
    let dns = StubDns::start().await;
    dns.set(
        "shop.corp",
        RecordType::CAA,
        Reply::Code(ResponseCode::ServFail),
    )
    .put("corp", vec![caa(0, "issue", "ca.example")]);
    let observation = observe(&dns, "www.shop.corp").await;
    assert!(observation.relevant.is_none());
    assert!(
        matches!(
            &observation.outcome,
            CaaOutcome::Failed { at_level, timeout: false, .. } if at_level == "shop.corp"
        ),
        "{:?}",
        observation.outcome
    );
    assert_eq!(
        asked(&observation),
        ["www.shop.corp.", "shop.corp.", "shop.corp."]
    );

    let dns = StubDns::start().await;
    dns.set("shop.corp", RecordType::CAA, Reply::Silence);
    let observation = observe(&dns, "shop.corp").await;
    assert!(matches!(
        observation.outcome,
        CaaOutcome::Failed { timeout: true, .. }
    ));
}

#[tokio::test]
async fn s_17_a_level_that_recovers_is_used() {
    let dns = StubDns::start().await;
    // One look-up asks twice on its own: the third question belongs to the second look-up.
    let records = vec![caa(0, "issue", "ca.example")];
    dns.set("shop.corp", RecordType::CAA, Reply::Failing(2, records));
    let observation = observe(&dns, "shop.corp").await;
    assert_eq!(observation.outcome, CaaOutcome::Found);
    assert_eq!(observation.levels.len(), 2);
    assert!(!observation.levels[0].is_usable());
}

#[tokio::test]
async fn nasty_124_an_alias_is_chased_but_the_climb_stays_on_the_name() {
    let dns = StubDns::start().await;
    dns.put("www.shop.corp", vec![cname("edge.cdn.corp")])
        .put("edge.cdn.corp", vec![caa(0, "issue", "other.example")]);
    let observation = observe(&dns, "www.shop.corp").await;
    let set = observation.relevant.unwrap();
    assert_eq!(set.found_at, "www.shop.corp");
    assert_eq!(set.records[0].value, "other.example");

    // Records above the alias target are not looked at.
    let dns = StubDns::start().await;
    dns.put("www.shop.corp", vec![cname("edge.cdn.corp")])
        .put("cdn.corp", vec![caa(0, "issue", "other.example")]);
    let observation = observe(&dns, "www.shop.corp").await;
    assert_eq!(observation.outcome, CaaOutcome::None);
    assert_eq!(dns.asked("cdn.corp", RecordType::CAA), 0);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    /// Whatever stands at which level, the nearest set is taken, and nothing above it or beside it is asked for.
    #[test]
    fn s_8_the_nearest_level_decides_wherever_it_is(
        labels in proptest::collection::vec("[a-z]{1,6}", 1..5),
        sets in proptest::collection::vec(proptest::bool::ANY, 6),
        wildcard in proptest::bool::ANY,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let fqdn = format!("{}.corp", labels.join("."));
            let levels: Vec<&str> = std::iter::successors(Some(fqdn.as_str()), |level| {
                level.split_once('.').map(|(_, parent)| parent)
            })
            .collect();
            let dns = StubDns::start().await;
            for (level, _) in levels.iter().zip(&sets).filter(|(_, set)| **set) {
                dns.put(level, vec![caa(0, "issue", &format!("ca.{level}"))]);
            }
            dns.put(&format!("zz.{fqdn}"), vec![caa(0, "issue", ";")]);
            let asked_for = if wildcard { format!("*.{fqdn}") } else { fqdn.clone() };
            let observation = observe(&dns, &asked_for).await;
            let nearest = levels.iter().zip(&sets).position(|(_, set)| *set);
            let expected = &levels[..nearest.map_or(levels.len(), |at| at + 1)];
            let expected: Vec<String> = expected.iter().map(|level| format!("{level}.")).collect();
            assert_eq!(asked(&observation), expected);
            assert_eq!(observation.relevant.map(|set| set.found_at), nearest.map(|at| levels[at].to_owned()));
        });
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_never_no_record() {
    let dns = StubDns::start().await;
    dns.set("shop.corp", RecordType::CAA, Reply::Garbage);
    let observation = observe(&dns, "shop.corp").await;
    assert!(
        !matches!(observation.outcome, CaaOutcome::None | CaaOutcome::Found),
        "{:?}",
        observation.outcome
    );
}

#[tokio::test]
async fn nasty_117_an_unsigned_answer_below_a_trust_anchor_is_never_no_record() {
    let dns = StubDns::start().await;
    let settings = Settings {
        dnssec: Dnssec::Validate,
        ..test_world::settings(&dns)
    };
    let perspective = Perspective::new(settings).unwrap();
    let observation = perspective
        .caa(&name("shop.corp"), &Levels::default())
        .await;
    assert!(
        matches!(observation.outcome, CaaOutcome::Malformed { .. }),
        "{:?}",
        observation.outcome
    );
    assert_eq!(observation.levels[0].security, Security::Bogus);
}

#[tokio::test]
async fn what_names_of_one_look_have_in_common_is_asked_once() {
    let dns = StubDns::start().await;
    dns.set("corp", RecordType::CAA, Reply::Code(ResponseCode::ServFail));
    let perspective = perspective(&dns, None);
    let look = Levels::default();
    let (www, shop) = (name("www.shop.corp"), name("shop.corp"));
    let (of_www, of_shop) =
        tokio::join!(perspective.caa(&www, &look), perspective.caa(&shop, &look));
    assert_eq!(
        asked(&of_www),
        ["www.shop.corp.", "shop.corp.", "corp.", "corp."]
    );
    assert_eq!(of_www.levels[1..], of_shop.levels);
    assert!(matches!(of_www.outcome, CaaOutcome::Failed { .. }));
    assert_eq!(of_www.outcome, of_shop.outcome);
    assert_eq!(dns.asked("shop.corp", RecordType::CAA), 1);
    let for_both = dns.asked("corp", RecordType::CAA);

    // The next look asks everything anew, as often.
    perspective.caa(&shop, &Levels::default()).await;
    assert_eq!(dns.asked("shop.corp", RecordType::CAA), 2);
    assert_eq!(dns.asked("corp", RecordType::CAA), 2 * for_both);
}
