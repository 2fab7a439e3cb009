//! Reading an object's fields, collecting everything that is wrong with them.
//!
//! A [`Fields`] hands out each field by name and type. A field that is wrong is noted in [`Findings`] and
//! reads as absent, so that reading goes on; nothing that was read may be used before [`Findings::settle`]
//! said that all is well. Fields that nobody asked for are the unknown ones: there is no second list of
//! names to keep.
//!
//! [`Fields::describe`] runs the same reading over nothing, and notes down what is asked for: that is how the OpenAPI
//! document knows the bodies. A reading function must therefore ask for its fields whatever they hold.

use reseal_lifecycle::Violation;
use serde_json::{Map, Value, json};

use super::findings::Findings;
use super::shape::Shape;
use super::syntax::Text;
use crate::error::Failure;
use crate::error::first_characters;

/// An object's fields while they are read.
pub(crate) struct Fields<'b, 'f> {
    object: &'b Map<String, Value>,
    /// Path of the object with a dot at its end, empty for the body itself.
    prefix: String,
    asked: Vec<&'static str>,
    findings: &'f mut Findings,
    /// `Some` while the fields are not read but described.
    shape: Option<Box<Shape>>,
}

impl<'b, 'f> Fields<'b, 'f> {
    /// The fields of the body itself.
    pub(crate) fn of(object: &'b Map<String, Value>, findings: &'f mut Findings) -> Self {
        Self::below(object, String::new(), findings)
    }

    fn below(object: &'b Map<String, Value>, prefix: String, findings: &'f mut Findings) -> Self {
        Self {
            object,
            prefix,
            asked: Vec::with_capacity(24),
            findings,
            shape: None,
        }
    }

    /// Reads a whole body with `read`; everything that is wrong with it is reported at once.
    pub(crate) fn read<T>(
        object: &Map<String, Value>,
        read: impl FnOnce(&mut Fields<'_, '_>) -> T,
    ) -> Result<T, Failure> {
        let mut findings = Findings::default();
        let mut fields = Fields::of(object, &mut findings);
        let outcome = read(&mut fields);
        fields.finish();
        findings.settle()?;
        Ok(outcome)
    }

    /// The JSON schema of the bodies that `read` reads.
    pub(crate) fn describe<T>(read: impl FnOnce(&mut Fields<'_, '_>) -> T) -> Value {
        let nothing = Map::new();
        Fields::of(&nothing, &mut Findings::default()).described(read)
    }

    /// The schema of an object that `read` reads.
    fn described<T>(&mut self, read: impl FnOnce(&mut Fields<'b, '_>) -> T) -> Value {
        let mut inner = Fields::below(self.object, String::new(), self.findings);
        inner.shape = Some(Box::default());
        read(&mut inner);
        let shape = inner.shape.take().unwrap_or_default();
        shape.schema()
    }

    /// Notes every field that nobody asked for.
    pub(crate) fn finish(self) {
        for name in self.object.keys() {
            if !self.asked.contains(&name.as_str()) {
                let path = format!("{}{}", self.prefix, first_characters(name, 100));
                self.findings.property(path, "is not a known property");
            }
        }
    }

