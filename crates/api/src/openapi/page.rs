//! The document as a page for people. It is made of the document itself, so that it shows nothing else.

use askama::Template;
use serde_json::{Map, Value};

/// The page's one style, which its policy names by its hash.
pub(super) const STYLE: &str = include_str!("../../templates/docs.css");

/// The page that shows `document`.
pub(super) fn render(document: &Value) -> askama::Result<String> {
    Page::of(document).render()
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Page<'d> {
    style: &'static str,
    version: &'d str,
    introduction: Text<'d>,
    groups: Vec<Group<'d>>,
    schemas: Vec<Named<'d>>,
}

struct Group<'d> {
    name: &'d str,
    text: Text<'d>,
    operations: Vec<Operation<'d>>,
}

struct Operation<'d> {
    id: &'d str,
    method: String,
    path: &'d str,
    summary: &'d str,
    details: Text<'d>,
    open: bool,
    deprecated: bool,
    parameters: Vec<Row<'d>>,
    body: Vec<Row<'d>>,
    body_required: bool,
    example: Option<String>,
    answers: Vec<Answer<'d>>,
    refusals: Vec<&'d str>,
}

struct Answer<'d> {
    status: &'d str,
    text: Text<'d>,
    /// Names of the schemas that it may hold.
    schemas: Vec<&'d str>,
    media: &'d str,
    headers: Vec<&'d str>,
}

struct Named<'d> {
    name: &'d str,
    text: Text<'d>,
    rows: Vec<Row<'d>>,
    /// What it is when it is no object.
    kind: String,
}

/// A line of a table: a parameter or a field.
struct Row<'d> {
    name: String,
    place: &'d str,
    required: bool,
    kind: String,
    schema: Option<&'d str>,
    text: Text<'d>,
}

/// A text with code between backticks, and points after `- `.
#[derive(Default)]
struct Text<'d>(Vec<Line<'d>>);

struct Line<'d> {
    point: bool,
    /// Every second piece is code.
    pieces: Vec<&'d str>,
}

impl<'d> Text<'d> {
    fn of(value: &'d Value) -> Self {
        let lines = text_at(value, "/description").lines();
        Self(
            lines
                .filter(|line| !line.is_empty())
                .map(|line| Line {
                    point: line.starts_with("- "),
                    pieces: line.strip_prefix("- ").unwrap_or(line).split('`').collect(),
                })
                .collect(),
        )
    }
}

impl<'d> Page<'d> {
    fn of(document: &'d Value) -> Self {
        let groups = array_at(document, "/tags").map(|tag| {
            let name = text_at(tag, "/name");
            let operations = object_at(document, "/paths").flat_map(|(path, methods)| {
                methods
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(move |(method, operation)| (method, path, operation))
            });
            Group {
                name,
                text: Text::of(tag),
                operations: operations
                    .filter(|(_, _, operation)| text_at(operation, "/tags/0") == name)
                    .map(|(method, path, operation)| {
                        Operation::of(document, method, path, operation)
                    })
                    .collect(),
            }
        });
        Self {
            style: STYLE,
            version: text_at(document, "/info/version"),
            introduction: document.get("info").map(Text::of).unwrap_or_default(),
            groups: groups.collect(),
            schemas: object_at(document, "/components/schemas")
                .filter(|(name, _)| !name.ends_with("Part"))
                .map(|(name, schema)| Named {
                    name,
                    text: Text::of(schema),
                    rows: fields(schema, ""),
                    kind: kind(schema),
                })
                .collect(),
        }
    }
}

impl<'d> Operation<'d> {
    fn of(document: &'d Value, method: &str, path: &'d str, operation: &'d Value) -> Self {
        let content = operation
            .pointer("/requestBody/content")
            .and_then(Value::as_object)
            .and_then(|content| content.values().next());
        let (refusals, answers): (Vec<_>, Vec<_>) = object_at(operation, "/responses")
            .partition(|(_, answer)| answer.get("$ref").is_some());
        Self {
            id: text_at(operation, "/operationId"),
            method: method.to_uppercase(),
            path,
            summary: text_at(operation, "/summary"),
            details: Text::of(operation),
            open: operation.get("security").is_some(),
            deprecated: operation.get("deprecated").is_some(),
            parameters: array_at(operation, "/parameters")
                .flat_map(|parameter| parameter_rows(resolve(document, parameter)))
                .collect(),
            body: content
                .map(|content| fields(&content["schema"], ""))
                .unwrap_or_default(),
            body_required: operation.pointer("/requestBody/required") == Some(&Value::Bool(true)),
            example: content
                .and_then(|content| content.get("example"))
                .and_then(|example| serde_json::to_string_pretty(example).ok()),
            answers: answers
                .into_iter()
                .map(|(status, answer)| Answer::of(status, answer))
                .collect(),
            refusals: refusals.into_iter().map(|(status, _)| status).collect(),
        }
    }
}

