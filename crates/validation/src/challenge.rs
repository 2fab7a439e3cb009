//! What the customer is told to publish (design decision 11), and the random value in it.

use aws_lc_rs::rand;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    dns::{self, DnsAnswer, DnsOutcome, DnsRecord, RecordKind, RecordValue},
    email::Contact,
    evidence::{Attempt, Evidence},
    persistent::PersistentRecord,
};

/// Directory of FILE challenges (BR 3.2.2.4.18, D-21).
pub(crate) const FILE_DIRECTORY: &str = "/.well-known/pki-validation/";

/// Directory of ACME's FILE challenges (RFC 8555 section 8.3, D-36).
pub const ACME_DIRECTORY: &str = "/.well-known/acme-challenge/";

/// Characters of a random value. D-3 (BR 1.6.1) asks for 112 bits of entropy, and DNS compares names
/// without regard to case (RFC 4343), so that only one case can count: 36 lower-case letters and
/// digits give 5.17 bits each, 25 of them 129 bits. Upper case would also break signed zones whose
/// signer forgets to fold a CNAME's target (RFC 4034 section 6.2).
const RANDOM_CHARACTERS: usize = 25;
const RANDOM_ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// The system's random generator failed.
#[derive(Debug, thiserror::Error)]
#[error("the system's random generator failed")]
pub struct RandomError;

/// A new random value of 129 bits for one challenge (D-3): 25 lower-case letters and digits.
pub fn random_value() -> Result<String, RandomError> {
    // Bytes at or above the largest multiple of 36 are thrown away, so that no character is
    // likelier than another.
    const UNBIASED: u8 = 252;
    let mut value = String::with_capacity(RANDOM_CHARACTERS);
    let mut pool = [0_u8; 64];
    while value.len() < RANDOM_CHARACTERS {
        rand::fill(&mut pool).map_err(|_| RandomError)?;
        let usable = pool.iter().filter(|byte| **byte < UNBIASED);
        for byte in usable.take(RANDOM_CHARACTERS - value.len()) {
            value.push(char::from(RANDOM_ALPHABET[usize::from(byte % 36)]));
        }
    }
    Ok(value)
}

/// How challenge contents are made: a product's choice (D-6 to D-9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChallengeScheme {
    /// Hashes of the CSR, and a Random Value that the proof rests on (design decision 11).
    #[default]
    Default,
    /// Hashes of the CSR and the customer's salt alone: a Request Token, which customers can compute themselves and
    /// which is good for one use (D-5, D-7, D-8).
    SectigoLike,
    /// A Random Value alone (D-9).
    DigicertLike,
}

impl ChallengeScheme {
    /// Whether contents follow from the request alone, so that they may serve once and never again (BR 1.6.1, D-5).
    pub fn is_single_use(self) -> bool {
        self == Self::SectigoLike
    }
}

/// The parts that challenge contents are put together from.
#[derive(Clone, Copy, Debug)]
pub struct TokenParts<'a> {
    /// How.
    pub scheme: ChallengeScheme,
    /// MD5 over the CSR's DER, hexadecimal. It names places and proves nothing.
    pub md5_hex: &'a str,
    /// A hash over the CSR's DER, hexadecimal. Where the proof rests on it, it must be no weaker than the one that the
    /// CSR is signed with (D-5).
    pub hash_hex: &'a str,
    /// The customer's salt.
    pub unique_value: Option<&'a str>,
    /// This server's random value, see [`random_value`].
    pub random: &'a str,
    /// Suffix of contents (`dcv.domain`).
    pub domain: &'a str,
}

/// What the customer is told to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE")]
pub enum Challenge {
    /// A CNAME record, or a TXT record with the same contents.
    Dns {
        /// Owner name, with the root's dot.
        record: String,
        /// Target, with the root's dot.
        contents: String,
    },
    /// A TXT record, and no alias in its place (RFC 8555 section 8.4).
    Txt {
        /// Owner name, with the root's dot.
        record: String,
        /// Its text.
        contents: String,
    },
    /// A random value in a name, or in a TXT record.
    DnsRandom {
        /// Authorization Domain Name, without the root's dot.
        adn: String,
        /// The value.
        random: String,
        /// Where `_<random>.<adn>` has to point to, with the root's dot.
        target: String,
    },
    /// A file on the web server of the name.
    File {
        /// The name itself; FILE never proves another one (D-21).
        host: String,
        /// Absolute path.
        path: String,
        /// Lines of the file, separated by line feeds.
        contents: String,
    },
    /// A TXT record that stays.
    Persistent {
        /// The record.
        record: PersistentRecord,
        /// When it is looked for: its `persistUntil` must not be over.
        now: Timestamp,
    },
    /// An address in the DNS that may be asked for approval.
    Contact(Contact),
}

impl TokenParts<'_> {
    /// The Random Value, where contents have one beside the hashes.
    fn salt(&self) -> Option<&str> {
        match self.scheme {
            ChallengeScheme::Default => Some(self.random),
            ChallengeScheme::SectigoLike | ChallengeScheme::DigicertLike => None,
        }
    }
}

