//! What goes between a server and its remote perspectives: JSON over HTTPS.

use reseal_pki::name::{DnsName, NamePolicy};
use serde::{Deserialize, Serialize};

use crate::challenge::{ACME_DIRECTORY, Challenge, FILE_DIRECTORY};

/// `POST`: [`AttemptQuestion`] → [`Reply`] with an [`Attempt`](crate::evidence::Attempt).
pub const ATTEMPT: &str = "/v1/attempt";
/// `POST`: [`CaaQuestion`] → [`Reply`] with a [`CaaObservation`](crate::caa::CaaObservation).
pub const CAA: &str = "/v1/caa";
/// `GET` → [`Reply`] with [`About`]: whether the token is right, and whom one speaks to.
pub const ABOUT: &str = "/v1/about";

/// Most octets of a domain name in text form (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;
/// Most characters of a file's path.
const LONGEST_PATH: usize = 255;

/// Look for this challenge, once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptQuestion {
    /// What to look for, and where.
    pub challenge: Challenge,
}

/// Find the relevant CAA records of this name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaaQuestion {
    /// The name, with or without `*.`.
    pub name: String,
}

/// An answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reply<T> {
    /// What the perspective is called where it runs.
    pub perspective: String,
    /// The answer itself.
    pub result: T,
}

/// Whom one speaks to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct About {
    /// Version of the program.
    pub version: String,
}

impl AttemptQuestion {
    /// What is wrong with the question, for whoever asked: a perspective looks at names and at files of
    /// validation, and nothing else.
    pub fn check(&self, policy: &NamePolicy) -> Result<(), String> {
        match &self.challenge {
            Challenge::Dns { record, .. } | Challenge::Txt { record, .. } if is_owner(record) => {
                Ok(())
            }
            Challenge::Persistent { record, .. } if is_owner(&record.name()) => Ok(()),
            Challenge::DnsRandom { adn, .. } if is_owner(adn) => Ok(()),
            Challenge::Contact(contact) if is_owner(&contact.adn) => Ok(()),
            Challenge::Dns { .. } | Challenge::Txt { .. } | Challenge::Persistent { .. } => {
                Err("`challenge.record`: not the name of a record".to_owned())
            }
            Challenge::DnsRandom { .. } | Challenge::Contact(_) => {
                Err("`challenge.adn`: not a domain name".to_owned())
            }
            Challenge::File { host, path, .. } => {
                let name = DnsName::parse(host, policy)
                    .map_err(|error| format!("`challenge.host`: {error}"))?;
                if name.is_wildcard() {
                    return Err("`challenge.host`: a wildcard has no files".to_owned());
                }
                if is_file(path) {
                    Ok(())
                } else {
                    Err(format!(
                        "`challenge.path`: expected a file in `{FILE_DIRECTORY}` or `{ACME_DIRECTORY}`"
                    ))
                }
            }
        }
    }
}

/// Whether `record` can be asked for: labels of letters, digits, `-` and `_`.
fn is_owner(record: &str) -> bool {
    let name = record.strip_suffix('.').unwrap_or(record);
    let fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.len() <= LONGEST_NAME && name.split('.').all(fits)
}

/// Whether `path` is a file of validation (D-21, D-27, D-36): one name in one of the two folders.
fn is_file(path: &str) -> bool {
    path.len() <= LONGEST_PATH
        && [FILE_DIRECTORY, ACME_DIRECTORY].iter().any(|directory| {
            let Some(file) = path.strip_prefix(directory) else {
                return false;
            };
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !file.is_empty() && !file.starts_with('.') && file.bytes().all(plain)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(host: &str, path: &str) -> AttemptQuestion {
        AttemptQuestion {
            challenge: Challenge::File {
                host: host.to_owned(),
                path: path.to_owned(),
                contents: "x".to_owned(),
            },
        }
    }

    fn record(record: &str) -> AttemptQuestion {
        AttemptQuestion {
            challenge: Challenge::Dns {
                record: record.to_owned(),
                contents: "x".to_owned(),
            },
        }
    }

    #[test]
    fn d_21_a_perspective_fetches_files_of_validation_and_nothing_else() {
        let policy = NamePolicy::default();
        let good = "/.well-known/pki-validation/C23D.txt";
        for good in [good, "/.well-known/acme-challenge/a-b_C"] {
            assert_eq!(file("www.reseal.dev", good).check(&policy), Ok(()));
        }
        for path in [
            "/",
            "/.well-known/pki-validation/",
            "/.well-known/pki-validation/../../admin",
            "/.well-known/pki-validation/a/b",
            "/.well-known/pki-validation/a?b=c",
            "/.well-known/pki-validation/a b",
            "/.well-known/acme-challenge/",
            "/.well-known/acme-challenge/../a",
            "/.well-known/other/a",
            "http://other/.well-known/pki-validation/a",
        ] {
            let problem = file("www.reseal.dev", path).check(&policy).unwrap_err();
            assert!(problem.starts_with("`challenge.path`"), "{path}: {problem}");
        }
        for host in [
            "",
            "*.reseal.dev",
            "127.0.0.1",
            "localhost",
            "a b.dev",
            "reseal.dev:22",
        ] {
            let problem = file(host, good).check(&policy).unwrap_err();
            assert!(problem.starts_with("`challenge.host`"), "{host}: {problem}");
        }
    }

    #[test]
    fn d_28_records_have_the_form_of_names() {
        let policy = NamePolicy::default();
        for good in [
            "_c23d.reseal.dev.",
            "reseal.dev",
            "_validation-persist.a.dev.",
        ] {
            assert_eq!(record(good).check(&policy), Ok(()), "{good}");
        }
        let long = "a.".repeat(127) + "dev";
        for bad in ["", ".", "a..b", "a b.dev", "*.reseal.dev", "a/b.dev", &long] {
            assert!(record(bad).check(&policy).is_err(), "{bad}");
        }
    }
}
