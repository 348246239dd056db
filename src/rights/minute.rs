use jiff::Timestamp;

use crate::clock::Steady;

/// How many questions came in the last minute. In no sixty seconds are there more than the limit: seconds are counted whole,
/// so that a question leaves after sixty to sixty-one of them.
#[derive(Debug, Clone)]
pub struct Minute {
    /// The questions of each second, at its place.
    seconds: [u32; SECONDS],
    sum: u32,
    /// The last second that was looked at.
    last: i64,
    steady: Steady,
}

/// The current second and the sixty before it.
const SECONDS: usize = 61;

impl Default for Minute {
    fn default() -> Self {
        Self { seconds: [0; SECONDS], sum: 0, last: i64::MIN / 2, steady: Steady::default() }
    }
}

impl Minute {
    /// If there is no room for another question: when there is again.
    #[must_use]
    pub fn full_until(&mut self, limit: u32, now: Timestamp) -> Option<Timestamp> {
        self.advance(now);
        if self.sum < limit {
            return None;
        }
        let mut left = self.sum;
        let after = (1..=SIXTY_ONE).find(|after| {
            left -= self.seconds[place(self.last + after)];
            left < limit
        });
        let until = Timestamp::from_second(self.last + after.unwrap_or(SIXTY_ONE)).ok()?;
        Some(self.steady.on_the_clock(until))
    }

    /// Counts a question.
    pub fn count(&mut self, now: Timestamp) {
        self.advance(now);
        let second = &mut self.seconds[place(self.last)];
        if *second < u32::MAX && self.sum < u32::MAX {
            *second += 1;
            self.sum += 1;
        }
    }

    /// How many came.
    #[must_use]
    pub fn sum(&mut self, now: Timestamp) -> u32 {
        self.advance(now);
        self.sum
    }

    /// Forgets what is over.
    fn advance(&mut self, now: Timestamp) {
        let now = self.steady.read(now).as_second();
        for second in self.last.saturating_add(1)..=now.min(self.last.saturating_add(SIXTY_ONE)) {
            self.sum -= std::mem::take(&mut self.seconds[place(second)]);
        }
        self.last = now;
    }
}

const SIXTY_ONE: i64 = 61;

fn place(second: i64) -> usize {
    usize::try_from(second.rem_euclid(SIXTY_ONE)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Held against a list of every moment.
        #[test]
        fn in_no_minute_are_there_more_than_the_limit(
            limit in 1_u32..6,
            pauses in prop::collection::vec(0_i64..40_000, 1..80),
        ) {
            let (mut minute, mut taken, mut now) = (Minute::default(), Vec::<i64>::new(), 1_764_000_000_000);
            for pause in pauses {
                now += pause;
                let moment = Timestamp::from_millisecond(now).unwrap();
                let within = |length: i64| taken.iter().filter(|then| now - **then < length).count();
                match minute.full_until(limit, moment) {
                    None => {
                        prop_assert!(within(60_000) < limit as usize);
                        minute.count(moment);
                        taken.push(now);
                    }
                    Some(until) => {
                        prop_assert!(within(61_000) >= limit as usize, "it was refused under the limit");
                        prop_assert!(until > moment && until.as_millisecond() <= now + 61_000);
                        prop_assert!(minute.clone().full_until(limit, until).is_none());
                    }
                }
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_back_neither_forgets_nor_keeps_longer() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for ahead in [100, 3_600, 31_536_000] {
            let mut minute = Minute::default();
            minute.count(at(1_000 + ahead));
            minute.count(at(1_000));
            assert_eq!(minute.sum(at(1_030)), 2);
            assert_eq!(minute.full_until(2, at(1_030)), Some(at(1_061)));
            assert_eq!(minute.sum(at(1_061)), 0);
        }
    }
}
