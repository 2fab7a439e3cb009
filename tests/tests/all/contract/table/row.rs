//! A row: one fact of the contract, the call that shows it, and what has to be seen.

use std::fmt::{self, Write as _};

use serde_json::Value;

use crate::support::http::Reply;

/// Bytes of a call or an answer that a report shows.
const LONGEST_SHOWN: usize = 700;

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who {
    Alice,
    Bob,
    Operator,
    /// Without a key; the headers may bring another one.
    Nobody,
}

/// A call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) who: Who,
    pub(super) method: &'static str,
    /// With `{latest}` for the newest certificate of the chain that is reissued again and again.
    pub(super) path: String,
    pub(super) headers: Vec<String>,
    pub(super) body: Vec<u8>,
}

/// A call with any method, without a body.
pub(super) fn call(method: &'static str, path: impl Into<String>) -> Call {
    Call {
        who: Who::Alice,
        method,
        path: path.into(),
        headers: Vec::new(),
        body: Vec::new(),
    }
}

pub(super) fn get(path: impl Into<String>) -> Call {
    call("GET", path)
}

pub(super) fn delete(path: impl Into<String>) -> Call {
    call("DELETE", path)
}

/// A call with a JSON body.
pub(super) fn post(path: impl Into<String>, body: &Value) -> Call {
    call("POST", path)
        .header("Content-Type: application/json")
        .body(body.to_string())
}

impl Call {
    pub(super) fn by(mut self, who: Who) -> Self {
        self.who = who;
        self
    }

    pub(super) fn header(mut self, line: impl Into<String>) -> Self {
        self.headers.push(line.into());
        self
    }

    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} {}", self.who, self.method, self.path)?;
        for header in &self.headers {
            write!(f, " [{header}]")?;
        }
        f.write_str(&shown(&self.body))
    }
}

/// What a value looks like.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Is(Value),
    /// A JSON number without a fraction.
    Integer,
    /// A text that is not empty.
    Text,
    /// `yyyy-MM-dd'T'HH:mm:ss'Z'`
    Date,
    Boolean,
    List,
    Object,
    OneOf(&'static [&'static str]),
    /// A text that holds this one.
    Has(String),
    /// A text for which this holds.
    Like(&'static str, fn(&str) -> bool),
}

impl Shape {
    fn fits(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Is(expected) => value == expected,
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Text => text.is_some_and(|text| !text.is_empty()),
            Self::Date => text.is_some_and(is_date),
            Self::Boolean => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::OneOf(words) => text.is_some_and(|text| words.contains(&text)),
            Self::Has(part) => text.is_some_and(|text| text.contains(part)),
            Self::Like(_, holds) => text.is_some_and(holds),
        }
    }
}

fn is_date(text: &str) -> bool {
    let pattern = "0000-00-00T00:00:00Z";
    let same = |(seen, wanted): (u8, u8)| match wanted {
        b'0' => seen.is_ascii_digit(),
        _ => seen == wanted,
    };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(same)
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) => write!(f, "{value}"),
            Self::Integer => f.write_str("an integer"),
            Self::Text => f.write_str("a text"),
            Self::Date => f.write_str("a date without a fraction, in UTC"),
            Self::Boolean => f.write_str("true or false"),
            Self::List => f.write_str("a list"),
            Self::Object => f.write_str("an object"),
            Self::OneOf(words) => write!(f, "one of {}", words.join(", ")),
            Self::Has(part) => write!(f, "something with `{part}`"),
            Self::Like(what, _) => f.write_str(what),
        }
    }
}

#[derive(Clone, Debug)]
enum Check {
    Status(u16),
    Header(&'static str, Shape),
    NoHeader(&'static str),
    /// The JSON value at a pointer (RFC 6901).
    Json(String, Shape),
    /// No value at a pointer, not even null.
    Lacks(String),
    /// No body, and so no content type (contract.md section 7, point 5).
    Empty,
    /// The body, which need not be JSON.
    Text(Shape),
    /// Violations of exactly this field.
    Violates(String),
    /// The ids of a list's elements, in this order.
    Ids(Vec<i64>),
}

/// One fact.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) fact: String,
    pub(super) call: Call,
    /// How often the call is made again while it does not show the fact.
    pub(super) patience: u32,
    checks: Vec<Check>,
}

/// A row that expects nothing yet.
pub(super) fn row(fact: impl Into<String>, call: Call) -> Row {
    Row {
        fact: fact.into(),
        call,
        patience: 0,
        checks: Vec::new(),
    }
}

impl Row {
    fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// For what is not so while the server is looking at proofs at this very moment.
    pub(super) fn soon(self) -> Self {
        Self {
            patience: 50,
            ..self
        }
    }

    pub(super) fn status(self, status: u16) -> Self {
        self.check(Check::Status(status))
    }

    /// A refusal in the contract's shape: type, message, content type.
    pub(super) fn refused(self, status: u16, contract_type: &str) -> Self {
        self.status(status)
            .header("content-type", "application/json")
            .json("/type", contract_type)
            .json("/message", Shape::Text)
    }

    /// Status 400 with that type.
    pub(super) fn bad(self, contract_type: &str) -> Self {
        self.refused(400, contract_type)
    }

    pub(super) fn violates(self, field: impl Into<String>) -> Self {
        self.bad("ConstraintViolationException")
            .check(Check::Violates(field.into()))
    }

    /// An unknown property, or one of a wrong JSON type.
    pub(super) fn unrecognized(self, property: &str) -> Self {
        self.bad("UnrecognizedPropertyException")
            .json("/property", property)
    }

    pub(super) fn header(self, name: &'static str, shape: impl Into<Shape>) -> Self {
        self.check(Check::Header(name, shape.into()))
    }

