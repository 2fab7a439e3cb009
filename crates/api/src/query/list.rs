//! A list request: which elements, in which order, how many.

use axum::response::Response;
use http::StatusCode;
use reseal_lifecycle::Violation;
use reseal_lifecycle::certificate::CertificateStatus;
use reseal_lifecycle::notification::Occasion;
use reseal_lifecycle::process::ProcessStatus;
use reseal_lifecycle::query::{
    BlockedKeyField, CertificateField, Field, FieldKind, Filter, FilterValue, NotificationField,
    Operator, Page, ProcessField, Query, ValidationField,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::parameters::is_fields;
use super::{Parameters, Selection};
use crate::auth::Outcome;
use crate::body::Findings;
use crate::error::Failure;
use crate::{answer, date};

/// Elements in one answer at most (contract.md section 1.4).
pub(crate) const LARGEST_PAGE: u32 = 250;
/// Conditions in one request at most, and values in one condition: what anybody asks for, and what the
/// database can look at in no time.
const MOST_FILTERS: usize = 50;
const MOST_VALUES: usize = 250;

const VALIDATION_TYPES: &[&str] = &[
    "DOMAIN_VALIDATION",
    "ORGANIZATION_VALIDATION",
    "EXTENDED_VALIDATION",
];
/// The last one is no product of ours, but clients filter it out.
const CERTIFICATE_TYPES: &[&str] = &[
    "SINGLE_DOMAIN",
    "MULTI_DOMAIN",
    "WILDCARD",
    "ACME_SUBSCRIPTION",
];

/// All words of the contract, used or not.
pub(crate) const SUBJECT_STATUSES: &[&str] = &[
    "NEW",
    "OK",
    "COMPLETED",
    "PENDING",
    "WARNING",
    "FAILED",
    "PREMIUM-CHANGE",
];

/// A field, with the words that the wire knows for it.
pub(crate) trait ListField: Field {
    /// The values that the field can have, when those are fixed; empty: any.
    fn words(self) -> Vec<&'static str>;

    /// Whether `word`, in upper case, is a value the field can have.
    fn admits(self, word: &str) -> bool {
        let words = self.words();
        words.is_empty() || words.contains(&word)
    }
}

impl ListField for CertificateField {
    fn words(self) -> Vec<&'static str> {
        match self {
            Self::Status => CertificateStatus::ALL
                .map(CertificateStatus::as_str)
                .to_vec(),
            Self::ValidationType => VALIDATION_TYPES.to_vec(),
            Self::CertificateType => CERTIFICATE_TYPES.to_vec(),
            Self::PublicKeyAlgorithm => vec!["RSA", "ECDSA"],
            _ => Vec::new(),
        }
    }
}

impl ListField for ProcessField {
    fn words(self) -> Vec<&'static str> {
        match self {
            Self::Status => ProcessStatus::ALL.map(ProcessStatus::as_str).to_vec(),
            Self::DetailStatus => vec!["SSL_REQUIRES_ATTENTION"],
            _ => Vec::new(),
        }
    }
}

impl ListField for ValidationField {
    fn words(self) -> Vec<&'static str> {
        match self {
            Self::Status => ProcessStatus::ALL.map(ProcessStatus::as_str).to_vec(),
            _ => Vec::new(),
        }
    }
}

impl ListField for BlockedKeyField {
    fn words(self) -> Vec<&'static str> {
        Vec::new()
    }
}

impl ListField for NotificationField {
    fn words(self) -> Vec<&'static str> {
        match self {
            Self::EventType => Occasion::ALL.map(Occasion::as_str).to_vec(),
            Self::SubjectStatus => SUBJECT_STATUSES.to_vec(),
            Self::ValidationType => VALIDATION_TYPES.to_vec(),
            _ => Vec::new(),
        }
    }
}

/// A list request, read and checked.
#[derive(Debug)]
pub(crate) struct ListRequest<F> {
    pub(crate) query: Query<F>,
    selection: Selection,
}

