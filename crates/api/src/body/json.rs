//! JSON as strictly as a CA needs it: one object, each key once, no deep nesting, valid Unicode, numbers that
//! fit. What two readers could understand differently is refused.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::first_characters;

/// Levels of objects and arrays; the contract needs three.
const DEEPEST: u8 = 16;

/// Reads `bytes` as one JSON object (RFC 8259) with nothing after it.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let map = reader.deserialize_map(ObjectVisitor { left: DEEPEST })?;
    reader.end()?;
    Ok(map)
}

struct ObjectVisitor {
    left: u8,
}

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let left = deeper(self.left)?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                let key = first_characters(&key, 100).escape_debug();
                return Err(A::Error::custom(format!(
                    "the key `{key}` stands there twice"
                )));
            }
            let value = access.next_value_seed(AnyValue { left })?;
            map.insert(key, value);
        }
        Ok(map)
    }
}

#[derive(Clone, Copy)]
struct AnyValue {
    left: u8,
}

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let left = deeper(self.left)?;
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(Self { left })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        ObjectVisitor { left: self.left }
            .visit_map(access)
            .map(Value::Object)
    }
}

fn deeper<E: Error>(left: u8) -> Result<u8, E> {
    left.checked_sub(1)
        .ok_or_else(|| E::custom(format!("it is nested more than {DEEPEST} levels deep")))
}

/// Takes out what is `null`, since that means absent (design decision 5).
pub(crate) fn without_nulls(map: &mut Map<String, Value>) {
    map.retain(|_, value| !value.is_null());
    for value in map.values_mut() {
        match value {
            Value::Object(inner) => without_nulls(inner),
            Value::Array(values) => values
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(without_nulls),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn refused(text: &str) -> String {
        object(text.as_bytes()).expect_err(text).to_string()
    }

    #[test]
    fn an_object_is_read_in_its_order() {
        let text = r#" {"b": [1, -2, 1.5, true, null], "a": {"c": "\u00e9\ud83d\ude00"}} "#;
        let map = object(text.as_bytes()).unwrap();
        assert_eq!(
            Value::Object(map.clone()),
            json!({"b": [1, -2, 1.5, true, null], "a": {"c": "é😀"}})
        );
        assert_eq!(map.keys().collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn nasty_001_what_is_no_object_is_refused() {
        for text in [
            "",
            " ",
            "[]",
            "[{}]",
            "null",
            "\"a\"",
            "1",
            "{",
            "{}{}",
            "{} x",
            "{'a':1}",
            "{\"a\":1,}",
        ] {
            refused(text);
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
        assert!(object(b"\xef\xbb\xbf{}").is_err());
    }

    #[test]
    fn nasty_004_a_key_that_stands_twice_is_refused_at_any_depth() {
        assert!(refused(r#"{"csr":"a","csr":"b"}"#).contains("`csr`"));
        assert!(refused(r#"{"csr":null,"csr":null}"#).contains("`csr`"));
        refused(r#"{"csr":"a","\u0063sr":"b"}"#);
        refused(r#"{"dcv":[{"type":"DNS","type":"FILE"}]}"#);
    }

    #[test]
    fn nasty_007_deep_nesting_huge_numbers_and_lone_surrogates_are_refused() {
        refused(&format!("{{\"a\":{}", "[".repeat(10_000)));
        refused(&"{\"a\":".repeat(10_000));
        refused(r#"{"a":1e999}"#);
        refused(r#"{"a":-1e999}"#);
        refused(r#"{"a":NaN}"#);
        refused(r#"{"a":"\ud800"}"#);
        refused(r#"{"a":"\udc00x"}"#);
        refused(r#"{"\ud800":1}"#);
        let deepest = format!("{{\"a\":{}{}}}", "[".repeat(15), "]".repeat(15));
        assert!(object(deepest.as_bytes()).is_ok());
        let too_deep = format!("{{\"a\":{}{}}}", "[".repeat(16), "]".repeat(16));
        assert!(refused(&too_deep).contains("16 levels"));
    }

    #[test]
    fn nulls_are_taken_out_of_objects() {
        let mut map = object(br#"{"a":null,"b":{"c":null,"d":1},"e":[{"f":null}]}"#).unwrap();
        without_nulls(&mut map);
        assert_eq!(Value::Object(map), json!({"b": {"d": 1}, "e": [{}]}));
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = object(&bytes);
        }

        #[test]
        fn reading_json_like_text_never_panics(text in r#"[\[\]{}:,"\\ued0-9a-f.+-]{0,120}"#) {
            let _ = object(format!("{{\"a\":{text}").as_bytes());
        }
    }
}