    /// Notes a broken restriction of the field `name`.
    pub(crate) fn violation(&mut self, name: &str, message: &str, value: Option<&str>) {
        let field = self.path(name);
        self.findings
            .violation(Violation::new(field, message, value));
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The value of `name`, which is described by `schema`; null is absent.
    fn value(&mut self, name: &'static str, schema: impl FnOnce() -> Value) -> Option<&'b Value> {
        self.asked.push(name);
        if let Some(shape) = &mut self.shape {
            shape.property(name, schema());
        }
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn mistyped(&mut self, path: String, expected: &'static str) {
        self.findings.property(path, expected);
    }

    pub(crate) fn missing(&mut self, name: &'static str) {
        if let Some(shape) = &mut self.shape {
            shape.require(name);
        }
        // A field of a wrong type is there, and already noted.
        if self.object.get(name).is_none_or(Value::is_null) {
            self.violation(name, "may not be null", None);
        }
    }

    /// A text, trimmed.
    pub(crate) fn text(&mut self, name: &'static str, rule: Text) -> Option<String> {
        let value = self.value(name, || rule.schema())?;
        self.check_text(value, rule, |fields| fields.path(name))
    }

    /// A text that must be there when the field `other` is `word`, and otherwise may be anything and means nothing.
    pub(crate) fn text_with(
        &mut self,
        name: &'static str,
        rule: Text,
        (other, word): (&'static str, &str),
    ) -> Option<String> {
        let value = self.value(name, || json!({"type": "string"}));
        if let Some(shape) = &mut self.shape {
            shape.require_with(name, &rule.schema(), (other, word));
        }
        let needed = self
            .object
            .get(other)
            .and_then(Value::as_str)
            .is_some_and(|text| text.trim() == word);
        match value {
            Some(value) if needed => self.check_text(value, rule, |fields| fields.path(name)),
            Some(Value::String(_)) => None,
            Some(_) => {
                let path = self.path(name);
                self.mistyped(path, "must be a string");
                None
            }
            None => {
                if needed {
                    self.missing(name);
                }
                None
            }
        }
    }

    /// A text that must be there; empty when it is not, which is noted.
    pub(crate) fn required_text(&mut self, name: &'static str, rule: Text) -> String {
        let value = self.text(name, rule);
        if value.is_none() {
            self.missing(name);
        }
        value.unwrap_or_default()
    }

    fn check_text(
        &mut self,
        value: &Value,
        rule: Text,
        path: impl FnOnce(&Self) -> String,
    ) -> Option<String> {
        let Value::String(text) = value else {
            let path = path(self);
            self.mistyped(path, "must be a string");
            return None;
        };
        let text = text.trim();
        if let Some(problem) = rule.problem(text) {
            let shown = rule.may_be_shown().then_some(text);
            let violation = Violation::new(path(self), problem, shown);
            self.findings.violation(violation);
            return None;
        }
        Some(text.to_owned())
    }

    /// A list of texts, each under the same rule; an empty list is not the same as none.
    pub(crate) fn texts(&mut self, name: &'static str, rule: Text) -> Option<Vec<String>> {
        let values = self.array(name, || rule.schema())?;
        let mut texts = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            texts.extend(self.check_text(value, rule, |fields| {
                format!("{}{name}[{index}]", fields.prefix)
            }));
        }
        Some(texts)
    }

    /// A boolean.
    pub(crate) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        let value = self.value(name, || json!({"type": "boolean"}))?;
        if value.as_bool().is_none() {
            let path = self.path(name);
            self.mistyped(path, "must be true or false");
        }
        value.as_bool()
    }

    /// A whole number from `least` to `most`, written without a fraction.
    pub(crate) fn integer(&mut self, name: &'static str, least: u32, most: u32) -> Option<u32> {
        let value = self.value(
            name,
            || json!({"type": "integer", "minimum": least, "maximum": most}),
        )?;
        let Value::Number(number) = value else {
            let path = self.path(name);
            self.mistyped(path, "must be an integer");
            return None;
        };
        if number.is_f64() {
            let path = self.path(name);
            self.mistyped(path, "must be an integer");
            return None;
        }
        let fitting = number
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (least..=most).contains(number));
        if fitting.is_none() {
            let message = format!("must be between {least} and {most}");
            self.violation(name, &message, Some(&number.to_string()));
        }
        fitting
    }

    /// A whole number that must be there.
    pub(crate) fn required_integer(&mut self, name: &'static str, least: u32, most: u32) -> u32 {
        let value = self.integer(name, least, most);
        if value.is_none() {
            self.missing(name);
        }
        value.unwrap_or_default()
    }

    /// An object, read by `read`.
    pub(crate) fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Fields<'b, '_>) -> T,
    ) -> Option<T> {
        if self.shape.is_some() {
            let schema = self.described(read);
            self.value(name, || schema);
            return None;
        }
        let value = self.value(name, || Value::Null)?;
        let path = self.path(name);
        self.element(value, path, read)
    }

    /// Describes `name`, which was asked for before, more exactly than its reading does.
    pub(crate) fn describe_as(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        if let Some(shape) = &mut self.shape {
            shape.change(name, change);
        }
    }

    /// Whether `name` is a list without elements, for lists that must have some.
    pub(crate) fn is_empty_list(&self, name: &str) -> bool {
        let list = self.object.get(name).and_then(Value::as_array);
        list.is_some_and(Vec::is_empty)
    }

    /// Whether `name` is an object, for fields that have two shapes.
    pub(crate) fn is_object(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(Value::is_object)
    }

    /// A list of objects, each read by `read`.
    pub(crate) fn objects<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Fields<'b, '_>) -> T,
    ) -> Option<Vec<T>> {
        if self.shape.is_some() {
            let schema = self.described(read);
            self.array(name, || schema);
            return None;
        }
        let values = self.array(name, || Value::Null)?;
        let mut objects = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            let path = format!("{}{name}[{index}]", self.prefix);
            objects.extend(self.element(value, path, &mut read));
        }
        Some(objects)
    }

    fn array(
        &mut self,
        name: &'static str,
        item: impl FnOnce() -> Value,
    ) -> Option<&'b Vec<Value>> {
        let value = self.value(name, || json!({"type": "array", "items": item()}))?;
        if let Value::Array(values) = value {
            return Some(values);
        }
        let path = self.path(name);
        self.mistyped(path, "must be a list");
        None
    }

    fn element<T>(
        &mut self,
        value: &'b Value,
        path: String,
        read: impl FnOnce(&mut Fields<'b, '_>) -> T,
    ) -> Option<T> {
        let Value::Object(object) = value else {
            self.mistyped(path, "must be an object");
            return None;
        };
        let mut fields = Fields::below(object, format!("{path}."), self.findings);
        let outcome = read(&mut fields);
        fields.finish();
        Some(outcome)
    }
}

#[cfg(test)]
mod tests;
