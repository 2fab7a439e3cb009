//! A body's form as a JSON schema (draft 2020-12), noted down while [`Fields`](super::Fields) runs over nothing: what
//! is asked for is a property, what is missed is required.

use serde_json::{Map, Value, json};

/// What was noted so far about one object.
#[derive(Debug, Default)]
pub(super) struct Shape {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    conditions: Vec<Value>,
}

impl Shape {
    /// Notes that the field `name` is read as `schema` says.
    pub(super) fn property(&mut self, name: &str, schema: Value) {
        self.properties.insert(name.to_owned(), schema);
    }

    /// Changes what was noted about the field `name`.
    pub(super) fn change(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        if let Some(schema) = self.properties.get_mut(name) {
            change(schema);
        }
    }

    /// Notes that `name` must be there.
    pub(super) fn require(&mut self, name: &'static str) {
        if !self.required.contains(&name) {
            self.required.push(name);
        }
    }

    /// Notes that `name` must be there, as `schema` says, where the field `other` is `word`.
    pub(super) fn require_with(&mut self, name: &str, schema: &Value, (other, word): (&str, &str)) {
        self.conditions.push(json!({
            "if": {"properties": {other: {"const": word}}, "required": [other]},
            "then": {"properties": {name: schema}, "required": [name]},
        }));
    }

    /// The schema. Null counts as absent, so that it may stand wherever a field may be left out (design decision 5).
    pub(super) fn schema(mut self) -> Value {
        for (name, schema) in &mut self.properties {
            if !self.required.contains(&name.as_str()) {
                admit_null(schema);
            }
        }
        let mut schema = json!({
            "type": "object",
            "properties": self.properties,
            "additionalProperties": false,
        });
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        if !self.conditions.is_empty() {
            schema["allOf"] = json!(self.conditions);
        }
        schema
    }
}

fn admit_null(schema: &mut Value) {
    if let Some(kind) = schema.get("type").cloned() {
        schema["type"] = json!([kind, "null"]);
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.push(Value::Null);
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.push(json!({"type": "null"}));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::body::Fields;
    use crate::body::syntax::Text;

    #[test]
    fn what_is_read_is_described() {
        let schema = Fields::describe(|fields| {
            fields.required_text("csr", Text::Document);
            fields.text("city", Text::Length(1, 60));
            fields.texts("san", Text::Handle);
            fields.required_integer("period", 1, 99);
            fields.boolean("authKey");
            fields.object("approver", |approver| {
                approver.required_text("voice", Text::Voice)
            });
            fields.objects("dcv", |entry| {
                entry.required_text("type", Text::Word(&["EMAIL", "DNS"]));
                entry.text_with("email", Text::UniqueValue, ("type", "EMAIL"));
            });
        });
        let unique =
            json!({"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^[a-zA-Z0-9]+$"});
        assert_eq!(schema["type"], "object");
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], json!(["csr", "period"]));
        let properties = &schema["properties"];
        assert_eq!(properties["csr"], json!({"type": "string", "minLength": 1}));
        assert_eq!(properties["city"]["type"], json!(["string", "null"]));
        assert_eq!(properties["city"]["maxLength"], 60);
        assert_eq!(properties["san"]["type"], json!(["array", "null"]));
        assert_eq!(
            properties["san"]["items"]["pattern"],
            r"^[a-zA-Z0-9\-_@\.]+$"
        );
        assert_eq!(
            properties["period"],
            json!({"type": "integer", "minimum": 1, "maximum": 99})
        );
        assert_eq!(properties["authKey"], json!({"type": ["boolean", "null"]}));
        assert_eq!(properties["approver"]["required"], json!(["voice"]));
        let entry = &properties["dcv"]["items"];
        assert_eq!(
            entry["properties"]["type"],
            json!({"type": "string", "enum": ["EMAIL", "DNS"]})
        );
        assert_eq!(
            entry["properties"]["email"],
            json!({"type": ["string", "null"]})
        );
        assert_eq!(
            entry["allOf"],
            json!([{
                "if": {"properties": {"type": {"const": "EMAIL"}}, "required": ["type"]},
                "then": {"properties": {"email": unique}, "required": ["email"]},
            }])
        );
    }

    #[test]
    fn an_empty_body_may_have_no_field() {
        let schema = Fields::describe(|_| ());
        assert_eq!(
            schema,
            json!({"type": "object", "properties": {}, "additionalProperties": false})
        );
    }
}
