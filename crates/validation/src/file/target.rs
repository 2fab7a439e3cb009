//! Where a request goes: a checked URL, and the rules for redirects (D-21, D-23).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use http::{StatusCode, Uri, uri::Scheme};
use reseal_pki::name::DnsName;

use crate::{evidence::excerpt, settings::Settings};

/// Longest path and query of a redirect target, in bytes (D-23).
const MAX_PATH: usize = 2000;

/// A URL that may be requested, addresses aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) secure: bool,
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// Path and query, beginning with `/`.
    pub(crate) path: String,
}

/// A host name, or the address it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

impl Target {
    /// The first request of a FILE check: plain HTTP to the name itself.
    pub(crate) fn first(host: &str, path: &str, settings: &Settings) -> Self {
        Self {
            secure: false,
            host: Host::Name(host.to_owned()),
            port: settings.http_port,
            path: path.to_owned(),
        }
    }

    /// The target of a redirect from here, or why it must not be followed.
    pub(crate) fn redirect(&self, location: &[u8], settings: &Settings) -> Result<Self, String> {
        let shown = excerpt(location);
        let text = std::str::from_utf8(location)
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or_else(|| format!("redirect to `{shown}`: not a URL"))?;
        let text = text.split('#').next().unwrap_or(text);
        self.resolve(text, settings)
            .map_err(|reason| format!("redirect to `{shown}`: {reason}"))
    }

    fn resolve(&self, text: &str, settings: &Settings) -> Result<Self, String> {
        if let Some(scheme_relative) = text.strip_prefix("//") {
            let scheme = if self.secure { "https" } else { "http" };
            return Self::absolute(&format!("{scheme}://{scheme_relative}"), settings);
        }
        if has_scheme(text) {
            return Self::absolute(text, settings);
        }
        let path = match text.as_bytes().first() {
            Some(b'/') => text.to_owned(),
            Some(b'?') => format!("{}{text}", self.path_alone()),
            Some(_) => {
                let folder = self.path_alone();
                let end = folder.rfind('/').map_or(0, |slash| slash + 1);
                format!("{}{text}", &folder[..end])
            }
            None => return Err("the target is empty".to_owned()),
        };
        let target = Self {
            path: checked_path(&path)?,
            ..self.clone()
        };
        Ok(target)
    }

    fn absolute(text: &str, settings: &Settings) -> Result<Self, String> {
        let target = Self::on_any_port(text, settings)?;
        let port = target.port;
        if ![80, 443, settings.http_port, settings.https_port].contains(&port) {
            return Err(format!("port {port} is not allowed, only 80 and 443 are"));
        }
        Ok(target)
    }

    /// A whole URL, whatever its port.
    pub(crate) fn on_any_port(text: &str, settings: &Settings) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|_| "not a URL".to_owned())?;
        let secure = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return Err("only http and https are followed".to_owned()),
        };
        let authority = uri.authority().ok_or("the target has no host")?;
        if authority.as_str().contains('@') {
            return Err("a user name or password in the target is not allowed".to_owned());
        }
        let default = if secure {
            settings.https_port
        } else {
            settings.http_port
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            secure,
            port: explicit_port(authority.as_str())?.unwrap_or(default),
            host: host(authority.host(), settings)?,
            path: checked_path(path)?,
        })
    }

    fn path_alone(&self) -> &str {
        self.path.split('?').next().unwrap_or("/")
    }

    /// The `Host` header: the port only where it is not the scheme's own.
    pub(crate) fn authority(&self) -> String {
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// Whether a status is a redirect that is followed. 303 and everything that is not of the HTTP
/// layer is not (BR 3.2.2.4.18, D-23).
pub(crate) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 307 | 308)
}

fn has_scheme(text: &str) -> bool {
    let scheme = text.split([':', '/', '?']).next().unwrap_or_default();
    text[scheme.len()..].starts_with(':') && !scheme.is_empty()
}

fn checked_path(path: &str) -> Result<String, String> {
    if path.len() > MAX_PATH {
        return Err(format!(
            "the path has {} bytes, at most {MAX_PATH} are followed",
            path.len()
        ));
    }
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    match path.parse::<Uri>() {
        Ok(_) => Ok(path),
        Err(_) => Err("the path has characters that are not allowed".to_owned()),
    }
}

fn explicit_port(authority: &str) -> Result<Option<u16>, String> {
    let after_host = match authority.rsplit_once(']') {
        Some((_, rest)) => rest,
        None => authority,
    };
    match after_host.split_once(':') {
        None | Some((_, "")) => Ok(None),
        Some((_, port)) => match port.parse::<u16>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(format!("`{port}` is not a port")),
        },
    }
}

/// A host of a redirect: an address in its one plain form, or a name that a certificate could be
/// issued for. Numbers that some software reads as addresses are neither.
fn host(text: &str, settings: &Settings) -> Result<Host, String> {
    if let Some(inner) = text.strip_prefix('[') {
        let address = inner
            .strip_suffix(']')
            .and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        return address
            .map(|address| Host::Address(IpAddr::V6(address)))
            .ok_or_else(|| format!("`{text}` is not an IPv6 address"));
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Address(IpAddr::V4(address)));
    }
    let last = text.rsplit('.').next().unwrap_or(text);
    if last.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(format!("`{text}` is neither a name nor a plain address"));
    }
    DnsName::parse_folded(text, &settings.names)
        .ok()
        .filter(|name| !name.is_wildcard())
        .map(|name| Host::Name(name.as_str().to_owned()))
        .ok_or_else(|| format!("`{text}` is not a public host name"))
}

#[cfg(test)]
mod tests;
