//! What leaves of one kind differ in: names, organization, validity.

use jiff::SignedDuration;
use reseal_pki::dn::OrganizationSubject;

pub(crate) struct Variant {
    pub(crate) label: &'static str,
    /// The first is the common name where there is one.
    pub(crate) names: Vec<String>,
    pub(crate) organization: OrganizationSubject,
    /// Shorter than the calendar allows, as at the end of a subscription.
    pub(crate) validity: Option<SignedDuration>,
}

impl Variant {
    pub(crate) fn all() -> [Self; 5] {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        [
            Self {
                label: "usual",
                names: owned(&["www.reseal.dev", "reseal.dev", "*.apps.reseal.dev"]),
                organization: at(
                    organization(
                        "Zürcher Käserei AG",
                        "CH",
                        Some("Zürich"),
                        Some("Winterthur"),
                    ),
                    "8400",
                    "Marktgasse 1",
                ),
                validity: None,
            },
            Self {
                label: "one-day",
                names: owned(&["reseal.dev"]),
                organization: organization("Reseal", "NL", None, Some("Zwolle")),
                validity: Some(SignedDuration::from_hours(24)),
            },
            Self {
                label: "wildcard",
                names: owned(&["*.reseal.dev", "reseal.dev"]),
                organization: organization("株式会社リシール", "JP", Some("東京都"), None),
                validity: Some(SignedDuration::from_hours(46 * 24)),
            },
            Self {
                label: "international",
                names: owned(&[
                    "xn--mnchen-3ya.de",
                    "xn--e1afmkfd.xn--p1ai",
                    "xn--wgv71a119e.jp",
                ]),
                organization: at(
                    organization(
                        &"Ö".repeat(64),
                        "DE",
                        Some(&"ß".repeat(128)),
                        Some("München"),
                    ),
                    &"8".repeat(40),
                    &"Straße ".repeat(18),
                ),
                validity: Some(SignedDuration::from_hours(7 * 24)),
            },
            Self {
                label: "crowd",
                names: crowd(),
                organization: organization(
                    "O'Reseal & \"Sons\", Ltd. <tls>",
                    "GB",
                    Some("Kent"),
                    None,
                ),
                validity: Some(SignedDuration::from_hours(99 * 24)),
            },
        ]
    }
}

/// A hundred names, with the longest that there may be.
fn crowd() -> Vec<String> {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}.reseal.dev", "b".repeat(50));
    assert_eq!(longest.len(), 253);
    let deepest = "a.b.c.d.e.f.g.h.reseal.dev".to_owned();
    let others = (0..98).map(|number| format!("host-{number}.shop.reseal.dev"));
    [longest, deepest].into_iter().chain(others).collect()
}

fn organization(
    organization: &str,
    country: &str,
    state: Option<&str>,
    locality: Option<&str>,
) -> OrganizationSubject {
    OrganizationSubject {
        organization: organization.to_owned(),
        country: country.to_owned(),
        state: state.map(str::to_owned),
        locality: locality.map(str::to_owned),
        postal_code: None,
        street: None,
    }
}

/// The same with a full address.
fn at(subject: OrganizationSubject, postal_code: &str, street: &str) -> OrganizationSubject {
    OrganizationSubject {
        postal_code: Some(postal_code.to_owned()),
        street: Some(street.trim_end().to_owned()),
        ..subject
    }
}