impl<'d> Answer<'d> {
    fn of(status: &'d str, answer: &'d Value) -> Self {
        let content = object_at(answer, "/content").next();
        let mut schemas = Vec::new();
        if let Some((_, content)) = content {
            references(content, &mut schemas);
        }
        schemas.retain(|name| !name.ends_with("Part"));
        Self {
            status,
            text: Text::of(answer),
            schemas,
            media: content.map_or("", |(media, _)| media),
            headers: object_at(answer, "/headers")
                .map(|(name, _)| name)
                .collect(),
        }
    }
}

/// A parameter; one that is an object stands for a parameter for each of its fields.
fn parameter_rows(parameter: &Value) -> Vec<Row<'_>> {
    let schema = &parameter["schema"];
    let mut rows = vec![Row {
        name: text_at(parameter, "/name").to_owned(),
        place: text_at(parameter, "/in"),
        required: parameter.get("required") == Some(&Value::Bool(true)),
        kind: kind(schema),
        schema: None,
        text: Text::of(parameter),
    }];
    let patterns = object_at(schema, "/patternProperties");
    rows.extend(patterns.map(|(pattern, schema)| {
        let plain = pattern.replace("(?:", "").replace(['^', '$', ')'], "");
        Row {
            name: plain.replace('|', " | ").replace(':', " : "),
            place: "filter",
            required: false,
            kind: kind(schema),
            schema: None,
            text: Text::of(schema),
        }
    }));
    rows
}

/// The fields of an object, those of its parts after it.
fn fields<'d>(schema: &'d Value, prefix: &str) -> Vec<Row<'d>> {
    let mut rows = Vec::new();
    let required: Vec<&str> = array_at(schema, "/required")
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in object_at(schema, "/properties") {
        let path = format!("{prefix}{name}");
        let mut named = Vec::new();
        references(field, &mut named);
        let inner = field.get("items").unwrap_or(field);
        let parts = fields(inner, &format!("{path}."));
        rows.push(Row {
            name: path,
            place: "",
            required: required.contains(&name),
            kind: kind(field),
            schema: named.first().copied(),
            text: Text::of(field),
        });
        rows.extend(parts);
    }
    rows
}

/// Type and restrictions in a line.
fn kind(schema: &Value) -> String {
    let mut parts = Vec::new();
    let types = match schema.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        // The other one is null, which counts as absent.
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str).unwrap_or_default(),
        _ => "",
    };
    match (types, schema.get("items")) {
        ("array", Some(items)) => parts.push(format!("list of {}", kind(items))),
        ("", _) => {}
        (kind, _) => parts.push(kind.to_owned()),
    }
    if let Some(format) = schema.get("format").and_then(Value::as_str) {
        parts.push(format.to_owned());
    }
    for (least, most) in [("minLength", "maxLength"), ("minimum", "maximum")] {
        match (schema.get(least), schema.get(most)) {
            (Some(least), Some(most)) => parts.push(format!("{least} to {most}")),
            (Some(least), None) => parts.push(format!("at least {least}")),
            (None, Some(most)) => parts.push(format!("at most {most}")),
            (None, None) => {}
        }
    }
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        parts.push(pattern.to_owned());
    }
    let words: Vec<&str> = array_at(schema, "/enum")
        .filter_map(Value::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    if !words.is_empty() {
        parts.push(words.join(" | "));
    }
    if let Some(default) = schema.get("default") {
        parts.push(format!("default {default}"));
    }
    parts.join(", ")
}

/// Names of the schemas that are referred to in `value`.
fn references<'d>(value: &'d Value, names: &mut Vec<&'d str>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str().and_then(|text| text.rsplit('/').next()) {
                    Some(name) if key == "$ref" => names.push(name),
                    _ => references(value, names),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, names)),
        _ => {}
    }
}

fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    value
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| document.pointer(reference.trim_start_matches('#')))
        .unwrap_or(value)
}

fn text_at<'d>(value: &'d Value, pointer: &str) -> &'d str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn array_at<'d>(value: &'d Value, pointer: &str) -> impl Iterator<Item = &'d Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn object_at<'d>(value: &'d Value, pointer: &str) -> impl Iterator<Item = (&'d str, &'d Value)> {
    value
        .pointer(pointer)
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
        .map(|(name, value)| (name.as_str(), value))
}
