//! What the document says about one route.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{list, schema};
use crate::body::Fields;
use crate::body::syntax::Text;
use crate::query::ListField;

/// An operation: what it is called, takes and answers.
pub(crate) struct Operation {
    pub(super) id: &'static str,
    tag: &'static str,
    summary: &'static str,
    details: &'static str,
    /// Schemas of path parameters that have none by their name.
    path: Vec<(&'static str, Value)>,
    parameters: Vec<Value>,
    body: Option<Body>,
    answers: Vec<Answer>,
    refusals: Vec<u16>,
    markers: Map<String, Value>,
}

struct Body {
    schema: Value,
    required: bool,
    example: Option<Value>,
    media: &'static str,
}

struct Answer {
    status: u16,
    text: &'static str,
    content: Vec<(&'static str, MakeSchema)>,
    headers: &'static [&'static str],
    links: Value,
}

type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

/// Statuses of refusals that every call with a key can have.
const WITH_KEY: &[u16] = &[400, 401, 403, 429, 500, 503];
/// Those that a body adds, whether it is asked for or not.
const WITH_BODY: &[u16] = &[408, 413];

impl Operation {
    /// An operation under the heading `tag`.
    pub(crate) fn new(tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            tag,
            summary,
            details: "",
            path: Vec::new(),
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            refusals: Vec::new(),
            markers: Map::new(),
        }
    }

    /// What the summary does not say.
    pub(crate) fn details(self, details: &'static str) -> Self {
        Self { details, ..self }
    }

    /// A parameter of the path.
    pub(crate) fn path(mut self, name: &'static str, schema: Value) -> Self {
        self.path.push((name, schema));
        self
    }

    /// A parameter of the query.
    pub(crate) fn query(mut self, name: &str, schema: &Value, text: &str) -> Self {
        self.parameters
            .push(json!({"name": name, "in": "query", "description": text, "schema": schema}));
        self
    }

    /// A boolean parameter of the query that is `false` when it is not there.
    pub(crate) fn flag(self, name: &str, text: &str) -> Self {
        self.query(name, &json!({"type": "boolean", "default": false}), text)
    }

    /// A body that `read` reads. `meanings` says what its fields mean, by their path: `dcv.type` is the field `type` of
    /// the entries of `dcv`.
    pub(crate) fn body<T>(
        mut self,
        read: impl FnOnce(&mut Fields<'_, '_>) -> T,
        meanings: &[(&str, &str)],
    ) -> Self {
        let mut schema = Fields::describe(read);
        for (path, text) in meanings {
            let known = explain(&mut schema, path, text);
            debug_assert!(known, "{}: there is no field {path}", self.id);
        }
        self.body = Some(Body {
            schema,
            required: true,
            example: None,
            media: "application/json",
        });
        self
    }

    /// The body, which was described before, may be left out.
    pub(crate) fn body_is_optional(mut self) -> Self {
        if let Some(body) = &mut self.body {
            body.required = false;
        }
        self
    }

    /// A form, as browsers send it.
    pub(crate) fn form(mut self, schema: Value) -> Self {
        self.body = Some(Body {
            schema,
            required: true,
            example: None,
            media: "application/x-www-form-urlencoded",
        });
        self
    }

    /// A body that is not text.
    pub(crate) fn binary(mut self, media: &'static str) -> Self {
        self.body = Some(Body {
            schema: json!({"type": "string", "format": "binary"}),
            required: true,
            example: None,
            media,
        });
        self
    }

    /// A body that works.
    pub(crate) fn example(mut self, example: Value) -> Self {
        if let Some(body) = &mut self.body {
            body.example = Some(example);
        }
        self
    }

    /// An answer without a body.
    pub(crate) fn answer(self, status: u16, text: &'static str) -> Self {
        self.answer_with(status, text, Vec::new())
    }

    /// An answer with a `T` in JSON.
    pub(crate) fn json<T: JsonSchema>(self, status: u16, text: &'static str) -> Self {
        self.made(status, text, SchemaGenerator::subschema_for::<T>)
    }

    /// An answer with what `make` describes in JSON.
    pub(crate) fn made(self, status: u16, text: &'static str, make: MakeSchema) -> Self {
        self.answer_with(status, text, vec![("application/json", make)])
    }

    /// An answer that is no JSON.
    pub(crate) fn media(self, status: u16, text: &'static str, media: &'static str) -> Self {
        self.answer_with(status, text, vec![(media, |_| Schema::default())])
    }

