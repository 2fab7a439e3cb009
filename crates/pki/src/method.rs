//! The validation methods of BR 3.2.2.4 and what each of them may do.
//!
//! One row per method; nothing is kept. Dates (when a method dies) are in
//! [`crate::calendar`], not here.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A way to prove control over a domain name, named by its section in the
/// Baseline Requirements (D-1). Stored and shown as that section number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Method {
    /// Mail to a constructed address such as `hostmaster@` (BR 3.2.2.4.4).
    #[serde(rename = "3.2.2.4.4")]
    ConstructedEmail,
    /// A record in the DNS (BR 3.2.2.4.7).
    #[serde(rename = "3.2.2.4.7")]
    DnsChange,
    /// Mail to the `contactemail` of a CAA record (BR 3.2.2.4.13).
    #[serde(rename = "3.2.2.4.13")]
    CaaEmail,
    /// Mail to the address in a `_validation-contactemail` TXT record (BR 3.2.2.4.14).
    #[serde(rename = "3.2.2.4.14")]
    TxtEmail,
    /// An agreed-upon change to a website (BR 3.2.2.4.18).
    #[serde(rename = "3.2.2.4.18")]
    Website,
    /// ACME http-01 (BR 3.2.2.4.19).
    #[serde(rename = "3.2.2.4.19")]
    AcmeHttp,
    /// ACME tls-alpn-01 (BR 3.2.2.4.20).
    #[serde(rename = "3.2.2.4.20")]
    AcmeTlsAlpn,
    /// ACME dns-account-01 (BR 3.2.2.4.21).
    #[serde(rename = "3.2.2.4.21")]
    AcmeDnsAccount,
    /// A persistent TXT record (BR 3.2.2.4.22).
    #[serde(rename = "3.2.2.4.22")]
    PersistentTxt,
}

impl Method {
    /// Every method, in the order of its section.
    pub const ALL: [Self; 9] = [
        Self::ConstructedEmail,
        Self::DnsChange,
        Self::CaaEmail,
        Self::TxtEmail,
        Self::Website,
        Self::AcmeHttp,
        Self::AcmeTlsAlpn,
        Self::AcmeDnsAccount,
        Self::PersistentTxt,
    ];

    /// The section of the Baseline Requirements, for records and messages.
    pub fn br_section(self) -> &'static str {
        match self {
            Self::ConstructedEmail => "3.2.2.4.4",
            Self::DnsChange => "3.2.2.4.7",
            Self::CaaEmail => "3.2.2.4.13",
            Self::TxtEmail => "3.2.2.4.14",
            Self::Website => "3.2.2.4.18",
            Self::AcmeHttp => "3.2.2.4.19",
            Self::AcmeTlsAlpn => "3.2.2.4.20",
            Self::AcmeDnsAccount => "3.2.2.4.21",
            Self::PersistentTxt => "3.2.2.4.22",
        }
    }

    /// What it is, in a few words for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::ConstructedEmail => "mail to a constructed address",
            Self::DnsChange => "DNS record",
            Self::CaaEmail => "mail to a contact in CAA",
            Self::TxtEmail => "mail to a contact in TXT",
            Self::Website => "file on the web server",
            Self::AcmeHttp => "ACME http-01",
            Self::AcmeTlsAlpn => "ACME tls-alpn-01",
            Self::AcmeDnsAccount => "ACME dns-account-01",
            Self::PersistentTxt => "persistent TXT record",
        }
    }

    /// Whether a proof may stand for a wildcard name (N-20, column "Wildcard").
    pub fn covers_wildcards(self) -> bool {
        !matches!(self, Self::Website | Self::AcmeHttp | Self::AcmeTlsAlpn)
    }

    /// Whether labels may be pruned from the left to find the Authorization
    /// Domain Name (N-20, column "Prune"). The methods that look at one host
    /// prove nothing about other hosts, so both columns agree.
    pub fn may_prune(self) -> bool {
        self.covers_wildcards()
    }

    /// Whether remote perspectives must see the same proof (M-1, BR 3.2.2.9).
    pub fn needs_corroboration(self) -> bool {
        self != Self::ConstructedEmail
    }

    /// The labels by which a CAA record may allow the method in
    /// `validationmethods` (S-14); any one of them is enough.
    pub fn caa_labels(self) -> &'static [&'static str] {
        match self {
            Self::ConstructedEmail => &["ca-tbr-4"],
            Self::DnsChange => &["ca-tbr-7", "dns-01"],
            Self::CaaEmail => &["ca-tbr-13"],
            Self::TxtEmail => &["ca-tbr-14"],
            Self::Website => &["ca-tbr-18"],
            Self::AcmeHttp => &["ca-tbr-19", "http-01"],
            Self::AcmeTlsAlpn => &["ca-tbr-20", "tls-alpn-01"],
            Self::AcmeDnsAccount => &["ca-tbr-21", "dns-account-01"],
            Self::PersistentTxt => &["ca-tbr-22", "dns-persist-01"],
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.br_section())
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn n_20_methods_that_look_at_one_host_cover_only_that_host() {
        for method in Method::ALL {
            let one_host = matches!(
                method.br_section(),
                "3.2.2.4.18" | "3.2.2.4.19" | "3.2.2.4.20"
            );
            assert_eq!(method.covers_wildcards(), !one_host, "{method}");
            assert_eq!(method.may_prune(), !one_host, "{method}");
        }
    }

    #[test]
    fn d_16_m_1_only_constructed_mail_needs_no_second_perspective() {
        let alone: Vec<_> = Method::ALL
            .into_iter()
            .filter(|m| !m.needs_corroboration())
            .collect();
        assert_eq!(alone, [Method::ConstructedEmail]);
    }

    #[test]
    fn s_14_every_method_has_the_label_of_its_section() {
        for method in Method::ALL {
            let section = method.br_section().rsplit('.').next().unwrap_or_default();
            assert!(
                method
                    .caa_labels()
                    .contains(&format!("ca-tbr-{section}").as_str()),
                "{method}"
            );
        }
        assert!(Method::DnsChange.caa_labels().contains(&"dns-01"));
    }

    #[test]
    fn d_1_methods_are_stored_by_their_section() {
        for method in Method::ALL {
            let text = serde_json::to_string(&method).unwrap();
            assert_eq!(text, format!("\"{}\"", method.br_section()));
            assert_eq!(serde_json::from_str::<Method>(&text).unwrap(), method);
        }
        assert!(serde_json::from_str::<Method>("\"3.2.2.4.2\"").is_err());
    }
}
