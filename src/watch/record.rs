use std::time::Duration;

use jiff::Timestamp;

use super::subjects::Subjects;
use super::{Bound, Bounds, Measure, Pace, Share, WINDOWS};
use crate::domain::Outcome;

/// What is counted of an agency or an officer.
pub(super) struct Record {
    windows: [Window; 3],
    subjects: Subjects,
    minute: i64,
    /// By measure: the last minute in which questions were slowed for it, and stopped.
    told: [[i64; 2]; MEASURES.len()],
    /// When the next question may go that is slowed, in microseconds.
    next: i64,
}

/// A window that slides by slots. It is never longer than it says, and at most a slot shorter.
struct Window {
    /// The length of a slot in minutes, and how many there are.
    length: i64,
    count: i64,
    slots: [Slot; 24],
    sum: Slot,
    /// The number of the present slot.
    last: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Those of the subjects' sample that were last asked about in it.
    subjects: u32,
    answered: u32,
    mismatch: u32,
    no_record: u32,
}

/// Where a measure stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) level: Level,
    pub(super) measure: Measure,
    /// The length of the window.
    pub(super) minutes: i64,
    pub(super) value: u32,
    pub(super) bound: u32,
    /// Of one that is stopped: the minute in which it is not any more, if nothing is asked.
    pub(super) clear: i64,
}

/// How far a measure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Calm,
    /// Past the first bound, so many thousandths of the way to the second.
    Slow(u32),
    Stop,
}

const MEASURES: [Measure; 5] =
    [Measure::Subjects, Measure::Mismatch, Measure::NoRecord, Measure::Names, Measure::Counterparts];

/// A spell ends when there was nothing of it for so many minutes.
const SPELL: i64 = 10;
const NEVER: i64 = i64::MIN / 1024;

impl Level {
    /// The level of a value that is past the first bound.
    pub(super) fn between(value: u32, slow: u32, stop: u32) -> Self {
        let (past, all) = (u64::from(value.saturating_sub(slow)), u64::from(stop.saturating_sub(slow)).max(1));
        Self::Slow(u32::try_from((past * 1000 / all).min(1000)).unwrap_or(1000))
    }
}

impl Reading {
    pub(super) fn calm(measure: Measure, minutes: i64) -> Self {
        Self { level: Level::Calm, measure, minutes, value: 0, bound: 0, clear: 0 }
    }
}

impl Record {
    /// One that knows so many subjects one by one.
    pub(super) fn new(most: usize) -> Self {
        let [ten, hour, day] = WINDOWS;
        let windows = [Window::new(1, ten), Window::new(5, hour / 5), Window::new(60, day / 60)];
        let told = [[NEVER; 2]; MEASURES.len()];
        Self { windows, subjects: Subjects::new(most), minute: NEVER, told, next: i64::MIN }
    }

    /// Goes on to this minute, and forgets what is over.
    pub(super) fn advance(&mut self, minute: i64) {
        if minute <= self.minute {
            return;
        }
        self.minute = minute;
        let is_new_hour = self.windows[2].last < minute.div_euclid(60);
        for window in &mut self.windows {
            window.advance(minute);
        }
        if is_new_hour {
            self.subjects.forget_before(self.windows[2].first_minute());
        }
    }

    /// Where it would stand if these people were asked about: the worst of all measures, with the moment when none is too much.
    pub(super) fn reading(&self, bounds: &Bounds, people: &[u64]) -> Reading {
        let mut worst = Reading::calm(Measure::Subjects, WINDOWS[0]);
        let mut clear = 0;
        for ((window, minutes), subjects) in self.windows.iter().zip(WINDOWS).zip(bounds.subjects) {
            let shares = [(Measure::Mismatch, bounds.mismatch), (Measure::NoRecord, bounds.no_record)];
            let shares = shares.map(|(measure, share)| window.share(measure, share, minutes));
            for reading in [self.people(window, people, subjects, minutes)].into_iter().chain(shares) {
                clear = clear.max(reading.clear);
                if reading.level > worst.level {
                    worst = reading;
                }
            }
        }
        Reading { clear, ..worst }
    }

