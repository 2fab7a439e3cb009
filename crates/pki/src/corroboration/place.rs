//! Points on the globe.

use std::str::FromStr;

/// Mean radius of the Earth (IUGG), km.
const RADIUS: f64 = 6371.0088;
/// Parts of a degree that are kept: 11 cm on the equator.
const PARTS: f64 = 1e6;

/// A point on the globe, kept in millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    latitude: i32,
    longitude: i32,
}

/// Not a point on the globe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a latitude from -90 to 90 and a longitude from -180 to 180, in degrees")]
pub struct BadPlace;

impl Place {
    /// From degrees north and east, written as decimal numbers such as `-33.87`.
    pub fn parse(latitude: &str, longitude: &str) -> Result<Self, BadPlace> {
        Ok(Self {
            latitude: millionths(latitude, 90.0)?,
            longitude: millionths(longitude, 180.0)?,
        })
    }

    /// Great-circle distance in km (haversine formula).
    pub fn distance(self, other: Self) -> f64 {
        let radians = |millionths: i32| (f64::from(millionths) / PARTS).to_radians();
        let half_sine = |from: i32, to: i32| ((radians(to) - radians(from)) / 2.0).sin().powi(2);
        let haversine = half_sine(self.latitude, other.latitude)
            + radians(self.latitude).cos()
                * radians(other.latitude).cos()
                * half_sine(self.longitude, other.longitude);
        2.0 * RADIUS * haversine.clamp(0.0, 1.0).sqrt().asin()
    }
}

fn millionths(text: &str, limit: f64) -> Result<i32, BadPlace> {
    let degrees = f64::from_str(text.trim()).map_err(|_| BadPlace)?;
    // Neither NaN nor infinity is within the limit.
    if degrees.abs() <= limit {
        Ok((degrees * PARTS).round() as i32)
    } else {
        Err(BadPlace)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(latitude: &str, longitude: &str) -> Place {
        Place::parse(latitude, longitude).unwrap()
    }

    #[test]
    fn m_5_distances_are_those_of_the_map() {
        let (frankfurt, paris) = (place("50.11", "8.68"), place("48.86", "2.35"));
        let (sydney, auckland) = (place("-33.87", "151.21"), place("-36.85", "174.76"));
        for (from, to, km) in [
            (frankfurt, paris, 479.0),
            (sydney, auckland, 2156.0),
            (frankfurt, sydney, 16_480.0),
            (place("0", "179.5"), place("0", "-179.5"), 111.0),
            (place("90", "0"), place("-90", "0"), 20_015.0),
            (paris, paris, 0.0),
        ] {
            let seen = from.distance(to);
            assert!((seen - km).abs() <= km * 0.005, "{from:?} {to:?}: {seen}");
        }
    }

    #[test]
    fn m_11_what_is_not_on_the_globe_is_refused() {
        for (latitude, longitude) in [
            ("90.1", "0"),
            ("-91", "0"),
            ("0", "180.5"),
            ("north", "0"),
            ("NaN", "0"),
            ("inf", "0"),
            ("", ""),
            ("50,11", "8"),
        ] {
            assert_eq!(
                Place::parse(latitude, longitude),
                Err(BadPlace),
                "{latitude} {longitude}"
            );
        }
        assert!(Place::parse("-90", "180").is_ok());
    }

    fn anywhere() -> impl Strategy<Value = Place> {
        (-90_000_000_i32..=90_000_000, -180_000_000_i32..=180_000_000).prop_map(
            |(latitude, longitude)| Place {
                latitude,
                longitude,
            },
        )
    }

    proptest! {
        #[test]
        fn m_5_distances_are_distances(a in anywhere(), b in anywhere(), c in anywhere()) {
            let half_way_round = RADIUS * std::f64::consts::PI;
            prop_assert!((0.0..=half_way_round + 1e-6).contains(&a.distance(b)));
            prop_assert!((a.distance(b) - b.distance(a)).abs() < 1e-6);
            prop_assert!(a.distance(c) <= a.distance(b) + b.distance(c) + 1e-3);
        }
    }
}