impl Challenge {
    /// Where `attempt` found the contents as a TXT record, with the root's dot, if an alias led there from the name that
    /// was asked about. An alias whose target *is* the contents leads nowhere.
    pub fn alias(&self, attempt: &Attempt) -> Option<String> {
        let Evidence::Dns { answers, .. } = &attempt.evidence else {
            return None;
        };
        let proves = |answer: &&DnsAnswer| {
            answer.kind == RecordKind::Txt
                && match self {
                    Self::Dns { contents, .. } | Self::Txt { contents, .. } => {
                        dns::carries(answer, contents)
                    }
                    Self::DnsRandom { random, .. } => dns::carries(answer, random),
                    Self::Persistent { .. } => answer.outcome == DnsOutcome::Records,
                    Self::File { .. } | Self::Contact(_) => false,
                }
        };
        let answer = answers.iter().find(proves)?;
        answer.alias()?;
        let is_text = |record: &&DnsRecord| matches!(record.value, RecordValue::Txt(_));
        let text = answer.records.iter().find(is_text)?;
        Some(text.name.clone())
    }

    /// The TXT record that proves control, with the root's dot behind its name, and its text; `None` where no such record
    /// does.
    pub fn text_record(&self) -> Option<(String, &str)> {
        match self {
            Self::Dns { record, contents } | Self::Txt { record, contents } => {
                Some((record.to_ascii_lowercase(), contents))
            }
            Self::DnsRandom { adn, random, .. } => Some((format!("_dnsauth.{adn}."), random)),
            Self::File { .. } | Self::Persistent { .. } | Self::Contact(_) => None,
        }
    }

    /// The Authorization Domain Name that meeting it proves control of, without the root's dot: it follows from the place
    /// alone, whatever else is believed of a name that it was made for (BR 3.2.2.4.7, 3.2.2.4.18, 3.2.2.4.19).
    pub fn authorization_domain_name(&self) -> &str {
        match self {
            Self::Dns { record, .. } | Self::Txt { record, .. } => {
                let name = record.strip_suffix('.').unwrap_or(record);
                // A record at the name itself has none of the labels that are no host's.
                let below = name.split_once('.').filter(|_| name.starts_with('_'));
                below.map_or(name, |(_, parent)| parent)
            }
            Self::DnsRandom { adn, .. } => adn,
            Self::File { host, .. } => host,
            Self::Persistent { record, .. } => &record.adn,
            Self::Contact(contact) => &contact.adn,
        }
    }

    /// A DNS challenge below the authorization domain name `adn`.
    pub fn dns(parts: &TokenParts<'_>, adn: &str) -> Self {
        let adn = adn.strip_prefix("*.").unwrap_or(adn);
        if parts.scheme == ChallengeScheme::DigicertLike {
            return Self::DnsRandom {
                adn: adn.to_owned(),
                random: parts.random.to_owned(),
                target: format!("dcv.{}.", parts.domain),
            };
        }
        let hash = parts.hash_hex.to_ascii_lowercase();
        let labels: Vec<&str> = pieces(&hash)
            .into_iter()
            .chain(parts.unique_value)
            .chain(parts.salt())
            .chain([parts.domain])
            .collect();
        Self::Dns {
            record: format!("_{}.{adn}.", parts.md5_hex.to_ascii_lowercase()),
            contents: format!("{}.", labels.join(".")),
        }
    }

    /// A FILE challenge for exactly `fqdn`.
    pub fn file(parts: &TokenParts<'_>, fqdn: &str) -> Self {
        let (name, contents) = if parts.scheme == ChallengeScheme::DigicertLike {
            ("fileauth".to_owned(), parts.random.to_owned())
        } else {
            let lines: Vec<&str> = [parts.hash_hex, parts.domain]
                .into_iter()
                .chain(parts.unique_value)
                .chain(parts.salt())
                .collect();
            (parts.md5_hex.to_ascii_uppercase(), lines.join("\n"))
        };
        Self::File {
            host: fqdn.to_owned(),
            path: format!("{FILE_DIRECTORY}{name}.txt"),
            contents,
        }
    }
}

