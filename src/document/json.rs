use std::collections::HashMap;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;
use serde_json::error::Category;

use super::escape;
use crate::diagnostic::Diagnostic;

/// Reads `text`, the content of the JSON file `file`.
///
/// # Errors
/// If it is not JSON.
pub fn read_json(file: &str, text: &str) -> Result<Value, Diagnostic> {
    serde_json::from_str(text).map_err(|error| {
        let why = match error.classify() {
            Category::Eof => "it ends too early".to_owned(),
            Category::Io | Category::Syntax | Category::Data => format!("look at column {}", error.column()),
        };
        Diagnostic { file: file.to_owned(), line: Some(error.line()), message: format!("not JSON: {why}") }
    })
}

/// Reads a JSON Schema (2020-12) and compiles it.
///
/// # Errors
/// If it is not JSON, or not a schema.
pub fn read_schema(file: &str, text: &str) -> Result<(Value, Validator), Diagnostic> {
    let schema = read_json(file, text)?;
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema);
    let validator = validator.map_err(|error| {
        let place = error.instance_path().as_str();
        let message = match (error.kind(), place.rsplit('/').next()) {
            (ValidationErrorKind::Referencing(_), _) => "not a JSON Schema: a $ref in it leads nowhere".to_owned(),
            (_, Some(key)) if !key.is_empty() => format!("not a JSON Schema: the value of \"{key}\" is not valid"),
            _ => "not a JSON Schema (2020-12)".to_owned(),
        };
        json_error(file, text, place, message)
    })?;
    Ok((schema, validator))
}

/// Something wrong at a JSON Pointer (RFC 6901) of a JSON file; the nearest enclosing place has the line.
#[must_use]
pub fn json_error(file: &str, text: &str, pointer: &str, message: String) -> Diagnostic {
    let mut scanner = Scanner { text: text.as_bytes(), at: 0, line: 1, lines: HashMap::new() };
    scanner.peek();
    scanner.lines.insert(String::new(), scanner.line);
    scanner.value("");
    let mut place = pointer;
    let line = loop {
        if let Some(line) = scanner.lines.get(place) {
            break Some(*line);
        }
        match place.rfind('/') {
            Some(end) => place = &place[..end],
            None => break None,
        }
    };
    Diagnostic { file: file.to_owned(), line, message }
}

/// Finds where each value of a JSON text begins. The text has been read before: what is not JSON gives wrong lines, no worse.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
    lines: HashMap<String, usize>,
}

impl Scanner<'_> {
    /// The next byte that is no white space; 0 at the end.
    fn peek(&mut self) -> u8 {
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                other => return *other,
            }
            self.at += 1;
        }
        0
    }

    fn value(&mut self, pointer: &str) {
        match self.peek() {
            b'{' => self.members(|scanner, _| {
                scanner.peek();
                let line = scanner.line;
                let place = format!("{pointer}/{}", escape(&scanner.string()));
                scanner.lines.insert(place.clone(), line);
                scanner.peek();
                scanner.at += 1;
                scanner.value(&place);
            }),
            b'[' => self.members(|scanner, index| {
                let place = format!("{pointer}/{index}");
                scanner.peek();
                scanner.lines.insert(place.clone(), scanner.line);
                scanner.value(&place);
            }),
            b'"' => drop(self.string()),
            _ => {
                while !matches!(self.peek(), b',' | b'}' | b']' | 0) {
                    self.at += 1;
                }
            }
        }
    }

    /// What stands between brackets, one after the other.
    fn members(&mut self, mut member: impl FnMut(&mut Self, usize)) {
        self.at += 1;
        for index in 0.. {
            match self.peek() {
                b'}' | b']' | 0 => break,
                b',' => self.at += 1,
                _ => {}
            }
            member(self, index);
        }
        self.at += 1;
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            self.at += if *byte == b'\\' { 2 } else { 1 };
            if *byte == b'"' {
                break;
            }
        }
        let raw = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_slice(raw).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_line() {
        let text = "{\n  \"a\": [1,\n    {\"b\\\"/c\": \"x,}\"}, [\n]],\n  \"d\": {\n    \"e\": null }\n}";
        serde_json::from_str::<Value>(text).unwrap();
        let line = |pointer: &str| json_error("f", text, pointer, String::new()).line;
        for (pointer, expected) in [
            ("/a", 2),
            ("/a/0", 2),
            ("/a/1", 3),
            ("/a/1/b\"~1c", 3),
            ("/a/2", 3),
            ("/d", 5),
            ("/d/e", 6),
            ("/d/x/y", 5),
        ] {
            assert_eq!(line(pointer), Some(expected), "{pointer}");
        }
        assert_eq!(line("/x"), Some(1));
    }

    #[test]
    fn what_is_no_schema_is_told_with_its_line() {
        let wrong = |text: &str| read_schema("s.json", text).unwrap_err().to_string();
        assert_eq!(wrong("{\"type\": \"object\",\n}"), "s.json:2: not JSON: look at column 1");
        assert_eq!(wrong("{\n"), "s.json:2: not JSON: it ends too early");
        let text = "{\n\"properties\": {\n\"a\": {\"type\": \"objekt\"}}}";
        assert_eq!(wrong(text), "s.json:3: not a JSON Schema: the value of \"type\" is not valid");
        assert!(wrong("{\"$ref\": \"#/$defs/none\"}").contains("a $ref in it leads nowhere"));
        assert!(wrong("[]").starts_with("s.json:1: not a JSON Schema"));
    }
}
