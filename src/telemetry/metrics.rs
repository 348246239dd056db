//! What is counted. Everything that happens for a request is counted from its trace when that is told, in one place; how
//! things stand is asked when somebody looks. Both come out as one [`Page`], for `/metrics` and for OTLP alike.
//!
//! Labels are enumerations and ids of the configuration, so there are never more series than those make.

mod catalog;
mod commits;
mod instrument;
mod page;
mod process;
mod text;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::span::{
    Ask, AskEnd, Entry, Exchange, ExchangeEnd, Method, Question, Request, Span, Step, Trace, What, Witness,
};
use crate::domain::{Answer, Cause, ClaimRef, Outcome, Slug};

pub use catalog::*;
pub use commits::Commits;
pub(super) use instrument::{Counter, Exemplar, Histogram};
pub use page::{Distribution, Label, Page, Reading, Sample};
pub use text::{OPEN_METRICS, PROMETHEUS};

/// Everything that is counted.
#[derive(Default)]
pub struct Metrics {
    requests: Family<(Method, Option<Arc<str>>, u16), Histogram<SECONDS>>,
    claims: Family<ClaimRef, PerClaim>,
    sources: Family<Slug, PerSource>,
    operations: Family<(Slug, Slug), PerOperation>,
    refusals: Family<&'static str, Counter>,
    records: [Histogram<FAST>; 3],
    unrecorded: [Counter; 3],
    events: Family<Slug, Counter>,
    findings: Family<(&'static str, bool), Counter>,
    receipts: Family<&'static str, Counter>,
    checks: Family<Checked, Counter>,
    telemetry: Arc<Losses>,
}

/// What telemetry itself loses.
#[derive(Default)]
pub(super) struct Losses {
    pub(super) spans: Counter,
    pub(super) logs: Counter,
    pub(super) failed: [Counter; 3],
    pub(super) exported: [Counter; 3],
}

/// What was counted of one claim.
#[derive(Default)]
struct PerClaim {
    outcomes: [Counter; Outcome::ALL.len()],
    duration: Histogram<SECONDS>,
}

/// What was counted of one source.
#[derive(Default)]
struct PerSource {
    answers: [Counter; Answer::ALL.len()],
    causes: [Counter; Cause::ALL.len()],
}

/// What was counted of one operation.
#[derive(Default)]
struct PerOperation {
    asks: Ends,
    joined: Counter,
    remembered: Counter,
    stale: Counter,
    exchanges: Ends,
    steps: [Histogram<SECONDS>; 3],
    retries: Counter,
    hedges: Counter,
}

/// How things ended.
#[derive(Default)]
struct Ends {
    answered: Counter,
    abandoned: Counter,
    failed: [Counter; Cause::ALL.len()],
}

/// What checking a receipt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Checked {
    /// It is ours and holds.
    Valid,
    /// It does not.
    Invalid,
}

/// Upper bounds of requests and exchanges in seconds: those that the semantic conventions advise, and three below.
pub(super) const BOUNDS: [f64; SECONDS] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const SECONDS: usize = 17;

/// Upper bounds of a disk's waits in seconds.
const DISK: [f64; FAST] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
const FAST: usize = 13;