impl<F: ListField> ListRequest<F> {
    /// Reads the parameters; everything that is wrong with them is reported at once. `known` are the fields of
    /// an element, the identifying one first.
    pub(crate) fn read(parameters: &Parameters, known: &[&str]) -> Result<Self, Failure> {
        let mut findings = Findings::default();
        let mut query = Query::default();
        let mut filters = 0;
        for (name, value) in parameters.iter() {
            match name {
                "limit" => {
                    query.limit = number(name, value, u64::from(LARGEST_PAGE), &mut findings)
                        .map(|limit| limit as u32);
                }
                "offset" => {
                    let most = i64::MAX as u64;
                    query.offset = number(name, value, most, &mut findings).unwrap_or_default();
                }
                "q" => query.text = (!value.is_empty()).then(|| value.to_owned()),
                "order" => read_order(value, &mut query.order, &mut findings),
                "total" | "export" => {}
                _ if is_fields(name) => {}
                _ => {
                    filters += 1;
                    if filters <= MOST_FILTERS {
                        let filter = read_filter(name, value, &mut findings);
                        query.filters.extend(filter);
                    } else {
                        let message = format!("a list takes at most {MOST_FILTERS} filters");
                        findings.violation(Violation::new(name, message, Some(value)));
                    }
                }
            }
        }
        query.total = parameters.flag("total", true, &mut findings);
        let mut selection = Selection::read(parameters, known, &mut findings);
        if parameters.flag("export", false, &mut findings) {
            for name in ["limit", "offset"] {
                if let Some(value) = parameters.first(name) {
                    let message = "cannot be combined with `export`, which returns every element";
                    findings.violation(Violation::new(name, message, Some(value)));
                }
            }
            query.limit = None;
            if selection.is_everything() {
                selection = Selection::identifying(known, Vec::new());
            }
        }
        findings.settle()?;
        query.documents = ["csr", "certificate"]
            .iter()
            .any(|name| selection.has(name));
        Ok(Self { query, selection })
    }

    /// Answers with a page of elements, each shown by `show`.
    pub(crate) fn answer<'p, T, B: Serialize>(
        &self,
        page: &'p Page<T>,
        show: impl Fn(&'p T) -> B,
    ) -> Outcome {
        let pagination = Pagination {
            limit: self.query.limit.unwrap_or(page.entities.len() as u32),
            offset: self.query.offset,
            total: page.total.filter(|_| self.query.total),
        };
        let shown = page.entities.iter().map(show);
        if self.selection.is_everything() {
            return Ok(envelope(shown.collect::<Vec<_>>(), pagination));
        }
        let selected: Result<Vec<_>, _> = shown.map(|body| self.selection.of(&body)).collect();
        Ok(envelope(selected?, pagination))
    }
}

#[derive(JsonSchema, Serialize)]
#[schemars(inline)]
pub(crate) struct Envelope<B> {
    /// Always there: one SDK takes the answer for the list itself without it.
    entities: Vec<B>,
    /// Always there: the other SDK stumbles without it.
    pagination: Pagination,
}

/// Which part of the whole list it is.
#[derive(Clone, Copy, JsonSchema, Serialize)]
struct Pagination {
    limit: u32,
    offset: u64,
    /// How many elements there are in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

fn envelope<B: Serialize>(entities: Vec<B>, pagination: Pagination) -> Response {
    let envelope = Envelope {
        entities,
        pagination,
    };
    answer::json(StatusCode::OK, &envelope)
}

/// Answers with a list that is always complete.
pub(crate) fn whole<B: Serialize>(entities: Vec<B>) -> Response {
    let pagination = Pagination {
        limit: entities.len() as u32,
        offset: 0,
        total: Some(entities.len() as u64),
    };
    envelope(entities, pagination)
}

/// The parameter's `value` as a whole number from 0 to `most`; anything else is a violation.
pub(crate) fn number(name: &str, value: &str, most: u64, findings: &mut Findings) -> Option<u64> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| value.parse().ok()).flatten();
    let fitting = number.filter(|number| *number <= most);
    if fitting.is_none() {
        let message = format!("must be an integer between 0 and {most}");
        findings.violation(Violation::new(name, message, Some(value)));
    }
    fitting
}

fn read_order<F: ListField>(value: &str, order: &mut Vec<(F, bool)>, findings: &mut Findings) {
    for key in value
        .split(',')
        .map(str::trim)
        .filter(|key| !key.is_empty())
    {
        let (name, descending) = match key.strip_prefix('-') {
            Some(name) => (name, true),
            None => (key, false),
        };
        match F::from_wire(name) {
            Some(field) => order.push((field, descending)),
            None => findings.violation(Violation::new(
                "order",
                "must be a field of this list, with `-` in front for descending order",
                Some(key),
            )),
        }
    }
}

