use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::problem::Problem;
use crate::config::AgencyLimits;
use crate::domain::AgencyId;

/// How often each agency has asked of late. It outlives a change of configuration.
#[derive(Default)]
pub struct Bounds(Mutex<HashMap<AgencyId, Arc<Counters>>>);

#[derive(Default)]
struct Counters {
    /// The second, and how many requests came in it.
    second: Mutex<(i64, u32)>,
    running: AtomicU32,
}

/// A request of an agency, counted while it is worked on.
pub(super) struct Counted(Arc<Counters>);

impl Bounds {
    /// Counts a request.
    pub(super) fn enter(&self, agency: &AgencyId, limits: AgencyLimits, now: Timestamp) -> Result<Counted, Problem> {
        let counters = {
            let mut agencies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match agencies.get(agency) {
                Some(counters) => Arc::clone(counters),
                None => Arc::clone(agencies.entry(agency.clone()).or_default()),
            }
        };
        let counted = Counted(counters);
        if counted.0.running.fetch_add(1, Ordering::Relaxed) >= limits.at_once {
            return Err(Problem::RateLimited { limit: limits.at_once, seconds: 1 });
        }
        let mut second = counted.0.second.lock().unwrap_or_else(PoisonError::into_inner);
        if second.0 != now.as_second() {
            *second = (now.as_second(), 0);
        }
        second.1 = second.1.saturating_add(1);
        let exceeded = second.1 > limits.per_second;
        drop(second);
        if exceeded { Err(Problem::RateLimited { limit: limits.per_second, seconds: 1 }) } else { Ok(counted) }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_and_a_moment_hold_so_many() {
        let bounds = Bounds::default();
        let agency = AgencyId("fund".parse().unwrap());
        let enter = |at_once, second| {
            let limits = AgencyLimits { per_second: 3, at_once };
            bounds.enter(&agency, limits, Timestamp::from_second(second).unwrap())
        };
        let running: Vec<_> = (0..3).map(|_| enter(10, 1).ok().unwrap()).collect();
        assert!(enter(10, 1).is_err());
        assert!(enter(10, 2).is_ok());
        assert!(enter(3, 3).is_err());
        drop(running);
        assert!(enter(3, 3).is_ok());
    }
}