impl Metrics {
    /// These may be counted: until they are, they show as 0, so that the first of them is a change that an alert sees.
    pub fn expect<'a>(
        &self,
        operations: impl IntoIterator<Item = (&'a Slug, &'a Slug)>,
        measures: impl IntoIterator<Item = &'static str>,
    ) {
        for (source, operation) in operations {
            self.sources.with(source, |_| {});
            self.operation(source, operation, |_| {});
        }
        for measure in measures {
            for is_stopped in [false, true] {
                self.findings.with(&(measure, is_stopped), |_| {});
            }
        }
    }

    /// What telemetry itself loses.
    pub(super) fn losses(&self) -> &Arc<Losses> {
        &self.telemetry
    }

    /// Counts what happened in a trace.
    pub(super) fn count(&self, trace: &Trace) {
        for span in &trace.spans {
            match &span.what {
                What::Request(request) => self.request(trace, span, request),
                What::Question(question) => self.question(trace, span, question),
                What::Ask(ask) => self.ask(ask),
                What::Join(_) => self.join(trace, span),
                What::Exchange(exchange) => self.exchange(trace, span, exchange),
                What::Record(record) => {
                    let index = record.entry as usize;
                    self.records[index].observe(span.length, &DISK, || Exemplar::of(trace, span));
                    if record.is_done == Some(false) {
                        self.unrecorded[index].add(1);
                    }
                }
                What::Decide(_) => {}
            }
        }
    }

    fn request(&self, trace: &Trace, span: &Span, request: &Request) {
        // 499, as proxies count it: the client went away before it was answered.
        let status = request.status.unwrap_or(CLIENT_GONE);
        let exemplar = || Exemplar::of(trace, span);
        self.requests.with(&(request.method, request.route.clone(), status), |family| {
            family.observe(span.length, &BOUNDS, exemplar);
        });
        if let Some(code) = request.problem {
            self.refusals.with(&code, |counter| counter.add(1));
        }
    }

    fn question(&self, trace: &Trace, span: &Span, question: &Question) {
        self.claims.with(&question.claim, |claim| {
            if let Some(outcome) = question.outcome {
                claim.outcomes[outcome as usize].add(1);
            }
            claim.duration.observe(span.length, &BOUNDS, || Exemplar::of(trace, span));
        });
        for Witness { source, answer, cause, .. } in &question.witnesses {
            self.sources.with(source, |source| {
                source.answers[*answer as usize].add(1);
                if let Some(cause) = cause {
                    source.causes[*cause as usize].add(1);
                }
            });
        }
    }

    fn ask(&self, ask: &Ask) {
        self.operation(&ask.source, &ask.operation, |operation| match ask.end {
            AskEnd::Remembered => operation.remembered.add(1),
            AskEnd::Stale => operation.stale.add(1),
            AskEnd::Answered => operation.asks.answered.add(1),
            AskEnd::Failed(cause) => operation.asks.failed[cause as usize].add(1),
            AskEnd::Abandoned => operation.asks.abandoned.add(1),
        });
    }

    /// A question that waited for an equal one.
    fn join(&self, trace: &Trace, span: &Span) {
        let asked = trace.spans.iter().find_map(|other| match &other.what {
            What::Ask(ask) if Some(other.id) == span.parent => Some(ask),
            _ => None,
        });
        if let Some(ask) = asked {
            self.operation(&ask.source, &ask.operation, |operation| operation.joined.add(1));
        }
    }

    fn exchange(&self, trace: &Trace, span: &Span, exchange: &Exchange) {
        self.operation(&exchange.source, &exchange.operation, |operation| {
            match exchange.end {
                ExchangeEnd::Answered => operation.exchanges.answered.add(1),
                ExchangeEnd::Failed(cause) => operation.exchanges.failed[cause as usize].add(1),
                ExchangeEnd::Abandoned => operation.exchanges.abandoned.add(1),
            }
            let exemplar = || Exemplar::of(trace, span);
            operation.steps[exchange.step as usize].observe(span.length, &BOUNDS, exemplar);
            operation.retries.add(u64::from(exchange.attempt > 1 && !exchange.is_hedge));
            operation.hedges.add(u64::from(exchange.is_hedge));
        });
    }

    fn operation(&self, source: &Slug, operation: &Slug, count: impl FnOnce(&PerOperation)) {
        self.operations.with(&(source.clone(), operation.clone()), count);
    }

    /// A source has told of so many people whose records changed.
    pub fn event(&self, source: &Slug, people: u64) {
        self.events.with(source, |counter| counter.add(people));
    }

    /// The watch has found something that looks like guessing, measured so.
    pub fn finding(&self, measure: &'static str, is_stopped: bool) {
        self.findings.with(&(measure, is_stopped), |counter| counter.add(1));
    }

    /// A receipt was issued, signed by this algorithm.
    pub fn issued(&self, algorithm: &'static str) {
        self.receipts.with(&algorithm, |counter| counter.add(1));
    }

    /// A receipt was checked.
    pub fn checked(&self, came_to: Checked) {
        self.checks.with(&came_to, |counter| counter.add(1));
    }

    /// Writes all of it down.
    pub(super) fn write(&self, page: &mut Page) {
        self.requests.each(|(method, route, status), duration| {
            let mut labels = vec![
                Label::fixed("http.request.method", method.as_str()),
                Label::number("http.response.status_code", *status),
            ];
            labels.extend(route.as_ref().map(|route| Label::new("http.route", route)));
            page.histogram(&catalog::REQUEST_DURATION, labels, duration.read(&BOUNDS));
        });
        self.claims.each(|claim, counted| counted.write(claim, page));
        self.sources.each(|source, counted| counted.write(source, page));
        self.operations.each(|(source, operation), counted| counted.write(source, operation, page));
        self.refusals.each(|code, counter| page.count(&catalog::PROBLEMS, vec![Label::fixed("code", code)], counter));
        for entry in Entry::ALL {
            let labels = || vec![Label::fixed("entry", entry.as_str())];
            page.histogram(&catalog::RECORD_DURATION, labels(), self.records[entry as usize].read(&DISK));
            page.count(&catalog::RECORD_FAILURES, labels(), &self.unrecorded[entry as usize]);
        }
        self.events.each(|source, counter| page.count(&catalog::EVENTS, vec![Label::source(source)], counter));
        self.findings.each(|(measure, is_stopped), counter| {
            let pace = if *is_stopped { "stopped" } else { "slowed" };
            let labels = vec![Label::fixed("measure", measure), Label::fixed("pace", pace)];
            page.count(&catalog::FINDINGS, labels, counter);
        });
        self.receipts.each(|algorithm, counter| {
            page.count(&catalog::RECEIPTS, vec![Label::fixed("algorithm", algorithm)], counter);
        });
        self.checks.each(|checked, counter| {
            let result = match checked {
                Checked::Valid => "valid",
                Checked::Invalid => "invalid",
            };
            page.count(&catalog::RECEIPT_CHECKS, vec![Label::fixed("result", result)], counter);
        });
        self.telemetry.write(page);
        process::write(page);
    }
}

