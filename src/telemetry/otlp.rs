//! What is exported, by OTLP over HTTP: traces, metrics and logs, each where the environment says.
//!
//! Each signal has a thread of its own that sends it, so that none waits for another's collector. Whoever works for a request only
//! puts what is to be sent into a queue, which is bounded: a collector that is down, slow or refuses costs spans, which are counted,
//! and no request a moment.
//!
//! The messages are those of the standard's own crate. The SDK stands between elsewhere; here it would only be in the way: what
//! it measures with has no examples and would be a second record of what is done, and what it sends is here already.

mod environment;
mod log_records;
mod metric_points;
mod sender;
mod spans;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::Telemetry;
use super::logs::Line;
use super::metrics::Losses;
use super::span::Trace;

pub use environment::Exports;
use environment::Target;
use sender::{Sender, Signal};

/// What waits to be sent, and the threads that send it.
pub(super) struct Exporter {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What waits to be sent.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    /// The most spans and the most log lines that wait.
    most: usize,
    /// As soon as so many wait, they are sent.
    batch: usize,
    takes_spans: bool,
    takes_logs: bool,
    losses: Arc<Losses>,
    /// When it was last said that something cannot be exported.
    complained: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Waiting {
    traces: VecDeque<Arc<Trace>>,
    /// How many spans they have.
    spans: usize,
    logs: VecDeque<Line>,
    is_over: bool,
}

impl Exporter {
    /// Begins to export; `None`: nothing is to be exported anywhere.
    pub(super) fn start(exports: &Exports, telemetry: &Weak<Telemetry>, losses: &Arc<Losses>) -> Option<Self> {
        if exports.traces.is_none() && exports.metrics.is_none() && exports.logs.is_none() {
            return None;
        }
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            wake: Condvar::new(),
            most: exports.queue,
            batch: exports.batch.min(exports.queue),
            takes_spans: exports.traces.is_some(),
            takes_logs: exports.logs.is_some(),
            losses: Arc::clone(losses),
            complained: Mutex::default(),
        });
        let threads = Signal::ALL.into_iter().filter_map(|signal| {
            let sender = Sender::new(exports, signal, Arc::clone(&queue), telemetry.clone())?;
            let started = thread::Builder::new().name(format!("heyan-{}", signal.as_str())).spawn(move || sender.run());
            if let Err(error) = &started {
                tracing::error!(%error, signal = signal.as_str(), "it cannot be exported: there is no thread for it");
            }
            started.ok()
        });
        let threads = Mutex::new(threads.collect());
        Some(Self { queue, threads })
    }

    pub(super) fn takes_spans(&self) -> bool {
        self.queue.takes_spans
    }

    /// Takes the spans of a trace, where there is room.
    pub(super) fn trace(&self, trace: &Arc<Trace>) {
        self.queue.trace(trace);
    }

    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Sends what waits, within a bounded time, and ends. It blocks.
    pub(super) fn end(&self) {
        self.queue.waiting().is_over = true;
        self.queue.wake.notify_all();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // Whatever it was about, nobody is left to be told.
            let _ = thread.join();
        }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.queue.waiting().is_over = true;
        self.queue.wake.notify_all();
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trace(&self, trace: &Arc<Trace>) {
        if !self.takes_spans {
            return;
        }
        let spans = trace.spans.len();
        let mut waiting = self.waiting();
        if waiting.is_over || waiting.spans + spans > self.most {
            drop(waiting);
            return self.losses.spans.add(spans as u64);
        }
        let before = waiting.spans;
        waiting.spans += spans;
        waiting.traces.push_back(Arc::clone(trace));
        let is_due = before < self.batch && waiting.spans >= self.batch;
        drop(waiting);
        if is_due {
            self.wake.notify_all();
        }
    }

    /// Takes a line of the log, where there is room.
    pub(super) fn log(&self, line: Line) {
        if !self.takes_logs {
            return;
        }
        let mut waiting = self.waiting();
        if waiting.is_over || waiting.logs.len() >= self.most {
            drop(waiting);
            return self.losses.logs.add(1);
        }
        waiting.logs.push_back(line);
    }

    /// Waits until there are enough spans to send, for so long at most. Returns whether this is the end.
    fn wait_for_spans(&self, most: Duration) -> bool {
        self.wait(most, |waiting| waiting.spans < self.batch)
    }

    /// Waits for so long, or until this is the end. Returns whether it is.
    fn pause(&self, length: Duration) -> bool {
        self.wait(length, |_| true)
    }

    fn wait(&self, most: Duration, is_idle: impl Fn(&Waiting) -> bool) -> bool {
        let idle = |waiting: &mut Waiting| !waiting.is_over && is_idle(waiting);
        let waited = self.wake.wait_timeout_while(self.waiting(), most, idle);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_over
    }

    /// As many traces as make a batch.
    fn traces(&self) -> Vec<Arc<Trace>> {
        let (mut waiting, mut taken, mut spans) = (self.waiting(), Vec::new(), 0);
        while spans < self.batch {
            let Some(trace) = waiting.traces.pop_front() else { break };
            spans += trace.spans.len();
            taken.push(trace);
        }
        waiting.spans = waiting.spans.saturating_sub(spans);
        taken
    }

    /// As many lines as make a batch.
    fn logs(&self) -> Vec<Line> {
        let mut waiting = self.waiting();
        let count = waiting.logs.len().min(self.batch);
        waiting.logs.drain(..count).collect()
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Exporter(…)")
    }
}

/// Who says it.
fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "heyan".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

/// Where it runs.
fn resource(attributes: &[(String, String)]) -> Resource {
    let attributes = attributes.iter().map(|(name, value)| text(name, value)).collect();
    Resource { attributes, ..Resource::default() }
}

fn attribute(name: &str, value: Value) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(name: &str, value: &str) -> KeyValue {
    attribute(name, Value::StringValue(value.to_owned()))
}

fn number(name: &str, value: impl Into<i64>) -> KeyValue {
    attribute(name, Value::IntValue(value.into()))
}

fn truth(name: &str, value: bool) -> KeyValue {
    attribute(name, Value::BoolValue(value))
}

/// Nanoseconds since 1970.
fn nanos(moment: Timestamp) -> u64 {
    u64::try_from(moment.as_nanosecond()).unwrap_or_default()
}