/// A hash in labels of 32 digits: a label of the DNS holds 63 characters.
fn pieces(hash: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = hash;
    while let Some((piece, after)) = rest.split_at_checked(32) {
        pieces.push(piece);
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const MD5: &str = "C23DDEB04C8A4E2F93E1D0A7F7B6A5C4";
    const SHA256: &str = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08";

    fn parts(unique_value: Option<&str>) -> TokenParts<'_> {
        TokenParts {
            scheme: ChallengeScheme::Default,
            md5_hex: MD5,
            hash_hex: SHA256,
            unique_value,
            random: "abcdefghij0123456789klmno",
            domain: "dcv.invalid",
        }
    }

    #[test]
    fn d_3_random_values_hold_112_bits() {
        let bits = RANDOM_CHARACTERS as f64 * 36_f64.log2();
        assert!(bits >= 112.0, "{bits}");
        let values: HashSet<String> = (0..500).map(|_| random_value().unwrap()).collect();
        assert_eq!(values.len(), 500);
        let seen: HashSet<u8> = values.iter().flat_map(|value| value.bytes()).collect();
        assert_eq!(seen, RANDOM_ALPHABET.iter().copied().collect());
        assert!(values.iter().all(|value| value.len() == RANDOM_CHARACTERS));
    }

    #[test]
    fn d_7_dns_challenges_are_lower_case_and_end_with_a_dot() {
        let expected = |contents: &str| Challenge::Dns {
            record: "_c23ddeb04c8a4e2f93e1d0a7f7b6a5c4.example.com.".to_owned(),
            contents: contents.to_owned(),
        };
        assert_eq!(
            Challenge::dns(&parts(None), "example.com"),
            expected(
                "9f86d081884c7d659a2feaa0c55ad015.a3bf4f1b2b0b822cd15d6c15b0f00a08.abcdefghij0123456789klmno.dcv.invalid."
            )
        );
        assert_eq!(
            Challenge::dns(&parts(Some("Salt1")), "*.example.com"),
            expected(
                "9f86d081884c7d659a2feaa0c55ad015.a3bf4f1b2b0b822cd15d6c15b0f00a08.Salt1.abcdefghij0123456789klmno.dcv.invalid."
            )
        );
    }

    #[test]
    fn n_24_a_challenge_proves_control_of_the_name_where_it_stands() {
        let random = TokenParts {
            scheme: ChallengeScheme::DigicertLike,
            ..parts(None)
        };
        let at = |record: &str| Challenge::Txt {
            record: record.to_owned(),
            contents: String::new(),
        };
        for (challenge, name) in [
            (Challenge::dns(&parts(None), "*.example.com"), "example.com"),
            (Challenge::dns(&random, "a.example.com"), "a.example.com"),
            (
                Challenge::file(&parts(None), "a.example.com"),
                "a.example.com",
            ),
            (at("_acme-challenge.a.example.com."), "a.example.com"),
            (at("a.example.com."), "a.example.com"),
        ] {
            assert_eq!(challenge.authorization_domain_name(), name);
        }
    }

    #[test]
    fn d_7_d_8_a_request_token_is_made_of_the_request_alone() {
        let like = |hash_hex, unique_value| TokenParts {
            scheme: ChallengeScheme::SectigoLike,
            hash_hex,
            ..parts(unique_value)
        };
        let Challenge::Dns { record, contents } =
            Challenge::dns(&like(SHA256, Some("Salt1")), "*.example.com")
        else {
            panic!("not DNS")
        };
        assert_eq!(record, "_c23ddeb04c8a4e2f93e1d0a7f7b6a5c4.example.com.");
        assert_eq!(
            contents,
            "9f86d081884c7d659a2feaa0c55ad015.a3bf4f1b2b0b822cd15d6c15b0f00a08.Salt1.dcv.invalid."
        );
        let sha512 = SHA256.repeat(2);
        let Challenge::Dns { contents, .. } = Challenge::dns(&like(&sha512, None), "example.com")
        else {
            panic!("not DNS")
        };
        let labels: Vec<usize> = contents.split('.').map(str::len).collect();
        assert_eq!(labels, [32, 32, 32, 32, 3, 7, 0], "{contents}");
        let Challenge::File { path, contents, .. } = Challenge::file(&like(SHA256, None), "a.dev")
        else {
            panic!("not a file")
        };
        assert_eq!(path, format!("/.well-known/pki-validation/{MD5}.txt"));
        assert_eq!(contents, format!("{SHA256}\ndcv.invalid"));
    }

    #[test]
    fn d_9_a_random_value_stands_alone() {
        let like = TokenParts {
            scheme: ChallengeScheme::DigicertLike,
            ..parts(Some("Salt1"))
        };
        assert_eq!(
            Challenge::dns(&like, "*.example.com"),
            Challenge::DnsRandom {
                adn: "example.com".to_owned(),
                random: "abcdefghij0123456789klmno".to_owned(),
                target: "dcv.dcv.invalid.".to_owned(),
            }
        );
        let Challenge::File { path, contents, .. } = Challenge::file(&like, "a.dev") else {
            panic!("not a file")
        };
        assert_eq!(path, "/.well-known/pki-validation/fileauth.txt");
        assert_eq!(contents, "abcdefghij0123456789klmno");
    }

    #[test]
    fn d_8_nasty_112_file_names_are_computed_and_contents_are_lines() {
        let Challenge::File {
            host,
            path,
            contents,
        } = Challenge::file(&parts(Some("Salt1")), "www.example.com")
        else {
            panic!("not a file")
        };
        assert_eq!(host, "www.example.com");
        assert_eq!(path, format!("/.well-known/pki-validation/{MD5}.txt"));
        assert_eq!(
            contents,
            format!("{SHA256}\ndcv.invalid\nSalt1\nabcdefghij0123456789klmno")
        );
    }
}
