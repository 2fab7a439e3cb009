//! `[ct]`: the logs that promise to show certificates.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reseal_lifecycle::services::Trust;
use reseal_lifecycle::transparency::{PATIENCE, Shard, too_few};
use reseal_pki::transparency::LogKey;

use super::document::Origin;
use super::form::BaseUrl;
use super::read::Reader;
use super::unit::Span;
use super::{Ct, CtKey, CtLog};

const LOGS: &str = "ct.logs";
const KEYS: [&str; 7] = [
    "url",
    "operator",
    "key",
    "key_file",
    "not_after_from",
    "not_after_until",
    "ca_file",
];

/// Reads the section; with `profile` private there may be no logs in it (rules 0.5).
pub(super) fn ct(reader: &mut Reader, profile: Trust) -> Ct {
    let timeout = reader.fitting(
        "ct.timeout",
        Span::seconds(PATIENCE.as_secs()),
        "a duration from `1s` to `60s`",
        |span: &Span| (1..=60).contains(&span.unsigned().as_secs()),
    );
    let timeout = timeout.unsigned();
    let origin = reader.origin(LOGS);
    let tables = reader.tables(LOGS, &KEYS, &[]);
    let mut problems = Vec::new();
    let there_are = tables.len();
    let mut logs: Vec<CtLog> = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        if let Some(log) = log(index, table, origin.as_ref(), &mut problems) {
            let is_same = |known: &&CtLog| {
                known.url == log.url
                    || matches!(known.key, CtKey::Inline(_)) && known.key == log.key
            };
            if let Some(known) = logs.iter().find(is_same) {
                problems.push(format!(
                    "`{}` and `{}` are the same log",
                    known.url, log.url
                ));
            }
            logs.push(log);
        }
    }
    if profile == Trust::Private && there_are > 0 {
        problems.push(
            "certificates of the profile `private` must not be shown to logs (rules 0.5): take the logs out, or set \
             `policy.profile = \"public\"`"
                .to_owned(),
        );
    }
    let operators: Vec<&str> = logs.iter().map(|log| log.operator.as_str()).collect();
    // What is wrong with one of them has been said.
    if there_are > 0 && logs.len() == there_are {
        problems.extend(too_few(&operators, Timestamp::now()).map(|few| few.to_string()));
    }
    for problem in problems {
        reader.refuse(LOGS, origin.as_ref(), &problem);
    }
    Ct { logs, timeout }
}

/// One log, if all of it can be meant.
fn log(
    index: usize,
    mut table: BTreeMap<String, String>,
    origin: Option<&Origin>,
    problems: &mut Vec<String>,
) -> Option<CtLog> {
    // A text that is empty says nothing.
    let mut text = |key: &str| table.remove(key).filter(|text| !text.is_empty());
    let url = text("url");
    let name = url.clone().unwrap_or_else(|| format!("log {}", index + 1));
    let before = problems.len();
    let mut wrong = |what: &str| problems.push(format!("{name}: {what}"));
    let url = url
        .and_then(|url| url.parse::<BaseUrl>().ok())
        .map(|url| url.0);
    let url = url.filter(|url| url.starts_with("https://"));
    if url.is_none() {
        wrong("`url`: expected an `https` URL such as `https://log.example/2027h1`");
    }
    let operator = text("operator");
    if operator.is_none() {
        wrong("`operator` is missing: promises must come from more than one");
    }
    let path =
        |text: String| origin.map_or_else(|| PathBuf::from(&text), |origin| origin.path(&text));
    let key = match (text("key"), text("key_file")) {
        (Some(key), None) => parse_key(&key)
            .map(CtKey::Inline)
            .map_err(|why| format!("`key`: {why}")),
        (None, Some(file)) => Ok(CtKey::File(path(file))),
        _ => Err("expected either `key` or `key_file`".to_owned()),
    };
    let key = key.map_err(|why| wrong(&why)).ok();
    let mut moment = |key: &str| match text(key).map(|text| text.parse::<Timestamp>()) {
        Some(Err(_)) => {
            wrong(&format!(
                "`{key}`: expected a moment such as `2027-01-01T00:00:00Z`"
            ));
            None
        }
        other => other.and_then(Result::ok),
    };
    let shard = Shard {
        from: moment("not_after_from"),
        until: moment("not_after_until"),
    };
    if let Shard {
        from: Some(from),
        until: Some(until),
    } = shard
        && from >= until
    {
        wrong("`not_after_from` must lie before `not_after_until`");
    }
    let ca_file = text("ca_file").map(path);
    if problems.len() > before {
        return None;
    }
    Some(CtLog {
        url: url?,
        operator: operator?,
        key: key?,
        shard,
        ca_file,
    })
}

