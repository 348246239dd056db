//! The traces of the last while, in bounded memory: to be looked at where there is no store of traces, or while that is down.
//!
//! [`Traces::find`] says which traces fit a [`Query`], newest first, as `Vec<Arc<Trace>>`. A [`Trace`] holds the spans that
//! ended together; a question that goes on behind its `pending` reply yields several traces with the same id, so whoever draws
//! one asks by its id and takes the spans of all of them. To draw a waterfall, order spans by `start` (counted from the
//! trace's `started`) and indent each below its `parent`; a parent that is not among them is the caller's.
//!
//! Those that failed or were slow have room of their own: however many go well, they stay.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::ids::TraceId;
use super::span::{Trace, What};
use crate::domain::{Cause, Outcome};

/// The traces of the last while. All threads share them.
#[derive(Debug)]
pub struct Traces {
    /// Those that failed or were slow.
    notable: Ring,
    others: Ring,
    slow: Duration,
}

/// What traces are looked for. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// This one.
    pub trace: Option<TraceId>,
    /// Those with a question that came to this.
    pub outcome: Option<Outcome>,
    /// Those in which this source was asked. A text, because it may be typed.
    pub source: Option<String>,
    /// Those in which asking a department failed for this cause; with a source: asking that one.
    pub cause: Option<Cause>,
    /// Those in which something failed.
    pub has_failed: bool,
    /// Those that took so long or longer.
    pub at_least: Option<Duration>,
    /// Those that ended at this moment or later.
    pub from: Option<Timestamp>,
    /// Those that ended before this moment.
    pub until: Option<Timestamp>,
}

impl Traces {
    /// Room for so many bytes; a trace that took `slow` or longer is kept like one that failed.
    #[must_use]
    pub fn new(bytes: usize, slow: Duration) -> Self {
        let (notable, others) = (Ring::new(bytes / 4 * 3), Ring::new(bytes / 4));
        Self { notable, others, slow }
    }

    pub(super) fn add(&self, trace: Arc<Trace>) {
        let is_notable = trace.has_failed() || trace.length() >= self.slow;
        let ring = if is_notable { &self.notable } else { &self.others };
        ring.add(trace);
    }

    /// At most so many that fit, the newest first.
    #[must_use]
    pub fn find(&self, query: &Query, most: usize) -> Vec<Arc<Trace>> {
        let mut found = self.notable.find(query, most);
        if !query.has_failed {
            found.extend(self.others.find(query, most));
        }
        found.sort_by_cached_key(|trace| std::cmp::Reverse(trace.ended()));
        found.truncate(most);
        found
    }

    /// Whether some have had to go, because newer ones needed their room.
    #[must_use]
    pub fn has_lost_some(&self) -> bool {
        self.notable.held().gone + self.others.held().gone > 0
    }

    /// About how many bytes they take now.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.notable.held().bytes + self.others.held().bytes
    }

    /// How many they are now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.notable.held().traces.len() + self.others.held().traces.len()
    }
}

impl Query {
    fn fits(&self, trace: &Trace) -> bool {
        let ended = trace.ended();
        self.trace.is_none_or(|id| id == trace.id)
            && self.outcome.is_none_or(|outcome| trace.questions().any(|question| question.outcome == Some(outcome)))
            && self.fits_departments(trace)
            && (!self.has_failed || trace.has_failed())
            && self.at_least.is_none_or(|length| trace.length() >= length)
            && self.from.is_none_or(|from| ended >= from)
            && self.until.is_none_or(|until| ended < until)
    }

    fn fits_departments(&self, trace: &Trace) -> bool {
        if self.source.is_none() && self.cause.is_none() {
            return true;
        }
        trace.spans.iter().any(|span| {
            let (source, cause) = match &span.what {
                What::Ask(ask) => (&ask.source, ask.end.cause()),
                What::Exchange(exchange) => (&exchange.source, exchange.end.cause()),
                _ => return false,
            };
            self.source.as_ref().is_none_or(|wanted| wanted == source.as_str())
                && self.cause.is_none_or(|wanted| cause == Some(wanted))
        })
    }
}

/// The last traces within a number of bytes.
#[derive(Debug)]
struct Ring {
    held: Mutex<Held>,
    most: usize,
}

#[derive(Debug, Default)]
struct Held {
    traces: VecDeque<Arc<Trace>>,
    bytes: usize,
    /// How many have gone before the first.
    gone: usize,
}

/// How many are taken out at once to be looked at: whoever adds one waits no longer than that takes.
const AT_ONCE: usize = 256;

impl Ring {
    fn new(most: usize) -> Self {
        Self { held: Mutex::default(), most }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, trace: Arc<Trace>) {
        let bytes = trace.bytes();
        let mut held = self.held();
        held.bytes += bytes;
        held.traces.push_back(trace);
        while held.bytes > self.most {
            let Some(oldest) = held.traces.pop_front() else { break };
            held.bytes -= oldest.bytes();
            held.gone += 1;
        }
    }

    fn find(&self, query: &Query, most: usize) -> Vec<Arc<Trace>> {
        let mut found = Vec::new();
        let mut end = usize::MAX;
        while found.len() < most {
            let some = self.some_before(&mut end);
            if some.is_empty() {
                break;
            }
            found.extend(some.into_iter().filter(|trace| query.fits(trace)).take(most - found.len()));
        }
        found
    }

    /// Some that came before the number `end`, newest first; `end` becomes the number of the last of them.
    fn some_before(&self, end: &mut usize) -> Vec<Arc<Trace>> {
        let held = self.held();
        let last = end.saturating_sub(held.gone).min(held.traces.len());
        let first = last.saturating_sub(AT_ONCE);
        *end = held.gone + first;
        held.traces.range(first..last).rev().cloned().collect()
    }
}