/// The status of a request whose client went away before it was answered.
const CLIENT_GONE: u16 = 499;

impl PerClaim {
    fn write(&self, claim: &ClaimRef, page: &mut Page) {
        let labels = || vec![Label::new("matter", claim.matter.as_str()), Label::new("claim", claim.claim.as_str())];
        for outcome in Outcome::ALL {
            let mut labels = labels();
            labels.push(Label::fixed("outcome", outcome.as_str()));
            page.count(&catalog::QUESTIONS, labels, &self.outcomes[outcome as usize]);
        }
        page.histogram(&catalog::QUESTION_DURATION, labels(), self.duration.read(&BOUNDS));
    }
}

impl PerSource {
    fn write(&self, source: &Slug, page: &mut Page) {
        for answer in Answer::ALL {
            let labels = vec![Label::source(source), Label::fixed("answer", answer.as_str())];
            page.count(&catalog::WITNESSES, labels, &self.answers[answer as usize]);
        }
        for cause in Cause::ALL {
            let labels = vec![Label::source(source), Label::fixed("cause", cause.as_str())];
            page.count(&catalog::WITNESS_CAUSES, labels, &self.causes[cause as usize]);
        }
    }
}

impl PerOperation {
    fn write(&self, source: &Slug, operation: &Slug, page: &mut Page) {
        let labels = || vec![Label::source(source), Label::new("operation", operation.as_str())];
        let with = |name: &'static str, value: &'static str| {
            let mut labels = labels();
            labels.push(Label::fixed(name, value));
            labels
        };
        for (metric, ends) in [(&catalog::ASKS, &self.asks), (&catalog::EXCHANGES, &self.exchanges)] {
            page.count(metric, with("end", "answered"), &ends.answered);
            page.count(metric, with("end", "abandoned"), &ends.abandoned);
            for cause in Cause::ALL {
                page.count_if_any(metric, with("end", cause.as_str()), &ends.failed[cause as usize]);
            }
        }
        let asked = self.asks.total().saturating_sub(self.joined.value());
        page.total(&catalog::CACHE, with("result", "miss"), asked);
        page.count(&catalog::CACHE, with("result", "hit"), &self.remembered);
        page.count(&catalog::CACHE, with("result", "stale"), &self.stale);
        page.count(&catalog::CACHE, with("result", "joined"), &self.joined);
        for step in [Step::Query, Step::Apply, Step::Fetch] {
            let duration = &self.steps[step as usize];
            if duration.count() > 0 {
                page.histogram(&catalog::EXCHANGE_DURATION, with("step", step.as_str()), duration.read(&BOUNDS));
            }
        }
        page.count(&catalog::RETRIES, labels(), &self.retries);
        page.count(&catalog::HEDGES, labels(), &self.hedges);
    }
}

impl Ends {
    fn total(&self) -> u64 {
        let failed: u64 = self.failed.iter().map(Counter::value).sum();
        self.answered.value() + self.abandoned.value() + failed
    }
}

impl Losses {
    fn write(&self, page: &mut Page) {
        let signal = |signal| vec![Label::fixed("signal", signal)];
        page.count(&catalog::DROPPED, signal("traces"), &self.spans);
        page.count(&catalog::DROPPED, signal("logs"), &self.logs);
        for (index, name) in ["traces", "metrics", "logs"].into_iter().enumerate() {
            page.count(&catalog::EXPORTED, signal(name), &self.exported[index]);
            page.count(&catalog::EXPORT_FAILURES, signal(name), &self.failed[index]);
        }
    }
}

/// Things that are counted for each of some ids. They are never forgotten: there are as many as the configuration makes.
struct Family<K, V>(RwLock<HashMap<K, Arc<V>>>);

impl<K, V> Default for Family<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Hash + Eq + Clone, V: Default> Family<K, V> {
    fn with(&self, key: &K, count: impl FnOnce(&V)) {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return count(known);
        }
        let new = Arc::clone(self.0.write().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_default());
        count(&new);
    }

    fn each(&self, mut each: impl FnMut(&K, &V)) {
        // Whoever counts does not wait for whoever writes it down.
        let known: Vec<(K, Arc<V>)> = {
            let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
            all.iter().map(|(key, value)| (key.clone(), Arc::clone(value))).collect()
        };
        for (key, value) in &known {
            each(key, value);
        }
    }
}

/// How long something took, in seconds.
pub(super) fn seconds(length: Duration) -> f64 {
    length.as_secs_f64()
}
