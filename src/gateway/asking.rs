use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::record::WriteAhead;
use super::spans;
use crate::claims::Inquiry;
use crate::departments::{Departments, Fact, Failure, Occasion, Question};
use crate::domain::Outcome;
use crate::ledger::NotRecorded;

/// One verification while departments are asked. It can be left waiting and taken up again: nothing that was asked is lost.
pub(super) struct Asking {
    pub(super) inquiry: Inquiry,
    pub(super) departments: Arc<dyn Departments>,
    pub(super) parameters: Arc<Map<String, Value>>,
    pub(super) occasion: Arc<Occasion>,
    pub(super) not_before: Option<Timestamp>,
    /// How long an answer may take.
    pub(super) within: Duration,
    pub(super) started: Timestamp,
    /// Whether anybody has been asked yet.
    pub(super) has_begun: bool,
    /// What is on record before anybody is asked.
    pub(super) ahead: WriteAhead,
    /// The applications that were made for it.
    pub(super) applications: Vec<Question>,
    /// What is to be asked once that is so, each with its slot.
    pub(super) unsent: Vec<(usize, Question)>,
    pub(super) awaited: FuturesUnordered<BoxFuture<'static, Answered>>,
    /// When it may be worth asking again those who could not be asked: the latest of what they said.
    pub(super) until: Option<Timestamp>,
    /// Whether somebody failed in a way that asking again will not change.
    pub(super) hopeless: bool,
}

/// Which question was answered, and how.
type Answered = (usize, Result<Arc<Fact>, Failure>);

impl Asking {
    /// Asks until the outcome stands.
    ///
    /// # Errors
    /// If it cannot be recorded that somebody is asked: nobody was.
    pub(super) async fn run(&mut self) -> Result<(), NotRecorded> {
        self.has_begun = true;
        loop {
            self.settle_what_is_known();
            if self.stands() {
                return Ok(());
            }
            if !self.unsent.is_empty() {
                self.ahead.written().await?;
                self.send();
            }
            let Some(answered) = self.awaited.next().await else { return Ok(()) };
            self.settle(answered);
            // What has been answered by now is weighed together.
            while let Some(Some(answered)) = self.awaited.next().now_or_never() {
                self.settle(answered);
            }
        }
    }

    fn stands(&self) -> bool {
        self.inquiry.outcome().is_some_and(|outcome| outcome != Outcome::Unavailable)
    }

    /// Settles what is known of what is called for, and notes what is not.
    fn settle_what_is_known(&mut self) {
        loop {
            let mut some_known = false;
            for ask in self.inquiry.advance() {
                let question = Question {
                    operation: ask.operation,
                    about: ask.about,
                    parameters: Arc::clone(&self.parameters),
                    occasion: Arc::clone(&self.occasion),
                    not_before: self.not_before,
                    within: self.within,
                };
                if let Some(fact) = self.departments.known(&question) {
                    spans::known(&question.operation, &fact);
                    self.inquiry.settle(ask.slot, Ok(fact), true);
                    some_known = true;
                    continue;
                }
                self.unsent.push((ask.slot, question));
            }
            if !some_known {
                return;
            }
        }
    }

    fn send(&mut self) {
        for (slot, question) in self.unsent.drain(..) {
            self.applications.extend(self.departments.application(&question));
            let (departments, began) = (Arc::clone(&self.departments), self.started);
            self.awaited.push(Box::pin(async move {
                let mut span = spans::ask(&question.operation);
                let answer = span.around(departments.ask(&question)).await;
                spans::answered(&mut span, answer.as_deref(), began);
                (slot, answer)
            }));
        }
    }

    fn settle(&mut self, (slot, answer): Answered) {
        let cached = answer.as_ref().is_ok_and(|fact| fact.as_of < self.started);
        if let Err(failure) = &answer {
            self.until = self.until.max(failure.until);
            self.hopeless |= !failure.cause.is_passing();
        }
        self.inquiry.settle(slot, answer.map_err(|failure| failure.cause), cached);
    }

    /// What it has come to.
    pub(super) fn outcome(&self) -> Outcome {
        match self.inquiry.outcome() {
            // That nobody can be asked is not known before it was tried.
            _ if !self.has_begun => Outcome::Pending,
            Some(outcome) => outcome,
            None if self.awaited.is_empty() && self.unsent.is_empty() => Outcome::Unavailable,
            None => Outcome::Pending,
        }
    }

    /// Whether somebody is being asked.
    pub(super) fn is_under_way(&self) -> bool {
        !self.awaited.is_empty()
    }
}
