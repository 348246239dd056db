use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Freshness, Verification};
use crate::claims::Inquiry;
use crate::departments::{Departments, Fact, Failure, Occasion, Question};
use crate::domain::{AgencyId, ClaimRef, Outcome, Slug};

/// One verification while departments are asked. It can be left waiting and taken up again: nothing that was asked is lost.
pub(super) struct Asking {
    pub(super) id: Uuid,
    pub(super) agency: AgencyId,
    pub(super) claim: ClaimRef,
    pub(super) inquiry: Inquiry,
    pub(super) departments: Arc<dyn Departments>,
    pub(super) freshness: Arc<Freshness>,
    pub(super) parameters: Arc<Map<String, Value>>,
    pub(super) occasion: Arc<Occasion>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) started: Timestamp,
    pub(super) awaited: FuturesUnordered<BoxFuture<'static, Answered>>,
}

/// Which question was answered, by whom, and how.
type Answered = (usize, Slug, Result<Arc<Fact>, Failure>);

impl Asking {
    /// Asks until the outcome stands.
    pub(super) async fn run(&mut self) {
        loop {
            self.ask_what_is_called_for();
            if self.stands() {
                return;
            }
            let Some(answered) = self.awaited.next().await else { return };
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

    /// Settles what is known, and sends off what is not.
    fn ask_what_is_called_for(&mut self) {
        loop {
            let mut some_known = false;
            for ask in self.inquiry.advance() {
                let question = Question {
                    operation: ask.operation,
                    about: ask.about,
                    parameters: Arc::clone(&self.parameters),
                    occasion: Arc::clone(&self.occasion),
                    not_before: self.not_before,
                };
                if let Some(fact) = self.departments.known(&question) {
                    self.inquiry.settle(ask.slot, Ok(fact), true);
                    some_known = true;
                    continue;
                }
                let departments = Arc::clone(&self.departments);
                self.awaited.push(Box::pin(async move {
                    let answer = departments.ask(&question).await;
                    (ask.slot, question.operation.source, answer)
                }));
            }
            if !some_known {
                return;
            }
        }
    }

    fn settle(&mut self, (slot, source, answer): Answered) {
        self.freshness.note(&source, answer.as_ref());
        let cached = answer.as_ref().is_ok_and(|fact| fact.as_of < self.started);
        self.inquiry.settle(slot, answer.map_err(|failure| failure.cause), cached);
    }

    /// What is known so far.
    pub(super) fn verification(&self) -> Verification {
        let outcome = if self.awaited.is_empty() || self.inquiry.outcome().is_some() {
            self.inquiry.outcome().unwrap_or(Outcome::Unavailable)
        } else {
            Outcome::Pending
        };
        let witnesses = self.inquiry.witnesses();
        let as_of = witnesses.iter().filter_map(|witness| witness.as_of).min().unwrap_or(self.started);
        Verification {
            id: self.id,
            agency: self.agency.clone(),
            claim: self.claim.clone(),
            outcome,
            as_of,
            degraded: self.inquiry.degraded(),
            witnesses,
        }
    }
}
