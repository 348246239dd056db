//! Everybody there is, and who among them can be told from a word.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::scanner::{Scanner, Secret};

/// The people of the departments.
pub(crate) struct People {
    /// Everybody whose name is no word of ours.
    pub(crate) all: Vec<Value>,
    /// Everybody's number, and the names that are no words of ours.
    pub(crate) scanner: Scanner,
    /// How many names also are words.
    pub(crate) words: usize,
    numbers: Vec<String>,
}

impl People {
    pub(crate) fn new(everybody: Vec<Value>) -> Self {
        let public = public_texts();
        let is_word = |person: &Value| public.contains(text(person, "name"));
        let mut secrets = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for (index, person) in everybody.iter().enumerate() {
            let number = text(person, "id_number");
            for piece in pieces(number) {
                secrets.push(Secret { text: piece, label: format!("number {index}") });
            }
            let name = text(person, "name");
            if !is_word(person) && !names.contains(&name) {
                names.push(name);
                secrets.push(Secret { text: name.to_owned(), label: format!("name {index}") });
            }
        }
        let scanner = Scanner::new(&secrets);
        let numbers = everybody.iter().map(|person| text(person, "id_number").to_owned()).collect();
        let words = everybody.iter().filter(|person| is_word(person)).count();
        let all = everybody.into_iter().filter(|person| !is_word(person)).collect();
        Self { all, scanner, words, numbers }
    }

    /// Where somebody stands among everybody, as the scanner's labels say it.
    pub(crate) fn index(&self, number: &str) -> usize {
        self.numbers.iter().position(|known| known == number).unwrap()
    }
}

/// A field of a person.
pub(crate) fn text<'a>(person: &'a Value, field: &str) -> &'a str {
    person[field].as_str().unwrap()
}

/// The whole number; without its check character and century, as it was before 1999; division and birth date; birth date and
/// sequence.
fn pieces(number: &str) -> [String; 4] {
    let old = format!("{}{}", &number[..6], &number[8..17]);
    [number.to_owned(), old, number[..14].to_owned(), number[6..].to_owned()]
}

/// What the program says to everybody. A name of two characters that stands in there is a word, too, and proves nothing.
fn public_texts() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    for folder in ["config", "schemas", "src/api", "src/matters"] {
        read(&root.join(folder), &mut text);
    }
    text
}

fn read(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, text);
        } else {
            text.push_str(&fs::read_to_string(path).unwrap());
            text.push('\n');
        }
    }
}
