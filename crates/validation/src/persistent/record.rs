//! What one persistent TXT record says (BR 3.2.2.4.22, D-33). Pure.

use std::fmt;

use jiff::Timestamp;

use super::Wanted;
use crate::{evidence::excerpt, issue_value::IssueValue};

/// Why a record does not identify the customer for this proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It does not follow the grammar of RFC 8659 section 4.2.
    Grammar(&'static str),
    /// It names another issuer: not our business.
    OtherIssuer,
    /// A key with a meaning is given twice.
    Twice(&'static str),
    /// It names no account.
    NoAccount,
    /// It names another customer's account.
    OtherAccount,
    /// `persistUntil` is no moment.
    NoMoment,
    /// `persistUntil` is over.
    Over(Timestamp),
    /// It does not speak for wildcards and for names below, and is asked about one.
    OnlyItself,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grammar(problem) => write!(f, "it is malformed, {problem}"),
            Self::OtherIssuer => f.write_str("it names another issuer"),
            Self::Twice(key) => write!(f, "`{key}` is given twice"),
            Self::NoAccount => f.write_str("it has no `accounturi`"),
            Self::OtherAccount => f.write_str("`accounturi` is another account's"),
            Self::NoMoment => f.write_str("`persistUntil` is not a number of seconds since 1970"),
            Self::Over(until) => write!(f, "`persistUntil` ended at {until}"),
            Self::OnlyItself => {
                f.write_str("it lacks `policy=wildcard`, so it is good for this one name only")
            }
        }
    }
}

/// Whether the contents of a record are what `wanted` asks for.
pub(super) fn examine(contents: &str, wanted: &Wanted<'_>) -> Result<(), Unusable> {
    let Wanted { record, now } = wanted;
    let value = IssueValue::parse(contents).map_err(Unusable::Grammar)?;
    if !value.issuer.eq_ignore_ascii_case(&record.issuer) {
        return Err(Unusable::OtherIssuer);
    }
    let one = |key: &'static str| value.parameter(key).map_err(|_| Unusable::Twice(key));
    // All three before any is judged: what is said twice makes the record invalid whatever else it says.
    let (account, until, policy) = (one("accounturi")?, one("persistUntil")?, one("policy")?);
    match account {
        None | Some("") => return Err(Unusable::NoAccount),
        Some(account) if account != record.account_uri => return Err(Unusable::OtherAccount),
        Some(_) => {}
    }
    if let Some(until) = until {
        let until = moment(until).ok_or(Unusable::NoMoment)?;
        // Whoever checks at that very second is not after it.
        if now.as_second() > until.as_second() {
            return Err(Unusable::Over(until));
        }
    }
    let wide = policy.is_some_and(|policy| policy.eq_ignore_ascii_case("wildcard"));
    if record.wildcard && !wide {
        return Err(Unusable::OnlyItself);
    }
    Ok(())
}

/// Seconds since 1970 in decimal digits; what no calendar reaches ends with the last moment there is.
fn moment(text: &str) -> Option<Timestamp> {
    if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let second = text.parse::<i64>().unwrap_or(i64::MAX);
    Some(Timestamp::from_second(second).unwrap_or(Timestamp::MAX))
}