    /// The answer described last can be of another media type, too.
    pub(crate) fn or_media(mut self, media: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.content.push((media, |_| Schema::default()));
        }
        self
    }

    /// An answer with a `T`, or with the part of it that the parameter `fields` asks for.
    pub(crate) fn selected<T: JsonSchema>(self, text: &'static str, fields: &[&str]) -> Self {
        let mut operation = self.made(200, text, schema::selected::<T>);
        operation.parameters.push(list::selection(fields));
        operation
    }

    /// A list of `T`, filtered and sorted by the fields `F`.
    pub(crate) fn list<F: ListField, T: JsonSchema>(
        self,
        text: &'static str,
        fields: &[&str],
    ) -> Self {
        let mut operation = self.made(200, text, |generator| {
            let entity = schema::selected::<T>(generator);
            schema::list(generator, entity)
        });
        operation.parameters.extend(list::parameters::<F>());
        operation.parameters.push(list::selection(fields));
        operation
    }

    fn answer_with(
        mut self,
        status: u16,
        text: &'static str,
        content: Vec<(&'static str, MakeSchema)>,
    ) -> Self {
        self.answers.push(Answer {
            status,
            text,
            content,
            headers: &[],
            links: Value::Null,
        });
        self
    }

    /// The answer described last names a process, and perhaps where to look on.
    pub(crate) fn about_process(mut self) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers = &["X-Process-Id", "Location"];
            answer.links = json!({"process": {
                "operationId": "getProcess",
                "parameters": {"id": "$response.header.X-Process-Id"},
            }});
        }
        self
    }

    /// Further statuses of refusals.
    pub(crate) fn refused(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend(statuses);
        self
    }

    /// A call that clients should not begin to use.
    pub(crate) fn deprecated(mut self) -> Self {
        self.markers.insert("deprecated".to_owned(), true.into());
        self
    }

    /// As the document has it.
    pub(super) fn describe(
        &self,
        (method, path): (&str, &str),
        open: bool,
        generator: &mut SchemaGenerator,
    ) -> Value {
        let mut parameters: Vec<Value> = names_in(path)
            .map(|name| self.path_parameter(name))
            .collect();
        parameters.extend(self.parameters.iter().cloned());
        if method == "post" && !open {
            parameters.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
        }
        let mut described = json!({
            "tags": [self.tag],
            "operationId": self.id,
            "summary": self.summary,
            "parameters": parameters,
        });
        if !self.details.is_empty() {
            described["description"] = self.details.into();
        }
        if let Some(body) = &self.body {
            let mut content = json!({"schema": body.schema});
            if let Some(example) = &body.example {
                content["example"] = example.clone();
            }
            described["requestBody"] =
                json!({"required": body.required, "content": {body.media: content}});
        }
        described["responses"] = self.responses(method, open, generator);
        if open {
            described["security"] = json!([]);
        }
        if let Value::Object(object) = &mut described {
            object.extend(self.markers.clone());
        }
        described
    }

    fn responses(&self, method: &str, open: bool, generator: &mut SchemaGenerator) -> Value {
        let mut responses = Map::new();
        for answer in &self.answers {
            let mut response = json!({"description": answer.text});
            for (media, make) in &answer.content {
                response["content"][media] = json!({"schema": make(generator)});
            }
            if !answer.headers.is_empty() {
                let references = answer.headers.iter().map(|name| {
                    let reference = format!("#/components/headers/{name}");
                    ((*name).to_owned(), json!({"$ref": reference}))
                });
                response["headers"] = Value::Object(references.collect());
            }
            if !answer.links.is_null() {
                response["links"] = answer.links.clone();
            }
            responses.insert(answer.status.to_string(), response);
        }
        let mut refusals = self.refusals.clone();
        if !open {
            refusals.extend(WITH_KEY);
            if method != "get" {
                refusals.extend(WITH_BODY);
            }
        }
        refusals.sort_unstable();
        for status in refusals {
            let reference = json!({"$ref": format!("#/components/responses/{status}")});
            responses.entry(status.to_string()).or_insert(reference);
        }
        Value::Object(responses)
    }

    fn path_parameter(&self, name: &str) -> Value {
        let own = self.path.iter().find(|(own, _)| *own == name);
        let (schema, text) = match (own, name) {
            (Some((_, schema)), _) => (schema.clone(), ""),
            (None, "id") => (
                json!({"type": "integer", "format": "int64", "minimum": 1, "example": 1}),
                "Its number.",
            ),
            (None, "customer") => (Text::Handle.schema(), "Handle of the customer."),
            (None, _) => (json!({"type": "string", "minLength": 1}), ""),
        };
        let mut parameter = json!({"name": name, "in": "path", "required": true, "schema": schema});
        if !text.is_empty() {
            parameter["description"] = text.into();
        }
        parameter
    }
}

/// Names of the parameters in a path.
fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// Adds `text` to the description of the field at `path`; says whether there is such a field.
fn explain(schema: &mut Value, path: &str, text: &str) -> bool {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let object = if schema.get("items").is_some() {
        &mut schema["items"]
    } else {
        schema
    };
    let Some(field) = object.pointer_mut(&format!("/properties/{name}")) else {
        return false;
    };
    if let Some(rest) = rest {
        return explain(field, rest, text);
    }
    let rule = field.get("description").and_then(Value::as_str);
    let description = rule.map_or(text.to_owned(), |rule| format!("{text} {rule}"));
    field["description"] = description.into();
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_find_fields_at_any_depth() {
        let mut schema = Fields::describe(|fields| {
            fields.text("city", Text::Length(1, 60));
            fields.objects("dcv", |entry| entry.text("type", Text::Document));
        });
        assert!(explain(&mut schema, "city", "Where."));
        assert!(explain(&mut schema, "dcv.type", "How."));
        assert!(!explain(&mut schema, "dcv.kind", ""));
        assert!(!explain(&mut schema, "type", ""));
        assert_eq!(
            schema["properties"]["city"]["description"],
            "Where. At most 60 bytes of UTF-8."
        );
        let entry = &schema["properties"]["dcv"]["items"];
        assert_eq!(entry["properties"]["type"]["description"], "How.");
    }
}
