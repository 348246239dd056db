//! Questions that are being asked now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::Key;
use crate::departments::{Fact, Failure};
use crate::telemetry::{self, SpanId, TraceId};

/// What is answered; `None`: whoever asked went away without an answer.
type Landing = Option<Result<Arc<Fact>, Failure>>;

/// All of them, each once.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Key, Arc<Flight>>>);

/// One question on its way to a department and back.
pub(super) struct Flight {
    began: Timestamp,
    /// The last event of all when it began.
    pub(super) after: u64,
    /// What asks, as operators know it.
    pub(super) asker: Option<(TraceId, SpanId)>,
    landing: OnceLock<Landing>,
    landed: Notify,
}

/// Who asks, and who waits for the answer.
pub(super) enum Place<'a> {
    /// Asks, and tells the others.
    Pilot(Pilot<'a>),
    /// Waits.
    Passenger(Arc<Flight>),
}

/// Whoever asks. Going away without an answer lets one of those who wait take over.
pub(super) struct Pilot<'a> {
    flights: &'a Flights,
    key: Key,
    flight: Arc<Flight>,
}

impl Flights {
    /// Joins the equal question that is being asked, unless it began too early, or before the `last` event about the person.
    /// One that begins now does so after the event `after`.
    pub(super) fn board(
        &self,
        key: &Key,
        now: Timestamp,
        (last, after): (u64, u64),
        not_before: Option<Timestamp>,
    ) -> Place<'_> {
        let mut flights = self.lock();
        let serves =
            |flight: &&Arc<Flight>| flight.after >= last && not_before.is_none_or(|moment| flight.began >= moment);
        if let Some(flight) = flights.get(key).filter(serves) {
            return Place::Passenger(Arc::clone(flight));
        }
        let asker = telemetry::parent().map(|asker| (asker.trace, asker.span));
        let flight = Arc::new(Flight { began: now, after, asker, landing: OnceLock::new(), landed: Notify::new() });
        flights.insert(key.clone(), Arc::clone(&flight));
        Place::Pilot(Pilot { flights: self, key: key.clone(), flight })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// What came of it.
    pub(super) async fn landed(&self) -> Landing {
        loop {
            let landed = self.landed.notified();
            if let Some(landing) = self.landing.get() {
                return landing.clone();
            }
            landed.await;
        }
    }
}

impl Pilot<'_> {
    /// Tells the answer to all who wait.
    pub(super) fn land(self, answer: Result<Arc<Fact>, Failure>) {
        // It lands once: here, or when it is dropped.
        let _ = self.flight.landing.set(Some(answer));
    }
}

impl Drop for Pilot<'_> {
    fn drop(&mut self) {
        // Whoever comes from now on does not join a question that is over.
        let mut flights = self.flights.lock();
        if flights.get(&self.key).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
            flights.remove(&self.key);
        }
        drop(flights);
        let _ = self.flight.landing.set(None);
        self.flight.landed.notify_waiters();
    }
}
