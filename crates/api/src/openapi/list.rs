//! Parameters of lists, from the definitions that lists are read by.

use reseal_lifecycle::query::{FieldKind, Operator};
use serde_json::{Map, Value, json};

use crate::body::syntax::{in_any_case, word_of_any_case};
use crate::query::{LARGEST_PAGE, ListField, OPERATORS, offered};

/// The parameter `fields`.
pub(super) fn selection(fields: &[&str]) -> Value {
    // A name that is empty says nothing.
    let names = [fields, &[""]].concat();
    json!({
        "name": "fields", "in": "query", "style": "form", "explode": false,
        "description": format!("Names of the fields that are wanted, as a comma list or repeated; `{}` is always there. Without it, all.", fields.first().copied().unwrap_or_default()),
        "schema": {"type": "array", "items": {"type": "string", "enum": names}},
    })
}

/// What every list takes, and the filters of this one.
pub(super) fn parameters<F: ListField>() -> Vec<Value> {
    let mut parameters: Vec<Value> = ["Limit", "Offset", "Total", "Text", "Export"]
        .iter()
        .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}))
        .collect();
    let orders: Vec<String> = F::ALL
        .iter()
        .flat_map(|field| {
            [
                field.wire_name().to_owned(),
                format!("-{}", field.wire_name()),
            ]
        })
        .chain([String::new()])
        .collect();
    parameters.push(json!({
        "name": "order", "in": "query", "style": "form", "explode": true,
        "description": "Fields to sort by, the most important first; `-` in front is descending.",
        "schema": {"type": "array", "items": {"type": "string", "enum": orders}},
    }));
    parameters.push(json!({
        "name": "filters", "in": "query", "style": "form", "explode": true,
        "description": "Conditions, each a parameter of its own: `field=value` or `field:operator=value`, such as `status:in=ACTIVE,EXPIRED`. They may be repeated, and all must hold.",
        "schema": filters::<F>(),
    }));
    parameters
}

/// Parameters that are the same in every list.
pub(super) fn common() -> Value {
    let parameter = |name: &str, schema: Value, text: &str| json!({"name": name, "in": "query", "description": text, "schema": schema});
    let flag = |default: bool| json!({"type": "boolean", "default": default});
    json!({
        "Limit": parameter("limit", json!({"type": "integer", "minimum": 0, "maximum": LARGEST_PAGE, "default": 10}), "Elements in the answer at most; 0 only counts."),
        "Offset": parameter("offset", json!({"type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX, "default": 0}), "Elements to leave out first."),
        "Total": parameter("total", flag(true), "Whether to count all elements."),
        "Text": parameter("q", json!({"type": "string"}), "Text to look for in all fields."),
        "Export": parameter("export", flag(false), "Every element, by default with its identifying field only; not together with `limit` and `offset`."),
    })
}

fn filters<F: ListField>() -> Value {
    let mut plain = Map::new();
    // Fields that take the same operators with the same forms of value share an entry.
    let mut entries: Vec<(Vec<&str>, Vec<&str>, Value)> = Vec::new();
    for field in F::ALL {
        let name = field.wire_name();
        plain.insert(name.to_owned(), value(*field, Operator::Eq));
        for (form, operators) in forms(*field) {
            match entries
                .iter_mut()
                .find(|(_, known, value)| *known == operators && *value == form)
            {
                Some((names, ..)) => names.push(name),
                None => entries.push((vec![name], operators, form)),
            }
        }
    }
    let patterns: Map<String, Value> = entries
        .into_iter()
        .map(|(names, operators, form)| {
            let pattern = format!("^(?:{}):(?:{})$", names.join("|"), operators.join("|"));
            (pattern, form)
        })
        .collect();
    json!({
        "type": "object",
        "properties": plain,
        "patternProperties": patterns,
        "additionalProperties": false,
    })
}

/// The forms of value that `field` takes, each with its operators.
fn forms<F: ListField>(field: F) -> Vec<(Value, Vec<&'static str>)> {
    let mut forms: Vec<(Value, Vec<&str>)> = Vec::new();
    for (word, operator) in OPERATORS {
        if !offered(*operator, field.kind()) {
            continue;
        }
        let form = value(field, *operator);
        match forms.iter_mut().find(|(known, _)| *known == form) {
            Some((_, words)) => words.push(word),
            None => forms.push((form, vec![word])),
        }
    }
    forms
}

/// What may stand behind the `=`.
fn value<F: ListField>(field: F, operator: Operator) -> Value {
    let words = field.words();
    match operator {
        Operator::Null | Operator::NotNull => {
            json!({"type": "string", "description": "Whatever it holds."})
        }
        Operator::Like | Operator::NotLike => {
            json!({"type": "string", "description": "`%` stands for any text."})
        }
        Operator::In | Operator::NotIn => {
            let mut form = json!({"type": "string", "description": "A comma list."});
            let item = match field.kind() {
                FieldKind::Integer => Some("-?[0-9]{1,18}".to_owned()),
                _ if words.is_empty() => None,
                _ => Some(in_any_case(&words)),
            };
            if let Some(item) = item {
                form["pattern"] = format!("^{item}(?:,{item})*$").into();
            }
            form
        }
        _ => match field.kind() {
            FieldKind::Text | FieldKind::TextList => json!({"type": "string"}),
            FieldKind::Integer => json!({"type": "integer", "format": "int64"}),
            FieldKind::Date => {
                json!({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]})
            }
            FieldKind::Enumeration if words.is_empty() => json!({"type": "string"}),
            FieldKind::Enumeration => word_of_any_case(&words),
        },
    }
}
