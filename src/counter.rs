//! Layer 1: the counter: a claim as questions that a person can answer one after another, and what was typed as values, or as
//! what is wrong with it.
//!
//! A page asks for what stands on one card, or for one thing: a person, a day, what the answer is needed for, why it may be
//! asked. What was typed stays as it was typed until everything is read.

mod form;
mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::domain::{IdNumberError, PersonNameError, Slug};

pub use form::{Answers, Form};
pub use reading::{
    NoDivision, day, division, grouped, id_number, line, name, whole_number, written_day, written_division,
};

/// What is asked on one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The person in a role of the claim, by its place.
    Person(usize),
    /// A parameter of the claim, by its place.
    Parameter(usize),
    /// What the answer is needed for, and the case number where the grant demands one.
    Purpose,
    /// Why it may be asked.
    Basis,
}

/// One thing that is typed or chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Field {
    /// The name of the person in a role.
    Name(usize),
    /// The ID number of the person in a role.
    Number(usize),
    /// The value of a parameter.
    Value(usize),
    /// What the answer is needed for: the id of a purpose.
    Purpose,
    /// The agency's case number.
    Case,
    /// Why it may be asked: a word of [`Basis`].
    Basis,
    /// The law and article, where a law is why.
    Law,
}

/// Why it may be asked (个人信息保护法 art. 13, 29, 49). An ID number with what a department knows is sensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Whom it is about, or the guardian, agrees to this very question (art. 13(1), 29, 31).
    Consent,
    /// The person has died, and a near relative asks in his own lawful interest (art. 49); whoever lives agrees.
    Relative,
    /// A law demands it, consent or not (art. 13(3)).
    Law,
}

impl Basis {
    /// All of them, the usual one first.
    pub const ALL: [Self; 3] = [Self::Consent, Self::Relative, Self::Law];

    /// The word in forms.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Relative => "relative",
            Self::Law => "law",
        }
    }

    /// The one with this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|basis| basis.as_str() == word)
    }

    /// The legal basis as it is recorded, with the article that was typed.
    fn recorded(self, law: &str) -> String {
        match self {
            Self::Consent => {
                "《个人信息保护法》第十三条第一款第一项、第二十九条：当事人（或者监护人）当面单独同意".to_owned()
            }
            Self::Relative => {
                "《个人信息保护法》第四十九条：当事人已去世，由其近亲属申请；在世的当事人当面单独同意（第二十九条）"
                    .to_owned()
            }
            Self::Law => format!("《个人信息保护法》第十三条第一款第三项：{law}"),
        }
    }
}

/// Whether a case number is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseNumber {
    /// No grant wants it.
    Unasked,
    /// Some grants want it.
    Welcome,
    /// Every grant wants it.
    Demanded,
}

/// What a form offers besides its claim's own questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What the answer may be needed for, at least one, and whether a case number is asked for then.
    pub purposes: Vec<(Slug, CaseNumber)>,
}

impl Offer {
    /// Whether a case number is asked for with some purpose.
    #[must_use]
    pub fn asks_for_a_case(&self) -> bool {
        self.purposes.iter().any(|(_, case)| *case != CaseNumber::Unasked)
    }

    /// Whether a case number is asked for while no purpose is chosen: demanded only if every purpose demands one.
    fn case_of_all(&self) -> CaseNumber {
        let is_demanded = self.purposes.iter().all(|(_, case)| *case == CaseNumber::Demanded);
        if is_demanded { CaseNumber::Demanded } else { CaseNumber::Welcome }
    }
}

/// Why something that was typed will not do. No variant holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing was typed.
    Missing,
    /// Nothing was chosen, or what is not on offer.
    NotChosen,
    /// Not a name.
    Name(PersonNameError),
    /// Not an ID number.
    IdNumber(IdNumberError),
    /// Somebody who is not born yet, or a day that has not come.
    Future,
    /// The same person in two roles.
    SamePerson,
    /// Not a day.
    Day,
    /// Not a whole number from the first to the second.
    Number(i64, i64),
    /// More characters than this.
    TooLong(usize),
    /// A number of letters and digits that looks otherwise.
    Shape,
    /// Not a division.
    Division(NoDivision),
    /// An ID number stands in what is written down for good, or a telephone number in what names a law.
    HoldsNumber,
    /// The name of somebody whom the question is about stands there.
    HoldsName,
    /// It names no law.
    NoLaw,
}

/// What was typed so far, as it was typed. It is wiped when it goes, and never printed.
#[derive(Clone, Default)]
pub struct Typed(BTreeMap<Field, Zeroizing<String>>);

/// The most bytes that are kept of one field: more than any field may have, so that whoever typed too much sees it again.
const MOST: usize = 4096;

impl Typed {
    /// What was typed into a field; empty if nothing.
    #[must_use]
    pub fn text(&self, field: Field) -> &str {
        self.0.get(&field).map_or("", |text| text.as_str())
    }

    /// Every field with what was typed into it.
    pub fn fields(&self) -> impl Iterator<Item = (Field, &str)> {
        self.0.iter().map(|(field, text)| (*field, text.as_str()))
    }

    /// Keeps what was typed into a field.
    pub fn put(&mut self, field: Field, text: &str) {
        let end = (0..=text.len().min(MOST)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.0.insert(field, Zeroizing::new(text[..end].to_owned()));
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Typed({} fields)", self.0.len())
    }
}
