//! Addresses: the constructed ones (D-14), and the form every address must have (D-18).

/// Local parts of BR 3.2.2.4.4, in the order in which they are offered.
const LOCAL_PARTS: [&str; 5] = [
    "admin",
    "administrator",
    "webmaster",
    "hostmaster",
    "postmaster",
];

/// The addresses that may approve for the given authorization domain names: five for each, in
/// the order of the names. No other address is ever constructed (D-14).
pub fn constructed_addresses(adns: &[String]) -> Vec<String> {
    let mut addresses = Vec::with_capacity(adns.len() * LOCAL_PARTS.len());
    for adn in adns {
        for local in LOCAL_PARTS {
            let address = format!("{local}@{adn}");
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    addresses
}

/// Why an address is not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// 6 to 255 bytes are allowed.
    #[error("an email address has 6 to 255 characters, this one has {0}")]
    Length(usize),
    /// Not one `@`.
    #[error("an email address has exactly one `@`")]
    At,
    /// The part before `@` is too long or empty.
    #[error("the part before `@` has 1 to 64 characters, this one has {0}")]
    LocalLength(usize),
    /// The part before `@` has other characters.
    #[error(
        "the part before `@` may have lower-case letters, digits, `_`, `-`, `+`, and single dots between them"
    )]
    Local,
    /// The part after `@` is not a host name.
    #[error("the part after `@` is not a lower-case domain name")]
    Domain,
}

/// Checks an address against the contract's EMAIL rule, which leaves no room for header or
/// command injection: no white space, control, comma, semicolon, quote, bracket or non-ASCII
/// character passes (D-18).
pub fn address_is_safe(address: &str) -> Result<(), AddressError> {
    if !(6..=255).contains(&address.len()) {
        return Err(AddressError::Length(address.len()));
    }
    let (local, domain) = address.split_once('@').ok_or(AddressError::At)?;
    if domain.contains('@') {
        return Err(AddressError::At);
    }
    if !(1..=64).contains(&local.len()) {
        return Err(AddressError::LocalLength(local.len()));
    }
    let atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-+".contains(&byte)
            })
    };
    if !local.split('.').all(atom) {
        return Err(AddressError::Local);
    }
    let labels: Vec<&str> = domain.split('.').collect();
    let top_is_name = labels
        .last()
        .is_some_and(|top| top.starts_with(|first: char| first.is_ascii_lowercase()));
    if labels.len() < 2 || !top_is_name || !labels.iter().all(|label| is_label(label)) {
        return Err(AddressError::Domain);
    }
    Ok(())
}

fn is_label(label: &str) -> bool {
    let edge = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let bytes = label.as_bytes();
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| edge(Some(byte)) || *byte == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn d_14_five_addresses_for_each_domain_in_stable_order() {
        let adns = ["www.example.com".to_owned(), "example.com".to_owned()];
        let addresses = constructed_addresses(&adns);
        assert_eq!(addresses.len(), 10);
        assert_eq!(addresses[0], "admin@www.example.com");
        assert_eq!(addresses[5], "admin@example.com");
        assert_eq!(addresses[9], "postmaster@example.com");
    }

    #[test]
    fn n_26_nasty_090_an_address_at_www_is_not_among_those_of_the_apex() {
        let addresses = constructed_addresses(&["example.com".to_owned()]);
        assert!(!addresses.contains(&"admin@www.example.com".to_owned()));
    }

    #[test]
    fn nasty_091_other_local_parts_and_domains_are_never_constructed() {
        let addresses = constructed_addresses(&["example.com".to_owned()]);
        for asked in [
            "ceo@example.com",
            "admin@evil.com",
            "admin+x@example.com",
            "owner@registrar.example",
        ] {
            assert!(!addresses.contains(&asked.to_owned()), "{asked}");
        }
    }

    #[test]
    fn nasty_092_injection_through_addresses_is_refused() {
        for (address, error) in [
            ("admin@example.com\r\nBcc: x@evil.com", AddressError::At),
            ("admin@example.com\r\nRSET", AddressError::Domain),
            ("admin@example.com,x@evil.com", AddressError::At),
            ("admin@example.com;x", AddressError::Domain),
            ("<admin@example.com>", AddressError::Local),
            ("\"a b\"@example.com", AddressError::Local),
            ("admin@example.com\0", AddressError::Domain),
            ("admin @example.com", AddressError::Local),
            ("Admin@example.com", AddressError::Local),
            ("a..b@example.com", AddressError::Local),
            (".a@example.com", AddressError::Local),
            ("admin@localhost", AddressError::Domain),
            ("admin@[192.0.2.1]", AddressError::Domain),
            ("admin@192.0.2.1", AddressError::Domain),
            ("admin@exämple.com", AddressError::Domain),
            ("a@b.c@d.e", AddressError::At),
            ("admin.example.com", AddressError::At),
            ("@example.com", AddressError::LocalLength(0)),
            ("a@b.c", AddressError::Length(5)),
        ] {
            assert_eq!(address_is_safe(address), Err(error), "{address:?}");
        }
        let longest = format!("{}@example.com", "a".repeat(64));
        assert_eq!(address_is_safe(&longest), Ok(()));
        let too_long = format!("{}@example.com", "a".repeat(65));
        assert_eq!(
            address_is_safe(&too_long),
            Err(AddressError::LocalLength(65))
        );
        assert_eq!(address_is_safe("a.b_c-d+e@xn--bcher-kva.example"), Ok(()));
    }

    proptest! {
        #[test]
        fn d_18_what_passes_is_plain(address in "[ -~]{0,20}@[ -~]{0,30}") {
            if address_is_safe(&address).is_ok() {
                let plain = |byte: u8| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-+.@".contains(&byte)
                };
                prop_assert!(address.bytes().all(plain));
            }
        }
    }
}
