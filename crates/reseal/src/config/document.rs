//! What was configured, before any of it is understood: a flat list of keys with their values and where each
//! was said. Later sources replace earlier ones key by key: file, then environment, then flags.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::ConfigError;

/// Environment variables that begin so are configuration: `RESEAL__SERVER__LISTEN`.
const PREFIX: &str = "RESEAL__";

/// Where a value was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// In the file, at this line.
    File { path: PathBuf, line: usize },
    /// In this environment variable.
    Environment(String),
    /// On the command line, with this flag.
    Flag(&'static str),
}

impl Origin {
    /// A path that was said here: relative ones start at the folder of the file that says them.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        match self {
            Self::File { path, .. } => path.parent().unwrap_or(Path::new("")).join(text),
            Self::Environment(_) | Self::Flag(_) => PathBuf::from(text),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "{name}"),
        }
    }
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    /// A number with a fraction, as it was written.
    Decimal(String),
    Boolean(bool),
    List(Vec<Value>),
    Table(BTreeMap<String, Value>),
    /// A kind that no key has: the name of the kind.
    Other(&'static str),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "`{}`", text.chars().take(100).collect::<String>()),
            Self::Integer(number) => write!(f, "the number {number}"),
            Self::Decimal(number) => write!(f, "the number {number}"),
            Self::Boolean(flag) => write!(f, "`{flag}` without quotes"),
            Self::List(_) => f.write_str("a list"),
            Self::Table(_) => f.write_str("a table"),
            Self::Other(kind) => write!(f, "a {kind}"),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// Bytes of the value in the file.
    span: Range<usize>,
    /// Texts in the tables of a list: the key below it, the text, its bytes in the file.
    listed: Vec<(String, String, Range<usize>)>,
}

/// Everything that was said, by dotted key.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    pub(super) entries: BTreeMap<String, Entry>,
    /// Headers of tables, by dotted name.
    pub(super) tables: BTreeMap<String, Origin>,
}

impl Document {
    /// Reads the text of the file `path`.
    pub(super) fn from_toml(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let mut problems: Vec<_> = errors
                .iter()
                .map(|error| {
                    let line = error.span().map_or(1, |span| line_of(text, span.start));
                    format!("{}, line {line}: {}", path.display(), error.message())
                })
                .collect();
            problems.dedup();
            return Err(ConfigError(problems));
        }
        let mut document = Self::default();
        document.add_table("", table.get_ref(), text, path);
        Ok(document)
    }

    fn add_table(&mut self, prefix: &str, table: &DeTable<'_>, text: &str, path: &Path) {
        for (key, value) in table {
            let name = if prefix.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{prefix}.{}", key.get_ref())
            };
            let origin = Origin::File {
                path: path.to_owned(),
                line: line_of(text, key.span().start),
            };
            if let DeValue::Table(inner) = value.get_ref() {
                self.tables.insert(name.clone(), origin);
                self.add_table(&name, inner, text, path);
            } else {
                let entry = Entry {
                    value: convert(value.get_ref()),
                    origin,
                    span: value.span(),
                    listed: listed(value.get_ref()),
                };
                self.entries.insert(name, entry);
            }
        }
    }

    /// Lays the environment over what is there.
    pub(super) fn add_environment(
        &mut self,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) {
        for (name, text) in variables {
            // A name that is not UTF-8 ends as a key that does not exist.
            let name = name.to_string_lossy().into_owned();
            let Some(path) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let key = self.as_spelled(&path.to_ascii_lowercase().replace("__", "."));
            let value = text
                .into_string()
                .map_or(Value::Other("text that is not UTF-8"), Value::Text);
            self.set(key, value, Origin::Environment(name));
        }
    }

    /// `key`, which is in lower case, as the file spells the table that it is in: a name may have capitals there.
    fn as_spelled(&self, key: &str) -> String {
        let is_in = |table: &&String| {
            let rest = key.strip_prefix(&table.to_ascii_lowercase());
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let tables = self.tables.keys().filter(is_in);
        match tables.max_by_key(|table| table.len()) {
            Some(table) => format!("{table}{}", &key[table.len()..]),
            None => key.to_owned(),
        }
    }

    /// Lays one flag over what is there.
    pub(super) fn add_flag(&mut self, key: &str, text: String, flag: &'static str) {
        self.set(key.to_owned(), Value::Text(text), Origin::Flag(flag));
    }

    fn set(&mut self, key: String, value: Value, origin: Origin) {
        let entry = Entry {
            value,
            origin,
            span: 0..0,
            listed: Vec::new(),
        };
        self.entries.insert(key, entry);
    }

    /// `text`, which this document was read from, with every relative path under the keys that `is_path`
    /// admits made absolute from `base`: so the file means the same wherever it is copied to.
    pub(super) fn with_absolute_paths(
        &self,
        text: &str,
        base: &Path,
        is_path: impl Fn(&str) -> bool,
    ) -> String {
        let mut changes = Vec::new();
        let mut add = |key: &str, text: &str, span: &Range<usize>| {
            if is_path(key) && !text.is_empty() && Path::new(text).is_relative() {
                changes.push((span.clone(), base.join(text)));
            }
        };
        for (key, entry) in &self.entries {
            if let Value::Text(text) = &entry.value {
                add(key, text, &entry.span);
            }
            for (below, text, span) in &entry.listed {
                add(&format!("{key}.{below}"), text, span);
            }
        }
        changes.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        let mut text = text.to_owned();
        for (span, path) in changes {
            let quoted = toml::Value::String(path.display().to_string()).to_string();
            text.replace_range(span, &quoted);
        }
        text
    }
}

/// A value written the way TOML writes it, as environment variables may for lists.
pub(super) fn parse_value(text: &str) -> Option<Value> {
    DeValue::parse(text)
        .ok()
        .map(|value| convert(value.get_ref()))
}

fn convert(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("number that is too large"), Value::Integer),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| convert(item.get_ref())).collect())
        }
        DeValue::Table(table) => Value::Table(
            table
                .iter()
                .map(|(key, value)| (key.get_ref().to_string(), convert(value.get_ref())))
                .collect(),
        ),
        DeValue::Float(number) => Value::Decimal(number.as_str().to_owned()),
        DeValue::Datetime(_) => Value::Other("date"),
    }
}

/// The texts in the tables of a list.
fn listed(value: &DeValue<'_>) -> Vec<(String, String, Range<usize>)> {
    let DeValue::Array(items) = value else {
        return Vec::new();
    };
    let tables = items.iter().filter_map(|item| item.get_ref().as_table());
    tables
        .flatten()
        .filter_map(|(key, value)| {
            let text = value.get_ref().as_str()?;
            Some((key.get_ref().to_string(), text.to_owned(), value.span()))
        })
        .collect()
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}