/// A record as shown to people.
pub(super) fn shown(contents: &str) -> String {
    format!("`{}`", excerpt(contents.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::persistent::PersistentRecord;

    const NOW: i64 = 1_795_000_000;

    fn found(contents: &str, wildcard: bool) -> Result<(), Unusable> {
        let record = PersistentRecord {
            adn: "example.com".to_owned(),
            issuer: "ca.example".to_owned(),
            account_uri: "acct:alice@ca.example".to_owned(),
            wildcard,
        };
        let now = Timestamp::from_second(NOW).unwrap();
        let wanted = Wanted {
            record: &record,
            now,
        };
        examine(contents, &wanted)
    }

    #[test]
    fn d_33_a_record_must_name_issuer_account_and_time() {
        const ACCOUNT: &str = "accounturi=acct:alice@ca.example";
        let over = |second| Err(Unusable::Over(Timestamp::from_second(second).unwrap()));
        for (contents, plain) in [
            (format!("ca.example; {ACCOUNT}"), Ok(())),
            (format!("CA.Example;{ACCOUNT}"), Ok(())),
            (format!(" ca.example ;\t{ACCOUNT} "), Ok(())),
            (format!("ca.example; {ACCOUNT}; policy=wildcard"), Ok(())),
            (format!("ca.example; {ACCOUNT}; policy=other"), Ok(())),
            (
                format!("ca.example; {ACCOUNT}; colour=blue; colour=red"),
                Ok(()),
            ),
            (format!("ca.example; {ACCOUNT}; persistUntil={NOW}"), Ok(())),
            (
                format!("ca.example; {ACCOUNT}; persistuntil=99999999999999999999999"),
                Ok(()),
            ),
            (
                format!("ca.example; {ACCOUNT}; persistUntil={}", NOW - 1),
                over(NOW - 1),
            ),
            (format!("ca.example; {ACCOUNT}; persistUntil=0"), over(0)),
            (
                format!("ca.example; {ACCOUNT}; persistUntil="),
                Err(Unusable::NoMoment),
            ),
            (
                format!("ca.example; {ACCOUNT}; persistUntil=-1"),
                Err(Unusable::NoMoment),
            ),
            (
                format!("ca.example; {ACCOUNT}; persistUntil=+{NOW}"),
                Err(Unusable::NoMoment),
            ),
            (
                format!("ca.example; {ACCOUNT}; persistUntil=2030-01-01"),
                Err(Unusable::NoMoment),
            ),
            (
                format!("ca.example; {ACCOUNT}; persistUntil={NOW}; PersistUntil={NOW}"),
                Err(Unusable::Twice("persistUntil")),
            ),
            (
                format!("ca.example; {ACCOUNT}; {ACCOUNT}"),
                Err(Unusable::Twice("accounturi")),
            ),
            (
                format!("ca.example; {ACCOUNT}; policy=wildcard; policy=wildcard"),
                Err(Unusable::Twice("policy")),
            ),
            ("ca.example".to_owned(), Err(Unusable::NoAccount)),
            (
                "ca.example; accounturi=".to_owned(),
                Err(Unusable::NoAccount),
            ),
            (
                "ca.example; accounturi=acct:bob@ca.example".to_owned(),
                Err(Unusable::OtherAccount),
            ),
            (
                "ca.example; accounturi=acct:Alice@ca.example".to_owned(),
                Err(Unusable::OtherAccount),
            ),
            (
                "ca.example; accounturi=acct:alice@ca.example2".to_owned(),
                Err(Unusable::OtherAccount),
            ),
            (
                format!("other.example; {ACCOUNT}"),
                Err(Unusable::OtherIssuer),
            ),
            (format!("; {ACCOUNT}"), Err(Unusable::OtherIssuer)),
            (String::new(), Err(Unusable::OtherIssuer)),
            (
                format!("ca.example.; {ACCOUNT}"),
                Err(Unusable::Grammar("the issuer is not a domain name")),
            ),
            (
                format!("ca.example; {ACCOUNT};"),
                Err(Unusable::Grammar(
                    "a parameter is not of the form tag=value",
                )),
            ),
            (
                format!("ca.example {ACCOUNT}"),
                Err(Unusable::Grammar("the issuer is not a domain name")),
            ),
        ] {
            assert_eq!(found(&contents, false), plain, "{contents}");
        }
    }

    #[test]
    fn d_33_nasty_128_names_below_and_wildcards_need_the_policy() {
        let record = |more: &str| format!("ca.example; accounturi=acct:alice@ca.example{more}");
        for (contents, wide) in [
            (record("; policy=wildcard"), Ok(())),
            (record("; POLICY=Wildcard"), Ok(())),
            (record(""), Err(Unusable::OnlyItself)),
            (record("; policy="), Err(Unusable::OnlyItself)),
            (record("; policy=wildcards"), Err(Unusable::OnlyItself)),
        ] {
            assert_eq!(found(&contents, true), wide, "{contents}");
        }
    }

    proptest! {
        #[test]
        fn d_33_no_contents_make_the_parser_fail_hard(contents in ".{0,120}") {
            let _ = found(&contents, true);
        }

        /// Whatever stands beside it, what is accepted names the issuer and the account whole.
        #[test]
        fn d_33_only_the_account_itself_is_accepted(
            issuer in "(ca\\.example|other\\.example|ca)",
            parameters in prop::collection::vec(
                "(accounturi|policy|persistUntil|x-y)=(acct:alice@ca\\.example|wildcard|1795000000|9)?", 0..5),
        ) {
            let contents = format!("{issuer}; {}", parameters.join("; "));
            if found(&contents, false).is_ok() {
                prop_assert_eq!(issuer, "ca.example");
                let named = parameters.iter().filter(|one| one.starts_with("accounturi="));
                prop_assert_eq!(named.collect::<Vec<_>>(), ["accounturi=acct:alice@ca.example"]);
                prop_assert!(!parameters.iter().any(|one| one == "persistUntil=9"));
            }
        }
    }
}
