//! How a source is doing, as those may know who ask it.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::Description;
use super::state::{Last, States};
use crate::breaker::Stand;
use crate::domain::{Cause, Slug};
use crate::situation::{Circumstances, Closure, OfOperation};

/// How a source is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Why an operator has closed it, if it is closed now.
    pub closure: Option<Closure>,
    /// Until when it is planned to be out of service, if it is now.
    pub closed_until: Option<Timestamp>,
    /// Its operations.
    pub operations: Vec<OperationCondition>,
}

/// How an operation is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationCondition {
    /// Its id.
    pub id: Slug,
    /// Whether it is called.
    pub circuit: CircuitStand,
    /// When it last answered a call.
    pub answered: Option<Timestamp>,
    /// When a call of it last failed, and why.
    pub failed: Option<(Timestamp, Cause)>,
}

/// Whether an operation is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitStand {
    /// It is.
    Closed,
    /// It has failed too often of late: it is left alone until then.
    Open {
        /// When a call may try it again.
        until: Timestamp,
    },
    /// One call, under way or the next to come, finds out whether it is well again.
    Probing,
}

/// How many exchanges a source has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// As many as it takes at once.
    pub places: usize,
    /// How many are under way.
    pub taken: usize,
    /// How many wait.
    pub waiting: u32,
}

impl States {
    /// How many exchanges this source has room for.
    #[must_use]
    pub fn room(&self, source: &Description) -> Room {
        let places = source.limits.concurrency;
        let Some(state) = self.known(&source.id) else { return Room { places, taken: 0, waiting: 0 } };
        let taken = places.saturating_sub(state.places.available_permits());
        Room { places, taken, waiting: state.waiting.load(Ordering::Relaxed) }
    }

    /// How this source is doing. Nobody is asked.
    #[must_use]
    pub fn condition(&self, source: &Description, now: Timestamp) -> Condition {
        let state = self.known(&source.id);
        let operation = |id: &Slug| {
            let circuit = state.as_ref().and_then(|state| state.known(id));
            let Last { answered, failed } = circuit.as_ref().map(|circuit| circuit.last()).unwrap_or_default();
            let stand = circuit.map_or(Stand::Closed, |circuit| circuit.stand(Instant::now()));
            let circuit = match stand {
                Stand::Closed => CircuitStand::Closed,
                Stand::Open { wait } => CircuitStand::Open { until: after(now, wait) },
                Stand::Probing => CircuitStand::Probing,
            };
            OperationCondition { id: id.clone(), circuit, answered, failed }
        };
        let operations = source.operations.keys().map(operation).collect();
        let closure = self.closure(&source.id, now);
        Condition { closure, closed_until: source.limits.closed_until(now), operations }
    }
}

impl Condition {
    /// What an operator's picture needs to know of it.
    #[must_use]
    pub fn circumstances(&self, source: &Slug) -> Circumstances {
        let operation = |operation: &OperationCondition| OfOperation {
            id: operation.id.clone(),
            closed_by_hand: self.closure.is_some(),
            planned_outage: self.closed_until,
            left_alone: operation.circuit != CircuitStand::Closed,
        };
        let operations = self.operations.iter().map(operation).collect();
        Circumstances { source: source.clone(), closure: self.closure.clone(), operations }
    }
}

fn after(now: Timestamp, wait: std::time::Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).ok();
    wait.and_then(|wait| now.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}
