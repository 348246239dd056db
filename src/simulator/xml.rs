//! Small XML documents as paths and texts.

use quick_xml::Reader;
use quick_xml::events::Event;

/// The elements with text, each with its path of names without prefixes. Nothing if it is not well-formed, has a
/// document type or anything else that a request has no need of.
pub(super) fn read(text: &str) -> Option<Vec<(String, String)>> {
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut elements: Vec<(String, String)> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                if path.len() > 16 {
                    return None;
                }
                elements.push((path.join("/"), String::new()));
            }
            Event::End(_) => {
                path.pop()?;
            }
            Event::Text(piece) => append(&mut elements, &path, &piece),
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().ok()? {
                    Some(character) => character,
                    None => named(&reference)?,
                };
                append(&mut elements, &path, character.encode_utf8(&mut [0; 4]));
            }
            Event::Empty(_) | Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof => return path.is_empty().then_some(elements),
            Event::CData(_) | Event::PI(_) | Event::DocType(_) => return None,
        }
    }
}

/// Text for an element's content.
pub(super) fn escape(text: &str) -> std::borrow::Cow<'_, str> {
    quick_xml::escape::escape(text)
}

fn append(elements: &mut [(String, String)], path: &[String], text: &str) {
    let place = path.join("/");
    if let Some((_, content)) = elements.iter_mut().rev().find(|(path, _)| *path == place) {
        content.push_str(text);
    }
}

fn named(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_path() {
        let elements = read("<?xml version=\"1.0\"?><s:a xmlns:s='x'><b>1 &amp; &#x5f20;</b><c/></s:a>").unwrap();
        assert_eq!(elements[1], ("a/b".to_owned(), "1 & 张".to_owned()));
    }

    #[test]
    fn what_no_request_needs_is_refused() {
        for bad in
            ["<a><b></a>", "<a>", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "<a>&e;</a>", "<a><![CDATA[1]]></a>"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
