//! What operators are told of a question: what it is about, and never whom.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Request, Verification};
use crate::claims::WitnessReport;
use crate::departments::{Fact, Failure, Occasion, OperationRef};
use crate::domain::{AgencyId, Outcome};
use crate::ledger::NotRecorded;
use crate::telemetry::{self, Ask, AskEnd, Behind, Entry, Open, Question, Record, Telemetry, What, Witness};

/// A question, or a further stretch of its way behind its reply.
pub(super) fn question(request: &Request, agency: &AgencyId, is_behind: bool) -> Open {
    let question = || Question {
        claim: request.claim.reference().clone(),
        agency: agency.clone(),
        is_behind,
        outcome: None,
        witnesses: Box::default(),
    };
    telemetry::open(|| What::Question(question()))
}

/// What goes on for this question behind its reply.
pub(super) fn behind(telemetry: &Arc<Telemetry>, occasion: &Occasion) -> Behind {
    Behind::of(telemetry, occasion.traceparent.as_deref(), occasion.tracestate.as_deref())
}

/// What a question has come to.
pub(super) fn came_to(span: &mut Open, verification: &Verification) {
    let witness = |report: &WitnessReport| Witness {
        source: report.source.clone(),
        answer: report.answer,
        cause: report.cause,
        is_cached: report.cached,
    };
    span.say(|what| {
        if let What::Question(question) = what {
            question.outcome = Some(verification.outcome);
            question.witnesses = verification.witnesses.iter().map(witness).collect();
        }
    });
}

/// What a department is asked.
pub(super) fn ask(operation: &OperationRef) -> Open {
    let (source, operation) = (&operation.source, &operation.operation);
    telemetry::open(|| What::Ask(Ask { source: source.clone(), operation: operation.clone(), end: AskEnd::Abandoned }))
}

/// What came of that. A fact from before the question began was remembered.
pub(super) fn answered(span: &mut Open, answer: Result<&Fact, &Failure>, began: Timestamp) {
    span.say(|what| {
        if let What::Ask(ask) = what {
            ask.end = match answer {
                Ok(fact) if fact.stale => AskEnd::Stale,
                Ok(fact) if fact.as_of < began => AskEnd::Remembered,
                Ok(_) => AskEnd::Answered,
                Err(failure) => AskEnd::Failed(failure.cause),
            };
        }
    });
}

/// Waits until something is recorded.
pub(super) async fn record<T>(
    entry: Entry,
    recording: impl Future<Output = Result<T, NotRecorded>>,
) -> Result<T, NotRecorded> {
    let mut span = telemetry::open(|| What::Record(Record { entry, is_done: None }));
    let recorded = recording.await;
    span.say(|what| *what = What::Record(Record { entry, is_done: Some(recorded.is_ok()) }));
    recorded
}

/// Decides.
pub(super) fn decide(decide: impl FnOnce() -> Outcome) {
    let mut span = telemetry::open(|| What::Decide(None));
    let outcome = decide();
    span.say(|what| *what = What::Decide(Some(outcome)));
}

/// What was asked of the request that this task answers, before any of it is permitted.
pub(super) fn asked(request: &Request) {
    telemetry::request(|told| told.claim = Some(request.claim.reference().clone()));
}

/// What is known without asking anybody.
pub(super) fn known(operation: &OperationRef, fact: &Arc<Fact>) {
    let mut span = ask(operation);
    answered(&mut span, Ok(fact), Timestamp::MAX);
}
