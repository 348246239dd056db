//! Layer 1: improper demands (索要不合理证明). An agency sent a resident to a committee for a certificate that it may not ask
//! for; that is recorded, its superior authority is written to, and what comes of it is followed (辽民发〔2020〕52号 三（二）).
//!
//! A record says which agency demanded what, when, and what it said. It has no place for the resident: no name, no number, no
//! address. Nothing of it is changed afterwards: what was wrong is taken back by a further [`Entry`].

pub mod csv;
mod demander;
mod figures;
mod follow_up;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{AgencyId, Note, Slug, closed_list};

pub use demander::{AgencyKey, AgencyName, AgencyNameError, Demander, Kind, Level};
pub use figures::{Counted, Figures, Row, Tally, figures};
pub use follow_up::{
    AnswerGist, Author, Channel, Entry, NoResult, Office, Refused, State, Step, StepKind, append, offered, standing,
    state,
};

/// A record: an agency demanded what it may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Its id.
    pub id: Uuid,
    /// Its number in the committee's books, which people use.
    pub number: Number,
    /// The committee that recorded it.
    pub committee: AgencyId,
    /// The worker who did, by the account's name.
    pub worker: String,
    /// When.
    pub recorded: Timestamp,
    /// What it says.
    pub facts: Facts,
}

/// What a worker records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What kind of certificate was demanded.
    pub subject: Subject,
    /// Who demanded it.
    pub demander: Demander,
    /// On which day (Asia/Shanghai).
    pub on: Date,
    /// What the agency said.
    pub said: Said,
    /// What else is worth saying. It stays on the record's page.
    pub note: Option<Note>,
    /// The article under which the demand is improper, as it was quoted then.
    pub basis: String,
}

/// What kind of certificate was demanded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// One of the matters that the annex lists.
    Matter(Slug),
    /// Another one without a basis in law (二（一）).
    Unlisted,
}

impl Subject {
    /// The matter's id, or `unlisted`, which no matter is called.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Matter(matter) => matter.as_str(),
            Self::Unlisted => Self::UNLISTED,
        }
    }

    /// The subject that [`as_str`](Self::as_str) names; `None`: the text is no id.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        match text {
            Self::UNLISTED => Some(Self::Unlisted),
            other => other.parse().ok().map(Self::Matter),
        }
    }

    const UNLISTED: &str = "unlisted";
}

/// A record's number among those of its committee: `2026-0007`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number {
    /// The year in which it was recorded (Asia/Shanghai).
    pub year: i16,
    /// Counted from 1.
    pub sequence: u32,
}

impl std::fmt::Display for Number {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{:04}", self.year, self.sequence)
    }
}

closed_list! {
    /// What the agency said when it demanded the certificate.
    pub enum Said {
        /// No reason.
        NoReason = "no-reason",
        /// Its system or its list of papers asks for it.
        SystemAsks = "system-asks",
        /// Its superiors or its own rules ask for it.
        OwnRules = "own-rules",
        /// It cannot check the fact itself.
        CannotCheck = "cannot-check",
        /// There is a law, but not which article.
        UnnamedLaw = "unnamed-law",
        /// There is a law, and it does not ask for this.
        LawDoesNotAsk = "law-does-not-ask",
        /// It does not take the resident's own documents.
        RefusesDocuments = "refuses-documents",
        /// It does not take a verification's receipt.
        RefusesReceipt = "refuses-receipt",
        /// Something else: the note says what.
        Other = "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_named_by_its_matter() {
        for text in ["kinship", "unlisted"] {
            assert_eq!(Subject::named(text).unwrap().as_str(), text);
        }
        assert_eq!(Subject::named("unlisted"), Some(Subject::Unlisted));
        assert_eq!(Subject::named("No Matter"), None);
    }

    #[test]
    fn numbers_are_written_with_their_year() {
        assert_eq!(Number { year: 2026, sequence: 7 }.to_string(), "2026-0007");
        assert_eq!(Number { year: 2026, sequence: 12_345 }.to_string(), "2026-12345");
    }
}