/// A public key as lists of logs give it: SubjectPublicKeyInfo, base64.
fn parse_key(text: &str) -> Result<LogKey, String> {
    let der = STANDARD
        .decode(text)
        .map_err(|_| "expected a SubjectPublicKeyInfo in base64".to_owned())?;
    LogKey::from_spki_der(&der).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::config::Config;

    const P256: &[u8] = include_bytes!("../../../pki/testdata/profile/p256.spki");
    const RSA: &[u8] = include_bytes!("../../../pki/testdata/profile/rsa2048.spki");

    fn parse(logs: &str) -> Result<Config, String> {
        let text = format!("[policy]\nprofile = \"public\"\n[ct]\nlogs = [{logs}]\n");
        Config::from_toml(&text, Path::new("/etc/reseal.toml")).map_err(|error| error.to_string())
    }

    /// Three logs of two operators; `more` belongs to the first.
    fn three(more: &str) -> String {
        let (first, second) = (STANDARD.encode(P256), STANDARD.encode(RSA));
        format!(
            "{{ url = \"https://log.example/2027/\", operator = \"a\", key = \"{first}\"{more} }}, \
             {{ url = \"https://other.example\", operator = \"b\", key = \"{second}\" }}, \
             {{ url = \"https://third.example/x\", operator = \"a\", key_file = \"third.pem\", ca_file = \"ca.pem\" }}"
        )
    }

    #[test]
    fn p_9_logs_are_read_with_everything_that_belongs_to_them() {
        let more = ", not_after_from = \"2027-01-01T00:00:00Z\", not_after_until = \"2028-01-01T00:00:00Z\"";
        let ct = parse(&three(more)).unwrap().ct;
        assert_eq!(ct.timeout, Duration::from_secs(5));
        let [first, second, third] = &*ct.logs else {
            panic!("{ct:?}");
        };
        assert_eq!(
            (first.url.as_str(), first.name()),
            ("https://log.example/2027", "log.example/2027")
        );
        assert_eq!(first.operator, "a");
        assert_eq!(
            first.key,
            CtKey::Inline(LogKey::from_spki_der(P256).unwrap())
        );
        let shard = |log: &CtLog| {
            let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
            (text(log.shard.from), text(log.shard.until))
        };
        let year = |year: i32| Some(format!("{year}-01-01T00:00:00Z"));
        assert_eq!(shard(first), (year(2027), year(2028)));
        assert_eq!(shard(second), (None, None));
        assert_eq!(third.key, CtKey::File("/etc/third.pem".into()));
        assert_eq!(third.ca_file, Some("/etc/ca.pem".into()));
    }

    #[test]
    fn p_9_what_cannot_be_meant_is_named() {
        for (more, expected) in [
            (
                ", not_after_from = \"2027\"",
                "log.example/2027/: `not_after_from`: expected a moment",
            ),
            (
                ", not_after_from = \"2028-01-01T00:00:00Z\", not_after_until = \"2027-01-01T00:00:00Z\"",
                "`not_after_from` must lie before `not_after_until`",
            ),
            (", key_file = \"x\"", "expected either `key` or `key_file`"),
        ] {
            let said = parse(&three(more)).unwrap_err();
            assert!(said.contains(expected), "{said}");
        }
        let (first, _) = three("")
            .split_once(", {")
            .map(|(first, rest)| (first.to_owned(), rest.to_owned()))
            .unwrap();
        let said = parse(&format!("{}, {first}", three(""))).unwrap_err();
        assert!(said.contains("are the same log"), "{said}");
        let said = parse(&first).unwrap_err();
        assert!(said.contains("and there are 1 (rules P-9)"), "{said}");
        let said = parse(&three("").replace("\"b\"", "\"a\"")).unwrap_err();
        assert!(said.contains("all are of `a` (rules P-9)"), "{said}");
        let private = format!("[ct]\nlogs = [{}]\n", three(""));
        let said = Config::from_toml(&private, Path::new("/etc/reseal.toml")).unwrap_err();
        assert!(
            said.to_string().contains("must not be shown to logs"),
            "{said}"
        );
    }
}