fn read_filter<F: ListField>(
    parameter: &str,
    value: &str,
    findings: &mut Findings,
) -> Option<Filter<F>> {
    let mut refuse = |message: String| {
        findings.violation(Violation::new(parameter, message, Some(value)));
    };
    let (name, operator) = parameter.split_once(':').unwrap_or((parameter, "eq"));
    let Some(field) = F::from_wire(name) else {
        refuse(format!(
            "`{name}` is neither a field nor a parameter of this list"
        ));
        return None;
    };
    let kind = field.kind();
    let Some(operator) = operator_of(operator).filter(|operator| offered(*operator, kind)) else {
        refuse(format!(
            "the operator `{operator}` is not available for `{name}`"
        ));
        return None;
    };
    let texts: Vec<&str> = match operator {
        Operator::Null | Operator::NotNull => Vec::new(),
        Operator::In | Operator::NotIn => value.split(',').map(str::trim).collect(),
        _ => vec![value],
    };
    if texts.len() > MOST_VALUES {
        refuse(format!(
            "takes at most {MOST_VALUES} values, saw {}",
            texts.len()
        ));
        return None;
    }
    let mut values = Vec::with_capacity(texts.len());
    for text in texts {
        match read_value(field, operator, text) {
            Ok(value) => values.push(value),
            Err(expected) => refuse(format!("must be {expected}")),
        }
    }
    Some(Filter {
        field,
        operator,
        values,
    })
}

fn read_value<F: ListField>(
    field: F,
    operator: Operator,
    text: &str,
) -> Result<FilterValue, &'static str> {
    match field.kind() {
        FieldKind::Text | FieldKind::TextList => Ok(FilterValue::Text(text.to_owned())),
        FieldKind::Integer => text
            .parse()
            .map(FilterValue::Integer)
            .map_err(|_| "an integer"),
        FieldKind::Date => match date::parse(text) {
            // Nothing that is stored lies beyond.
            Ok(moment) | Err(date::Problem::Beyond(moment)) => Ok(FilterValue::Date(moment)),
            Err(date::Problem::NoDate) => Err("a date such as `2026-11-24T12:00:00Z`"),
        },
        FieldKind::Enumeration => {
            let word = text.to_ascii_uppercase();
            let pattern = matches!(operator, Operator::Like | Operator::NotLike);
            if pattern || field.admits(&word) {
                Ok(FilterValue::Text(word))
            } else {
                Err("a word that this field can have")
            }
        }
    }
}

/// The operators by their words on the wire.
pub(crate) const OPERATORS: &[(&str, Operator)] = &[
    ("eq", Operator::Eq),
    ("ne", Operator::Ne),
    ("like", Operator::Like),
    ("not_like", Operator::NotLike),
    ("gt", Operator::Gt),
    ("lt", Operator::Lt),
    ("gte", Operator::Gte),
    ("lte", Operator::Lte),
    ("null", Operator::Null),
    ("not_null", Operator::NotNull),
    ("in", Operator::In),
    ("not_in", Operator::NotIn),
];

fn operator_of(name: &str) -> Option<Operator> {
    OPERATORS
        .iter()
        .find_map(|(word, operator)| (*word == name).then_some(*operator))
}

/// Which operator goes with which kind of field (contract.md section 1.4).
pub(crate) fn offered(operator: Operator, kind: FieldKind) -> bool {
    match operator {
        Operator::Eq | Operator::Null | Operator::NotNull => true,
        Operator::Ne => kind != FieldKind::TextList,
        Operator::Like => matches!(
            kind,
            FieldKind::Text | FieldKind::TextList | FieldKind::Enumeration
        ),
        Operator::NotLike => matches!(kind, FieldKind::Text | FieldKind::Enumeration),
        Operator::Gt | Operator::Lt | Operator::Gte | Operator::Lte => {
            kind != FieldKind::Enumeration
        }
        Operator::In | Operator::NotIn => kind != FieldKind::Date,
    }
}

#[cfg(test)]
mod tests;
