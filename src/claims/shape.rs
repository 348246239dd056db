use serde::Deserialize;

/// What a number of letters and digits looks like: `A` stands for a letter, `0` for a digit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Shape(String);

/// Why a text is no shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a shape is made of A for a letter and 0 for a digit, such as A000000000")]
pub struct NoShape;

impl TryFrom<String> for Shape {
    type Error = NoShape;

    fn try_from(text: String) -> Result<Self, NoShape> {
        let is_one = !text.is_empty() && text.chars().all(|character| matches!(character, 'A' | '0'));
        if is_one { Ok(Self(text)) } else { Err(NoShape) }
    }
}

impl Shape {
    /// It, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A text of this shape in the one way that it is written, with capital letters; `None` if it has another.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<String> {
        let fits = |(kind, character): (char, char)| {
            if kind == 'A' { character.is_ascii_alphabetic() } else { character.is_ascii_digit() }
        };
        let is_one = text.chars().count() == self.0.len() && self.0.chars().zip(text.chars()).all(fits);
        is_one.then(|| text.to_ascii_uppercase())
    }

    /// The regular expression of the texts that are [read](Self::read).
    #[must_use]
    pub fn pattern(&self) -> String {
        let part = |kind: char| if kind == 'A' { "[A-Za-z]" } else { "[0-9]" };
        format!("^{}$", self.0.chars().map(part).collect::<String>())
    }

    /// An invented text of this shape.
    #[must_use]
    pub fn example(&self) -> String {
        let (mut letters, mut digits) = ("UVW".chars().cycle(), "210012345".chars().cycle());
        let one = |kind: char| if kind == 'A' { letters.next() } else { digits.next() };
        self.0.chars().filter_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(text: &str) -> Shape {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn what_has_the_shape_is_read_in_capitals() {
        let birth = shape("A000000000");
        for text in ["V210001234", "v210001234"] {
            assert_eq!(birth.read(text).as_deref(), Some("V210001234"));
        }
        for text in
            ["", "2100012345", "VV10001234", "V21000123", "V2100012345", "Ｖ210001234", "V21000123O", " V210001234"]
        {
            assert_eq!(birth.read(text), None, "{text}");
        }
        assert_eq!(birth.example(), "U210012345");
        assert_eq!(birth.pattern(), "^[A-Za-z][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]$");
        for wrong in ["", "B0", "A-0", "０"] {
            assert_eq!(Shape::try_from(wrong.to_owned()), Err(NoShape), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn an_example_has_its_shape(text in "[A0]{1,20}") {
            let shape = shape(&text);
            prop_assert_eq!(shape.read(&shape.example()), Some(shape.example()));
        }
    }
}
