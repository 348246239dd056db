//! Strict reading of request bodies: what JSON parsers commonly disagree about (RFC 8259 section 4) is refused.

use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep arrays and objects may nest.
pub(crate) const MAX_DEPTH: usize = 16;

/// How many errors are told: a small body must not make a large reply.
const MAX_ERRORS: usize = 20;

/// One thing for which a body is not acceptable JSON. It never holds any of the body's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonError {
    /// The JSON Pointer (RFC 6901) of the nearest place that may be named.
    pub(crate) pointer: String,
    /// What is wrong there.
    pub(crate) kind: JsonErrorKind,
}

/// What can be wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonErrorKind {
    /// It is not JSON, at this line and column, counted from 1. What comes after is not looked at.
    Syntax {
        /// The line.
        line: usize,
        /// The column, in bytes.
        column: usize,
    },
    /// Arrays and objects nest deeper than [`MAX_DEPTH`]. What comes after is not looked at.
    Depth,
    /// The same key stands twice in an object.
    DuplicateKey,
    /// A key or a string holds the character NUL.
    Nul,
}

/// Reads a body.
///
/// # Errors
/// What is wrong with it, up to [`MAX_ERRORS`].
pub(crate) fn read(body: &[u8]) -> Result<Value, Vec<JsonError>> {
    let mut state = State::default();
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = Reader(&mut state).deserialize(&mut deserializer);
    match value.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) if state.errors.is_empty() => Ok(value),
        Ok(_) => Err(state.errors),
        Err(error) => {
            if !state.stopped {
                let kind = JsonErrorKind::Syntax { line: error.line(), column: error.column() };
                state.errors.push(JsonError { pointer: String::new(), kind });
            }
            Err(state.errors)
        }
    }
}

/// Where reading stands, and what it has found.
#[derive(Default)]
struct State {
    errors: Vec<JsonError>,
    path: Vec<Segment>,
    /// Whether we stopped, and not the parser.
    stopped: bool,
}

enum Segment {
    Key(String),
    Index(usize),
}

impl State {
    fn tell(&mut self, kind: JsonErrorKind) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(JsonError { pointer: self.pointer(), kind });
        }
    }

    /// Where reading stands, as far as every key on the way there may be repeated.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for segment in &self.path {
            match segment {
                Segment::Key(key) if is_plain(key) => {
                    pointer.push('/');
                    pointer.push_str(key);
                }
                Segment::Key(_) => break,
                Segment::Index(index) => {
                    let _ = write!(pointer, "/{index}");
                }
            }
        }
        pointer
    }

    fn check_text(&mut self, text: &str) {
        if text.contains('\0') {
            self.tell(JsonErrorKind::Nul);
        }
    }

    fn check_depth<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.path.len() < MAX_DEPTH {
            return Ok(());
        }
        self.tell(JsonErrorKind::Depth);
        self.stopped = true;
        Err(E::custom("nested too deep"))
    }
}

