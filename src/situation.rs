//! Layer 1: what an operator must know at three in the morning: which department is failing, since when, with which cause,
//! and whom that hits.
//!
//! It is told of every exchange with a department and of every question that is answered, refused or kept, and counts them in
//! sliding windows: `operation` what an operation's calls come to, `health` whether it is well and since when it is not,
//! `questions` whom that hits, `picture` what is said of it, and `state` the word for it. `window` and `latency` are what these count with.
//!
//! It holds no person: agencies, claims, causes and trace ids. All of it is in memory alone, and bounded; a new process begins
//! anew. Time is a parameter.

mod health;
mod latency;
mod operation;
mod picture;
mod questions;
mod state;
#[cfg(test)]
mod tests;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::departments::OperationRef;
use crate::domain::{AgencyId, Cause, ClaimRef, Outcome, Slug};

pub use health::{Past, QUIET, RECOVERED, Run, Runs};
pub use operation::{Bar, Record};
pub use picture::{
    Asked, CauseShare, Circumstances, Closure, Department, Hits, OfAgency, OfOperation, OperationPicture, Pending,
    Picture, Rate, Traffic,
};
use questions::Questions;
pub use state::State;

/// The situation of a whole process. All threads share one.
#[derive(Default)]
pub struct Situation {
    operations: RwLock<HashMap<OperationRef, Arc<Record>>>,
    questions: Mutex<Questions>,
    /// When each source last told of an event.
    events: Mutex<HashMap<Slug, Timestamp>>,
}

/// An exchange with a department, or one that was not made.
#[derive(Debug, Clone, Copy)]
pub struct Exchange {
    /// When it began.
    pub began: Timestamp,
    /// How long it took; nothing, where none was made.
    pub took: Duration,
    /// Whether there is an answer, or why not.
    pub result: Result<(), Cause>,
}

/// A question that has come to something.
#[derive(Debug)]
pub struct Question<'a> {
    /// Which verification.
    pub id: Uuid,
    /// Who asked.
    pub agency: &'a AgencyId,
    /// What was asked.
    pub claim: &'a ClaimRef,
    /// What came of it. `Pending`: it goes on.
    pub outcome: Outcome,
    /// Its witnesses: the source, whether its answer was remembered, and whether it is missing.
    pub witnesses: &'a [Heard<'a>],
    /// When it was asked.
    pub asked: Timestamp,
    /// When it came to this.
    pub at: Timestamp,
    /// When it is asked again, where it waits for a department to open.
    pub again: Option<Timestamp>,
    /// Its trace (W3C Trace Context).
    pub trace: Option<&'a str>,
}

/// A witness of a question.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// The source.
    pub source: &'a Slug,
    /// Whether it was known without asking.
    pub cached: bool,
    /// Whether there is no answer of it.
    pub missing: bool,
}

impl Situation {
    /// Where the exchanges of one operation are noted.
    #[must_use]
    pub fn operation(&self, operation: &OperationRef) -> Arc<Record> {
        let known = self.operations.read().unwrap_or_else(PoisonError::into_inner).get(operation).cloned();
        known.unwrap_or_else(|| {
            let mut operations = self.operations.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(operations.entry(operation.clone()).or_default())
        })
    }

    /// Notes what a question that was asked just now has come to.
    pub fn asked(&self, question: &Question<'_>) {
        let mut questions = self.questions();
        questions.asked(question);
        if question.outcome == Outcome::Pending {
            questions.waits(question);
        }
    }

    /// Notes that a question waits, that an earlier process left open or that is to be asked again.
    pub fn waits(&self, question: &Question<'_>) {
        self.questions().waits(question);
    }

    /// Notes what a question that was pending has come to.
    pub fn arrived(&self, question: &Question<'_>) {
        self.questions().arrived(question);
    }

    /// Notes that an agency was turned away.
    pub fn refused(&self, agency: &AgencyId, at: Timestamp) {
        self.questions().refused(agency, at);
    }

    /// How things stand at this moment. The circumstances name every source and operation of the picture, in its order.
    #[must_use]
    pub fn picture(&self, circumstances: &[Circumstances], now: Timestamp) -> Picture {
        let of_operation = |source: &Slug, operation: &OfOperation| {
            let known = OperationRef { source: source.clone(), operation: operation.id.clone() };
            let record = self.operation(&known);
            record.picture(operation, now)
        };
        let mut departments = Vec::with_capacity(circumstances.len());
        for source in circumstances {
            let operations = source.operations.iter().map(|one| of_operation(&source.source, one)).collect();
            let hits = self.questions().hits(&source.source, now);
            departments.push(Department::new(source, operations, hits, now));
        }
        let questions = self.questions();
        Picture {
            at: now,
            departments,
            minute: questions.traffic(now, MINUTE),
            ten_minutes: questions.traffic(now, TEN_MINUTES),
            pending: questions.pending(),
        }
    }

    /// What each agency has asked within ten minutes, the busiest first.
    #[must_use]
    pub fn agencies(&self, now: Timestamp) -> Vec<OfAgency> {
        self.questions().agencies(now)
    }

    /// What each source was asked and remembered within ten minutes: witnesses, and those of them that were known.
    #[must_use]
    pub fn remembered(&self, now: Timestamp) -> Vec<(Slug, u32, u32)> {
        self.questions().remembered(now)
    }

    /// The bars of an hour, a minute each and oldest first: what the calls of these operations came to.
    #[must_use]
    pub fn hour(&self, operations: &[OperationRef], now: Timestamp) -> Vec<Bar> {
        let mut bars = vec![Bar::default(); operation::MINUTES];
        for operation in operations {
            self.operation(operation).add_hour(&mut bars, now);
        }
        bars
    }

    /// Notes that a source has told of an event.
    pub fn event(&self, source: &Slug, at: Timestamp) {
        self.events().insert(source.clone(), at);
    }

    /// When a source last told of an event.
    #[must_use]
    pub fn last_event(&self, source: &Slug) -> Option<Timestamp> {
        self.events().get(source).copied()
    }

    fn events(&self) -> MutexGuard<'_, HashMap<Slug, Timestamp>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn questions(&self) -> MutexGuard<'_, Questions> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Slots of ten seconds.
const SLOT: i64 = 10;
const MINUTE: usize = 6;
const TEN_MINUTES: usize = 60;
