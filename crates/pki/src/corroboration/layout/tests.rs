use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn site(name: &str, region: Region, latitude: &str, longitude: &str) -> Site {
    Site {
        name: name.to_owned(),
        region: Some(region),
        place: Place::parse(latitude, longitude).ok(),
    }
}

/// A primary in Frankfurt and four remotes around the world.
fn four() -> Layout {
    Layout {
        primary: Place::parse("50.11", "8.68").ok(),
        remotes: vec![
            site("sto", Region::Ripe, "59.33", "18.07"),
            site("nyc", Region::Arin, "40.71", "-74.01"),
            site("sao", Region::Lacnic, "-23.55", "-46.63"),
            site("syd", Region::Apnic, "-33.87", "151.21"),
        ],
    }
}

#[test]
fn nasty_116_four_remotes_stop_a_server_on_the_fifteenth_of_december_and_it_is_known_before() {
    let layout = four();
    assert_eq!(layout.problems(at("2026-12-14T23:59:59Z")), []);
    let change = at("2026-12-15T00:00:00Z");
    for weeks_before in [
        "2026-06-15T00:00:00Z",
        "2026-11-29T00:00:00Z",
        "2026-12-14T23:59:59Z",
    ] {
        assert_eq!(
            layout.falls_short_from(at(weeks_before)),
            Some((change, 5)),
            "{weeks_before}"
        );
    }
    let problems = layout.problems(change);
    let too_few = Problem::TooFew {
        present: 4,
        required: 5,
    };
    assert_eq!(problems, [too_few]);
    assert!(
        problems[0]
            .to_string()
            .contains("has 4 entries: 5 are required")
    );
    let mut five = layout;
    five.remotes
        .push(site("jnb", Region::Afrinic, "-26.2", "28.05"));
    assert_eq!(five.problems(change), []);
    assert_eq!(five.falls_short_from(at("2026-11-29T00:00:00Z")), None);
}

#[test]
fn m_11_an_empty_layout_lacks_what_the_date_asks_for_and_nothing_else() {
    let empty = Layout::default();
    let too_few = Problem::TooFew {
        present: 0,
        required: 4,
    };
    assert_eq!(empty.problems(at("2026-11-29T00:00:00Z")), [too_few]);
    assert_eq!(empty.problems(at("2025-01-01T00:00:00Z")), []);
}

#[test]
fn m_5_perspectives_nearer_than_500_km_are_named() {
    let now = at("2026-11-29T00:00:00Z");
    let mut layout = four();
    // Copenhagen is 523 km from Stockholm, Uppsala 64 km, Paris 479 km from Frankfurt.
    for (latitude, longitude, near) in [
        ("55.68", "12.57", None),
        ("59.86", "17.64", Some(Some("sto".to_owned()))),
        ("48.86", "2.35", Some(None)),
    ] {
        layout.remotes[1] = site("nyc", Region::Arin, latitude, longitude);
        let seen = layout.problems(now);
        match (near, seen.as_slice()) {
            (None, []) => {}
            (Some(expected), [Problem::TooNear { one, other, km }]) => {
                assert_eq!((one, other.as_str()), (&expected, "nyc"));
                assert!(*km < 500, "{km}");
            }
            (_, seen) => panic!("{latitude} {longitude}: {seen:?}"),
        }
    }
}

#[test]
fn m_11_what_was_not_said_and_what_is_one_region_is_named() {
    let now = at("2026-11-29T00:00:00Z");
    let mut layout = four();
    layout.primary = None;
    layout.remotes[2].region = None;
    layout.remotes[3].place = None;
    assert_eq!(
        layout.problems(now),
        [
            Problem::NoRegion("sao".to_owned()),
            Problem::NoPlace(None),
            Problem::NoPlace(Some("syd".to_owned())),
        ]
    );
    let mut layout = four();
    for remote in &mut layout.remotes {
        remote.region = Some(Region::Ripe);
    }
    assert_eq!(layout.problems(now), [Problem::OneRegion(Region::Ripe)]);
    let mut layout = four();
    layout.remotes[3].name = "sto".to_owned();
    assert_eq!(layout.problems(now), [Problem::Name("sto".to_owned())]);
}
