//! JSON schemas of what is written, by the same derives that write it.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use crate::query::Envelope;

/// Makes schemas and remembers those that have a name.
pub(super) fn generator() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings
        .with_transform(RecursiveTransform(tidy))
        .into_generator()
}

/// What the derives cannot know: fields without a value are absent and never null (contract.md section 1.1), and a choice
/// of words is one list.
fn tidy(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(kinds)) = object.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (name, value) in only {
                object.entry(name).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(choices)) = object.get("oneOf")
        && let Some((words, meanings)) = words(choices)
    {
        object.remove("oneOf");
        object.insert("type".to_owned(), "string".into());
        object.insert("enum".to_owned(), words);
        if !meanings.is_empty() {
            let description = object.get("description").and_then(Value::as_str);
            let description = format!("{}\n\n{meanings}", description.unwrap_or_default());
            object.insert("description".to_owned(), description.trim().into());
        }
    }
}

/// The words of a choice that consists of words, and what they mean.
fn words(choices: &[Value]) -> Option<(Value, String)> {
    let mut words = Vec::new();
    let mut meanings = Vec::new();
    for choice in choices {
        if let Some(word) = choice.get("const").and_then(Value::as_str) {
            words.push(word);
            if let Some(meaning) = choice.get("description").and_then(Value::as_str) {
                meanings.push(format!("`{word}`: {meaning}"));
            }
        } else {
            let several = choice.get("enum")?.as_array()?;
            words.extend(several.iter().filter_map(Value::as_str));
        }
    }
    Some((json!(words), meanings.join("\n")))
}

/// A `T`, or the part of it that `fields` selects, in which only the identifying field, the first one, is always there.
pub(super) fn selected<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let whole = generator.subschema_for::<T>();
    let name = T::schema_name();
    let part = format!("{name}Part");
    if let Some(mut definition) = generator.definitions().get(name.as_ref()).cloned() {
        let first = definition
            .pointer("/required/0")
            .cloned()
            .unwrap_or_default();
        definition["required"] = json!([first]);
        definition["description"] = format!("What `fields` selects of a {name}.").into();
        generator.definitions_mut().insert(part.clone(), definition);
    }
    let part = json!({"$ref": format!("#/components/schemas/{part}")});
    schemars::json_schema!({"anyOf": [whole, part]})
}

/// A list of entities of the schema `entity`.
pub(crate) fn list(generator: &mut SchemaGenerator, entity: Schema) -> Schema {
    let mut list = generator.subschema_for::<Envelope<()>>();
    if let Some(entities) = list.pointer_mut("/properties/entities") {
        entities["items"] = entity.to_value();
    }
    list
}
