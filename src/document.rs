//! Layer 0: a TOML file read against its JSON Schema, so that every error is found at once and each has its line.
//!
//! The schema says what a file may hold; its `description`s double as the advice in error messages. After
//! [`Document::read`] has accepted a file, [`Document::fill`] fills a plain Rust type from it. A type that keeps the order of
//! its members (`IndexMap`) has them as they are written.

mod json;

use std::collections::HashMap;
use std::fmt::Write as _;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, unknown};

pub use json::{json_error, read_json, read_schema};

/// A JSON Schema for one kind of file.
pub struct DocumentSchema {
    schema: Value,
    validator: Validator,
}

impl DocumentSchema {
    /// Compiles a schema (JSON Schema 2020-12). `file` names it in the error.
    ///
    /// # Errors
    /// If `text` is not JSON, or not a schema.
    pub fn new(file: &str, text: &str) -> Result<Self, Diagnostic> {
        let (schema, validator) = read_schema(file, text)?;
        Ok(Self { schema, validator })
    }
}

/// A TOML file whose content fits its schema.
pub struct Document {
    file: String,
    value: Value,
    /// The same, with all members in the order in which they are written.
    json: String,
    lines: HashMap<String, usize>,
}

impl Document {
    /// Reads `text`, the content of `file`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(file: &str, text: &str, schema: &DocumentSchema) -> Result<Self, Vec<Diagnostic>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let line = |error: &toml::de::Error| error.span().map(|span| line_at(text, span.start));
            let wrong = |error: toml::de::Error| Diagnostic {
                file: file.to_owned(),
                line: line(&error),
                message: format!("not TOML: {}", error.message()),
            };
            return Err(errors.into_iter().map(wrong).collect());
        }
        let mut reader = Reader { starts: line_starts(text), lines: HashMap::new(), json: String::new() };
        let value = reader.table(table.get_ref(), "");
        let document = Self { file: file.to_owned(), value, json: reader.json, lines: reader.lines };
        let errors: Vec<Diagnostic> = schema
            .validator
            .iter_errors(&document.value)
            .flat_map(|error| document.diagnose(&error, &schema.schema))
            .collect();
        if errors.is_empty() { Ok(document) } else { Err(errors) }
    }

    /// The file's name.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The content.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Something wrong at a JSON Pointer (RFC 6901) of this document; the nearest enclosing place has the line.
    pub fn error(&self, pointer: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic { file: self.file.clone(), line: self.line(pointer), message: message.into() }
    }

    /// The line on which the value at a JSON Pointer begins, or the nearest value around it.
    #[must_use]
    pub fn line(&self, pointer: &str) -> Option<usize> {
        let mut place = pointer;
        loop {
            if let Some(line) = self.lines.get(place) {
                return Some(*line);
            }
            place = &place[..place.rfind('/')?];
        }
    }

    /// The content as a Rust type.
    ///
    /// # Errors
    /// If the schema allows what the type doesn't hold.
    pub fn fill<T: DeserializeOwned>(&self) -> Result<T, Diagnostic> {
        serde_json::from_str(&self.json).map_err(|error| self.error("", error.to_string()))
    }

    fn diagnose(&self, error: &ValidationError<'_>, schema: &Value) -> Vec<Diagnostic> {
        let place = error.instance_path().as_str();
        let subject = named(place);
        let keyword = error.evaluation_path().as_str();
        let around = keyword.rsplit_once('/').map_or("", |(around, _)| around);
        let rule = resolve(schema, around);
        let advice = rule.and_then(|rule| rule.get("description")).and_then(Value::as_str);
        let with_advice = |message: String| match advice {
            Some(advice) => vec![self.error(place, format!("{message}: {advice}"))],
            None => vec![self.error(place, message)],
        };
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let mut known = Vec::new();
                if let Some(rule) = rule {
                    properties(schema, rule, &mut known, 0);
                }
                let at = |name: &String| format!("{place}/{}", escape(name));
                let say = |name: &String| self.error(&at(name), unknown("key", name, known.iter().copied()));
                unexpected.iter().map(say).collect()
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                vec![self.error(place, format!("the key \"{name}\" is missing in {subject}"))]
            }
            ValidationErrorKind::Enum { options } => {
                let given = error.instance().as_str().unwrap_or_default();
                let options: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                vec![self.error(place, unknown(&format!("value of {subject}:"), given, options))]
            }
            ValidationErrorKind::Type { kind } => {
                with_advice(format!("{subject} has the wrong type; it must be {}", type_name(kind)))
            }
            ValidationErrorKind::PropertyNames { error } => {
                let name = error.instance().as_str().unwrap_or_default().to_owned();
                vec![self.error(&format!("{place}/{}", escape(&name)), format!("\"{name}\" cannot be a key here"))]
            }
            // The value itself is not repeated: somebody may have put a secret where its hash belongs.
            _ => match advice {
                Some(advice) => vec![self.error(place, format!("{subject} is not valid; it must be {advice}"))],
                None => vec![self.error(place, format!("{subject} is not valid: {}", error.masked()))],
            },
        }
    }
}

