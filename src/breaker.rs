//! Layer 1: the circuit breaker, a pure state machine. It leaves a department alone that fails, and probes whether it is
//! well again. Time is a parameter.

use std::time::{Duration, Instant};

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// It opens after so many failures in a row, or when half of the last [`RECENT`] calls failed.
    pub failures: u32,
    /// How long it stays open before a probe may go through.
    pub open: Duration,
}

/// How many of the last calls are looked at.
pub const RECENT: u32 = 20;

/// Whether calls go through.
#[derive(Debug, Clone)]
pub struct Breaker {
    policy: Policy,
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Closed(Recent),
    Open {
        until: Instant,
    },
    /// One call is under way that decides.
    Probing {
        since: Instant,
    },
}

/// How the last calls went.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    in_a_row: u32,
    /// A bit for each call, the last one lowest: whether it failed.
    failed: u32,
    count: u32,
}

/// A call that may be made. Its result is to be told by it.
#[derive(Debug, PartialEq, Eq)]
pub struct Pass {
    probe: bool,
}

/// What a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The department did its work, whatever it said.
    Worked,
    /// It did not.
    Failed,
    /// The call ended before that could be told.
    Unknown,
}

/// How a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Calls go through.
    Closed,
    /// None does, for so long.
    Open {
        /// Until a probe may go through.
        wait: Duration,
    },
    /// One call, under way or the next to come, finds out.
    Probing,
}

impl Breaker {
    /// A closed one: calls go through.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, state: State::Closed(Recent::default()) }
    }

    /// Whether a call may be made now.
    ///
    /// # Errors
    /// How long to wait: the breaker is open, or another call is finding out whether the department is well again.
    pub fn admit(&mut self, now: Instant) -> Result<Pass, Duration> {
        match self.state {
            State::Closed(_) => Ok(Pass { probe: false }),
            State::Open { until } if now < until => Err(until - now),
            // A probe that was forgotten must not keep everybody out.
            State::Probing { since } if now < since + self.policy.open => Err(since + self.policy.open - now),
            State::Open { .. } | State::Probing { .. } => {
                self.state = State::Probing { since: now };
                Ok(Pass { probe: true })
            }
        }
    }

    /// Notes what a call came to. A call from before the breaker opened says nothing about now.
    pub fn note(&mut self, pass: &Pass, outcome: Outcome, now: Instant) {
        let opened = State::Open { until: now + self.policy.open };
        match (&mut self.state, outcome) {
            (State::Closed(recent), Outcome::Worked | Outcome::Failed) if !pass.probe => {
                recent.add(outcome == Outcome::Failed);
                if recent.in_a_row >= self.policy.failures || recent.is_half_failed() {
                    self.state = opened;
                }
            }
            (State::Probing { .. }, Outcome::Worked) if pass.probe => self.state = State::Closed(Recent::default()),
            (State::Probing { .. }, Outcome::Failed) if pass.probe => self.state = opened,
            (State::Probing { .. }, Outcome::Unknown) if pass.probe => self.state = State::Open { until: now },
            _ => {}
        }
    }

    /// How it stands.
    #[must_use]
    pub fn stand(&self, now: Instant) -> Stand {
        match self.state {
            State::Closed(_) => Stand::Closed,
            State::Open { until } if now < until => Stand::Open { wait: until - now },
            State::Open { .. } | State::Probing { .. } => Stand::Probing,
        }
    }

    /// Whether calls go through without being probes.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed(_))
    }
}

impl Recent {
    fn add(&mut self, failed: bool) {
        self.in_a_row = if failed { self.in_a_row.saturating_add(1) } else { 0 };
        self.failed = (self.failed << 1 | u32::from(failed)) & ((1 << RECENT) - 1);
        self.count = (self.count + 1).min(RECENT);
    }

    fn is_half_failed(self) -> bool {
        self.count == RECENT && self.failed.count_ones() * 2 >= RECENT
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy = Policy { failures: 5, open: Duration::from_secs(2) };

    fn run(breaker: &mut Breaker, outcome: Outcome, now: Instant) -> bool {
        let Ok(pass) = breaker.admit(now) else { return false };
        breaker.note(&pass, outcome, now);
        true
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_probe_that_works_closes_it() {
        let (mut breaker, now) = (Breaker::new(POLICY), Instant::now());
        for _ in 0..4 {
            assert!(run(&mut breaker, Outcome::Failed, now));
        }
        assert!(run(&mut breaker, Outcome::Worked, now) && breaker.is_closed());
        for _ in 0..5 {
            assert!(run(&mut breaker, Outcome::Failed, now));
        }
        assert_eq!(breaker.admit(now + Duration::from_secs(1)), Err(Duration::from_secs(1)));
        assert_eq!(breaker.stand(now), Stand::Open { wait: POLICY.open });
        let later = now + POLICY.open;
        assert_eq!(breaker.stand(later), Stand::Probing);
        let probe = breaker.admit(later).unwrap();
        assert_eq!(breaker.stand(later), Stand::Probing);
        assert!(breaker.admit(later).is_err(), "one probe at a time");
        breaker.note(&probe, Outcome::Failed, later);
        assert_eq!(breaker.admit(later), Err(POLICY.open));
        assert!(run(&mut breaker, Outcome::Worked, later + POLICY.open) && breaker.is_closed());
    }

    #[test]
    fn half_of_the_last_calls_open_it() {
        let (mut breaker, now) = (Breaker::new(POLICY), Instant::now());
        for call in 0..RECENT {
            assert!(breaker.is_closed());
            run(&mut breaker, if call % 2 == 0 { Outcome::Failed } else { Outcome::Worked }, now);
        }
        assert!(!breaker.is_closed());
    }

    #[test]
    fn a_call_from_before_says_nothing() {
        let (mut breaker, now) = (Breaker::new(POLICY), Instant::now());
        let old = breaker.admit(now).unwrap();
        for _ in 0..5 {
            run(&mut breaker, Outcome::Failed, now);
        }
        breaker.note(&old, Outcome::Worked, now);
        assert!(!breaker.is_closed());
        let probe = breaker.admit(now + POLICY.open).unwrap();
        breaker.note(&old, Outcome::Worked, now + POLICY.open);
        assert!(!breaker.is_closed());
        breaker.note(&probe, Outcome::Unknown, now + POLICY.open);
        assert!(breaker.admit(now + POLICY.open).is_ok(), "a probe that told nothing is made again at once");
    }

    proptest! {
        /// Whatever happens, somebody finds out within the time that it stays open.
        #[test]
        fn it_is_never_shut_for_longer(outcomes in prop::collection::vec((0..3_u8, 0..3000_u64, any::<bool>()), 1..200)) {
            let (mut breaker, mut now) = (Breaker::new(POLICY), Instant::now());
            for (outcome, millis, told) in outcomes {
                now += Duration::from_millis(millis);
                if let Ok(pass) = breaker.admit(now) {
                    let outcome = [Outcome::Worked, Outcome::Failed, Outcome::Unknown][usize::from(outcome)];
                    if told { breaker.note(&pass, outcome, now) }
                }
            }
            prop_assert!(breaker.admit(now + POLICY.open).is_ok());
        }
    }
}
