//! Strict reading of request bodies: what JSON parsers commonly disagree about (RFC 8259 section 4) is refused.

use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep arrays and objects may nest.
pub(crate) const MAX_DEPTH: usize = 16;

/// Why a body is not acceptable JSON. It never holds any of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// It is not JSON, at this line and column, counted from 1.
    Syntax {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// Arrays and objects nest deeper than [`MAX_DEPTH`].
    Depth,
    /// The same key stands twice in an object.
    DuplicateKey {
        /// The JSON Pointer of the member that comes again; empty where its name is not one of ours to repeat.
        pointer: String,
    },
    /// A string holds the character NUL.
    Nul,
}

/// Reads a body.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn read(body: &[u8]) -> Result<Value, JsonError> {
    let mut found = None;
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let reader = Reader { depth: 0, found: &mut found };
    let value = reader.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    match (value, found) {
        (_, Some(error)) => Err(error),
        (Ok(value), None) => Ok(value),
        (Err(error), None) => Err(JsonError::Syntax { line: error.line(), column: error.column() }),
    }
}

/// Reads one value at this depth; what is wrong beyond syntax is left in `found`.
struct Reader<'a> {
    depth: usize,
    found: &'a mut Option<JsonError>,
}

impl Reader<'_> {
    fn refuse<E: serde::de::Error>(&mut self, error: JsonError) -> E {
        self.found.get_or_insert(error);
        E::custom("refused")
    }

    fn nested(&mut self) -> Reader<'_> {
        Reader { depth: self.depth + 1, found: self.found }
    }

    fn check_text<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        if text.contains('\0') { Err(self.refuse(JsonError::Nul)) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
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

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E: serde::de::Error>(mut self, value: &str) -> Result<Value, E> {
        self.check_text(value)?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(mut self, value: String) -> Result<Value, E> {
        self.check_text(&value)?;
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(JsonError::Depth));
        }
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.nested())? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(JsonError::Depth));
        }
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            self.check_text(&key)?;
            if object.contains_key(&key) {
                let pointer = if is_plain(&key) { format!("/{key}") } else { String::new() };
                return Err(self.refuse(JsonError::DuplicateKey { pointer }));
            }
            let value = members.next_value_seed(self.nested());
            let value = value.inspect_err(|_| {
                // On the way out, the pointer of what was found inside grows to the left.
                if let Some(JsonError::DuplicateKey { pointer }) = self.found.as_mut() {
                    *pointer =
                        if is_plain(&key) && !pointer.is_empty() { format!("/{key}{pointer}") } else { String::new() };
                }
            })?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// Whether a key looks like one of the contract's, so that it may be repeated in an error: anything else could be personal.
pub(super) fn is_plain(key: &str) -> bool {
    key.len() <= 40
        && key.starts_with(|first: char| first.is_ascii_lowercase())
        && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_parsers_disagree_about_is_refused() {
        let syntax = |line, column| Err(JsonError::Syntax { line, column });
        assert_eq!(read(b"{\"a\": 1}"), Ok(json!({"a": 1})));
        assert_eq!(
            read(br#"{"subjects": {"person": 1, "person": 2}}"#),
            Err(JsonError::DuplicateKey { pointer: "/subjects/person".to_owned() })
        );
        assert_eq!(
            read("{\"张三\": 1, \"张三\": 2}".as_bytes()),
            Err(JsonError::DuplicateKey { pointer: String::new() })
        );
        assert_eq!(read(br#""a\u0000""#), Err(JsonError::Nul));
        assert_eq!(read(&[b"[".repeat(10_000), b"]".repeat(10_000)].concat()), Err(JsonError::Depth));
        assert_eq!(read(br#"["\ud800"]"#), syntax(1, 9));
        for bad in [&b""[..], b"{} {}", b"\xef\xbb\xbf{}", b"\"\xff\"", b"1e400", b"{'a': 1}", b"NaN", b"[1,]"] {
            assert!(matches!(read(bad), Err(JsonError::Syntax { .. })), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_what_serde_json_reads(text in "[\\[\\]{}:,\"a1 \\\\un0-]{0,24}") {
            if let Ok(value) = read(text.as_bytes()) {
                prop_assert_eq!(Some(value), serde_json::from_str(&text).ok());
            }
        }
    }
}
