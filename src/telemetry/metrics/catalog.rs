//! Every metric there is. Alerts, dashboards and the documentation name these and no others.

/// What a metric is.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, by the semantic conventions or below `heyan`.
    pub name: &'static str,
    /// What kind.
    pub kind: Kind,
    /// In what it is measured.
    pub unit: Unit,
    /// What it says.
    pub help: &'static str,
}

/// Kinds of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// How something stands.
    Gauge,
    /// How values are spread.
    Histogram,
}

/// Units of metrics (UCUM).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Things.
    One,
}

impl Unit {
    /// As OTLP has it.
    #[must_use]
    pub fn ucum(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Bytes => "By",
            Self::One => "1",
        }
    }

    /// As names for Prometheus end.
    #[must_use]
    pub fn suffix(self) -> Option<&'static str> {
        match self {
            Self::Seconds => Some("seconds"),
            Self::Bytes => Some("bytes"),
            Self::One => None,
        }
    }
}

impl Metric {
    /// The name of its family for Prometheus: with underscores and its unit. What the semantic conventions call a count is a
    /// plural there, where `_count` belongs to histograms.
    #[must_use]
    pub fn prometheus(&self) -> String {
        let mut name = self.name.replace('.', "_");
        if let Some(one) = name.strip_suffix("_count") {
            name = format!("{one}s");
        }
        if let Some(unit) = self.unit.suffix() {
            name.push('_');
            name.push_str(unit);
        }
        name
    }
}

/// Declares the metrics, and lists them.
macro_rules! metrics {
    ($($id:ident: $kind:ident, $unit:ident, $name:literal, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub static $id: Metric = Metric { name: $name, kind: Kind::$kind, unit: Unit::$unit, help: $help };
        )*

        /// All of them.
        pub static ALL: &[&Metric] = &[$(&$id),*];
    };
}

metrics! {
    REQUEST_DURATION: Histogram, Seconds, "http.server.request.duration", "How long requests took, up to the head of the reply";
    ACTIVE_REQUESTS: Gauge, One, "http.server.active_requests", "Requests that are being worked on";
    REQUESTS_TURNED_AWAY: Counter, One, "heyan.requests.turned_away", "Requests that were turned away at the door, because there were too many";
    PROBLEMS: Counter, One, "heyan.problems", "Problems that replies told, by code";

    QUESTIONS: Counter, One, "heyan.questions", "Questions, by what they came to; one that goes on behind a reply counts as pending, and again when it ends";
    QUESTION_DURATION: Histogram, Seconds, "heyan.question.duration", "How long a question took, from its permission to its outcome or to `pending`";
    QUESTIONS_OPEN: Gauge, One, "heyan.questions.open", "Questions that are kept and not answered yet";
    QUESTIONS_OLDEST: Gauge, Seconds, "heyan.questions.oldest.age", "How long ago the oldest of them was asked";

    WITNESSES: Counter, One, "heyan.witnesses", "What witnesses said, by source";
    WITNESS_CAUSES: Counter, One, "heyan.witness.causes", "Why witnesses were unavailable, by source";

    ASKS: Counter, One, "heyan.department.asks", "How asking a department for an answer ended, with all retries: `answered`, `abandoned`, or the cause";
    EXCHANGES: Counter, One, "heyan.department.exchanges", "How single HTTP exchanges with a department ended: `answered`, `abandoned`, or the cause";
    EXCHANGE_DURATION: Histogram, Seconds, "heyan.department.exchange.duration", "How long single HTTP exchanges with a department took";
    RETRIES: Counter, One, "heyan.department.retries", "Exchanges that were made again after a failure";
    HEDGES: Counter, One, "heyan.department.hedges", "Exchanges that were made beside a slow one";
    BREAKER: Gauge, One, "heyan.department.breaker", "How the breaker of an operation stands: 1 for its state, 0 for the others";
    PLANNED_OUTAGE: Gauge, One, "heyan.department.planned_outage", "1 while a source is planned to be out of service";
    PLACES: Gauge, One, "heyan.department.places", "As many exchanges as a source takes at once";
    PLACES_TAKEN: Gauge, One, "heyan.department.places.taken", "How many exchanges with a source are under way";
    WAITING: Gauge, One, "heyan.department.waiting", "How many wait for a place at a source";

    CACHE: Counter, One, "heyan.cache.lookups", "What was found in memory: `hit`, `miss`, `stale`, or `joined`, where an equal question was being asked";
    CACHE_BYTES: Gauge, Bytes, "heyan.cache.size", "About how much memory remembered facts take";
    CACHE_LIMIT: Gauge, Bytes, "heyan.cache.limit", "How much they may take";
    EVICTIONS: Counter, One, "heyan.cache.evictions", "Facts that were forgotten before their time, because there was no room";
    EVENTS: Counter, One, "heyan.cache.invalidations", "People whose records a source said had changed";

    LEDGER_ENTRIES: Counter, One, "heyan.ledger.entries", "Entries of the ledger";
    LEDGER_COMMITS: Counter, One, "heyan.ledger.commits", "Transactions of the ledger since the gateway started";
    COMMIT_DURATION: Histogram, Seconds, "heyan.ledger.commit.duration", "How long transactions of the ledger took that were written";
    COMMIT_ENTRIES: Histogram, One, "heyan.ledger.commit.entries", "How many entries were written by one transaction of the ledger";
    CHECKPOINT_AGE: Gauge, Seconds, "heyan.ledger.checkpoint.age", "How long ago the last checkpoint was signed; it is old where nothing is asked";
    RECORD_DURATION: Histogram, Seconds, "heyan.ledger.record.duration", "How long a question waited until an entry was on the disk";
    RECORD_FAILURES: Counter, One, "heyan.ledger.record.failures", "Entries that could not be recorded";

    RECEIPTS: Counter, One, "heyan.receipts", "Receipts that were issued, by the algorithm of their signature";
    RECEIPT_CHECKS: Counter, One, "heyan.receipt.checks", "Receipts that were checked here";
    FINDINGS: Counter, One, "heyan.watch.findings", "Times that an agency's questions began to look like guessing";
    CALLBACKS_WAITING: Gauge, One, "heyan.callbacks.waiting", "Outcomes that agencies are still to be told of";
    CERTIFICATE_EXPIRY: Gauge, Seconds, "heyan.certificate.expiry.time", "When a certificate or a list of the listener expires, in seconds since 1970";

    DROPPED: Counter, One, "heyan.telemetry.dropped", "Spans and log lines that were not exported, because too many waited or nobody took them";
    EXPORTED: Counter, One, "heyan.telemetry.exported", "Spans, metric points and log lines that were exported";
    EXPORT_FAILURES: Counter, One, "heyan.telemetry.export.failures", "Exports that failed";
    TRACES_BYTES: Gauge, Bytes, "heyan.telemetry.traces.size", "About how much memory recent traces take";
    TRACES: Gauge, One, "heyan.telemetry.traces", "How many recent traces are in memory";

    CPU: Counter, Seconds, "process.cpu.time", "CPU time of the process";
    MEMORY: Gauge, Bytes, "process.memory.usage", "Memory of the process that is in use";
    DESCRIPTORS: Gauge, One, "process.open_file_descriptor.count", "Files and connections that are open";
    DESCRIPTORS_LIMIT: Gauge, One, "process.open_file_descriptor.limit", "How many may be";
    THREADS: Gauge, One, "process.thread.count", "Threads of the process";
    STARTED: Gauge, Seconds, "process.start.time", "When the process started, in seconds since 1970";
    INFO: Gauge, One, "target.info", "What runs";
}
