use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::access::Unauthenticated;

/// Tells the operator of callers whom nobody knows: of each at the level `debug`, and of all together once a minute at most, so
/// that one who tries address after address does not fill the disk.
#[derive(Debug, Default)]
pub struct TurnedAway(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// How many came since it was last told.
    count: u64,
    last: Option<Timestamp>,
}

const EVERY: SignedDuration = SignedDuration::from_mins(1);

impl TurnedAway {
    pub(super) fn one(&self, why: Unauthenticated, now: Timestamp) {
        tracing::debug!(error = %why, "a caller is turned away");
        if let Some(callers) = self.due(now) {
            tracing::info!(callers, error = %why, "callers are turned away, the last one for this reason");
        }
    }

    /// Counts one. How many are to be told of, if it is time.
    fn due(&self, now: Timestamp) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.count += 1;
        // A clock that is set back must not keep it silent.
        let is_due = told.last.is_none_or(|last| now.duration_since(last).abs() >= EVERY);
        is_due.then(|| {
            told.last = Some(now);
            std::mem::take(&mut told.count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_told_of_together() {
        let (away, start) = (TurnedAway::default(), Timestamp::UNIX_EPOCH);
        let after = |seconds| start + SignedDuration::from_secs(seconds);
        assert_eq!(away.due(start), Some(1), "the first one at once");
        assert!((0..60).all(|second| away.due(after(second)).is_none()));
        assert_eq!(away.due(after(60)), Some(61));
        assert_eq!(away.due(after(61)), None);
        assert_eq!(away.due(after(-60)), Some(2));
    }
}
