//! Layer 1: who seems to guess. A yes/no interface can be used to find out a name, a spouse or a number by trying. The watch
//! counts, for each agency and each officer that it names, how many people are asked about, how many answers are `mismatch` or
//! `no_record`, and how many names and counterparts are tried with one ID number. Past a first bound questions are slowed, past
//! a second they are refused, and the operator is told.
//!
//! It holds no person: subjects, names and officers are hashed with a key that is made when it is and that nobody sees. What it
//! counts is in memory alone and bounded, whoever asks what; a new process begins anew.

mod guesses;
mod policy;
mod record;
mod subjects;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Steady;
use crate::domain::{AgencyId, IdNumber, Outcome, Person};

use guesses::Guesses;
pub use policy::{Bound, Bounds, Policy, Share, WINDOWS};
use record::{Level, Reading, Record};

/// The watch. All threads share one.
#[derive(Default)]
pub struct Watch {
    key: RandomState,
    agencies: RwLock<HashMap<AgencyId, Arc<Mutex<Watched>>>>,
}

/// What is counted of one agency.
struct Watched {
    own: Record,
    officers: HashMap<u64, Record>,
    guesses: Guesses,
    /// Windows slide by these moments.
    steady: Steady,
}

/// What becomes of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may be asked.
    pub pace: Pace,
    /// What the operator is to be told now: once a spell.
    pub finding: Option<Finding>,
}

/// Whether, and when, a question may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// At once.
    Go,
    /// After this.
    Slow(Duration),
    /// Not now: it is not counted.
    Stop {
        /// After this it is worth asking again: if nothing is asked until then, no bound is exceeded any more.
        retry_after: Duration,
    },
}

/// Something that looks like guessing. It names no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The agency.
    pub agency: AgencyId,
    /// The keyed hash of the officer, if it is one officer's; the same as long as the process lives.
    pub officer: Option<u64>,
    /// What is counted.
    pub measure: Measure,
    /// In how many minutes.
    pub minutes: i64,
    /// What was counted: people, guesses, or per cent.
    pub value: u32,
    /// The bound that it exceeds.
    pub bound: u32,
    /// Whether questions are refused; otherwise they are slowed.
    pub is_stopped: bool,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// People asked about.
    Subjects,
    /// Per cent of the answers that are `mismatch`.
    Mismatch,
    /// Per cent of the answers that are `no_record`.
    NoRecord,
    /// Names tried with one ID number.
    Names,
    /// Other people tried with one ID number.
    Counterparts,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Subjects, Self::Mismatch, Self::NoRecord, Self::Names, Self::Counterparts];

    /// Its name in the configuration and the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subjects => "subjects",
            Self::Mismatch => "mismatch",
            Self::NoRecord => "no-record",
            Self::Names => "names",
            Self::Counterparts => "counterparts",
        }
    }
}

/// The most officers of an agency that are told apart. Of more, those are forgotten that have asked about the fewest people:
/// the agency's own bounds hold for all of them together.
pub const OFFICERS: usize = 512;

/// The most people of a day that are counted one by one; of more, a sample is.
const SUBJECTS_OF_AGENCY: usize = 65_536;
const SUBJECTS_OF_OFFICER: usize = 2048;

impl Watch {
    /// Looks at a question before it is asked, and counts it unless it is stopped.
    #[must_use]
    pub fn before(
        &self,
        policy: &Policy,
        agency: &AgencyId,
        officer: Option<&str>,
        subjects: &[Person],
        now: Timestamp,
    ) -> Verdict {
        let people: Vec<u64> = subjects.iter().map(|person| self.hash(&person.id_number)).collect();
        let tried = self.tried(subjects);
        let officer = officer.map(|officer| self.hash(officer));
        let watched = self.watched(agency);
        let mut watched = lock(&watched);
        let now = watched.steady.read(now);
        let minute = watched.advance(now, officer);
        let readings = watched.readings(policy, officer, &people, &tried, minute);
        let clear = readings.iter().map(|(_, reading)| reading.clear).max().unwrap_or(minute);
        let worst = readings.into_iter().max_by_key(|(_, reading)| reading.level);
        let Some((whose, reading)) = worst.filter(|(_, reading)| reading.level > Level::Calm) else {
            watched.count(officer, &people, &tried, minute);
            return Verdict { pace: Pace::Go, finding: None };
        };
        let pace = match reading.level {
            Level::Stop => Pace::Stop { retry_after: until(clear, now) },
            Level::Slow(severity) => watched.record(whose).pace(policy.delay(severity), policy.longest_delay, now),
            Level::Calm => Pace::Go,
        };
        if !matches!(pace, Pace::Stop { .. }) {
            watched.count(officer, &people, &tried, minute);
        }
        let is_new = watched.record(whose).tell(reading.measure, reading.level, minute);
        let finding = is_new.then(|| Finding {
            agency: agency.clone(),
            officer: whose,
            measure: reading.measure,
            minutes: reading.minutes,
            value: reading.value,
            bound: reading.bound,
            is_stopped: reading.level == Level::Stop,
        });
        Verdict { pace, finding }
    }

    /// Notes what a question that was asked came to.
    pub fn after(&self, agency: &AgencyId, officer: Option<&str>, outcome: Outcome, now: Timestamp) {
        let officer = officer.map(|officer| self.hash(officer));
        let watched = self.watched(agency);
        let mut watched = lock(&watched);
        let now = watched.steady.read(now);
        watched.move_to(now, officer);
        watched.own.note(outcome);
        if let Some(record) = officer.and_then(|officer| watched.officers.get_mut(&officer)) {
            record.note(outcome);
        }
    }

