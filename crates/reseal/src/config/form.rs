//! Forms that texts in the configuration must have.

use std::str::FromStr;

use reseal_pki::name::DnsName;

/// An absolute `http` or `https` URL without query and trailing slash.
pub(super) struct BaseUrl(pub(super) String);

impl FromStr for BaseUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let url: http::Uri = text.parse().map_err(|_| ())?;
        let web = matches!(url.scheme_str(), Some("http" | "https"));
        let plain = url.query().is_none() && !text.contains('#');
        let host = url.host().is_some_and(|host| !host.is_empty());
        let anonymous = url
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'));
        if web && plain && host && anonymous {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(())
        }
    }
}

/// A domain name.
pub(super) struct Host(pub(super) String);

impl FromStr for Host {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let name: DnsName = text.parse().map_err(|_| ())?;
        if name.is_wildcard() {
            return Err(());
        }
        Ok(Self(name.as_str().to_owned()))
    }
}

/// The end of a domain name: one label or more.
pub(super) struct Suffix(pub(super) String);

impl FromStr for Suffix {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // A name below it has the syntax of a name exactly when the suffix has that of a suffix.
        let _: Host = format!("a.{text}").parse()?;
        Ok(Self(text.to_owned()))
    }
}
