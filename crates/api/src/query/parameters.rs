//! A query string as a list of names and values.

use reseal_lifecycle::Violation;

use crate::body::Findings;

/// Parameters in their order, percent-decoded, `+` read as a space (one SDK writes it so), and each value trimmed.
#[derive(Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query, or a form body, which has the same shape.
    pub(crate) fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value).trim().to_owned())
                })
                .collect(),
        )
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of `name`.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of `name`.
    pub(crate) fn all<'p>(&'p self, name: &str) -> impl Iterator<Item = &'p str> {
        self.iter()
            .filter_map(move |(key, value)| (key == name).then_some(value))
    }

    /// A boolean parameter, which takes the words `true` and `false` only; `absent` when it is not there.
    pub(crate) fn flag(&self, name: &str, absent: bool, findings: &mut Findings) -> bool {
        let mut outcome = None;
        for value in self.all(name) {
            let said = match value {
                "true" => true,
                "false" => false,
                other => {
                    let message = "must be `true` or `false`";
                    findings.violation(Violation::new(name, message, Some(other)));
                    continue;
                }
            };
            if outcome.is_some_and(|earlier| earlier != said) {
                let message = "is given twice with different values";
                findings.violation(Violation::new(name, message, Some(value)));
            }
            outcome = Some(said);
        }
        outcome.unwrap_or(absent)
    }

    /// Names asked for by `fields`: comma lists, repeats, `fields[]` and `fields[0]` alike.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.iter()
            .filter(|(name, _)| is_fields(name))
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty())
    }
}

/// Whether a parameter's name is a way to write `fields`.
pub(crate) fn is_fields(name: &str) -> bool {
    name.strip_prefix("fields").is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

fn decode(text: &str) -> String {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = (*byte == b'%')
            .then(|| Some(hex(*bytes.get(at + 1)?)? << 4 | hex(*bytes.get(at + 2)?)?))
            .flatten();
        at += if escaped.is_some() { 3 } else { 1 };
        decoded.push(match (byte, escaped) {
            (_, Some(value)) => value,
            (b'+', None) => b' ',
            (other, None) => *other,
        });
    }
    String::from_utf8(decoded)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let parameters = Parameters::parse("status%3Ain=ACTIVE%2CEXPIRED&q=a+b%20c&&empty&x=%zz%4");
        assert_eq!(
            parameters.iter().collect::<Vec<_>>(),
            [
                ("status:in", "ACTIVE,EXPIRED"),
                ("q", "a b c"),
                ("empty", ""),
                ("x", "%zz%4")
            ]
        );
    }

    #[test]
    fn values_are_trimmed_and_names_are_not() {
        let parameters = Parameters::parse("san=%20a.dev+&+q=%09%0A&x=a+b");
        assert_eq!(
            parameters.iter().collect::<Vec<_>>(),
            [("san", "a.dev"), (" q", ""), ("x", "a b")]
        );
    }

    #[test]
    fn fields_come_as_comma_list_repeated_or_with_an_index() {
        let parameters = Parameters::parse(
            "fields=id,status&fields=san&fields%5B0%5D=csr&fields[]=coc&fieldsx=y",
        );
        assert_eq!(
            parameters.fields().collect::<Vec<_>>(),
            ["id", "status", "san", "csr", "coc"]
        );
    }

    #[test]
    fn flags_take_two_words_only() {
        let flag = |query: &str| {
            let mut findings = Findings::default();
            let value = Parameters::parse(query).flag("quote", false, &mut findings);
            findings.settle().is_ok().then_some(value)
        };
        assert_eq!(flag(""), Some(false));
        assert_eq!(flag("quote=true"), Some(true));
        assert_eq!(flag("quote=false"), Some(false));
        for query in [
            "quote=",
            "quote",
            "quote=1",
            "quote=TRUE",
            "quote=true&quote=false",
        ] {
            assert_eq!(flag(query), None, "{query}");
        }
    }

    proptest! {
        #[test]
        fn decoding_never_panics(query in ".{0,60}") {
            Parameters::parse(&query).fields().count();
        }
    }
}