    fn people(&self, window: &Window, people: &[u64], bound: Bound, minutes: i64) -> Reading {
        let is_new = |person: &&u64| {
            self.subjects.takes(**person) && self.subjects.seen(**person).is_none_or(|seen| !window.holds(seen))
        };
        let new = u32::try_from(people.iter().filter(is_new).count()).unwrap_or(u32::MAX);
        let count = |sampled: u32| self.subjects.scale(sampled.saturating_add(new));
        let mut reading = Reading::calm(Measure::Subjects, minutes);
        reading.value = count(window.sum.subjects);
        if reading.value > bound.stop {
            let clear = window.clear(|sum| count(sum.subjects) <= bound.stop);
            (reading.level, reading.bound, reading.clear) = (Level::Stop, bound.stop, clear);
        } else if reading.value > bound.slow {
            (reading.level, reading.bound) = (Level::between(reading.value, bound.slow, bound.stop), bound.slow);
        }
        reading
    }

    /// Counts these people.
    pub(super) fn count(&mut self, people: &[u64]) {
        for person in people.iter().filter(|person| self.subjects.takes(**person)).copied().collect::<Vec<_>>() {
            let seen = self.subjects.seen(person);
            let has_shrunk = self.subjects.see(person, self.minute);
            for window in &mut self.windows {
                window.move_subject(seen, self.minute);
                if has_shrunk {
                    window.count_subjects_anew(self.subjects.minutes());
                }
            }
        }
    }

    /// Notes an outcome. Where nothing was answered, nothing was learnt.
    pub(super) fn note(&mut self, outcome: Outcome) {
        let (mismatch, no_record) = match outcome {
            Outcome::Pending | Outcome::Unavailable | Outcome::Referred => return,
            Outcome::Confirmed | Outcome::Refuted | Outcome::Conflict => (0, 0),
            Outcome::Mismatch => (1, 0),
            Outcome::NoRecord => (0, 1),
        };
        for window in &mut self.windows {
            window.add(Slot { subjects: 0, answered: 1, mismatch, no_record });
        }
    }

    /// When a question may go that waits so long behind those that wait already.
    pub(super) fn pace(&mut self, delay: Duration, longest: Duration, now: Timestamp) -> Pace {
        let micros = |length: Duration| i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
        let now = now.as_microsecond();
        let next = self.next.max(now).saturating_add(micros(delay));
        let wait = Duration::from_micros(u64::try_from(next - now).unwrap_or(0));
        if wait > longest {
            return Pace::Stop { retry_after: Duration::from_secs(wait.as_secs() + 1) };
        }
        self.next = next;
        Pace::Slow(wait)
    }

    /// Whether a spell begins with this.
    pub(super) fn tell(&mut self, measure: Measure, level: Level, minute: i64) -> bool {
        let Some(place) = MEASURES.iter().position(|one| *one == measure) else { return false };
        let [slowed, stopped] = &mut self.told[place];
        let last = if level == Level::Stop { std::mem::replace(stopped, minute) } else { *slowed };
        // Whoever is stopped and then slowed has been told of.
        *slowed = minute;
        last + SPELL < minute
    }

    /// The spells that have not ended, and whether questions are stopped.
    pub(super) fn spells(&self, minute: i64) -> impl Iterator<Item = (Measure, bool)> {
        let spell = move |(measure, [slowed, stopped]): (Measure, &[i64; 2])| {
            let lasts = |last: i64| last + SPELL >= minute;
            lasts(*slowed).then(|| (measure, lasts(*stopped)))
        };
        MEASURES.into_iter().zip(&self.told).filter_map(spell)
    }

    /// Whether anything in it can still count.
    pub(super) fn is_recent(&self, minute: i64) -> bool {
        self.minute + WINDOWS[2] > minute
    }

    /// How much would be forgotten with it.
    pub(super) fn weight(&self) -> (u32, i64) {
        (self.windows[2].sum.subjects, self.minute)
    }

