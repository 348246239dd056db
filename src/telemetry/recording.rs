//! Recording while the work is done. What is being recorded travels with the task, not with arguments: `around` makes a span
//! the parent of whatever is opened within it, on whichever thread that goes on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::Telemetry;
use super::ids::{Parent, SpanId, TraceId};
use super::span::{Request, Span, Trace, What};

use jiff::Timestamp;

tokio::task_local! {
    /// What this task works for.
    static CURRENT: Option<Current>;
}

/// A span that may get children.
#[derive(Clone)]
struct Current {
    recorder: Arc<Recorder>,
    span: SpanId,
}

/// One trace, as long as anybody works for it. What has ended is told when its request has its reply, when a question has gone
/// another stretch of its way, and when nobody works for it any more.
struct Recorder {
    telemetry: Arc<Telemetry>,
    trace: TraceId,
    is_sampled: bool,
    state: Option<Box<str>>,
    began: Instant,
    started: Timestamp,
    known: Mutex<Known>,
}

/// What is known of a trace so far.
#[derive(Default)]
struct Known {
    /// What has ended and was not told yet.
    spans: Vec<Span>,
    /// The request that is being answered.
    request: Request,
}

/// So many spans has a question that is answered from memory.
const USUALLY: usize = 8;

impl Recorder {
    fn start(telemetry: Arc<Telemetry>, parent: Option<Parent>, state: Option<Box<str>>) -> Arc<Self> {
        let trace = parent.map_or_else(TraceId::random, |parent| parent.trace);
        let is_sampled = telemetry.is_sampled(trace, parent);
        let (began, started) = (Instant::now(), telemetry.now());
        Arc::new(Self { telemetry, trace, is_sampled, state, began, started, known: Mutex::default() })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self, span: Span) {
        let mut known = self.known();
        if let What::Question(question) = &span.what {
            known.request.claim = Some(question.claim.clone());
            known.request.outcome = question.outcome;
        }
        if known.spans.is_empty() {
            known.spans.reserve_exact(USUALLY);
        }
        known.spans.push(span);
    }

    fn span(&self, id: SpanId, parent: Option<SpanId>, start: Instant, what: What) -> Span {
        Span { id, parent, start: start.saturating_duration_since(self.began), length: start.elapsed(), what }
    }

    /// Tells what has ended.
    fn tell(&self) {
        let spans = std::mem::take(&mut self.known().spans);
        if !spans.is_empty() {
            let trace = Trace { id: self.trace, started: self.started, is_sampled: self.is_sampled, spans };
            self.telemetry.take(trace);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.tell();
    }
}

/// A request that is being answered. It ends with its reply, or when it is dropped.
pub struct Answering(Option<Answered>);

/// What is recorded of it.
struct Answered {
    recorder: Arc<Recorder>,
    span: SpanId,
    parent: Option<SpanId>,
}

impl Answering {
    pub(super) fn start(
        telemetry: Arc<Telemetry>,
        request: Request,
        parent: Option<Parent>,
        state: Option<Box<str>>,
    ) -> Self {
        let recorder = Recorder::start(telemetry, parent, state);
        recorder.known().request = request;
        Self(Some(Answered { recorder, span: SpanId::random(), parent: parent.map(|parent| parent.span) }))
    }

    /// One that is recorded nowhere.
    pub(super) fn nothing() -> Self {
        Self(None)
    }

    /// Does work for it.
    pub fn around<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        let of = |told: &Answered| Current { recorder: Arc::clone(&told.recorder), span: told.span };
        CURRENT.scope(self.0.as_ref().map(of), work)
    }

    /// The trace.
    #[must_use]
    pub fn trace(&self) -> Option<TraceId> {
        self.0.as_ref().map(|told| told.recorder.trace)
    }

    /// It is answered with this status.
    pub fn end(self, status: u16) {
        if let Some(told) = &self.0 {
            told.recorder.known().request.status = Some(status);
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let Some(Answered { recorder, span, parent }) = self.0.take() else { return };
        let request = std::mem::take(&mut recorder.known().request);
        let span = recorder.span(span, parent, recorder.began, What::Request(request));
        recorder.ended(span);
        recorder.tell();
    }
}

/// What a task goes on for that nobody waits for.
pub struct Behind(Option<Current>);

impl Behind {
    /// Goes on for what this task works for; where that is nothing, for a caller of an earlier process.
    #[must_use]
    pub fn of(telemetry: &Arc<Telemetry>, traceparent: Option<&str>, tracestate: Option<&str>) -> Self {
        let anew = || {
            let parent: Option<Parent> = traceparent.and_then(|text| text.parse().ok());
            let span = parent.map_or_else(SpanId::random, |parent| parent.span);
            let state = parent.and(tracestate).map(Into::into);
            Current { recorder: Recorder::start(Arc::clone(telemetry), parent, state), span }
        };
        Self(current().or_else(|| (!telemetry.is_off).then(anew)))
    }

    /// Does work for it.
    pub fn around<F: Future>(self, work: F) -> impl Future<Output = F::Output> + use<F> {
        CURRENT.scope(self.0, work)
    }
}

/// A span that has begun. It ends when it is dropped.
#[must_use]
pub struct Open(Option<Opened>);

struct Opened {
    recorder: Arc<Recorder>,
    id: SpanId,
    parent: SpanId,
    start: Instant,
    what: What,
}

/// Begins a span in what this task works for; without that, it is recorded nowhere.
pub fn open(what: impl FnOnce() -> What) -> Open {
    Open(current().map(|Current { recorder, span }| Opened {
        recorder,
        id: SpanId::random(),
        parent: span,
        start: Instant::now(),
        what: what(),
    }))
}

/// Records something that took no time.
pub fn note(what: impl FnOnce() -> What) {
    drop(open(what));
}

impl Open {
    /// Does work for it.
    pub fn around<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        let of = |open: &Opened| Current { recorder: Arc::clone(&open.recorder), span: open.id };
        CURRENT.scope(self.0.as_ref().map(of), work)
    }

    /// Says more about it.
    pub fn say(&mut self, more: impl FnOnce(&mut What)) {
        if let Some(open) = &mut self.0 {
            more(&mut open.what);
        }
    }

    /// Its name, for those elsewhere who work for it.
    #[must_use]
    pub fn parent(&self) -> Option<Parent> {
        let of = |Opened { recorder, id, .. }: &Opened| Parent {
            trace: recorder.trace,
            span: *id,
            is_sampled: recorder.is_sampled,
        };
        self.0.as_ref().map(of)
    }

    /// The `tracestate` that they are to be given with it.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.0.as_ref().and_then(|open| open.recorder.state.as_deref())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(Opened { recorder, id, parent, start, what }) = self.0.take() {
            let span = recorder.span(id, Some(parent), start, what);
            recorder.ended(span);
        }
    }
}

/// Says more about the request that this task answers.
pub fn request(more: impl FnOnce(&mut Request)) {
    if let Some(current) = current() {
        more(&mut current.recorder.known().request);
    }
}

/// What this task works for, for those elsewhere who work for it.
#[must_use]
pub fn parent() -> Option<Parent> {
    let of = |current: Current| Parent {
        trace: current.recorder.trace,
        span: current.span,
        is_sampled: current.recorder.is_sampled,
    };
    current().map(of)
}

/// The `tracestate` of what this task works for.
#[must_use]
pub fn state() -> Option<String> {
    current().and_then(|current| current.recorder.state.as_deref().map(str::to_owned))
}

/// Tells what has ended, because what comes next may take long.
pub fn tell() {
    if let Some(current) = current() {
        current.recorder.tell();
    }
}

fn current() -> Option<Current> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}