/// Reads one value, wherever the state stands.
struct Reader<'a>(&'a mut State);

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

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        self.0.check_text(value);
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        self.0.check_text(&value);
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let Self(state) = self;
        state.check_depth()?;
        let mut array = Vec::new();
        loop {
            state.path.push(Segment::Index(array.len()));
            let item = items.next_element_seed(Reader(state))?;
            state.path.pop();
            match item {
                Some(item) => array.push(item),
                None => return Ok(Value::Array(array)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let Self(state) = self;
        state.check_depth()?;
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            state.path.push(Segment::Key(key.clone()));
            state.check_text(&key);
            if object.contains_key(&key) {
                state.tell(JsonErrorKind::DuplicateKey);
            }
            let value = members.next_value_seed(Reader(state))?;
            state.path.pop();
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// Whether a key looks like one of the contract's, so that it may be repeated in an error: anything else could be personal.
pub(super) fn is_plain(key: &str) -> bool {
    key.len() <= 40
        && key.starts_with(|first: char| first.is_ascii_lowercase())
        && key.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    use JsonErrorKind::{Depth, DuplicateKey, Nul};

    /// What is wrong, each with its place; a syntax error as `None`.
    fn wrong(body: &[u8]) -> Vec<(String, Option<JsonErrorKind>)> {
        let only_ours = |kind| if matches!(kind, JsonErrorKind::Syntax { .. }) { None } else { Some(kind) };
        read(body).unwrap_err().into_iter().map(|error| (error.pointer, only_ours(error.kind))).collect()
    }

    fn at(pointer: &str, kind: JsonErrorKind) -> (String, Option<JsonErrorKind>) {
        (pointer.to_owned(), Some(kind))
    }

    #[test]
    fn what_is_no_json_is_refused() {
        assert_eq!(read(b" {\"a\": [1, -0.5, null, true]}\r\n"), Ok(json!({"a": [1, -0.5, null, true]})));
        let kind = JsonErrorKind::Syntax { line: 1, column: 9 };
        assert_eq!(read(br#"["\ud800"]"#), Err(vec![JsonError { pointer: String::new(), kind }]));
        let kind = JsonErrorKind::Syntax { line: 2, column: 6 };
        assert_eq!(read(b"{\n\"a\": ?}"), Err(vec![JsonError { pointer: String::new(), kind }]));
        let bad = [
            &b""[..],
            b" ",
            b"{} {}",
            b"{},",
            b"\xef\xbb\xbf{}",
            b"\"\xff\"",
            b"\"\xed\xa0\x80\"",
            b"1e400",
            b"-1e400",
            b"01",
            b"+1",
            b".5",
            b"{'a': 1}",
            b"{a: 1}",
            b"NaN",
            b"Infinity",
            b"[1,]",
            b"{\"a\":1,}",
            b"/**/1",
            b"\"a\nb\"",
            b"\"\0\"",
            br#"["\udc00"]"#,
            br#"["\ud800\u0041"]"#,
            b"{} \0",
        ];
        for bad in bad {
            assert_eq!(wrong(bad), [(String::new(), None)], "{bad:?}");
        }
    }

    #[test]
    fn every_duplicate_key_is_told_with_its_place() {
        let body = br#"{"list": [0, {"a": 1, "a": 2}], "subjects": {"person": 1, "person": {"b": 1, "\u0062": 2}}, "list": 0}"#;
        let expected = [
            at("/list/1/a", DuplicateKey),
            at("/subjects/person", DuplicateKey),
            at("/subjects/person/b", DuplicateKey),
        ];
        assert_eq!(wrong(body), [&expected[..], &[at("/list", DuplicateKey)]].concat());
    }

    #[test]
    fn a_key_that_could_be_personal_is_not_repeated() {
        let body = r#"{"subjects": {"张三": 1, "张三": {"a": 1, "a": 2}}, "11010519491231002X": "\u0000"}"#;
        assert_eq!(wrong(body.as_bytes()), [at("/subjects", DuplicateKey), at("/subjects", DuplicateKey), at("", Nul)]);
    }

    #[test]
    fn nul_is_refused_in_keys_and_strings() {
        assert_eq!(wrong(br#"{"a": ["b", "\u0000"], "\u0000": 1}"#), [at("/a/1", Nul), at("", Nul)]);
    }

    #[test]
    fn sixteen_levels_are_enough() {
        let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
        assert!(read(&nested(16)).is_ok());
        assert_eq!(wrong(&nested(17)), [at(&"/0".repeat(16), Depth)]);
        assert_eq!(wrong(&nested(30_000)), [at(&"/0".repeat(16), Depth)]);
        assert_eq!(wrong(&br#"{"a":"#.repeat(10_000)), [at(&"/a".repeat(16), Depth)]);
    }

    #[test]
    fn a_small_body_makes_no_large_reply() {
        assert_eq!(wrong(format!("{{{}\"a\":1}}", "\"a\":1,".repeat(5_000)).as_bytes()).len(), MAX_ERRORS);
    }

    /// Any JSON value that is within our bounds.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(|text| Value::from(text.replace('\0', ""))),
        ];
        leaf.prop_recursive(8, 64, 6, |inner| {
            let keyed = proptest::collection::btree_map("[^\0]{0,4}", inner.clone(), 0..6);
            prop_oneof![
                proptest::collection::vec(inner, 0..6).prop_map(Value::from),
                keyed.prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_read_back(value in value(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let plain: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read(text.as_bytes()), Ok(plain));
        }

        #[test]
        fn whatever_is_accepted_is_what_serde_json_reads(text in "[\\[\\]{}:,\"a1 \\\\un0.eE-]{0,24}") {
            if let Ok(value) = read(text.as_bytes()) {
                prop_assert_eq!(Some(value), serde_json::from_str(&text).ok());
            }
        }

        #[test]
        fn a_damaged_body_is_refused_or_read_as_serde_json_does(value in value(), at in any::<usize>(), byte in any::<u8>()) {
            let mut body = value.to_string().into_bytes();
            let place = at % body.len();
            body[place] = byte;
            match read(&body) {
                Ok(value) => prop_assert_eq!(Some(value), serde_json::from_slice(&body).ok()),
                Err(errors) => prop_assert!(!errors.is_empty()),
            }
        }

        #[test]
        fn a_second_key_is_always_found(value in value(), key in "[a-z][a-z_]{0,7}") {
            let body = format!("{{\"{key}\": {value}, \"other-key\": 0, \"{key}\": {value}}}");
            prop_assert_eq!(wrong(body.as_bytes()), [at(&format!("/{key}"), DuplicateKey)]);
        }
    }
}
