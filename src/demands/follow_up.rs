#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{AgencyName, Demand};
use crate::domain::{ClosedList as _, Note, closed_list};

/// One step of a record's follow-up. Entries are added and never changed; one that was wrong is taken back by a further one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What was done.
    pub step: Step,
    /// On which day it was done (Asia/Shanghai), which may be before it was entered.
    pub on: Date,
    /// Who entered it.
    pub author: Author,
    /// When it was entered.
    pub at: Timestamp,
    /// What is worth saying.
    pub note: Option<Note>,
}

/// Who entered a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// The account's name.
    pub user: String,
    /// For whom.
    pub office: Office,
}

/// For whom somebody enters a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Office {
    /// The committee that recorded the demand.
    Committee,
    /// Whoever supervises committees (民政部门).
    Supervisor,
}

/// What can be done about a demand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// A letter went out, or a reminder.
    LetterSent {
        /// To which authority.
        to: AgencyName,
    },
    /// An answer came.
    Answered {
        /// What it says.
        gist: AnswerGist,
    },
    /// The agency asks for it no more.
    Corrected,
    /// It was made public (通报、公开曝光), which is for the supervisor to do.
    Exposed {
        /// How.
        channel: Channel,
    },
    /// It ends without a correction.
    Closed {
        /// Why.
        why: NoResult,
    },
    /// The last step that stands was entered wrongly, or, where none stands, the record was.
    TakenBack,
}

closed_list! {
    /// The kinds of steps.
    pub enum StepKind {
        /// [`Step::LetterSent`].
        LetterSent = "letter-sent",
        /// [`Step::Answered`].
        Answered = "answered",
        /// [`Step::Corrected`].
        Corrected = "corrected",
        /// [`Step::Exposed`].
        Exposed = "exposed",
        /// [`Step::Closed`].
        Closed = "closed",
        /// [`Step::TakenBack`].
        TakenBack = "taken-back",
    }
}

impl Step {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> StepKind {
        match self {
            Self::LetterSent { .. } => StepKind::LetterSent,
            Self::Answered { .. } => StepKind::Answered,
            Self::Corrected => StepKind::Corrected,
            Self::Exposed { .. } => StepKind::Exposed,
            Self::Closed { .. } => StepKind::Closed,
            Self::TakenBack => StepKind::TakenBack,
        }
    }
}

closed_list! {
    /// What an authority answered.
    pub enum AnswerGist {
        /// It will be corrected.
        WillCorrect = "will-correct",
        /// A part of it will be.
        WillCorrectPartly = "will-correct-partly",
        /// The demand is upheld.
        Upholds = "upholds",
        /// Another authority is competent.
        Forwarded = "forwarded",
    }
}

closed_list! {
    /// How a demand was made public.
    pub enum Channel {
        /// 通报: a circular.
        Circular = "circular",
        /// 媒体平台公开曝光.
        Media = "media",
    }
}

closed_list! {
    /// Why a demand is closed without a correction.
    pub enum NoResult {
        /// Nobody answered.
        NoAnswer = "no-answer",
        /// The agency has a basis in law after all.
        HasBasis = "has-basis",
        /// Another reason: the note says which.
        Other = "other",
    }
}

closed_list! {
    /// Where a record stands.
    #[derive(PartialOrd, Ord)]
    pub enum State {
        /// Recorded, and nothing else.
        Recorded = "recorded",
        /// A letter is out.
        LetterSent = "letter-sent",
        /// An answer has come.
        Answered = "answered",
        /// The agency has corrected itself.
        Corrected = "corrected",
        /// It was made public.
        Exposed = "exposed",
        /// It ended without a correction.
        Closed = "closed",
        /// It should not have been recorded. It counts nowhere.
        Withdrawn = "withdrawn",
    }
}

/// Why a step cannot be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It does not follow on where the record stands.
    #[error("this does not follow on where the record stands")]
    NotNow,
    /// Only the supervisor does that.
    #[error("only the supervisor does that")]
    SupervisorOnly,
    /// The supervisor's step is the supervisor's to take back.
    #[error("somebody else's step is not taken back")]
    NotYours,
    /// Its day is to come.
    #[error("the day is still to come")]
    InFuture,
    /// Its day is before that of what it follows on.
    #[error("the day is before that of the step before")]
    TooEarly,
    /// It has to say why.
    #[error("this needs a note that says why")]
    NeedsNote,
}

