//! The addresses that certificates carry: of CRLs and of their issuer.

use std::net::IpAddr;

/// Why no certificate can point to this server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`server.public_url` is `{}`, expected `http://` or `https://`, a host and perhaps a port and \
     a path, in ASCII",
    .0.escape_debug().take(100).collect::<String>()
)]
pub struct PointerError(String);

/// The addresses below `server.public_url`.
///
/// Certificates may only point to plain `http` (P-6: whoever follows the pointer
/// is just checking a certificate). A server that is reached by `https` has to
/// answer these paths on port 80 of the same host as well; [`note`](Self::note)
/// says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointers {
    /// Without a slash at its end.
    base: String,
    from_https: bool,
}

impl Pointers {
    /// The addresses for a server that is reached at `public_url`.
    pub fn new(public_url: &str) -> Result<Self, PointerError> {
        let refused = || PointerError(public_url.to_owned());
        let trimmed = public_url.trim_end_matches('/');
        let (from_https, rest) = match (
            trimmed.strip_prefix("http://"),
            trimmed.strip_prefix("https://"),
        ) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(refused()),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_port(authority);
        let port_is_right = port.is_none_or(|port| port.parse::<u16>().is_ok());
        if !is_host(host) || !port_is_right || !path.bytes().all(is_path_byte) {
            return Err(refused());
        }
        // The port of HTTPS cannot answer HTTP: port 80 has to.
        let authority = if from_https { host } else { authority };
        Ok(Self {
            base: format!("http://{authority}{path}"),
            from_https,
        })
    }

    /// What the operator has to see to, if anything.
    pub fn note(&self) -> Option<String> {
        self.from_https.then(|| {
            format!(
                "certificates point to `{0}/crl/…`, `{0}/ca/…` and, with `ocsp.enabled`, `{0}/ocsp`, since they may not point to \
                 https (rule P-6): make these paths answer over plain HTTP on port 80",
                self.base
            )
        })
    }

    /// The certificate of an issuing authority, DER: of the first one, or of the later one called `id`. Certificates carry
    /// it, so that it never changes.
    pub(super) fn intermediate(&self, later: Option<&str>) -> String {
        match later {
            None => format!("{}/ca/intermediate.cer", self.base),
            Some(id) => format!("{}/ca/intermediate-{id}.cer", self.base),
        }
    }

    /// The certificate of the root, DER.
    pub(super) fn root(&self) -> String {
        format!("{}/ca/root.cer", self.base)
    }

    /// The CRL of the root.
    pub(super) fn root_crl(&self) -> String {
        format!("{}/crl/root.crl", self.base)
    }

    /// The OCSP responder.
    pub(super) fn ocsp(&self) -> String {
        format!("{}/ocsp", self.base)
    }

    /// What the CRLs of an issuing authority have in common; the number of the
    /// shard and `.crl` follow.
    pub(super) fn crl_prefix(&self, issuer_id: &str) -> String {
        format!("{}/crl/{issuer_id}/", self.base)
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // A colon inside brackets belongs to an IPv6 address.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address
            .strip_suffix(']')
            .is_some_and(|address| matches!(address.parse(), Ok(IpAddr::V6(_))));
    }
    !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Path characters of RFC 3986 section 3.3, without a query or fragment.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::Pointers;

    #[test]
    fn p_6_pointers_are_http_whatever_the_server_is() {
        for (public_url, root) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/ca/root.cer"),
            (
                "http://ca.example/pki/",
                "http://ca.example/pki/ca/root.cer",
            ),
            ("https://ca.example", "http://ca.example/ca/root.cer"),
            (
                "https://ca.example:8443/x",
                "http://ca.example/x/ca/root.cer",
            ),
            (
                "https://[2001:db8::1]:8443",
                "http://[2001:db8::1]/ca/root.cer",
            ),
            ("http://[::1]", "http://[::1]/ca/root.cer"),
        ] {
            let pointers = Pointers::new(public_url).unwrap();
            assert_eq!(pointers.root(), root);
            assert_eq!(pointers.note().is_some(), public_url.starts_with("https"));
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        for public_url in [
            "",
            "ca.example",
            "ftp://ca.example",
            "http://",
            "http:///path",
            "http://a b",
            "http://bücher.example",
            "http://ca.example:99999",
            "http://ca.example/?q",
            "http://user@ca.example",
            "http://[::1",
        ] {
            let error = Pointers::new(public_url).unwrap_err().to_string();
            assert!(
                error.contains(public_url) || !public_url.is_ascii(),
                "{error}"
            );
        }
    }
}
