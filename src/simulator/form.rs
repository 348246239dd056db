//! `application/x-www-form-urlencoded` bodies.

use std::collections::BTreeMap;

/// The fields; of one that is given twice, none, as if it were missing.
pub(super) fn read(body: &[u8]) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, Option<String>> = BTreeMap::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let (Some(name), Some(value)) = (halves.next().and_then(decode), halves.next().and_then(decode)) else {
            continue;
        };
        fields.entry(name).and_modify(|given| *given = None).or_insert(Some(value));
    }
    fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn decode(text: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Some(percent_encoding::percent_decode(&spaced).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_doubled_ones_dropped() {
        let fields = read("a=1+2&b=%E5%BC%A0%26x&c=1&c=2&d".as_bytes());
        assert_eq!(fields.get("a").map(String::as_str), Some("1 2"));
        assert_eq!(fields.get("b").map(String::as_str), Some("张&x"));
        assert_eq!(fields.len(), 2);
    }
}