    pub(super) fn no_header(self, name: &'static str) -> Self {
        self.check(Check::NoHeader(name))
    }

    pub(super) fn json(self, pointer: impl Into<String>, shape: impl Into<Shape>) -> Self {
        self.check(Check::Json(pointer.into(), shape.into()))
    }

    pub(super) fn lacks(self, pointer: impl Into<String>) -> Self {
        self.check(Check::Lacks(pointer.into()))
    }

    pub(super) fn empty(self, status: u16) -> Self {
        self.status(status).check(Check::Empty)
    }

    pub(super) fn text(self, shape: impl Into<Shape>) -> Self {
        self.check(Check::Text(shape.into()))
    }

    pub(super) fn ids(self, ids: &[i64]) -> Self {
        self.status(200).check(Check::Ids(ids.to_vec()))
    }

    /// What is wrong with `reply`, for people; `None` when it shows the fact.
    pub(super) fn problem(&self, call: &Call, reply: &Reply) -> Option<String> {
        let failed: Vec<String> = self
            .checks
            .iter()
            .filter(|check| !check.holds(reply))
            .map(Check::to_string)
            .chain(unsound(reply).map(str::to_owned))
            .collect();
        // A row without a check shows nothing.
        if failed.is_empty() && !self.checks.is_empty() {
            return None;
        }
        let mut report = format!("{}\n  sent     {call}\n", self.fact);
        for expected in failed {
            let _ = writeln!(report, "  expected {expected}");
        }
        let head: Vec<&str> = reply.head.lines().collect();
        let body = shown(&reply.body);
        let _ = writeln!(report, "  saw      {}{body}", head.join(" | "));
        Some(report)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Header(name, shape) => write!(f, "header `{name}`: {shape}"),
            Self::NoHeader(name) => write!(f, "no header `{name}`"),
            Self::Json(pointer, shape) => write!(f, "at `{pointer}`: {shape}"),
            Self::Lacks(pointer) => write!(f, "nothing at `{pointer}`"),
            Self::Empty => f.write_str("neither body nor content type"),
            Self::Text(shape) => write!(f, "a body that is {shape}"),
            Self::Violates(field) => write!(f, "violations of `{field}` and of nothing else"),
            Self::Ids(ids) => write!(f, "a list of {ids:?}"),
        }
    }
}

impl Check {
    fn holds(&self, reply: &Reply) -> bool {
        let json = || serde_json::from_slice::<Value>(&reply.body).ok();
        match self {
            Self::Status(status) => reply.status == *status,
            Self::Header(name, shape) => reply
                .header(name)
                .is_some_and(|value| shape.fits(&value.into())),
            Self::NoHeader(name) => reply.header(name).is_none(),
            Self::Json(pointer, shape) => json()
                .as_ref()
                .and_then(|body| body.pointer(pointer))
                .is_some_and(|value| shape.fits(value)),
            Self::Lacks(pointer) => json().is_some_and(|body| body.pointer(pointer).is_none()),
            Self::Empty => reply.body.is_empty() && reply.header("content-type").is_none(),
            Self::Text(shape) => shape.fits(&reply.text().into()),
            Self::Violates(field) => json().is_some_and(|body| {
                let violations = body["violations"].as_array();
                violations.is_some_and(|all| {
                    let is_right = |one: &Value| {
                        one["field"] == *field
                            && one["message"]
                                .as_str()
                                .is_some_and(|message| !message.is_empty())
                    };
                    !all.is_empty() && all.iter().all(is_right)
                })
            }),
            Self::Ids(ids) => json().is_some_and(|body| {
                let entities = body["entities"].as_array();
                entities.is_some_and(|all| {
                    let seen: Vec<_> = all.iter().map(|one| one["id"].as_i64()).collect();
                    seen == ids.iter().copied().map(Some).collect::<Vec<_>>()
                })
            }),
        }
    }
}

/// What no answer may be, whatever it is about (contract.md sections 1, 2.2 and 7).
fn unsound(reply: &Reply) -> Option<&'static str> {
    match reply.status {
        300..400 => return Some("no redirect: clients repeat a POST without its body"),
        406 => return Some("no negotiation"),
        500.. => return Some("no failure of the server's own"),
        _ => {}
    }
    if reply.header("content-type") != Some("application/json") {
        return (reply.status >= 400).then_some("a refusal in JSON");
    }
    let Ok(body) = serde_json::from_slice::<Value>(&reply.body) else {
        return Some("JSON, as the content type says");
    };
    if reply.status >= 400 && !(body["type"].is_string() && body["message"].is_string()) {
        return Some("a refusal with type and message");
    }
    has(&body, &|value| value.is_null() || value.is_f64())
        .then_some("fields without a value left out, and integers only")
}

fn has(value: &Value, wrong: &impl Fn(&Value) -> bool) -> bool {
    wrong(value)
        || match value {
            Value::Array(list) => list.iter().any(|value| has(value, wrong)),
            Value::Object(object) => object.values().any(|value| has(value, wrong)),
            _ => false,
        }
}

impl<V: Into<Value>> From<V> for Shape {
    fn from(value: V) -> Self {
        Self::Is(value.into())
    }
}

/// ` body` in one line, without the middle of what is long.
fn shown(body: &[u8]) -> String {
    if body.is_empty() {
        return String::new();
    }
    let text = String::from_utf8_lossy(body).replace(['\r', '\n'], "⏎");
    if text.len() <= LONGEST_SHOWN {
        return format!(" {text}");
    }
    let cut = |wanted: usize| {
        (0..=wanted)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0)
    };
    let (start, end) = (cut(LONGEST_SHOWN / 2), cut(text.len() - LONGEST_SHOWN / 2));
    format!(" {} … {}", &text[..start], &text[end..])
}
