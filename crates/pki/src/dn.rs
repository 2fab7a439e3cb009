//! Distinguished names: the identity of an organization as it is put into a
//! certificate (P-4), and names as others wrote them (`read`).

mod read;

use serde::{Deserialize, Serialize};

pub use read::{Attribute, DistinguishedName};

use crate::quote::quoted;

/// Contents of the attribute types' object identifiers (RFC 5280 appendix A.1).
pub(crate) const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
pub(crate) const COUNTRY: &[u8] = &[0x55, 0x04, 0x06];
pub(crate) const LOCALITY: &[u8] = &[0x55, 0x04, 0x07];
pub(crate) const STATE: &[u8] = &[0x55, 0x04, 0x08];
pub(crate) const STREET: &[u8] = &[0x55, 0x04, 0x09];
pub(crate) const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
pub(crate) const ORGANIZATIONAL_UNIT: &[u8] = &[0x55, 0x04, 0x0b];
pub(crate) const POSTAL_CODE: &[u8] = &[0x55, 0x04, 0x11];

/// Subject fields of an organization-validated certificate, as verified by an
/// operator. Lengths are those of RFC 5280 in characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSubject {
    /// Legal name, 1 to 64 characters.
    pub organization: String,
    /// ISO 3166-1 code, two upper-case letters.
    pub country: String,
    /// State or province, to 128 characters. This or the locality is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// City, to 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// Postal code, to 40 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Street address, to 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
}

/// What keeps an [`OrganizationSubject`] out of a certificate (P-4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectProblem {
    /// Not two upper-case letters.
    #[error("country must be two upper-case letters as in ISO 3166-1, saw {}", quoted(.0))]
    Country(String),
    /// Longer than the attribute's upper bound.
    #[error("{field} may have {limit} characters, has {length}")]
    TooLong {
        /// Name of the field.
        field: &'static str,
        /// Upper bound in characters.
        limit: usize,
        /// Characters found.
        length: usize,
    },
    /// Blank, or only signs such as `-`, `.` and `N/A`, which BR 7.1.2.7.4 forbids.
    #[error("{field} must say something, saw {}: leave it out when it is not known", quoted(.value))]
    Blank {
        /// Name of the field.
        field: &'static str,
        /// What was seen.
        value: String,
    },
    /// Characters that change how the text around them is read.
    #[error("{field} must be printable text, saw the control character U+{code:04X}")]
    Control {
        /// Name of the field.
        field: &'static str,
        /// Code point found.
        code: u32,
    },
    /// Neither state nor locality (BR 7.1.2.7.4).
    #[error("a state or a locality is needed")]
    NoPlace,
}

impl SubjectProblem {
    /// Name of the field that is wrong; `locality` when a place is missing altogether.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Country(_) => "country",
            Self::TooLong { field, .. }
            | Self::Blank { field, .. }
            | Self::Control { field, .. } => field,
            Self::NoPlace => "locality",
        }
    }
}

impl OrganizationSubject {
    /// Everything that is wrong with the subject; empty when it may be certified.
    pub fn problems(&self) -> Vec<SubjectProblem> {
        let mut found = Vec::new();
        if self.country.len() != 2 || !self.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            found.push(SubjectProblem::Country(self.country.clone()));
        }
        if self.state.is_none() && self.locality.is_none() {
            found.push(SubjectProblem::NoPlace);
        }
        let fields = [
            ("organization", Some(&self.organization), 64),
            ("state", self.state.as_ref(), 128),
            ("locality", self.locality.as_ref(), 128),
            ("postalCode", self.postal_code.as_ref(), 40),
            ("street", self.street.as_ref(), 128),
        ];
        for (field, value, limit) in fields {
            if let Some(value) = value {
                found.extend(text_problem(field, value, limit));
            }
        }
        found
    }
}

fn text_problem(field: &'static str, value: &str, limit: usize) -> Option<SubjectProblem> {
    if let Some(control) = value
        .chars()
        .find(|&c| c.is_control() || changes_direction(c))
    {
        return Some(SubjectProblem::Control {
            field,
            code: control.into(),
        });
    }
    let length = value.chars().count();
    if length > limit {
        return Some(SubjectProblem::TooLong {
            field,
            limit,
            length,
        });
    }
    let says_nothing = !value.chars().any(char::is_alphanumeric)
        || ["n/a", "na", "none", "null"].contains(&value.trim().to_ascii_lowercase().as_str());
    says_nothing.then(|| SubjectProblem::Blank {
        field,
        value: value.to_owned(),
    })
}

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm, and
/// separators: harmless in a document, misleading in a name.
fn changes_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{OrganizationSubject, SubjectProblem};

    fn subject() -> OrganizationSubject {
        OrganizationSubject {
            organization: "Bäckerei Müller GmbH".into(),
            country: "DE".into(),
            state: None,
            locality: Some("Köln".into()),
            postal_code: None,
            street: None,
        }
    }

    #[test]
    fn p_4_lengths_are_counted_in_characters() {
        let mut subject = subject();
        subject.organization = "ü".repeat(64);
        assert_eq!(subject.problems(), []);
        subject.organization.push('ü');
        assert_eq!(
            subject.problems(),
            [SubjectProblem::TooLong {
                field: "organization",
                limit: 64,
                length: 65
            }]
        );
    }

    #[test]
    fn p_4_placeholders_are_refused() {
        for value in ["-", ".", " ", "", "N/A", "--- ", "none"] {
            let subject = OrganizationSubject {
                state: Some(value.into()),
                ..subject()
            };
            assert!(
                matches!(
                    subject.problems()[..],
                    [SubjectProblem::Blank { field: "state", .. }]
                ),
                "{value:?}"
            );
        }
    }

    #[test]
    fn p_4_country_and_place_are_needed() {
        let subject = OrganizationSubject {
            country: "de".into(),
            locality: None,
            ..subject()
        };
        assert_eq!(
            subject.problems(),
            [
                SubjectProblem::Country("de".into()),
                SubjectProblem::NoPlace
            ]
        );
    }

    #[test]
    fn nasty_144_control_and_direction_characters_in_an_organization_are_refused() {
        for (text, code) in [
            ("A\u{0}B", 0),
            ("A\u{202e}B", 0x202e),
            ("A\nB", 0xa),
            ("A\u{200f}", 0x200f),
        ] {
            let subject = OrganizationSubject {
                organization: text.into(),
                ..subject()
            };
            assert_eq!(
                subject.problems(),
                [SubjectProblem::Control {
                    field: "organization",
                    code
                }]
            );
        }
        let subject = OrganizationSubject {
            organization: "<script>=cmd()".into(),
            ..subject()
        };
        assert_eq!(
            subject.problems(),
            [],
            "kept verbatim, escaped where it is shown"
        );
    }
}
