//! Layer 2: what is printed. The notice (告知单) that a committee hands to a resident instead of a certificate, and the letter
//! to the superior authority of an agency that demanded one. Values in, the bytes of a PDF out: nothing is read and nothing is
//! kept, and equal values are equal bytes.
//!
//! A paper is one A4 page, always: its type is as large as everything on it allows, and never smaller than 9 points. Its text
//! can be selected and searched, and it is tagged to be read aloud (PDF/UA-1, ISO 14289-1). A character that the typeface
//! does not have stands as its code point in a box; whoever copies it gets the character.
//!
//! `face` is the typeface, `text` breaks lines, `flow` puts blocks below each other, `sheet` makes the PDF, `qr` the QR code.
//! `notice` and `letter` say what stands on the page; `words` in which words.

mod face;
mod flow;
mod letter;
mod notice;
mod qr;
mod sheet;
mod text;
mod words;

use face::Face;
use flow::{Flow, Scale};
use sheet::About;

pub use letter::Letter;
pub use notice::{Advice, Demand, Finding, Notice, Slip, Subject};
pub use words::{day, moment};

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

/// How much of what could be left out stands on a page: where all of it is too much, it says how much is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Most(usize);

impl Most {
    /// As many as there are; and fewer, where those are too many for a page.
    const ALL: [Self; 6] = [Self(usize::MAX), Self(20), Self(12), Self(6), Self(3), Self(1)];

    /// The first ones, and how many are left out.
    fn of<T>(self, all: &[T]) -> (&[T], usize) {
        let shown = all.len().min(self.0);
        (&all[..shown], all.len() - shown)
    }
}

/// The page on which everything stands, in the largest type in which it does.
fn page(about: &About, foot: &str, compose: impl Fn(&mut Flow<'_>, Most)) -> Result<Vec<u8>, NotPrinted> {
    let face = Face::get().ok_or(NotPrinted::Face)?;
    for most in Most::ALL {
        for scale in Scale::all() {
            let mut flow = Flow::new(face, scale);
            compose(&mut flow, most);
            if flow.fits(flow.foot_height(foot)) {
                flow.foot(foot);
                return sheet::print(&flow.finish(), about, face);
            }
        }
    }
    Err(NotPrinted::TooLong)
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
