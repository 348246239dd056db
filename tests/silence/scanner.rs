//! Finds texts in bytes, in whatever way they are written.

use std::fmt::Write as _;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use encoding_rs::GB18030;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

/// A text that must not be found, and what may be told of it.
pub(crate) struct Secret {
    pub(crate) text: String,
    pub(crate) label: String,
}

/// Looks for many texts at once.
pub(crate) struct Scanner {
    automaton: AhoCorasick,
    /// By pattern: the label, the writing, and whether it is so short that bytes of chance may be the same.
    about: Vec<(String, &'static str, bool)>,
}

/// Patterns of fewer bytes are not looked for in what is sealed: among megabytes of ciphertext any four bytes stand somewhere.
/// These are names of two characters in GB18030 and UTF-16.
const LEAST: usize = 6;

/// Pieces of Base64 of fewer characters are not looked for: receipts are full of such.
const LEAST_BASE64: usize = 7;

impl Scanner {
    pub(crate) fn new(secrets: &[Secret]) -> Self {
        let (mut patterns, mut about) = (Vec::new(), Vec::new());
        for secret in secrets {
            for (writing, pattern) in writings(&secret.text) {
                about.push((secret.label.clone(), writing, pattern.len() < LEAST));
                patterns.push(pattern);
            }
        }
        Self { automaton: AhoCorasick::new(&patterns).unwrap(), about }
    }

    /// What is found, each as label and writing, once.
    pub(crate) fn find(&self, bytes: &[u8]) -> Vec<(String, &'static str)> {
        self.find_if(bytes, |_| true)
    }

    /// What is found among bytes some of which are ciphertext.
    pub(crate) fn find_among_sealed(&self, bytes: &[u8]) -> Vec<(String, &'static str)> {
        self.find_if(bytes, |is_short| !is_short)
    }

    fn find_if(&self, bytes: &[u8], counts: impl Fn(bool) -> bool) -> Vec<(String, &'static str)> {
        let hits = self.automaton.find_overlapping_iter(bytes).map(|hit| &self.about[hit.pattern()]);
        let hits = hits.filter(|(_, _, is_short)| counts(*is_short));
        let mut found: Vec<_> = hits.map(|(label, writing, _)| (label.clone(), *writing)).collect();
        found.sort();
        found.dedup();
        found
    }
}

/// A text in every writing, each once.
fn writings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let (gb, _, is_lossy) = GB18030.encode(text);
    assert!(!is_lossy, "GB18030 has every character");
    let mut all = vec![
        ("UTF-16, little end first", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16, big end first", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("JSON escapes", units(text, "\\u", |unit| format!("{unit:04x}"))),
        ("JSON escapes in capitals", units(text, "\\u", |unit| format!("{unit:04X}"))),
        ("Rust escapes", text.chars().map(|one| one.escape_unicode().to_string()).collect::<String>().into_bytes()),
        ("XML references", references(text, |code| format!("&#{code};"))),
        ("XML references in hex", references(text, |code| format!("&#x{code:x};"))),
        ("XML references in HEX", references(text, |code| format!("&#x{code:X};"))),
    ];
    for (bytes, names) in [(text.as_bytes(), UTF8), (&*gb, GB)] {
        let [plain, base64, percent, capitals, hex, upper_hex, escapes, list] = names;
        all.push((plain, bytes.to_vec()));
        for skipped in 0..3 {
            all.extend(in_base64(bytes, skipped).map(|piece| (base64, piece)));
            let other = in_base64(bytes, skipped).map(|piece| piece.iter().map(|byte| url_safe(*byte)).collect());
            all.extend(other.map(|piece: Vec<u8>| (base64, piece)));
        }
        all.push((percent, each(bytes, |byte| format!("%{byte:02x}"))));
        all.push((capitals, each(bytes, |byte| format!("%{byte:02X}"))));
        // A character of four bytes has digits in GB18030, which may stay as they are.
        all.push((percent, percent_encode(bytes, NON_ALPHANUMERIC).to_string().to_lowercase().into_bytes()));
        all.push((capitals, percent_encode(bytes, NON_ALPHANUMERIC).to_string().into_bytes()));
        all.push((hex, each(bytes, |byte| format!("{byte:02x}"))));
        all.push((upper_hex, each(bytes, |byte| format!("{byte:02X}"))));
        all.push((escapes, each(bytes, |byte| std::ascii::escape_default(byte).to_string())));
        let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
        all.push((list, numbers.join(", ").into_bytes()));
    }
    // What is the same in two writings is named after the plain one.
    all.sort_by_key(|(name, _)| !matches!(*name, "UTF-8" | "GB18030"));
    let mut seen: Vec<Vec<u8>> = Vec::new();
    all.retain(|(_, pattern)| {
        let is_new = !seen.contains(pattern);
        seen.push(pattern.clone());
        is_new
    });
    all
}

const UTF8: [&str; 8] = [
    "UTF-8",
    "Base64 of UTF-8",
    "percent encoding of UTF-8",
    "percent encoding of UTF-8 in capitals",
    "hex of UTF-8",
    "HEX of UTF-8",
    "escaped bytes of UTF-8",
    "listed bytes of UTF-8",
];

const GB: [&str; 8] = [
    "GB18030",
    "Base64 of GB18030",
    "percent encoding of GB18030",
    "percent encoding of GB18030 in capitals",
    "hex of GB18030",
    "HEX of GB18030",
    "escaped bytes of GB18030",
    "listed bytes of GB18030",
];

fn each(bytes: &[u8], write: impl Fn(u8) -> String) -> Vec<u8> {
    bytes.iter().flat_map(|byte| write(*byte).into_bytes()).collect()
}

fn units(text: &str, before: &str, write: impl Fn(u16) -> String) -> Vec<u8> {
    let mut all = String::new();
    for unit in text.encode_utf16() {
        write!(all, "{before}{}", write(unit)).unwrap();
    }
    all.into_bytes()
}

fn references(text: &str, write: impl Fn(u32) -> String) -> Vec<u8> {
    text.chars().map(|one| write(u32::from(one))).collect::<String>().into_bytes()
}

/// The characters of Base64 that are the same whatever stands before and behind, if so many bytes before share their groups.
fn in_base64(bytes: &[u8], skipped: usize) -> Option<Vec<u8>> {
    let padded = [&vec![0; skipped], bytes, &[0, 0]].concat();
    let (first, last) = ((skipped * 8).div_ceil(6), (skipped + bytes.len()) * 8 / 6);
    let piece = STANDARD.encode(padded).into_bytes()[first..last].to_vec();
    (piece.len() >= LEAST_BASE64).then_some(piece)
}

fn url_safe(byte: u8) -> u8 {
    match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    }
}

