//! One filter → one condition over the row.
//!
//! Fields without a value: they fulfil `null`, and the negative operators (`ne`, `not_like`, `not_in`), and
//! nothing else. Lists fulfil a condition when any element does, and a negative one when none does.

use jiff::Timestamp;
use reseal_lifecycle::query::{FieldKind, Filter, FilterValue, Operator};
use reseal_lifecycle::store::StoreError;

use super::pattern;
use super::{Column, Elements, Listed, parameter};
use crate::database::{Dialect, Value};

/// Condition that no row fulfils.
const NEVER: &str = "1 = 0";
/// Condition that every row fulfils.
const ALWAYS: &str = "1 = 1";

/// Conditions joined by AND, and their parameters.
pub(super) struct Conditions {
    parts: Vec<String>,
    values: Vec<Value>,
    dialect: Dialect,
    now: Timestamp,
    /// Whether the list is chosen or sorted by the end of certificates.
    by_end: bool,
}

/// The status of a certificate at the moment that is bound as parameter `now`.
pub(super) fn certificate_status(now: &str) -> String {
    format!("CASE WHEN status = 'ACTIVE' AND not_after < {now} THEN 'EXPIRED' ELSE status END")
}

impl Conditions {
    pub(super) fn new(dialect: Dialect, now: Timestamp, by_end: bool) -> Self {
        Self {
            parts: Vec::new(),
            values: Vec::new(),
            dialect,
            now,
            by_end,
        }
    }

    /// All conditions as one, and the parameters in the order of their numbers.
    pub(super) fn finish(self) -> (String, Vec<Value>) {
        (joined(&self.parts, "AND", ALWAYS), self.values)
    }

    /// Only this customer's rows.
    pub(super) fn customer(&mut self, handle: &str) {
        let handle = self.bind(Value::Text(handle.to_owned()));
        self.parts.push(format!("customer = {handle}"));
    }

    /// Rows that have `text` somewhere in a text field.
    pub(super) fn search<F: Listed>(&mut self, text: &str) {
        let Some(pattern) = pattern::substring(text) else {
            self.parts.push(NEVER.to_owned());
            return;
        };
        let pattern = self.bind(Value::Text(pattern));
        let is_text = |field: &&F| matches!(field.kind(), FieldKind::Text | FieldKind::TextList);
        let found: Vec<String> = F::ALL
            .iter()
            .filter(is_text)
            .filter_map(|field| match field.column() {
                Column::Plain(expression) | Column::OneOf(expression, _) => {
                    Some(self.matches_pattern(expression, &pattern))
                }
                Column::Hash(expression) => {
                    Some(self.matches_pattern(&self.shown_hash(expression), &pattern))
                }
                Column::Many(elements) => Some(any(
                    elements,
                    &self.matches_pattern(elements.value, &pattern),
                )),
                Column::Absent | Column::CertificateStatus | Column::Flag(..) => None,
            })
            .collect();
        self.parts.push(joined(&found, "OR", NEVER));
    }

    /// Rows that fulfil `filter`.
    pub(super) fn filter<F: Listed>(&mut self, filter: &Filter<F>) -> Result<(), StoreError> {
        let kind = filter.field.kind();
        let part = match (filter.field.column(), filter.operator) {
            (
                Column::Absent,
                Operator::Null | Operator::Ne | Operator::NotLike | Operator::NotIn,
            )
            | (Column::CertificateStatus, Operator::NotNull) => ALWAYS.to_owned(),
            (Column::Absent, _) | (Column::CertificateStatus, Operator::Null) => NEVER.to_owned(),
            (
                Column::Plain(column) | Column::OneOf(column, _) | Column::Hash(column),
                Operator::Null,
            ) => {
                format!("{column} IS NULL")
            }
            (
                Column::Plain(column) | Column::OneOf(column, _) | Column::Hash(column),
                Operator::NotNull,
            ) => {
                format!("{column} IS NOT NULL")
            }
            (Column::Many(elements), Operator::Null) => format!("NOT {}", any(elements, ALWAYS)),
            (Column::Many(elements), Operator::NotNull) => any(elements, ALWAYS),
            (Column::Flag(condition, _), Operator::Null) => format!("NOT {condition}"),
            (Column::Flag(condition, _), Operator::NotNull) => condition.to_owned(),
            (column, operator) => {
                let (operator, negative) = positive(operator);
                // An index is of no use for what is not to be found.
                let column = match column {
                    Column::OneOf(column, _) if negative => Column::Plain(column),
                    column => column,
                };
                let condition = self.compare(column, kind, operator, &filter.values)?;
                if negative {
                    negated(column, &condition)
                } else {
                    condition
                }
            }
        };
        self.parts.push(part);
        Ok(())
    }

