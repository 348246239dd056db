//! Layer 2: what is printed. The notice (告知单) that a committee hands to a resident instead of a certificate, and the letter
//! to the superior authority of an agency that demanded one. Values in, the bytes of a PDF out: nothing is read and nothing is
//! kept, and equal values are equal bytes.
//!
//! A paper is one A4 page, always: its type is as large as everything on it allows, and never smaller than 9 points. Its text
//! can be selected and searched, and it is tagged to be read aloud (PDF/UA-1, ISO 14289-1). A character that the typeface
//! does not have stands as its code point in a box; whoever copies it gets the character.
//!
//! A [`Paper`] is what stands on it, block by block: the page that shows it in a browser and the PDF are made of the same one.
//! `notice` and `letter` compose theirs, `words` has the words; `face` is the typeface, `text` breaks lines, `flow` puts blocks
//! below each other, `sheet` makes the PDF, `qr` the QR code.

mod face;
mod flow;
mod letter;
mod notice;
mod paper;
mod qr;
mod sheet;
mod text;
mod words;

pub use letter::Letter;
pub use notice::{Advice, Checked, Demand, Notice, Slip, Subject};
pub use paper::{Block, Density, Finding, Paper, Proof, Weight};
pub use qr::Qr;
pub use words::{correction, day, moment};

/// The language of a paper. The names of the law and of authorities are Chinese in either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Simplified Chinese.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// Its tag (BCP 47).
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.pick("zh-CN", "en")
    }

    fn pick<T>(self, chinese: T, english: T) -> T {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }
}

/// Why there is no paper. None of it depends on what is to stand on it, but for its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPrinted {
    /// The typeface that is built in cannot be read.
    #[error("the typeface cannot be read")]
    Face,
    /// It is more than a page holds, in the smallest type.
    #[error("it is more than a page holds")]
    TooLong,
    /// The PDF cannot be written.
    #[error("the PDF cannot be written")]
    Pdf,
}

/// A text that somebody typed, cut where it would fill a page; that it is cut can be seen.
fn shortened(text: &str, most: usize) -> String {
    let mut characters = text.trim().chars();
    let mut short: String = characters.by_ref().take(most).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}