/// Where a record stands after these entries.
#[must_use]
pub fn state(history: &[Entry]) -> State {
    let Some(standing) = fold(history) else { return State::Withdrawn };
    standing.last().map_or(State::Recorded, |entry| after(&entry.step))
}

/// The entries that stand, oldest first: not taken back, and not a taking back.
#[must_use]
pub fn standing(history: &[Entry]) -> Vec<&Entry> {
    fold(history).unwrap_or_default()
}

/// Whether an entry may be added on that day, and where the record then stands.
///
/// From `recorded` a letter is sent; then come an answer, reminders, or, where no answer comes, what comes without one. A record
/// that was answered ends corrected, made public or closed. Who was made public may still correct itself.
///
/// # Errors
/// Why it may not.
pub fn append(demand: &Demand, history: &[Entry], entry: &Entry, today: Date) -> Result<State, Refused> {
    let standing = fold(history).ok_or(Refused::NotNow)?;
    let now = standing.last().map_or(State::Recorded, |last| after(&last.step));
    match &entry.step {
        Step::TakenBack => is_taken_back(&standing, entry)?,
        step if !follows(now, step.kind()) => return Err(Refused::NotNow),
        Step::Exposed { .. } if entry.author.office != Office::Supervisor => return Err(Refused::SupervisorOnly),
        Step::Closed { why: NoResult::Other } if entry.note.is_none() => return Err(Refused::NeedsNote),
        _ => {
            let earliest = standing.last().map_or(demand.facts.on, |last| last.on);
            if entry.on < earliest {
                return Err(Refused::TooEarly);
            }
        }
    }
    if entry.on > today {
        return Err(Refused::InFuture);
    }
    let mut history = history.to_vec();
    history.push(entry.clone());
    Ok(state(&history))
}

/// The kinds of steps that somebody may enter now.
#[must_use]
pub fn offered(history: &[Entry], office: Office) -> Vec<StepKind> {
    let Some(standing) = fold(history) else { return Vec::new() };
    let now = standing.last().map_or(State::Recorded, |last| after(&last.step));
    let is_theirs = standing.last().is_some_and(|last| last.author.office == Office::Supervisor);
    let is_supervisor = office == Office::Supervisor;
    let is_offered = |kind: &StepKind| match kind {
        StepKind::Exposed => is_supervisor && follows(now, *kind),
        StepKind::TakenBack => is_supervisor || !is_theirs,
        _ => follows(now, *kind),
    };
    StepKind::ALL.iter().copied().filter(is_offered).collect()
}

/// Whether such a step follows on where a record stands, whoever enters it.
fn follows(now: State, kind: StepKind) -> bool {
    match kind {
        StepKind::LetterSent => matches!(now, State::Recorded | State::LetterSent | State::Answered),
        StepKind::Answered => now == State::LetterSent,
        StepKind::Corrected => matches!(now, State::Answered | State::Exposed),
        StepKind::Exposed | StepKind::Closed => matches!(now, State::LetterSent | State::Answered),
        StepKind::TakenBack => now != State::Withdrawn,
    }
}

fn is_taken_back(standing: &[&Entry], entry: &Entry) -> Result<(), Refused> {
    let is_theirs = standing.last().is_some_and(|last| last.author.office == Office::Supervisor);
    if is_theirs && entry.author.office != Office::Supervisor {
        return Err(Refused::NotYours);
    }
    if entry.note.is_none() { Err(Refused::NeedsNote) } else { Ok(()) }
}

/// The entries that stand; `None`: the record itself was taken back.
fn fold(history: &[Entry]) -> Option<Vec<&Entry>> {
    let mut standing = Vec::new();
    for entry in history {
        if entry.step == Step::TakenBack {
            standing.pop()?;
        } else {
            standing.push(entry);
        }
    }
    Some(standing)
}

fn after(step: &Step) -> State {
    match step {
        Step::LetterSent { .. } => State::LetterSent,
        Step::Answered { .. } => State::Answered,
        Step::Corrected => State::Corrected,
        Step::Exposed { .. } => State::Exposed,
        Step::Closed { .. } => State::Closed,
        // None stands: it has taken another one away, and itself.
        Step::TakenBack => State::Recorded,
    }
}