    /// Rows whose value has the relation `operator`, a positive one, to any of `values`.
    fn compare(
        &mut self,
        column: Column,
        kind: FieldKind,
        operator: Operator,
        values: &[FilterValue],
    ) -> Result<String, StoreError> {
        Ok(match column {
            Column::Absent => NEVER.to_owned(),
            Column::OneOf(column, elements) if operator == Operator::Eq => {
                let found = self.compare(Column::Many(elements), kind, operator, values)?;
                let is_it = self.any(column, kind, operator, values)?;
                format!("({found} AND {is_it})")
            }
            Column::Plain(expression) | Column::OneOf(expression, _) => {
                self.any(expression, kind, operator, values)?
            }
            Column::Many(elements) if operator == Operator::Eq => {
                let Elements {
                    table,
                    owner,
                    value,
                    ..
                } = elements;
                let found = self.any(value, kind, operator, values)?;
                format!("id IN (SELECT {owner} FROM {table} WHERE {found})")
            }
            Column::Many(elements) => {
                any(elements, &self.any(elements.value, kind, operator, values)?)
            }
            Column::CertificateStatus if operator == Operator::Eq => self.status_is_any_of(values),
            Column::CertificateStatus => {
                let now = self.bind(Value::Integer(self.now.as_millisecond()));
                let status = certificate_status(&now);
                self.any(&status, kind, operator, values)?
            }
            Column::Hash(expression) if operator == Operator::Eq => {
                self.hash_is_any_of(expression, values)
            }
            Column::Hash(expression) => {
                let digits: Vec<FilterValue> = values.iter().map(upper_case).collect();
                self.any(&self.shown_hash(expression), kind, operator, &digits)?
            }
            Column::Flag(condition, word) if operator == Operator::Eq => {
                let named = values
                    .iter()
                    .any(|value| matches!(value, FilterValue::Text(text) if text == word));
                if named {
                    condition.to_owned()
                } else {
                    NEVER.to_owned()
                }
            }
            Column::Flag(condition, word) => {
                let expression = format!("CASE WHEN {condition} THEN '{word}' END");
                self.any(&expression, kind, operator, values)?
            }
        })
    }

    fn any(
        &mut self,
        expression: &str,
        kind: FieldKind,
        operator: Operator,
        values: &[FilterValue],
    ) -> Result<String, StoreError> {
        if operator == Operator::Eq && kind != FieldKind::Date && values.len() > 1 {
            let bound = values.iter().map(|value| self.bind_comparable(kind, value));
            let bound = bound.collect::<Result<Vec<_>, _>>()?.join(", ");
            return Ok(format!("{expression} IN ({bound})"));
        }
        let parts = values
            .iter()
            .map(|value| self.test(expression, kind, operator, value));
        Ok(joined(&parts.collect::<Result<Vec<_>, _>>()?, "OR", NEVER))
    }

    /// Whether `expression` has the relation `operator` to `value`.
    fn test(
        &mut self,
        expression: &str,
        kind: FieldKind,
        operator: Operator,
        value: &FilterValue,
    ) -> Result<String, StoreError> {
        match (kind, operator, value) {
            (FieldKind::Date, _, FilterValue::Date(moment)) => {
                self.test_moment(expression, operator, *moment)
            }
            (
                FieldKind::Text | FieldKind::TextList | FieldKind::Enumeration,
                Operator::Like,
                FilterValue::Text(text),
            ) => Ok(match pattern::like(text) {
                Some(pattern) => {
                    let pattern = self.bind(Value::Text(pattern));
                    self.matches_pattern(expression, &pattern)
                }
                None => NEVER.to_owned(),
            }),
            (_, Operator::Eq | Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte, _) => {
                let sign = sign(operator);
                Ok(format!(
                    "{expression} {sign} {}",
                    self.bind_comparable(kind, value)?
                ))
            }
            _ => Err(unsuitable(kind, operator)),
        }
    }

    /// Moments are shown to the second, so they are compared to the second: what equals the shown value is
    /// equal, and not greater.
    fn test_moment(
        &mut self,
        expression: &str,
        operator: Operator,
        moment: Timestamp,
    ) -> Result<String, StoreError> {
        let second = moment.as_millisecond().div_euclid(1000) * 1000;
        let bound = |this: &mut Self, millis: i64| this.bind(Value::Integer(millis));
        Ok(match operator {
            Operator::Eq => {
                let (first, next) = (bound(self, second), bound(self, second + 1000));
                format!("({expression} >= {first} AND {expression} < {next})")
            }
            Operator::Gt => format!("{expression} >= {}", bound(self, second + 1000)),
            Operator::Gte => format!("{expression} >= {}", bound(self, second)),
            Operator::Lt => format!("{expression} < {}", bound(self, second)),
            Operator::Lte => format!("{expression} < {}", bound(self, second + 1000)),
            _ => return Err(unsuitable(FieldKind::Date, operator)),
        })
    }

