//! How much is used of what a source allows, for an operator.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Description;
use super::state::{DAY, HOUR, RETRY, States};
use crate::domain::Slug;
use crate::durable::{Allower, Durable, NotSaved, window_end};

/// How much of a source's limits is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Exchanges under way.
    pub under_way: usize,
    /// The most exchanges at once.
    pub at_once: usize,
    /// Questions that wait for a place.
    pub waiting: u32,
    /// Of the registration: calls of the last second.
    pub second: Option<Used>,
    /// Calls of this hour in Asia/Shanghai.
    pub hour: Option<Used>,
    /// Calls of this day in Asia/Shanghai.
    pub day: Option<Used>,
    /// The time limit of one exchange.
    pub response_timeout: Duration,
    /// The time limit of one question.
    pub deadline: Duration,
    /// The most times that an exchange is tried.
    pub attempts: u32,
    /// Its operations.
    pub operations: Vec<OperationUsage>,
}

/// How much of a number of calls is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// How many were made, or are reserved.
    pub made: u32,
    /// How many may be made.
    pub most: u32,
    /// When the window ends.
    pub until: Option<Timestamp>,
}

/// Of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationUsage {
    /// Its id.
    pub id: Slug,
    /// How many retries its budget has left.
    pub retries: u32,
    /// How long an exchange takes, a moving average.
    pub latency: Duration,
}

impl States {
    /// How much is used of what this source allows.
    ///
    /// # Errors
    /// If what is counted by the hour or the day cannot be read.
    pub async fn usage(&self, source: &Description, now: Timestamp, durable: &dyn Durable) -> Result<Usage, NotSaved> {
        let (state, limits) = (self.of(source), &source.limits);
        let of = Allower::Source(source.id.clone());
        let second = limits.rates.per_second.map(|most| Used { made: state.made(Instant::now()), most, until: None });
        let mut windows = [None, None];
        for (used, (most, seconds)) in
            windows.iter_mut().zip([(limits.rates.per_hour, HOUR), (limits.rates.per_day, DAY)])
        {
            if let Some(most) = most {
                let made = state.tally(seconds).lock().await.made(&of, seconds, now, durable).await?;
                *used = Some(Used { made, most, until: Some(window_end(seconds, now)) });
            }
        }
        let operation = |operation: &super::Operation| {
            let circuit = state.circuit(operation, source);
            OperationUsage {
                id: operation.promise.operation.operation.clone(),
                retries: u32::try_from(circuit.budget() / RETRY).unwrap_or(0),
                latency: circuit.latency(),
            }
        };
        Ok(Usage {
            under_way: limits.concurrency.saturating_sub(state.places.available_permits()),
            at_once: limits.concurrency,
            waiting: state.waiting.load(Ordering::Relaxed),
            second,
            hour: windows[0],
            day: windows[1],
            response_timeout: limits.response_timeout,
            deadline: limits.deadline,
            attempts: limits.attempts,
            operations: source.operations.values().map(operation).collect(),
        })
    }
}
