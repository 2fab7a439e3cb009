use reseal_pki::corroboration::{Place, Region, Site};

use super::*;

/// What a server with `remotes` perspectives around the world is configured to.
fn settings(trust: Trust, remotes: usize) -> Settings {
    let around = [
        ("sto", Region::Ripe, "59.33", "18.07"),
        ("nyc", Region::Arin, "40.71", "-74.01"),
        ("sao", Region::Lacnic, "-23.55", "-46.63"),
        ("syd", Region::Apnic, "-33.87", "151.21"),
        ("jnb", Region::Afrinic, "-26.2", "28.05"),
    ];
    let site = |(name, region, latitude, longitude): &(&str, Region, &str, &str)| Site {
        name: (*name).to_owned(),
        region: Some(*region),
        place: Place::parse(latitude, longitude).ok(),
    };
    Settings {
        trust,
        names: NamePolicy::default(),
        revoke_replaced_after: None,
        revoke_removed_names_after: None,
        revoke_compromised_after: SignedDuration::from_hours(24),
        dcv_domain: "dcv.invalid".to_owned(),
        caa_identity: "reseal.invalid".to_owned(),
        caa_reuse: Duration::ZERO,
        iodef: false,
        dnssec: Dnssec::Validate,
        quorum: Quorum {
            public: trust == Trust::Public,
            at_least: 0,
        },
        layout: Layout {
            primary: Place::parse("50.11", "8.68").ok(),
            remotes: around.iter().take(remotes).map(site).collect(),
        },
        public_url: String::new(),
        reissues_per_day: None,
        sync_wait: Duration::ZERO,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn nasty_116_with_four_perspectives_signing_stops_on_the_fifteenth_of_december() {
    let four = settings(Trust::Public, 4);
    assert_eq!(four.signing_refused(at("2026-12-14T23:59:59.999Z")), None);
    let reason = four.signing_refused(at("2026-12-15T00:00:00Z")).unwrap();
    assert!(reason.contains("has 4 entries: 5 are required"), "{reason}");
    let five = settings(Trust::Public, 5);
    assert_eq!(five.signing_refused(at("2026-12-15T00:00:00Z")), None);
    let private = settings(Trust::Private, 0);
    assert_eq!(private.signing_refused(at("2026-12-15T00:00:00Z")), None);
}

#[test]
fn m_10_public_trust_without_perspectives_or_dnssec_signs_nothing_and_says_all_reasons() {
    let now = at("2026-11-29T12:00:00Z");
    let mut bare = settings(Trust::Public, 0);
    bare.dnssec = Dnssec::Off;
    let reason = bare.signing_refused(now).unwrap();
    assert!(reason.contains("`dcv.perspectives` is empty"), "{reason}");
    assert!(
        reason.contains("; and while `dcv.dnssec` is `off`"),
        "{reason}"
    );
}

#[test]
fn n_24_what_was_seen_from_here_alone_is_for_private_trust() {
    let obtained = at("2026-11-29T12:00:00Z");
    let witness = |name: &str, region, agrees| Witness {
        name: name.to_owned(),
        region: Some(region),
        agrees,
    };
    let enough = [
        witness("sto", Region::Ripe, true),
        witness("nyc", Region::Arin, true),
        witness("sao", Region::Lacnic, true),
        witness("syd", Region::Apnic, false),
    ];
    for (trust, method, witnesses, good) in [
        (Trust::Public, Method::DnsChange, &enough[..], true),
        (Trust::Public, Method::DnsChange, &enough[..3], false),
        (Trust::Public, Method::DnsChange, &[], false),
        (Trust::Public, Method::ConstructedEmail, &[], true),
        (Trust::Private, Method::DnsChange, &[], true),
    ] {
        let relied_on = settings(trust, 4).is_corroborated(method, witnesses, obtained);
        assert_eq!(relied_on, good, "{trust:?} {method} {}", witnesses.len());
    }
}
