//! What an operator is told of questions.

use jiff::Timestamp;

use super::{Gateway, Verification};
use crate::claims::WitnessReport;
use crate::departments::Occasion;
use crate::domain::Answer;
use crate::situation::{Heard, Question};

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// A question that was asked just now has come to something.
    Asked,
    /// One waits: an earlier process left it open, or it is to be asked again.
    Waits,
    /// One that was pending has come to something.
    Arrived,
}

impl Gateway {
    /// Tells what a question has come to.
    pub(super) fn tell(&self, told: Told, verification: &Verification, occasion: &Occasion, asked: Timestamp) {
        let witnesses: Vec<Heard<'_>> = verification.witnesses.iter().map(heard).collect();
        let question = Question {
            id: verification.id,
            agency: &verification.agency,
            claim: &verification.claim,
            outcome: verification.outcome,
            witnesses: &witnesses,
            asked,
            at: self.clock.now(),
            again: verification.again,
            trace: occasion.traceparent.as_deref().and_then(trace),
        };
        match told {
            Told::Asked => self.situation.asked(&question),
            Told::Waits => self.situation.waits(&question),
            Told::Arrived => self.situation.arrived(&question),
        }
    }
}

fn heard(report: &WitnessReport) -> Heard<'_> {
    let missing = report.answer == Answer::Unavailable;
    Heard { source: &report.source, cached: report.cached, missing }
}

/// The trace id in a `traceparent` (W3C Trace Context) of ours.
fn trace(traceparent: &str) -> Option<&str> {
    traceparent.split('-').nth(1).filter(|trace| trace.len() == 32)
}