    fn status_is_any_of(&mut self, values: &[FilterValue]) -> String {
        let mut words: Vec<&str> = values
            .iter()
            .filter_map(|value| match value {
                FilterValue::Text(word) => Some(word.as_str()),
                FilterValue::Integer(_) | FilterValue::Date(_) => None,
            })
            .collect();
        words.sort_unstable();
        words.dedup();
        let now = Value::Integer(self.now.as_millisecond());
        // SQLite knows nothing of how many rows there are, and would take either index for either list.
        let (status, not_after) = match (self.dialect, self.by_end) {
            (Dialect::Sqlite, true) => ("+status", "not_after"),
            (Dialect::Sqlite, false) => ("status", "+not_after"),
            (Dialect::Postgres, _) => ("status", "not_after"),
        };
        let parts: Vec<String> = words
            .into_iter()
            .map(|word| match word {
                "ACTIVE" => format!(
                    "({status} = 'ACTIVE' AND {not_after} >= {})",
                    self.bind(now.clone())
                ),
                "EXPIRED" => format!(
                    "({status} = 'ACTIVE' AND {not_after} < {})",
                    self.bind(now.clone())
                ),
                other => format!("{status} = {}", self.bind(Value::Text(other.to_owned()))),
            })
            .collect();
        joined(&parts, "OR", NEVER)
    }

    fn hash_is_any_of(&mut self, column: &str, values: &[FilterValue]) -> String {
        let hashes = values.iter().filter_map(|value| match value {
            FilterValue::Text(text) => hex::decode(text).ok(),
            FilterValue::Integer(_) | FilterValue::Date(_) => None,
        });
        let parts: Vec<String> = hashes
            .map(|hash| format!("{column} = {}", self.bind(Value::Blob(hash))))
            .collect();
        joined(&parts, "OR", NEVER)
    }

    fn bind_comparable(
        &mut self,
        kind: FieldKind,
        value: &FilterValue,
    ) -> Result<String, StoreError> {
        match (kind, value) {
            (FieldKind::Integer, FilterValue::Integer(number)) => {
                Ok(self.bind(Value::Integer(*number)))
            }
            (
                FieldKind::Text | FieldKind::TextList | FieldKind::Enumeration,
                FilterValue::Text(text),
            ) => Ok(self.bind(Value::Text(text.clone()))),
            _ => Err(unsuitable(kind, Operator::Eq)),
        }
    }

    /// Whether `expression` fits the bound `pattern`, the case of ASCII letters ignored.
    fn matches_pattern(&self, expression: &str, pattern: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => format!("{expression} LIKE {pattern} ESCAPE '\\'"),
            // By that collation other letters have no case.
            Dialect::Postgres => format!("{expression} ILIKE {pattern} COLLATE \"C\" ESCAPE '\\'"),
        }
    }

    /// A hash as it is shown.
    fn shown_hash(&self, column: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => format!("hex({column})"),
            Dialect::Postgres => format!("upper(encode({column}, 'hex')) COLLATE \"C\""),
        }
    }

    /// Takes `value` as the next parameter; how the text refers to it.
    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        parameter(self.dialect, self.values.len())
    }
}

/// The positive form of an operator, and whether the operator is its opposite.
fn positive(operator: Operator) -> (Operator, bool) {
    match operator {
        Operator::Ne | Operator::NotIn => (Operator::Eq, true),
        Operator::In => (Operator::Eq, false),
        Operator::NotLike => (Operator::Like, true),
        other => (other, false),
    }
}

fn negated(column: Column, condition: &str) -> String {
    match column {
        Column::Plain(expression) | Column::OneOf(expression, _) | Column::Hash(expression) => {
            format!("({expression} IS NULL OR NOT ({condition}))")
        }
        Column::Flag(flag, _) => format!("(NOT {flag} OR NOT ({condition}))"),
        Column::Absent | Column::Many(_) | Column::CertificateStatus => {
            format!("NOT ({condition})")
        }
    }
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Gt => ">",
        Operator::Gte => ">=",
        Operator::Lt => "<",
        Operator::Lte => "<=",
        _ => "=",
    }
}

/// Whether one of `elements` fulfils `condition`.
fn any(elements: Elements, condition: &str) -> String {
    let Elements {
        table, owner, id, ..
    } = elements;
    format!("EXISTS (SELECT 1 FROM {table} WHERE {table}.{owner} = {id} AND {condition})")
}

/// Hexadecimal digits as [`Conditions::shown_hash`] has them; one hash is shown in upper, another in lower case.
fn upper_case(value: &FilterValue) -> FilterValue {
    match value {
        FilterValue::Text(text) => FilterValue::Text(text.to_ascii_uppercase()),
        other => other.clone(),
    }
}

/// Joined as a balanced tree: a long chain would exceed the depth that SQLite allows.
fn joined(parts: &[String], word: &str, empty: &str) -> String {
    match parts {
        [] => empty.to_owned(),
        [one] => one.clone(),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            format!(
                "({} {word} {})",
                joined(left, word, empty),
                joined(right, word, empty)
            )
        }
    }
}

/// The layer above checks operators against kinds, so this is a fault and not a caller's mistake.
fn unsuitable(kind: FieldKind, operator: Operator) -> StoreError {
    StoreError::Fault(format!(
        "a {kind:?} field cannot be compared by {operator:?} with that value"
    ))
}
