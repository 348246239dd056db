//! From a reply's bytes to one JSON value, strictly: what cannot be decoded exactly is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{Encoding, GB18030, GBK};
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Map, Value};

use super::text::{Codec, StepText};

/// The reply could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecodable;

/// How deep elements may nest.
const MAX_DEPTH: usize = 32;

/// One step of decoding.
#[derive(Debug, Clone)]
pub(super) struct Step {
    at: String,
    codecs: Vec<Codec>,
    arrays: Vec<String>,
}

impl Step {
    pub(super) fn new(text: &StepText) -> Result<Self, String> {
        let last = text.how.last();
        if !matches!(last, Some(Codec::Json | Codec::Xml)) {
            return Err("the last thing done must be json or xml".to_owned());
        }
        if text.how.iter().rev().skip(1).any(|codec| matches!(codec, Codec::Json | Codec::Xml)) {
            return Err("json or xml can only be the last thing done in a step; use a further step".to_owned());
        }
        Ok(Self { at: text.at.clone().unwrap_or_default(), codecs: text.how.clone(), arrays: text.arrays.clone() })
    }

    fn decode(&self, bytes: Vec<u8>) -> Result<Value, Undecodable> {
        let mut content = Content::Bytes(bytes);
        for codec in &self.codecs {
            content = match codec {
                Codec::Base64 => Content::Bytes(from_base64(content)?),
                Codec::Utf8 => Content::Text(content.text()?),
                Codec::Gbk => Content::Text(from_charset(content, GBK)?),
                Codec::Gb18030 => Content::Text(from_charset(content, GB18030)?),
                Codec::Json => return strict_json(&content.text()?),
                Codec::Xml => return xml(&content.text()?, &self.arrays),
            };
        }
        Err(Undecodable)
    }
}

/// Decodes a reply, step by step. A place that is absent, null or empty is left as it is: the schema decides about it.
pub(super) fn decode(steps: &[Step], body: Vec<u8>) -> Result<Value, Undecodable> {
    let Some((first, rest)) = steps.split_first() else { return Err(Undecodable) };
    let mut value = first.decode(body)?;
    for step in rest {
        let Some(place) = value.pointer_mut(&step.at) else { continue };
        match place {
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => {
                let text = std::mem::take(text);
                *place = step.decode(text.into_bytes())?;
            }
            _ => return Err(Undecodable),
        }
    }
    Ok(value)
}

enum Content {
    Bytes(Vec<u8>),
    Text(String),
}

impl Content {
    fn text(self) -> Result<String, Undecodable> {
        match self {
            Self::Bytes(bytes) => String::from_utf8(bytes).map_err(|_| Undecodable),
            Self::Text(text) => Ok(text),
        }
    }
}

fn from_base64(content: Content) -> Result<Vec<u8>, Undecodable> {
    // MIME breaks Base64 into lines; such white space is no part of it (RFC 2045 section 6.8).
    let text: Vec<u8> = content.text()?.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).map_err(|_| Undecodable)
}

fn from_charset(content: Content, charset: &'static Encoding) -> Result<String, Undecodable> {
    let Content::Bytes(bytes) = content else { return Err(Undecodable) };
    let decoded = charset.decode_without_bom_handling_and_without_replacement(&bytes).ok_or(Undecodable)?;
    Ok(decoded.into_owned())
}

/// JSON; an object with the same key twice could mean either of them, so it means nothing.
fn strict_json(text: &str) -> Result<Value, Undecodable> {
    let strict: Strict = serde_json::from_str(text).map_err(|_| Undecodable)?;
    Ok(strict.0)
}

struct Strict(Value);

impl<'de> serde::Deserialize<'de> for Strict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> serde::de::Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.insert(key, value).is_some() {
                return Err(serde::de::Error::custom("the same key twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

/// XML as JSON: an element with children is an object, one without is its text; prefixes and attributes are dropped. Elements
/// named in `arrays` (by the end of their path) are arrays, however often they come; any other that comes twice is refused.
fn xml(text: &str, arrays: &[String]) -> Result<Value, Undecodable> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        match reader.read_event().map_err(|_| Undecodable)? {
            Event::Start(start) => {
                if open.len() > MAX_DEPTH {
                    return Err(Undecodable);
                }
                let name = start.local_name().as_ref().to_owned();
                open.push(Element { name, ..Element::default() });
            }
            Event::End(_) => {
                let closed = open.pop().ok_or(Undecodable)?;
                let is_array = arrays.iter().any(|array| stands_at(&open, &closed, array));
                let parent = open.last_mut().ok_or(Undecodable)?;
                parent.add(closed, is_array)?;
            }
            Event::Text(text) => {
                open.last_mut().ok_or(Undecodable)?.text.push_str(&text);
            }
            Event::CData(text) => {
                open.last_mut().ok_or(Undecodable)?.text.push_str(&text);
            }
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().map_err(|_| Undecodable)? {
                    Some(character) => character.to_string(),
                    None => predefined(&reference)?.to_owned(),
                };
                open.last_mut().ok_or(Undecodable)?.text.push_str(&character);
            }
            // A document type could define entities; departments have no need of one.
            Event::DocType(_) => return Err(Undecodable),
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
        }
    }
    match open.pop() {
        Some(root) if open.is_empty() && !root.children.is_empty() => Ok(Value::Object(root.children)),
        _ => Err(Undecodable),
    }
}