/// Programs that are not ours write a name and a number, amid other things; each is found, and under the writing's name.
#[test]
fn a_name_is_found_in_every_writing() {
    for text in ["欧阳建国", "张伟", "阿依古丽·买买提", "𠮷田𬀩", "11010519491231002X"] {
        let scanner = Scanner::new(&[Secret { text: text.to_owned(), label: "somebody".to_owned() }]);
        let gb = GB18030.encode(text).0;
        let is_long = text.chars().count() > 2;
        let mut cases: Vec<Vec<u8>> = vec![
            text.as_bytes().to_vec(),
            format!("{{\"n\":\"{text}\"}}").into_bytes(),
            [b"<n>".as_slice(), &gb, b"</n>"].concat(),
            percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string().into_bytes(),
            percent_encode(&gb, NON_ALPHANUMERIC).to_string().into_bytes(),
            text.escape_unicode().to_string().into_bytes(),
            format!("{:?}", text.as_bytes()).into_bytes(),
            format!("{:?}", bytes::Bytes::copy_from_slice(text.as_bytes())).into_bytes(),
            serde_json::to_vec(&Vec::from(text)).unwrap().into_iter().map(spaced).collect::<Vec<_>>().concat(),
        ];
        for before in ["", "a", "ab"] {
            let whole = [before.as_bytes(), text.as_bytes(), b"xyz"].concat();
            cases.push(STANDARD.encode(&whole).into_bytes());
            cases.push(URL_SAFE.encode(&whole).into_bytes());
            if is_long {
                cases.push(STANDARD.encode([before.as_bytes(), &gb, b"xyz"].concat()).into_bytes());
            }
        }
        cases.push([vec![0xd8, 0xff], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat());
        cases.push([vec![0xd8, 0xff], text.encode_utf16().flat_map(u16::to_be_bytes).collect()].concat());
        for case in cases {
            assert!(!scanner.find(&case).is_empty(), "{text} in {}", String::from_utf8_lossy(&case));
            assert!(!is_long || !scanner.find_among_sealed(&case).is_empty());
        }
        assert!(scanner.find("张三 110105194912310021 {\"n\":\"李四\"}".as_bytes()).is_empty());
    }
}

fn spaced(byte: u8) -> Vec<u8> {
    if byte == b',' { b", ".to_vec() } else { vec![byte] }
}
