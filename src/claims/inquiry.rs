//! One question being answered: a claim about these people, with what is known so far.

use std::cell::OnceCell;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::frame::Frame;
use super::scope::Subject;
use super::verdict::Verdict;
use super::{Claim, constant};
use crate::departments::{Fact, OperationRef};
use crate::domain::{Answer, Cause, Outcome, Person, Slug};

/// A claim about certain people while its answers come in, in any order.
///
/// Call [`advance`](Self::advance), ask what it returns, [`settle`](Self::settle) each answer as it arrives, and repeat until
/// there is an [`outcome`](Self::outcome).
#[derive(Debug)]
pub struct Inquiry {
    root: Frame,
    asked: Asked,
    today: String,
    /// Worked out once, until something more is known.
    verdict: OnceCell<Option<Verdict>>,
}

/// A question that is to be asked now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Names the question when its answer is settled.
    pub slot: usize,
    /// What to ask.
    pub operation: OperationRef,
    /// Whom it is about.
    pub about: Person,
}

/// What one witness said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessReport {
    /// The source that was asked.
    pub source: Slug,
    /// What it means for the claim.
    pub answer: Answer,
    /// Why it is unavailable.
    pub cause: Option<Cause>,
    /// When the source was asked: the oldest of its answers.
    pub as_of: Option<Timestamp>,
    /// Whether one of its answers was known before.
    pub cached: bool,
    /// Whether one of its answers is past its lifetime, and serves because the source cannot be asked.
    pub stale: bool,
}

impl Inquiry {
    /// A question about `people`, one for each role of the claim, with a value for each of its parameters.
    #[must_use]
    pub fn new(claim: Arc<Claim>, people: Vec<Person>, parameters: &[Json], today: Date) -> Self {
        let parameters = parameters.iter().filter_map(constant).collect();
        let today = today.to_string();
        let subjects = people.into_iter().map(Subject::from).collect();
        let root = Frame::new(claim, subjects, parameters, &today);
        Self { root, asked: Asked::default(), today, verdict: OnceCell::new() }
    }

    /// The claim.
    #[must_use]
    pub fn claim(&self) -> &Claim {
        self.root.claim()
    }

    /// What is to be asked now. Questions of one `any` or `all` rule come together; those of a `first` rule one part
    /// after the other; nothing is asked twice, and nothing that cannot change the outcome any more.
    pub fn advance(&mut self) -> Vec<Ask> {
        let before = self.asked.slots.len();
        if self.verdict().is_none() {
            self.root.expand(&mut self.asked, &self.today);
            self.verdict.take();
        }
        let new = self.asked.slots.iter().enumerate().skip(before);
        new.map(|(slot, asked)| Ask { slot, operation: asked.operation.clone(), about: asked.about.clone() }).collect()
    }

    /// Notes an answer. `cached` says that it was known before this question was asked.
    pub fn settle(&mut self, slot: usize, answer: Result<Arc<Fact>, Cause>, cached: bool) {
        self.verdict.take();
        self.root.learn();
        if let Some(slot) = self.asked.slots.get_mut(slot) {
            slot.state = match answer {
                Ok(fact) => State::Answered { fact, cached },
                Err(cause) => State::Failed(cause),
            };
        }
    }

    /// The outcome, once nothing can change it or nobody is left to ask: `unavailable` where an answer that could not be
    /// got might change it. `None` while answers are awaited or there is something to ask.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        match self.verdict() {
            Some(verdict) => Some(verdict.outcome()),
            None if self.asked.slots.iter().any(|slot| matches!(slot.state, State::Awaited)) => None,
            None => Some(Outcome::Unavailable),
        }
    }

    /// The one verdict that is left, if it is one.
    fn verdict(&self) -> Option<Verdict> {
        *self.verdict.get_or_init(|| self.root.verdicts(&self.asked, &self.today).settled())
    }

    /// What each witness that was asked has said, in the order of the claim: for the record, not for whoever has asked.
    #[must_use]
    pub fn heard(&self) -> Vec<WitnessReport> {
        let mut reports = Vec::new();
        self.root.report(&self.asked, &self.today, &mut reports);
        reports
    }

    /// What whoever has asked is told of the witnesses: what they have said.
    ///
    /// Where the outcome is a mismatch, all of the claim's witnesses say so, whether they were asked or not: which of them
    /// found what, and whom else they led to, would tell what did not fit, and what is on record about a number alone.
    #[must_use]
    pub fn witnesses(&self) -> Vec<WitnessReport> {
        let mut reports = self.heard();
        if self.outcome() == Some(Outcome::Mismatch) {
            let mut sources = Vec::new();
            self.root.sources(&mut sources);
            reports = alike(&reports, sources);
        }
        reports
    }

    /// The sources that could not be asked although the outcome stands without them.
    #[must_use]
    pub fn degraded(&self) -> Vec<Slug> {
        if matches!(self.outcome(), None | Some(Outcome::Unavailable)) {
            return Vec::new();
        }
        let failed = self.asked.slots.iter().filter(|slot| matches!(slot.state, State::Failed(_)));
        let mut sources: Vec<Slug> = failed.map(|slot| slot.operation.source.clone()).collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }
}

/// The reports of a mismatch: one for each source, which differ only where a source could not be asked.
fn alike(reports: &[WitnessReport], sources: Vec<Slug>) -> Vec<WitnessReport> {
    let as_of = reports.iter().filter_map(|report| report.as_of).min();
    let (cached, stale) = (reports.iter().any(|report| report.cached), reports.iter().any(|report| report.stale));
    let report = |source| {
        let failed = |report: &&WitnessReport| report.source == source && report.answer == Answer::Unavailable;
        reports.iter().find(failed).cloned().unwrap_or(WitnessReport {
            source,
            answer: Answer::Mismatch,
            cause: None,
            as_of,
            cached,
            stale,
        })
    };
    sources.into_iter().map(report).collect()
}

/// All questions of an inquiry, each once.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) slots: Vec<Slot>,
}

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) operation: OperationRef,
    about: Person,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    Awaited,
    Answered { fact: Arc<Fact>, cached: bool },
    Failed(Cause),
}

impl Asked {
    pub(super) fn ask(&mut self, operation: &OperationRef, about: Person) -> usize {
        // They are a handful.
        if let Some(slot) = self.slots.iter().position(|slot| slot.about == about && slot.operation == *operation) {
            return slot;
        }
        self.slots.push(Slot { operation: operation.clone(), about, state: State::Awaited });
        self.slots.len() - 1
    }

    pub(super) fn state(&self, slot: usize) -> Option<&State> {
        self.slots.get(slot).map(|slot| &slot.state)
    }
}
