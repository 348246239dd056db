//! Texts with inputs in braces. A value is encoded for the place where it lands, so that it can never change the structure
//! of what is around it.

use std::borrow::Cow;
use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::diagnostic::unknown;

/// A parsed template.
#[derive(Debug, Clone)]
pub(super) struct Template(Vec<Segment>);

#[derive(Debug, Clone)]
enum Segment {
    Literal(String),
    Input { name: String, quoted: bool },
}

/// Where a value lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Landing {
    /// A segment of a path, or a query: percent-encoded.
    Url,
    /// A form field or a JSON string: the writer of the whole encodes it.
    Plain,
    /// A header.
    Header,
    /// XML text.
    Xml,
}

/// A value cannot stand where the template wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unrepresentable;

/// RFC 3986 section 2.3: what needs no encoding.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Template {
    /// Parses `{name}`, `{name|quoted}` (doubles single quotes), and `{{`, `}}` for braces.
    pub(super) fn parse(text: &str, inputs: impl Fn(&str) -> bool, known: &[&str]) -> Result<Self, String> {
        let mut segments = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let tail = &rest[at..];
            if let Some(after) = tail.strip_prefix("{{").or_else(|| tail.strip_prefix("}}")) {
                literal.push_str(&tail[..1]);
                rest = after;
                continue;
            }
            let end = tail.find('}').filter(|_| tail.starts_with('{'));
            let end = end.ok_or("a brace stands alone; write {{ or }} for the character itself")?;
            let inner = &tail[1..end];
            let (name, quoted) = match inner.split_once('|') {
                None => (inner, false),
                Some((name, "quoted")) => (name, true),
                Some((_, filter)) => return Err(unknown("filter", filter, ["quoted"])),
            };
            if !inputs(name) {
                return Err(unknown("input", name, known.iter().copied()));
            }
            segments.push(Segment::Literal(std::mem::take(&mut literal)));
            segments.push(Segment::Input { name: name.to_owned(), quoted });
            rest = &tail[end + 1..];
        }
        literal.push_str(rest);
        segments.push(Segment::Literal(literal));
        segments.retain(|segment| !matches!(segment, Segment::Literal(text) if text.is_empty()));
        Ok(Self(segments))
    }

    /// The inputs that it uses.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Input { name, .. } => Some(name.as_str()),
        })
    }

    /// Its text, if that is the same whatever is asked.
    pub(super) fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Segment::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it is the same text whatever is asked.
    pub(super) fn is_fixed(&self) -> bool {
        self.literal().is_some()
    }

    /// The text with its inputs filled in.
    pub(super) fn fill(&self, inputs: &dyn Inputs, landing: Landing) -> Result<String, Unrepresentable> {
        let mut text = String::with_capacity(64);
        for segment in &self.0 {
            match segment {
                Segment::Literal(literal) => text.push_str(literal),
                Segment::Input { name, quoted } => {
                    let value = inputs.value(name).ok_or(Unrepresentable)?;
                    let value = if *quoted { quote(&value)?.into() } else { value };
                    land(&value, landing, &mut text)?;
                }
            }
        }
        Ok(text)
    }
}

/// Values by name.
pub(super) trait Inputs {
    /// The value of an input; `None` if there is none on this occasion.
    fn value(&self, name: &str) -> Option<Cow<'_, str>>;
}

/// Doubles single quotes, as SQL-like conditions want it. A backslash means something else to each department's database, so
/// no value may hold one.
fn quote(value: &str) -> Result<String, Unrepresentable> {
    if value.contains('\\') { Err(Unrepresentable) } else { Ok(value.replace('\'', "''")) }
}

fn land(value: &str, landing: Landing, text: &mut String) -> Result<(), Unrepresentable> {
    match landing {
        Landing::Plain => text.push_str(value),
        Landing::Url => text.extend(utf8_percent_encode(value, UNRESERVED)),
        Landing::Header => {
            // RFC 9110 section 5.5: visible ASCII and spaces; anything else goes percent-encoded.
            for character in value.chars() {
                if matches!(character, ' '..='~') && character != '%' {
                    text.push(character);
                } else {
                    let mut bytes = [0; 4];
                    for byte in character.encode_utf8(&mut bytes).bytes() {
                        let _ = write!(text, "%{byte:02X}");
                    }
                }
            }
        }
        Landing::Xml => {
            for character in value.chars() {
                match character {
                    '<' => text.push_str("&lt;"),
                    '>' => text.push_str("&gt;"),
                    '&' => text.push_str("&amp;"),
                    '"' => text.push_str("&quot;"),
                    '\'' => text.push_str("&apos;"),
                    // XML 1.0 section 2.2: these cannot stand in a document in any form.
                    '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => {
                        return Err(Unrepresentable);
                    }
                    other => text.push(other),
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct One(String);

    impl Inputs for One {
        fn value(&self, name: &str) -> Option<Cow<'_, str>> {
            (name == "x").then(|| self.0.as_str().into())
        }
    }

    fn fill(template: &str, value: &str, landing: Landing) -> Result<String, Unrepresentable> {
        let template = Template::parse(template, |name| name == "x", &["x"]).unwrap();
        template.fill(&One(value.to_owned()), landing)
    }

    #[test]
    fn values_are_encoded_for_their_place() {
        assert_eq!(fill("A='{x|quoted}'", "O'Neil", Landing::Plain).unwrap(), "A='O''Neil'");
        assert_eq!(fill("A='{x|quoted}'", "a\\", Landing::Plain), Err(Unrepresentable));
        assert_eq!(fill("/p/{x}", "../a b?张", Landing::Url).unwrap(), "/p/..%2Fa%20b%3F%E5%BC%A0");
        assert_eq!(fill("<a>{x}</a>", "<&>'", Landing::Xml).unwrap(), "<a>&lt;&amp;&gt;&apos;</a>");
        assert_eq!(fill("{x}", "a\r\nB: c%", Landing::Header).unwrap(), "a%0D%0AB: c%25");
        assert_eq!(fill("{{{x}}}", "1", Landing::Plain).unwrap(), "{1}");
    }

    #[test]
    fn a_template_names_what_there_is() {
        let parse = |text: &str| Template::parse(text, |name| name == "id_number", &["id_number"]).err();
        assert_eq!(parse("{id_number}"), None);
        assert!(parse("{id_numbr}").unwrap().contains("did you mean \"id_number\"?"));
        assert!(parse("{id_number|quotd}").unwrap().contains("did you mean \"quoted\"?"));
        assert!(parse("a}").is_some() && parse("{a").is_some());
    }

    proptest! {
        /// Whatever the value, a quoted condition reads back as one value.
        #[test]
        fn a_quoted_value_stays_one_value(value in "[^\\\\]{0,20}") {
            let text = fill("F='{x|quoted}'", &value, Landing::Plain).unwrap();
            let inner = text.strip_prefix("F='").and_then(|text| text.strip_suffix('\'')).unwrap();
            prop_assert!(!inner.replace("''", "").contains('\''));
            prop_assert_eq!(inner.replace("''", "'"), value);
        }

        #[test]
        fn an_xml_value_reads_back(value in "[a-z<>&\"' 张]{0,20}") {
            let text = fill("<a>{x}</a>", &value, Landing::Xml).unwrap();
            let inner = &text[3..text.len() - 4];
            prop_assert_eq!(quick_xml::escape::unescape(inner).unwrap().into_owned(), value);
        }
    }
}
