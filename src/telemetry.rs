//! Layer 2, and below everything there but words: what the gateway tells its operators. Spans, metrics and logs, with nothing in them that
//! is anybody's: their attributes are ids of the configuration, enumerations and numbers.
//!
//! Work is recorded while it is done (`recording`): a request, the question in it, what each department is asked, each HTTP
//! exchange, each wait for the ledger. When a request has its reply, its [`Trace`] is told once, and from it comes everything:
//!
//! - metrics are counted (`metrics`), shown under `/metrics` and exported;
//! - it is kept in memory for a while, failed and slow ones longest (`recent`);
//! - if it is sampled, it is exported (`otlp`).
//!
//! So the hot path only notes what happened, and there is one truth for all of these.

mod ids;
pub mod logs;
pub mod metrics;
mod otlp;
pub mod recent;
mod recording;
mod sampling;
mod span;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;

pub use ids::{NoId, Parent, SpanId, TraceId};
use metrics::{Metrics, Page};
use otlp::Exporter;
pub use otlp::Exports;
use recent::Traces;
pub use recording::{Answering, Behind, Open, note, open, parent, request, state, tell};
pub use sampling::Sampler;
pub use span::{
    Ask, AskEnd, Entry, Exchange, ExchangeEnd, Method, Peer, Question, Record, Request, Span, Step, Trace, What,
    Witness,
};

/// What the gateway tells its operators. All threads share one.
pub struct Telemetry {
    clock: Arc<dyn Clock>,
    /// When it began to count.
    began: Timestamp,
    /// Nothing is recorded.
    is_off: bool,
    sampler: Sampler,
    exporter: Option<Exporter>,
    metrics: Metrics,
    recent: Traces,
    stands: RwLock<Option<Arc<dyn Stands>>>,
}

/// Somebody who knows how things stand, and writes that down when it is looked at.
pub trait Stands: Send + Sync {
    /// Writes it down.
    fn write(&self, page: &mut Page);
}

/// What is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The most bytes of recent traces.
    pub bytes: usize,
    /// What took so long or longer is kept like what failed.
    pub slow: Duration,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Telemetry").field("sampler", &self.sampler).finish_non_exhaustive()
    }
}

impl Telemetry {
    /// Begins to record.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, memory: Memory, exports: &Exports) -> Arc<Self> {
        for warning in &exports.warnings {
            tracing::warn!("{warning}");
        }
        let (metrics, recent) = (Metrics::default(), Traces::new(memory.bytes, memory.slow));
        let (is_off, sampler, stands) = (exports.is_disabled, exports.sampler, RwLock::default());
        let began = clock.now();
        Arc::new_cyclic(|telemetry| {
            let exporter = Exporter::start(exports, telemetry, metrics.losses());
            if let Some(exporter) = &exporter {
                logs::export_to(Arc::downgrade(exporter.queue()));
            }
            Self { clock, began, is_off, sampler, exporter, metrics, recent, stands }
        })
    }

    /// Begins a request. `parent` and `state` are the `traceparent` and `tracestate` fields that came with it.
    #[must_use]
    pub fn answering<'a>(
        self: &Arc<Self>,
        request: Request,
        mut parent: impl Iterator<Item = &'a str>,
        state: impl Iterator<Item = &'a str>,
    ) -> Answering {
        if self.is_off {
            return Answering::nothing();
        }
        let first = parent.next().and_then(|text| text.parse::<Parent>().ok());
        // Of two nobody knows which one is meant.
        let caller = first.filter(|_| parent.next().is_none());
        // Without a `traceparent` it means nothing.
        let state = caller.and_then(|_| ids::state(state));
        Answering::start(Arc::clone(self), request, caller, state)
    }

    /// From now on this knows how things stand.
    pub fn look_at(&self, stands: Arc<dyn Stands>) {
        *self.stands.write().unwrap_or_else(PoisonError::into_inner) = Some(stands);
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The traces of the last while.
    #[must_use]
    pub fn recent(&self) -> &Traces {
        &self.recent
    }

    /// Everything that is counted, and how things stand.
    #[must_use]
    pub fn page(&self) -> Page {
        let mut page = Page::default();
        self.metrics.write(&mut page);
        page.whole(&metrics::TRACES_BYTES, vec![], self.recent.bytes() as u64);
        page.whole(&metrics::TRACES, vec![], self.recent.count() as u64);
        let stands = self.stands.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(stands) = stands {
            stands.write(&mut page);
        }
        page
    }

    /// Sends what waits to be exported, within a bounded time. It blocks.
    pub fn end(&self) {
        if let Some(exporter) = &self.exporter {
            exporter.end();
        }
    }

    /// Whether a trace is exported. Where nothing is, a caller's mark is handed on: its own part is recorded elsewhere.
    fn is_sampled(&self, trace: TraceId, parent: Option<Parent>) -> bool {
        match &self.exporter {
            Some(exporter) if exporter.takes_spans() => self.sampler.takes(trace, parent),
            _ => parent.is_some_and(|parent| parent.is_sampled),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What is known of a trace.
    fn take(&self, trace: Trace) {
        self.metrics.count(&trace);
        let trace = Arc::new(trace);
        if let Some(exporter) = self.exporter.as_ref().filter(|_| trace.is_sampled) {
            exporter.trace(&trace);
        }
        self.recent.add(trace);
    }
}
