use super::record::{Level, Reading};
use super::subjects::HashedMap;
use super::{Bound, Trial, WINDOWS};

/// What was tried with each ID number in the last day. Bounded: of too many ID numbers those are forgotten with which one thing
/// alone was tried, and of too many trials with one ID number the oldest.
#[derive(Default)]
pub(super) struct Guesses(HashedMap<Tried>);

/// What was tried with one ID number. Mostly it is one thing.
struct Tried {
    first: Guess,
    more: Vec<Guess>,
}

#[derive(Clone, Copy)]
struct Guess {
    guess: u64,
    minute: i64,
}

/// The most ID numbers, and the most that is remembered of one.
pub(super) const MOST: usize = 32_768;
pub(super) const MOST_OF_ONE: usize = 64;

const DAY: i64 = WINDOWS[2];

impl Guesses {
    /// Where the measure would stand with this trial.
    pub(super) fn reading(&self, trial: Trial, bound: Bound, minute: i64) -> Reading {
        let mut reading = Reading::calm(trial.measure, DAY);
        let Some(tried) = self.0.get(&trial.about) else { return reading };
        let mut others: Vec<i64> =
            tried.live(minute).filter(|one| one.guess != trial.guess).map(|one| one.minute).collect();
        // With a tenth guess and a hundredth alike, one more is one more.
        let is_known = tried.live(minute).any(|one| one.guess == trial.guess);
        let count = u32::try_from(others.len() + 1).unwrap_or(u32::MAX);
        reading.value = count;
        if count > bound.stop && !is_known {
            others.sort_unstable();
            let over = usize::try_from(count - bound.stop).unwrap_or(usize::MAX);
            let clear = others.get(over - 1).copied().unwrap_or(minute);
            (reading.level, reading.bound, reading.clear) = (Level::Stop, bound.stop, clear + DAY);
        } else if count > bound.slow {
            (reading.level, reading.bound) = (Level::between(count, bound.slow, bound.stop), bound.slow);
        }
        reading
    }

    /// Remembers a trial.
    pub(super) fn count(&mut self, trial: Trial, minute: i64) {
        let guess = Guess { guess: trial.guess, minute };
        if let Some(tried) = self.0.get_mut(&trial.about) {
            return tried.add(guess);
        }
        if self.0.len() >= MOST {
            self.make_room(minute);
        }
        self.0.insert(trial.about, Tried { first: guess, more: Vec::new() });
    }

    /// Each step forgets more than the one before; the last is for a flood that other bounds have let through.
    fn make_room(&mut self, minute: i64) {
        self.0.retain(|_, tried| tried.live(minute).next().is_some());
        if self.0.len() > MOST / 2 {
            self.0.retain(|_, tried| !tried.more.is_empty());
        }
        if self.0.len() > MOST / 2 {
            self.0.clear();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.values().map(|tried| 1 + tried.more.len()).sum()
    }
}

impl Tried {
    fn live(&self, minute: i64) -> impl Iterator<Item = Guess> {
        std::iter::once(self.first).chain(self.more.iter().copied()).filter(move |one| one.minute + DAY > minute)
    }

    fn add(&mut self, guess: Guess) {
        let mut all = std::iter::once(&mut self.first).chain(&mut self.more);
        if let Some(known) = all.find(|one| one.guess == guess.guess) {
            *known = guess;
            return;
        }
        self.more.retain(|one| one.minute + DAY > guess.minute);
        if self.first.minute + DAY <= guess.minute {
            self.first = guess;
        } else if self.more.len() + 1 < MOST_OF_ONE {
            self.more.push(guess);
        } else if let Some(oldest) = self.more.iter_mut().min_by_key(|one| one.minute) {
            *oldest = guess;
        }
    }
}
