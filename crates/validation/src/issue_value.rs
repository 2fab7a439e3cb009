//! The grammar of issuer domain names with parameters (RFC 8659 section 4.2, erratum 7139): of CAA properties
//! `issue` and `issuewild`, and of persistent TXT records (BR 3.2.2.4.22).

/// An issuer and what it is restricted to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IssueValue<'a> {
    /// Issuer domain name; empty means nobody.
    pub(crate) issuer: &'a str,
    /// Parameters in order.
    pub(crate) parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> IssueValue<'a> {
    /// Reads a value by the ABNF. A value that does not match it permits nobody.
    pub(crate) fn parse(value: &'a str) -> Result<Self, &'static str> {
        let (issuer, rest) = match value.split_once(';') {
            Some((issuer, rest)) => (trim(issuer), Some(trim(rest))),
            None => (trim(value), None),
        };
        if !issuer.is_empty() && !issuer.split('.').all(is_label) {
            return Err("the issuer is not a domain name");
        }
        let parameters = match rest {
            None | Some("") => Vec::new(),
            Some(rest) => rest.split(';').map(parameter).collect::<Result<_, _>>()?,
        };
        Ok(Self { issuer, parameters })
    }

    /// The one value of a parameter; an error if it is given twice.
    pub(crate) fn parameter(&self, tag: &str) -> Result<Option<&'a str>, &'static str> {
        let mut values = self
            .parameters
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(tag))
            .map(|(_, value)| *value);
        let first = values.next();
        match values.next() {
            Some(_) => Err("a parameter is given twice"),
            None => Ok(first),
        }
    }
}

fn parameter(text: &str) -> Result<(&str, &str), &'static str> {
    let (tag, value) = text
        .split_once('=')
        .ok_or("a parameter is not of the form tag=value")?;
    let (tag, value) = (trim(tag), trim(value));
    if !is_label(tag) {
        return Err("a parameter tag has characters that are not allowed");
    }
    if !value
        .bytes()
        .all(|byte| matches!(byte, 0x21..=0x3a | 0x3c..=0x7e))
    {
        return Err("a parameter value has characters that are not allowed");
    }
    Ok((tag, value))
}

fn is_label(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn s_10_values_follow_the_grammar() {
        let value = IssueValue::parse(" ca.example ;\ta=b=c ; account-uri =").unwrap();
        assert_eq!(value.issuer, "ca.example");
        assert_eq!(value.parameters, [("a", "b=c"), ("account-uri", "")]);
        for empty in ["", ";", " ; ", "\t"] {
            let value = IssueValue::parse(empty).unwrap();
            assert_eq!((value.issuer, value.parameters.len()), ("", 0));
        }
        for broken in [
            "ca.example; foo",
            "ca.example; a=b;",
            "ca.example; a b=c",
            "ca.example; a=b c",
            "ca.example; -a=b",
            "ca..example",
            "%%%%%",
            "ca_example",
            "ca.example other.example",
            "ca.example; a=\u{e9}",
        ] {
            assert!(IssueValue::parse(broken).is_err(), "{broken}");
        }
    }

    proptest! {
        /// What the grammar allows is read as it was written, whatever white space stands around the parts.
        #[test]
        fn s_10_s_13_what_is_written_by_the_grammar_is_read_as_it_was_meant(
            issuer in "([a-z0-9]{1,8}(-[a-z0-9]{1,5})?\\.){0,3}[a-z]{2,6}",
            parameters in prop::collection::vec(("[A-Za-z0-9]{1,6}(-[a-z0-9]{1,6})?", "[!-:<-~]{0,12}"), 0..5),
            blank in "[ \t]{0,3}",
        ) {
            let written: Vec<String> = parameters
                .iter()
                .map(|(tag, value)| format!("{blank};{blank}{tag}{blank}={blank}{value}{blank}"))
                .collect();
            let written = format!("{blank}{issuer}{}", written.concat());
            let read = IssueValue::parse(&written).unwrap();
            prop_assert_eq!(read.issuer, issuer.as_str());
            let meant: Vec<(&str, &str)> =
                parameters.iter().map(|(tag, value)| (tag.as_str(), value.as_str())).collect();
            prop_assert_eq!(&read.parameters, &meant);
            for (tag, _) in &meant {
                let all: Vec<&str> = meant
                    .iter()
                    .filter(|(other, _)| other.eq_ignore_ascii_case(tag))
                    .map(|(_, value)| *value)
                    .collect();
                let one = (all.len() == 1).then(|| all[0]);
                prop_assert_eq!(read.parameter(tag).ok().flatten(), one, "{}", tag);
            }
        }

        #[test]
        fn s_10_no_value_makes_the_parser_fail_hard(value in ".{0,80}") {
            if let Ok(parsed) = IssueValue::parse(&value) {
                let named = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
                prop_assert!(parsed.issuer.bytes().all(named));
            }
        }
    }
}
