//! Forms that texts in the configuration must have.

use std::net::{IpAddr, SocketAddr};
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

/// An `https` URL without a user.
pub(super) struct HttpsUrl(pub(super) String);

impl FromStr for HttpsUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let url: http::Uri = text.parse().map_err(|_| ())?;
        let anonymous = url
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'));
        if url.scheme_str() == Some("https") && anonymous {
            Ok(Self(text.to_owned()))
        } else {
            Err(())
        }
    }
}

/// Who is asked about names: `system`, or an address with or without a port.
pub(super) struct Resolver(pub(super) String);

impl FromStr for Resolver {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_address = text.parse::<SocketAddr>().is_ok() || text.parse::<IpAddr>().is_ok();
        if is_address || text == "system" {
            Ok(Self(text.to_owned()))
        } else {
            Err(())
        }
    }
}

/// Whether mails can go to `url`, as far as that can be told by its form.
pub(super) fn is_mail_url(url: &str) -> bool {
    let host = |rest: &str| !rest.rsplit('@').next().unwrap_or_default().is_empty();
    let server = url
        .strip_prefix("smtp://")
        .or_else(|| url.strip_prefix("smtps://"));
    url == "maildir" || server.is_some_and(host)
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
