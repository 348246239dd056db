//! How things stand, for those who look after the gateway: asked when somebody looks.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::tls::Entrance;
use crate::cache::Facts;
use crate::clock::Clock;
use crate::durable::Waiting;
use crate::ledger::Ledger as _;
use crate::ledger_store::LedgerStore;
use crate::sources::{CircuitStand, Description, Room, States};
use crate::telemetry::Stands;
use crate::telemetry::metrics::{self, Label, Page};

/// Everything that stands somehow in one generation.
pub(super) struct Standing {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) descriptions: Arc<[Description]>,
    pub(super) states: Arc<States>,
    pub(super) facts: Facts,
    pub(super) ledger: Arc<LedgerStore>,
    pub(super) entrance: Option<Arc<Entrance>>,
    pub(super) doors: Arc<Doors>,
    pub(super) waiting: Arc<Mutex<Waiting>>,
}

/// What the threads' doors count.
#[derive(Default)]
pub(super) struct Doors {
    /// The requests that each thread works on.
    running: Mutex<Vec<Arc<AtomicUsize>>>,
    /// Requests that were turned away.
    pub(super) turned_away: AtomicU64,
}

impl Doors {
    /// A count for one more thread.
    pub(super) fn open(&self) -> Arc<AtomicUsize> {
        let count = Arc::<AtomicUsize>::default();
        self.running.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&count));
        count
    }

    /// How many requests are worked on.
    pub(super) fn running(&self) -> u64 {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.iter().map(|count| count.load(Ordering::Relaxed) as u64).sum()
    }
}

impl Stands for Standing {
    fn write(&self, page: &mut Page) {
        let now = self.clock.now();
        for source in self.descriptions.iter() {
            self.source(source, now, page);
        }
        page.whole(&metrics::ACTIVE_REQUESTS, vec![], self.doors.running());
        page.total(&metrics::REQUESTS_TURNED_AWAY, vec![], self.doors.turned_away.load(Ordering::Relaxed));
        page.whole(&metrics::CACHE_BYTES, vec![], self.facts.bytes());
        page.whole(&metrics::CACHE_LIMIT, vec![], self.facts.limit());
        page.total(&metrics::EVICTIONS, vec![], self.facts.evicted());
        let ledger = self.ledger.condition();
        page.total(&metrics::LEDGER_ENTRIES, vec![], ledger.entries);
        page.total(&metrics::LEDGER_COMMITS, vec![], ledger.commits);
        self.ledger.measured().write(page);
        if let Some(age) = ledger.last {
            page.value(&metrics::CHECKPOINT_AGE, vec![], age.as_secs_f64());
        }
        let waiting = *self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        page.whole(&metrics::QUESTIONS_OPEN, vec![], waiting.questions);
        let oldest = waiting.oldest.map(|asked| Duration::try_from(now.duration_since(asked)).unwrap_or_default());
        page.value(&metrics::QUESTIONS_OLDEST, vec![], oldest.unwrap_or_default().as_secs_f64());
        page.whole(&metrics::CALLBACKS_WAITING, vec![], waiting.notices);
        for (kind, until) in self.entrance.iter().flat_map(|entrance| entrance.expiries()) {
            let labels = vec![Label::fixed("kind", kind)];
            page.whole(&metrics::CERTIFICATE_EXPIRY, labels, until.as_second().unsigned_abs());
        }
    }
}

impl Standing {
    fn source(&self, source: &Description, now: Timestamp, page: &mut Page) {
        let condition = self.states.condition(source, now);
        let label = || Label::source(source.id());
        page.whole(&metrics::PLANNED_OUTAGE, vec![label()], u64::from(condition.closed_until.is_some()));
        for operation in &condition.operations {
            let state = match operation.circuit {
                CircuitStand::Closed => "closed",
                CircuitStand::Open { .. } => "open",
                CircuitStand::Probing => "probing",
            };
            for one in ["closed", "open", "probing"] {
                let operation = Label::new("operation", operation.id.as_str());
                let labels = vec![label(), operation, Label::fixed("state", one)];
                page.whole(&metrics::BREAKER, labels, u64::from(one == state));
            }
        }
        let Room { places, taken, waiting } = self.states.room(source);
        page.whole(&metrics::PLACES, vec![label()], places as u64);
        page.whole(&metrics::PLACES_TAKEN, vec![label()], taken as u64);
        page.whole(&metrics::WAITING, vec![label()], u64::from(waiting));
    }
}