/// What stands at a place, in words.
fn named(place: &str) -> String {
    let mut keys = place.rsplit('/').filter(|key| !key.is_empty());
    match (keys.next(), keys.next()) {
        (None, _) => "the file".to_owned(),
        (Some(key), Some(list)) => match key.parse::<usize>() {
            Ok(index) => format!("item {} of \"{list}\"", index + 1),
            Err(_) => format!("\"{key}\""),
        },
        (Some(key), None) => format!("\"{key}\""),
    }
}

/// The schema at a path of keywords, through `$ref`.
fn resolve<'a>(schema: &'a Value, path: &str) -> Option<&'a Value> {
    let mut rule = schema;
    for segment in path.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        rule = match (segment.as_str(), rule) {
            ("$ref", _) => schema.pointer(rule.get("$ref")?.as_str()?.strip_prefix('#')?)?,
            (index, Value::Array(items)) => items.get(index.parse::<usize>().ok()?)?,
            (name, _) => rule.get(name)?,
        };
    }
    Some(rule)
}

/// The names of all properties that a schema speaks of at this level.
fn properties<'a>(schema: &'a Value, rule: &'a Value, names: &mut Vec<&'a str>, depth: usize) {
    if depth > 8 {
        return;
    }
    let own = rule.get("properties").and_then(Value::as_object);
    names.extend(own.into_iter().flatten().map(|(name, _)| name.as_str()));
    let target = rule.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    if let Some(target) = target.and_then(|target| schema.pointer(target)) {
        properties(schema, target, names, depth + 1);
    }
    for keyword in ["then", "else"] {
        if let Some(rule) = rule.get(keyword) {
            properties(schema, rule, names, depth + 1);
        }
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for rule in rule.get(keyword).and_then(Value::as_array).into_iter().flatten() {
            properties(schema, rule, names, depth + 1);
        }
    }
}

fn type_name(kind: &TypeKind) -> String {
    let name = |kind: String| match kind.as_str() {
        "object" => "a table".to_owned(),
        "array" => "an array".to_owned(),
        "integer" => "an integer".to_owned(),
        _ => format!("a {kind}"),
    };
    match kind {
        TypeKind::Single(kind) => name(kind.to_string()),
        TypeKind::Multiple(kinds) => {
            let mut names = String::new();
            for kind in kinds {
                let separator = if names.is_empty() { "" } else { " or " };
                let _ = write!(names, "{separator}{}", name(kind.to_string()));
            }
            names
        }
    }
}

/// Turns spanned TOML into JSON, and remembers where each value began.
struct Reader {
    starts: Vec<usize>,
    lines: HashMap<String, usize>,
    json: String,
}