    #[cfg(test)]
    pub(super) fn sample(&self) -> usize {
        self.subjects.len()
    }
}

impl Window {
    fn new(length: i64, count: i64) -> Self {
        Self { length, count, slots: [Slot::default(); 24], sum: Slot::default(), last: NEVER }
    }

    fn place(&self, slot: i64) -> usize {
        usize::try_from(slot.rem_euclid(self.count)).unwrap_or_default()
    }

    fn advance(&mut self, minute: i64) {
        let now = minute.div_euclid(self.length);
        for slot in self.last.max(now - self.count) + 1..=now {
            let place = self.place(slot);
            let over = std::mem::take(&mut self.slots[place]);
            self.sum = self.sum.less(over);
        }
        self.last = self.last.max(now);
    }

    /// The first minute that it covers.
    fn first_minute(&self) -> i64 {
        (self.last - self.count + 1) * self.length
    }

    fn holds(&self, minute: i64) -> bool {
        minute >= self.first_minute()
    }

    fn add(&mut self, more: Slot) {
        let place = self.place(self.last);
        self.slots[place] = self.slots[place].plus(more);
        self.sum = self.sum.plus(more);
    }

    /// A subject that was last seen then is seen now.
    fn move_subject(&mut self, seen: Option<i64>, minute: i64) {
        let one = Slot { subjects: 1, ..Slot::default() };
        if let Some(seen) = seen.filter(|seen| self.holds(*seen)) {
            let place = self.place(seen.div_euclid(self.length));
            self.slots[place] = self.slots[place].less(one);
            self.sum = self.sum.less(one);
        }
        let place = self.place(minute.div_euclid(self.length));
        self.slots[place] = self.slots[place].plus(one);
        self.sum = self.sum.plus(one);
    }

    fn count_subjects_anew(&mut self, minutes: impl Iterator<Item = i64>) {
        self.slots.iter_mut().for_each(|slot| slot.subjects = 0);
        self.sum.subjects = 0;
        for minute in minutes {
            if self.holds(minute) {
                self.move_subject(None, minute);
            }
        }
    }

    fn share(&self, measure: Measure, share: Share, minutes: i64) -> Reading {
        let bad = |sum: Slot| if measure == Measure::Mismatch { sum.mismatch } else { sum.no_record };
        let is_past = |sum: Slot, bound: u32| {
            sum.answered >= share.of && u64::from(bad(sum)) * 100 > u64::from(bound) * u64::from(sum.answered)
        };
        let mut reading = Reading::calm(measure, minutes);
        let percent = u64::from(bad(self.sum)) * 100 / u64::from(self.sum.answered.max(1));
        reading.value = u32::try_from(percent).unwrap_or(u32::MAX);
        if is_past(self.sum, share.stop) {
            let clear = self.clear(|sum| !is_past(sum, share.stop));
            (reading.level, reading.bound, reading.clear) = (Level::Stop, share.stop, clear);
        } else if is_past(self.sum, share.slow) {
            (reading.level, reading.bound) = (Level::between(reading.value, share.slow, share.stop), share.slow);
        }
        reading
    }

    /// The minute from which on the window stays all right, if nothing comes.
    fn clear(&self, is_right: impl Fn(Slot) -> bool) -> i64 {
        let (mut sum, mut clear) = (self.sum, self.last);
        for slot in self.last + 1..=self.last + self.count {
            if !is_right(sum) {
                clear = slot;
            }
            sum = sum.less(self.slots[self.place(slot)]);
        }
        clear * self.length
    }
}

impl Slot {
    fn plus(self, other: Self) -> Self {
        self.with(other, u32::saturating_add)
    }

    fn less(self, other: Self) -> Self {
        self.with(other, u32::saturating_sub)
    }

    fn with(self, other: Self, of: fn(u32, u32) -> u32) -> Self {
        Self {
            subjects: of(self.subjects, other.subjects),
            answered: of(self.answered, other.answered),
            mismatch: of(self.mismatch, other.mismatch),
            no_record: of(self.no_record, other.no_record),
        }
    }
}
