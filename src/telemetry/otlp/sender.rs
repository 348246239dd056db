use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use tokio::runtime::{Builder, Runtime};

use super::{Exports, Queue, Target, log_records, metric_points, spans};
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::{Counter, Losses};

/// The thread that sends one signal.
pub(super) struct Sender {
    signal: Signal,
    target: Target,
    exports: Exports,
    queue: Arc<Queue>,
    telemetry: Weak<Telemetry>,
}

/// What is exported, in the order of its counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Metrics,
    Logs,
}

impl Signal {
    pub(super) const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }
}

/// What came of sending something.
enum Sent {
    /// It was taken, but for so many of it.
    Taken(u64),
    /// It may be taken later, perhaps after this.
    Later(Option<Duration>),
    /// It never will be.
    Refused,
}

/// How often something is sent again, and the pause before that, which doubles.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long the last sending may take, when the process ends.
const LAST: Duration = Duration::from_secs(2);

const COMPLAIN_EVERY: Duration = Duration::from_mins(10);

impl Sender {
    /// One for this signal, where it goes anywhere.
    pub(super) fn new(
        exports: &Exports,
        signal: Signal,
        queue: Arc<Queue>,
        telemetry: Weak<Telemetry>,
    ) -> Option<Self> {
        let target = match signal {
            Signal::Traces => &exports.traces,
            Signal::Metrics => &exports.metrics,
            Signal::Logs => &exports.logs,
        };
        Some(Self { signal, target: target.clone()?, exports: exports.clone(), queue, telemetry })
    }

    pub(super) fn run(self) {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, signal = self.signal.as_str(), "it cannot be exported"),
        };
        let mut is_over = false;
        while !is_over {
            match self.signal {
                Signal::Traces => {
                    is_over = self.queue.wait_for_spans(self.exports.delay);
                    self.send_traces(&runtime, is_over);
                }
                Signal::Metrics => {
                    is_over = self.queue.pause(self.exports.metrics_every);
                    self.send_metrics(&runtime, is_over);
                }
                Signal::Logs => {
                    is_over = self.queue.pause(self.exports.delay);
                    self.send_logs(&runtime, is_over);
                }
            }
        }
    }

    fn send_traces(&self, runtime: &Runtime, is_over: bool) {
        loop {
            let traces = self.queue.traces();
            let count: usize = traces.iter().map(|trace| trace.spans.len()).sum();
            if count == 0 {
                return;
            }
            let body = spans::request(&traces, &self.exports.resource).encode_to_vec();
            let refused = |body: &[u8]| {
                let said = ExportTraceServiceResponse::decode(body).ok().and_then(|said| said.partial_success);
                said.map_or(0, |partial| partial.rejected_spans.unsigned_abs())
            };
            let lost = self.send(runtime, &body, count as u64, is_over, refused);
            self.losses().spans.add(lost);
        }
    }

    fn send_logs(&self, runtime: &Runtime, is_over: bool) {
        loop {
            let lines = self.queue.logs();
            if lines.is_empty() {
                return;
            }
            let body = log_records::request(&lines, &self.exports.resource).encode_to_vec();
            let refused = |body: &[u8]| {
                let said = ExportLogsServiceResponse::decode(body).ok().and_then(|said| said.partial_success);
                said.map_or(0, |partial| partial.rejected_log_records.unsigned_abs())
            };
            let lost = self.send(runtime, &body, lines.len() as u64, is_over, refused);
            self.losses().logs.add(lost);
        }
    }

    fn send_metrics(&self, runtime: &Runtime, is_over: bool) {
        let Some(telemetry) = self.telemetry.upgrade() else { return };
        let page = telemetry.page();
        let (since, now) = (telemetry.began, telemetry.now());
        drop(telemetry);
        let (request, points) = metric_points::request(&page, since, now, &self.exports.resource);
        // The next ones say it all again, so what is lost of these is no loss.
        let _ = self.send(runtime, &request.encode_to_vec(), points, is_over, |_| 0);
    }

    /// Sends so many of something. Returns how many of it are lost.
    fn send(&self, runtime: &Runtime, body: &[u8], count: u64, is_over: bool, refused: impl Fn(&[u8]) -> u64) -> u64 {
        let mut pause = PAUSE;
        for attempt in 1..=TRIES {
            match runtime.block_on(post(&self.target, body.to_vec(), is_over, &refused)) {
                Sent::Taken(refused) => {
                    self.count(&self.losses().exported, count.saturating_sub(refused));
                    return refused;
                }
                Sent::Later(after) if attempt < TRIES && !is_over => {
                    self.failed();
                    if self.queue.pause(after.unwrap_or(pause).min(LONGEST_PAUSE)) {
                        return count;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Sent::Later(_) | Sent::Refused => {
                    self.failed();
                    return count;
                }
            }
        }
        count
    }

    fn losses(&self) -> &Losses {
        &self.queue.losses
    }

    fn count(&self, counters: &[Counter; 3], count: u64) {
        if let Some(counter) = counters.get(self.signal as usize) {
            counter.add(count);
        }
    }

    /// It is counted each time and said now and then.
    fn failed(&self) {
        self.count(&self.losses().failed, 1);
        let mut complained = self.queue.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if complained.is_none_or(|last| last.elapsed() >= COMPLAIN_EVERY) {
            *complained = Some(Instant::now());
            drop(complained);
            tracing::warn!(
                "telemetry cannot be exported; requests are answered all the same, and what is lost is counted: heyan_telemetry_dropped_total"
            );
        }
    }
}

async fn post(target: &Target, body: Vec<u8>, is_over: bool, refused: impl Fn(&[u8]) -> u64) -> Sent {
    let timeout = if is_over { target.timeout.min(LAST) } else { target.timeout };
    let request = target.client.post(target.url.clone()).timeout(timeout).headers(target.headers.clone());
    let Ok(response) = request.header(CONTENT_TYPE, "application/x-protobuf").body(body).send().await else {
        return Sent::Later(None);
    };
    let status = response.status();
    if status.is_success() {
        // A collector whose answer breaks off has taken it.
        return Sent::Taken(response.bytes().await.map_or(0, |body| refused(&body)));
    }
    // These may pass, as the standard has it.
    let may_pass = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    if may_pass.contains(&status) { Sent::Later(after.map(Duration::from_secs)) } else { Sent::Refused }
}