/// Whether an element's path ends with this one.
fn stands_at(open: &[Element], closed: &Element, path: &str) -> bool {
    let around = open.iter().rev().map(|element| element.name.as_str());
    let mut names = std::iter::once(closed.name.as_str()).chain(around);
    path.rsplit('/').all(|part| names.next() == Some(part))
}

/// The five entities of XML 1.0 section 4.6.
fn predefined(reference: &str) -> Result<&'static str, Undecodable> {
    match reference {
        "lt" => Ok("<"),
        "gt" => Ok(">"),
        "amp" => Ok("&"),
        "apos" => Ok("'"),
        "quot" => Ok("\""),
        _ => Err(Undecodable),
    }
}

#[derive(Default)]
struct Element {
    name: String,
    text: String,
    children: Map<String, Value>,
}

impl Element {
    fn add(&mut self, child: Self, is_array: bool) -> Result<(), Undecodable> {
        let value = match (child.children.is_empty(), child.text.trim()) {
            (true, text) => Value::String(text.to_owned()),
            (false, "") => Value::Object(child.children),
            (false, _) => return Err(Undecodable),
        };
        match self.children.get_mut(&child.name) {
            Some(Value::Array(items)) if is_array => items.push(value),
            Some(_) => return Err(Undecodable),
            None => {
                let value = if is_array { Value::Array(vec![value]) } else { value };
                self.children.insert(child.name, value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps(steps: Value) -> Vec<Step> {
        let texts: Vec<StepText> = serde_json::from_value(steps).unwrap();
        texts.iter().map(|text| Step::new(text).unwrap()).collect()
    }

    #[test]
    fn json_in_a_string() {
        let steps = steps(json!([{"as": ["json"]}, {"at": "/result", "as": ["json"]}]));
        assert_eq!(decode(&steps, br#"{"result": "[1]"}"#.to_vec()), Ok(json!({"result": [1]})));
        assert_eq!(decode(&steps, br#"{"result": ""}"#.to_vec()), Ok(json!({"result": ""})));
        assert_eq!(decode(&steps, br#"{"result": null}"#.to_vec()), Ok(json!({"result": null})));
        for bad in [&br#"{"result": 1}"#[..], br#"{"result": "x"}"#, br#"{"a": 1, "a": 2}"#, b"", b"\xff"] {
            assert_eq!(decode(&steps, bad.to_vec()), Err(Undecodable));
        }
    }

    #[test]
    fn base64_xml_in_soap_in_gb18030() {
        let inner = "<r><rows><row><xm>𠮷·&lt;</xm></row></rows></r>";
        let (bytes, _, _) = GB18030.encode(inner);
        let soap =
            format!("<?xml version=\"1.0\"?><s:E xmlns:s=\"x\"><s:B><ret>{}</ret></s:B></s:E>", STANDARD.encode(bytes));
        let steps = steps(json!([
            {"as": ["xml"]},
            {"at": "/E/B/ret", "as": ["base64", "gb18030", "xml"], "arrays": ["rows/row"]}
        ]));
        let expected = json!({"E": {"B": {"ret": {"r": {"rows": {"row": [{"xm": "𠮷·<"}]}}}}}});
        assert_eq!(decode(&steps, soap.into_bytes()), Ok(expected));
    }

    #[test]
    fn what_xml_could_hide_is_refused() {
        let steps = steps(json!([{"as": ["xml"]}]));
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        for bad in [
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "<a>&b;</a>",
            "<a><b/><b/></a>",
            "<a>x<b/></a>",
            "<a>",
            "",
            "x",
            &deep,
        ] {
            assert_eq!(decode(&steps, bad.as_bytes().to_vec()), Err(Undecodable), "{bad}");
        }
    }
}
