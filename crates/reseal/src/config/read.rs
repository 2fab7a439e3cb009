//! Turns the document into typed values, one key at a time, and keeps every complaint until the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use super::ConfigError;
use super::distance::distance;
use super::document::{self, Document, Entry, Origin, Value};

/// Reads keys; knows in the end which ones nobody asked for.
pub(super) struct Reader {
    document: Document,
    known: BTreeSet<String>,
    problems: Vec<String>,
}

impl Reader {
    pub(super) fn new(document: Document) -> Self {
        Self {
            document,
            known: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// A section that may stand there empty.
    pub(super) fn section(&mut self, name: &str) {
        self.known.insert(format!("{name}."));
    }

    /// Names of the tables below `section`.
    pub(super) fn tables_below(&self, section: &str) -> BTreeSet<String> {
        let prefix = format!("{section}.");
        let headers = self.document.tables.keys();
        headers
            .chain(self.document.entries.keys())
            .filter_map(|name| name.strip_prefix(&prefix))
            .map(|rest| rest.split('.').next().unwrap_or_default().to_owned())
            .filter(|name| !name.is_empty())
            .collect()
    }

    /// A text; `default` when the key is absent.
    pub(super) fn text(&mut self, key: &str, default: &str) -> String {
        match self.take(key) {
            None => default.to_owned(),
            Some(Entry {
                value: Value::Text(text),
                ..
            }) => text,
            Some(entry) => {
                self.wrong(key, &entry, "a text in quotes");
                default.to_owned()
            }
        }
    }

    /// A text of a certain form, described by `expected`.
    pub(super) fn parsed<T: FromStr>(&mut self, key: &str, default: T, expected: &str) -> T {
        self.fitting(key, default, expected, |_| true)
    }

    /// The same, where not every value of that form `fits`.
    pub(super) fn fitting<T: FromStr>(
        &mut self,
        key: &str,
        default: T,
        expected: &str,
        fits: impl FnOnce(&T) -> bool,
    ) -> T {
        match self.take(key) {
            None => default,
            Some(entry) => parse(&entry.value).filter(fits).unwrap_or_else(|| {
                self.wrong(key, &entry, expected);
                default
            }),
        }
    }

    /// A text of a certain form that may be empty, which means none.
    pub(super) fn optional<T: FromStr>(
        &mut self,
        key: &str,
        default: Option<T>,
        expected: &str,
    ) -> Option<T> {
        self.optional_fitting(key, default, expected, |_| true)
    }

    /// The same, where not every value of that form `fits`.
    pub(super) fn optional_fitting<T: FromStr>(
        &mut self,
        key: &str,
        default: Option<T>,
        expected: &str,
        fits: impl FnOnce(&T) -> bool,
    ) -> Option<T> {
        let Some(entry) = self.take(key) else {
            return default;
        };
        if entry.value == Value::Text(String::new()) {
            return None;
        }
        let parsed = parse(&entry.value).filter(fits);
        if parsed.is_none() {
            self.wrong(key, &entry, expected);
        }
        parsed
    }

    /// A path; relative ones start at the folder of the file that says them. Empty means none.
    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        let entry = self.take(key)?;
        let Value::Text(text) = &entry.value else {
            self.wrong(key, &entry, "a path in quotes");
            return None;
        };
        if text.is_empty() {
            return None;
        }
        Some(entry.origin.path(text))
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(&mut self, key: &str, default: T, words: &[(&str, T)]) -> T {
        let Some(entry) = self.take(key) else {
            return default;
        };
        if let Value::Text(text) = &entry.value
            && let Some((_, meaning)) = words.iter().find(|(word, _)| word == text)
        {
            return *meaning;
        }
        let list: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        self.wrong(key, &entry, &list.join(" or "));
        default
    }

    /// A whole number.
    pub(super) fn number<T: TryFrom<i64> + FromStr>(
        &mut self,
        key: &str,
        default: T,
        expected: &str,
    ) -> T {
        let Some(entry) = self.take(key) else {
            return default;
        };
        let number = match (&entry.value, &entry.origin) {
            (Value::Integer(number), _) => T::try_from(*number).ok(),
            (Value::Text(text), Origin::Environment(_)) => text.trim().parse().ok(),
            _ => None,
        };
        number.unwrap_or_else(|| {
            self.wrong(key, &entry, expected);
            default
        })
    }

    /// A whole number; an empty text means none.
    pub(super) fn optional_number<T: TryFrom<i64> + FromStr>(
        &mut self,
        key: &str,
        expected: &str,
    ) -> Option<T> {
        let entry = self.take(key)?;
        let number = match (&entry.value, &entry.origin) {
            (Value::Text(text), _) if text.is_empty() => return None,
            (Value::Integer(number), _) => T::try_from(*number).ok(),
            (Value::Text(text), Origin::Environment(_)) => text.trim().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.wrong(key, &entry, expected);
        }
        number
    }

    /// A number with or without a fraction, as it was written.
    pub(super) fn decimal(&mut self, key: &str) -> Option<String> {
        let entry = self.take(key)?;
        match (&entry.value, &entry.origin) {
            (Value::Decimal(text), _) => Some(text.clone()),
            (Value::Integer(number), _) => Some(number.to_string()),
            (Value::Text(text), Origin::Environment(_)) => Some(text.trim().to_owned()),
            _ => {
                self.wrong(key, &entry, "a number");
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, key: &str, default: bool) -> bool {
        let Some(entry) = self.take(key) else {
            return default;
        };
        match (&entry.value, &entry.origin) {
            (Value::Boolean(flag), _) => *flag,
            (Value::Text(text), Origin::Environment(_)) if text == "true" => true,
            (Value::Text(text), Origin::Environment(_)) if text == "false" => false,
            _ => {
                self.wrong(key, &entry, "`true` or `false`");
                default
            }
        }
    }

    /// A list of texts of a certain form. In the environment: separated by commas, or as TOML writes it.
    pub(super) fn list<T: FromStr>(
        &mut self,
        key: &str,
        default: Vec<T>,
        expected: &str,
    ) -> Vec<T> {
        let Some(entry) = self.take(key) else {
            return default;
        };
        let items = match (&entry.value, &entry.origin) {
            (Value::List(items), _) => Some(items.clone()),
            (Value::Text(text), Origin::Environment(_)) => Some(listed(text)),
            _ => None,
        };
        let Some(items) = items else {
            self.wrong(key, &entry, &format!("a list, each item {expected}"));
            return default;
        };
        let mut parsed = Vec::new();
        for item in items {
            match parse(&item) {
                Some(value) => parsed.push(value),
                None => self.saw(key, &entry.origin, &item, expected),
            }
        }
        parsed
    }

    /// A list of tables with the keys `known`: texts, or `numbers` as they were written.
    pub(super) fn tables(
        &mut self,
        key: &str,
        known: &[&str],
        numbers: &[&str],
    ) -> Vec<BTreeMap<String, String>> {
        let expected = format!("a list of tables with the keys {}", known.join(", "));
        let Some(entry) = self.take(key) else {
            return Vec::new();
        };
        let value = match (&entry.value, &entry.origin) {
            (Value::Text(text), Origin::Environment(_)) => document::parse_value(text),
            (value, _) => Some(value.clone()),
        };
        let Some(Value::List(items)) = value else {
            self.wrong(key, &entry, &expected);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            let Value::Table(table) = item else {
                self.saw(key, &entry.origin, &item, &expected);
                continue;
            };
            let mut texts = BTreeMap::new();
            for (name, value) in table {
                if !known.contains(&name.as_str()) {
                    let known = known.join(", ");
                    let problem = format!("`{key}` has no key `{name}`; it has {known}");
                    self.complain(&entry.origin, &problem);
                    continue;
                }
                let is_number = numbers.contains(&name.as_str());
                match value {
                    Value::Text(text) if !is_number => drop(texts.insert(name, text)),
                    Value::Decimal(text) if is_number => drop(texts.insert(name, text)),
                    Value::Integer(number) if is_number => {
                        texts.insert(name, number.to_string());
                    }
                    other => {
                        let key = format!("{key}.{name}");
                        let expected = if is_number {
                            "a number"
                        } else {
                            "a text in quotes"
                        };
                        self.saw(&key, &entry.origin, &other, expected);
                    }
                }
            }
            tables.push(texts);
        }
        tables
    }

    /// Complains about a key although its value has the right form.
    pub(super) fn refuse(&mut self, key: &str, origin: Option<&Origin>, reason: &str) {
        match origin {
            Some(origin) => self.complain(&origin.clone(), &format!("`{key}`: {reason}")),
            None => self.problems.push(format!("`{key}`: {reason}")),
        }
    }

    /// Where `key` was said, while it has not been read yet.
    pub(super) fn origin(&self, key: &str) -> Option<Origin> {
        self.document
            .entries
            .get(key)
            .map(|entry| entry.origin.clone())
    }

    /// Everything that was wrong, keys that nobody read included.
    pub(super) fn finish(mut self) -> Result<(), ConfigError> {
        let entries = std::mem::take(&mut self.document.entries);
        for (key, entry) in &entries {
            let hint = self.nearest(key, |known| !known.ends_with('.'));
            self.complain(&entry.origin, &format!("unknown key `{key}`{hint}"));
        }
        let tables = std::mem::take(&mut self.document.tables);
        for (name, origin) in tables {
            let prefix = format!("{name}.");
            let below = |key: &String| key.starts_with(&prefix);
            // The keys of an unknown section have been named already.
            if !self.known.iter().any(below) && !entries.keys().any(below) {
                let hint = self.nearest(&name, |known| known.ends_with('.'));
                self.complain(&origin, &format!("unknown section `[{name}]`{hint}"));
            }
        }
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError(self.problems))
        }
    }

    fn take(&mut self, key: &str) -> Option<Entry> {
        self.known.insert(key.to_owned());
        self.document.entries.remove(key)
    }

    fn wrong(&mut self, key: &str, entry: &Entry, expected: &str) {
        self.saw(key, &entry.origin, &entry.value, expected);
    }

    fn saw(&mut self, key: &str, origin: &Origin, value: &Value, expected: &str) {
        self.complain(
            origin,
            &format!("`{key}`: expected {expected}, saw {value}"),
        );
    }

    fn complain(&mut self, origin: &Origin, text: &impl Display) {
        self.problems.push(format!("{origin}: {text}"));
    }

    /// `; did you mean …?` when a known key that is a `candidate` resembles `key`.
    fn nearest(&self, key: &str, candidate: impl Fn(&str) -> bool) -> String {
        let last = |key: &str| key.rsplit('.').next().map(str::to_owned);
        let best = self
            .known
            .iter()
            .filter(|known| candidate(known))
            .map(|known| known.trim_end_matches('.'))
            .map(|known| {
                // The right word in the wrong section is one slip.
                let misplaced = last(known) == last(key);
                (if misplaced { 1 } else { distance(known, key) }, known)
            })
            .min();
        match best {
            Some((distance, known)) if distance <= 2 + key.len() / 8 => {
                format!("; did you mean `{known}`?")
            }
            _ => "; docs/configuration.md lists every key".to_owned(),
        }
    }
}

fn parse<T: FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

fn listed(text: &str) -> Vec<Value> {
    if text.trim_start().starts_with('[')
        && let Some(Value::List(items)) = document::parse_value(text)
    {
        return items;
    }
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| Value::Text(item.to_owned()))
        .collect()
}