    /// What looks like guessing at present, for an operator: each agency's and officer's spells that have not ended.
    #[must_use]
    pub fn spells(&self, now: Timestamp) -> Vec<Spell> {
        let agencies = self.agencies.read().unwrap_or_else(PoisonError::into_inner);
        let mut spells = Vec::new();
        for (agency, watched) in agencies.iter() {
            let mut watched = lock(watched);
            let minute = minute_of(watched.steady.read(now));
            let records = watched.officers.iter().map(|(officer, record)| (Some(*officer), record));
            for (officer, record) in records.chain([(None, &watched.own)]) {
                let found = record.spells(minute).map(|(measure, is_stopped)| Spell {
                    agency: agency.clone(),
                    officer,
                    measure,
                    is_stopped,
                });
                spells.extend(found);
            }
        }
        spells
    }

    fn watched(&self, agency: &AgencyId) -> Arc<Mutex<Watched>> {
        let known = self.agencies.read().unwrap_or_else(PoisonError::into_inner).get(agency).cloned();
        known.unwrap_or_else(|| {
            let mut agencies = self.agencies.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(agencies.entry(agency.clone()).or_insert_with(|| Arc::new(Mutex::new(Watched::new()))))
        })
    }

    /// What a question tries: a name with an ID number, another person with an ID number.
    fn tried(&self, subjects: &[Person]) -> Vec<Trial> {
        let trial = |measure, about: &IdNumber, guess| Trial { measure, about: self.hash(&(measure, about)), guess };
        let mut tried = Vec::new();
        for person in subjects {
            let about = &person.id_number;
            tried.extend(person.name.as_ref().map(|name| trial(Measure::Names, about, self.hash(name))));
            let others = subjects.iter().map(|other| &other.id_number).filter(|other| *other != about);
            tried.extend(others.map(|other| trial(Measure::Counterparts, about, self.hash(other))));
        }
        tried
    }

    fn hash<T: Hash + ?Sized>(&self, value: &T) -> u64 {
        self.key.hash_one(value)
    }
}

/// Something that looks like guessing and has not ended. It names no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spell {
    /// The agency.
    pub agency: AgencyId,
    /// The keyed hash of the officer, if it is one officer's.
    pub officer: Option<u64>,
    /// What is counted.
    pub measure: Measure,
    /// Whether questions are refused; otherwise they are slowed.
    pub is_stopped: bool,
}

/// A guess: a name or a person that is tried with an ID number. Both are hashes.
#[derive(Debug, Clone, Copy)]
struct Trial {
    measure: Measure,
    about: u64,
    guess: u64,
}

impl Watched {
    fn new() -> Self {
        Self {
            own: Record::new(SUBJECTS_OF_AGENCY),
            officers: HashMap::new(),
            guesses: Guesses::default(),
            steady: Steady::default(),
        }
    }

    /// Goes on to this steady moment, with a record of the officer.
    fn advance(&mut self, now: Timestamp, officer: Option<u64>) -> i64 {
        if let Some(officer) = officer.filter(|officer| !self.officers.contains_key(officer)) {
            self.make_room_for_officer(minute_of(now));
            self.officers.insert(officer, Record::new(SUBJECTS_OF_OFFICER));
        }
        self.move_to(now, officer)
    }

    fn move_to(&mut self, now: Timestamp, officer: Option<u64>) -> i64 {
        let minute = minute_of(now);
        self.own.advance(minute);
        if let Some(record) = officer.and_then(|officer| self.officers.get_mut(&officer)) {
            record.advance(minute);
        }
        minute
    }

    fn make_room_for_officer(&mut self, minute: i64) {
        if self.officers.len() < OFFICERS {
            return;
        }
        self.officers.retain(|_, record| record.is_recent(minute));
        if self.officers.len() >= OFFICERS {
            let least = self.officers.iter().min_by_key(|(_, record)| record.weight()).map(|(officer, _)| *officer);
            least.and_then(|officer| self.officers.remove(&officer));
        }
    }

    /// The record of an officer, or of the agency as a whole.
    fn record(&mut self, whose: Option<u64>) -> &mut Record {
        match whose.and_then(|officer| self.officers.get_mut(&officer)) {
            Some(record) => record,
            None => &mut self.own,
        }
    }

    /// Where each measure would stand with this question.
    fn readings(
        &self,
        policy: &Policy,
        officer: Option<u64>,
        people: &[u64],
        tried: &[Trial],
        minute: i64,
    ) -> Vec<(Option<u64>, Reading)> {
        let mut readings = vec![(None, self.own.reading(&policy.agency, people))];
        if let Some((officer, record)) = officer.and_then(|officer| Some((officer, self.officers.get(&officer)?))) {
            readings.push((Some(officer), record.reading(&policy.officer, people)));
        }
        for trial in tried {
            let bound = if trial.measure == Measure::Names { policy.names } else { policy.counterparts };
            readings.push((None, self.guesses.reading(*trial, bound, minute)));
        }
        readings
    }

    fn count(&mut self, officer: Option<u64>, people: &[u64], tried: &[Trial], minute: i64) {
        self.own.count(people);
        if let Some(record) = officer.and_then(|officer| self.officers.get_mut(&officer)) {
            record.count(people);
        }
        for trial in tried {
            self.guesses.count(*trial, minute);
        }
    }
}

fn minute_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(60)
}

/// How long it is from a moment to the beginning of a minute: a second at least.
fn until(minute: i64, now: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(minute.saturating_mul(60) - now.as_second()).unwrap_or(0).max(1))
}

fn lock(watched: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}