impl Reader {
    fn table(&mut self, table: &DeTable<'_>, pointer: &str) -> Value {
        let mut members: Vec<_> = table.iter().collect();
        // The map sorts its keys; a file's own order is what its writer thinks in.
        members.sort_by_key(|(key, _)| key.span().start);
        let mut object = Map::new();
        self.json.push('{');
        for (index, (key, value)) in members.into_iter().enumerate() {
            let place = format!("{pointer}/{}", escape(key.get_ref()));
            self.note(&place, key.span().start);
            let separator = if index > 0 { "," } else { "" };
            let _ = write!(self.json, "{separator}{}:", Value::from(key.get_ref().as_ref()));
            object.insert(key.get_ref().clone().into_owned(), self.value(value, &place));
        }
        self.json.push('}');
        Value::Object(object)
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, pointer: &str) -> Value {
        let simple = match value.get_ref() {
            DeValue::String(text) => Value::String(text.clone().into_owned()),
            DeValue::Integer(integer) => {
                i64::from_str_radix(integer.as_str(), integer.radix()).map_or(Value::Null, Value::from)
            }
            DeValue::Float(float) => float.as_str().parse::<f64>().map_or(Value::Null, number),
            DeValue::Boolean(boolean) => Value::Bool(*boolean),
            DeValue::Datetime(datetime) => Value::String(datetime.to_string()),
            DeValue::Table(table) => return self.table(table, pointer),
            DeValue::Array(array) => {
                let mut values = Vec::with_capacity(array.len());
                self.json.push('[');
                for (index, item) in array.iter().enumerate() {
                    let place = format!("{pointer}/{index}");
                    self.note(&place, item.span().start);
                    self.json.push_str(if index > 0 { "," } else { "" });
                    values.push(self.value(item, &place));
                }
                self.json.push(']');
                return Value::Array(values);
            }
        };
        let _ = write!(self.json, "{simple}");
        simple
    }

    fn note(&mut self, pointer: &str, offset: usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        self.lines.insert(pointer.to_owned(), line);
    }
}

/// A number as JSON Schema sees it: `8.0` is an integer.
#[expect(clippy::cast_possible_truncation, reason = "only where nothing is cut off")]
fn number(float: f64) -> Value {
    let integer = float as i64;
    if float.fract() == 0.0 && float.abs() < 9e15 { Value::from(integer) } else { Value::from(float) }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

fn line_at(text: &str, offset: usize) -> usize {
    line_starts(text).partition_point(|start| *start <= offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r##"{
        "type": "object", "additionalProperties": false, "required": ["id"],
        "properties": {
            "id": {"type": "string"},
            "kind": {"enum": ["none", "bearer"]},
            "operations": {"type": "array", "items": {"$ref": "#/$defs/operation"}}
        },
        "$defs": {"operation": {
            "type": "object", "additionalProperties": false, "required": ["path"],
            "properties": {"path": {"type": "string", "pattern": "^/", "description": "begin with a slash"}}
        }}
    }"##;

    fn errors(text: &str) -> Vec<String> {
        let schema = DocumentSchema::new("schema.json", SCHEMA).unwrap();
        let errors = Document::read("a.toml", text, &schema).err().unwrap();
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_error_has_its_line() {
        let text = "kind = \"bearr\"\n\n[[operations]]\npth = \"/a\"\n[[operations]]\npath = \"a\"\n";
        let mut errors = errors(text);
        errors.sort();
        assert_eq!(errors.len(), 5, "{errors:#?}");
        assert!(errors[0].starts_with("a.toml: the key \"id\" is missing"), "{errors:#?}");
        assert!(errors[1].contains("a.toml:1:") && errors[1].contains("did you mean \"bearer\"?"), "{errors:#?}");
        assert!(errors[2].contains("a.toml:3:") && errors[2].contains("\"path\" is missing"), "{errors:#?}");
        assert!(errors[3].contains("a.toml:4:") && errors[3].contains("did you mean \"path\"?"), "{errors:#?}");
        assert!(errors[4].contains("a.toml:6:") && errors[4].contains("begin with a slash"), "{errors:#?}");
    }

    #[test]
    fn broken_toml_is_told_with_its_line() {
        assert!(errors("id = \"a\"\nkind = \n")[0].starts_with("a.toml:2: not TOML"));
    }
}
