use std::collections::HashSet;

use jiff::ToSpan as _;
use proptest::prelude::*;

use super::guesses::{MOST, MOST_OF_ONE};
use super::*;
use crate::domain::{Division, IdNumber};

fn start() -> Timestamp {
    "2026-11-23T09:00:00+08:00".parse().unwrap()
}

fn fund() -> AgencyId {
    AgencyId("fund".parse().unwrap())
}

/// A person, by number, with one of several names.
fn person(number: u32, name: u32) -> Person {
    let division: Division = "210102".parse().unwrap();
    let born = jiff::civil::date(1950, 1, 1).checked_add(i64::from(number / 999).days()).unwrap();
    let id_number = IdNumber::assemble(division, born, u16::try_from(number % 999).unwrap()).unwrap();
    let name = char::from_u32(0x4E00 + name).unwrap().to_string();
    Person { id_number, name: Some(name.parse().unwrap()) }
}

fn bound(slow: u32, stop: u32) -> Bound {
    Bound { slow, stop }
}

/// Officers' subjects are watched, and nothing else.
fn subjects(bounds: [Bound; 3]) -> Policy {
    let delay = Duration::from_secs(1);
    let officer = Bounds { subjects: bounds, ..Policy::WIDE.officer };
    Policy { officer, delay, longest_delay: Duration::from_hours(1), ..Policy::WIDE }
}

/// The most of each kind that a window may count, and the least that it must, held against a list of everything.
struct Model(Vec<(i64, u32)>);

impl Model {
    fn distinct(&self, seconds: i64, now: i64) -> u32 {
        let recent = self.0.iter().filter(|(then, _)| now - then < seconds).map(|(_, number)| number);
        u32::try_from(recent.collect::<HashSet<_>>().len()).unwrap()
    }
}

const SECONDS: [i64; 3] = [600, 3600, 86_400];
const SLOTS: [i64; 3] = [60, 300, 3600];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Nobody is slowed or stopped who is under the bounds of a true window; and nobody goes who is past them in one that is a
    /// slot shorter.
    #[test]
    fn a_window_counts_what_came_in_it(
        steps in prop::collection::vec((0_u32..30, prop_oneof![8 => 0_i64..90, 2 => 0_i64..4000, 1 => 0_i64..90_000]), 1..150),
        slow in prop::array::uniform3(1_u32..12),
        more in prop::array::uniform3(0_u32..8),
    ) {
        let bounds = [0, 1, 2].map(|at| bound(slow[at], slow[at] + more[at]));
        let (policy, watch, mut model) = (subjects(bounds), Watch::default(), Model(Vec::new()));
        let mut now = start().as_second();
        for (number, pause) in steps {
            now += pause;
            let moment = Timestamp::from_second(now).unwrap();
            let verdict = watch.before(&policy, &fund(), Some("o"), &[person(number, 0)], moment);
            model.0.push((now, number));
            let count = |short: bool| [0, 1, 2].map(|at| {
                model.distinct(SECONDS[at] - if short { SLOTS[at] } else { 0 }, now)
            });
            let exceeds = |counts: [u32; 3], limit: fn(Bound) -> u32| {
                (0..3).any(|at| counts[at] > limit(bounds[at]))
            };
            match verdict.pace {
                Pace::Go => prop_assert!(!exceeds(count(true), |bound| bound.slow)),
                Pace::Slow(delay) => {
                    prop_assert!(exceeds(count(false), |bound| bound.slow));
                    prop_assert!(!exceeds(count(true), |bound| bound.stop));
                    prop_assert!(delay >= Duration::from_millis(100));
                }
                Pace::Stop { retry_after } => {
                    prop_assert!(exceeds(count(false), |bound| bound.stop));
                    prop_assert!(retry_after >= Duration::from_secs(1));
                    prop_assert!(retry_after <= Duration::from_hours(24));
                    // It is not counted; and when it is said to be over, it is.
                    model.0.pop();
                    let later = moment.checked_add(jiff::SignedDuration::try_from(retry_after).unwrap()).unwrap();
                    let copy = Watch::default();
                    for (then, number) in &model.0 {
                        let then = Timestamp::from_second(*then).unwrap();
                        let _ = copy.before(&Policy::WIDE, &fund(), Some("o"), &[person(*number, 0)], then);
                    }
                    let again = copy.before(&policy, &fund(), Some("o"), &[person(number, 0)], later);
                    let is_stopped = matches!(again.pace, Pace::Stop { .. });
                    prop_assert!(!is_stopped);
                }
            }
        }
    }

    /// The same calls in the same order give the same verdicts, whatever the keys of the hashes are.
    #[test]
    fn verdicts_follow_from_what_was_asked(
        steps in prop::collection::vec((0_u32..10, 0_u32..4, 0_i64..600, 0_usize..3), 1..100),
    ) {
        let policy = Policy {
            names: bound(1, 2),
            counterparts: bound(1, 2),
            agency: Bounds { mismatch: Share { slow: 20, stop: 50, of: 5 }, ..Policy::WIDE.agency },
            ..subjects([bound(3, 5), bound(5, 8), bound(8, 9)])
        };
        let watches = [Watch::default(), Watch::default()];
        let mut now = start();
        for (number, name, pause, officer) in steps {
            now += pause.seconds();
            let people = [person(number, name), person(number + 1, 0)];
            let officer = ["a", "b", "c"].get(officer).copied();
            let [one, other] = watches.each_ref().map(|watch| {
                let verdict = watch.before(&policy, &fund(), officer, &people, now);
                if !matches!(verdict.pace, Pace::Stop { .. }) {
                    watch.after(&fund(), officer, if name == 0 { Outcome::Confirmed } else { Outcome::Mismatch }, now);
                }
                verdict
            });
            let without_key = |found: Verdict| (found.pace, found.finding.map(|found| (found.measure, found.value)));
            prop_assert_eq!(without_key(one), without_key(other));
        }
    }
}

fn ask(watch: &Watch, policy: &Policy, officer: Option<&str>, number: u32, name: u32, now: Timestamp) -> Verdict {
    watch.before(policy, &fund(), officer, &[person(number, name)], now)
}

#[test]
fn what_is_past_the_first_bound_is_slowed_more_and_more_and_then_stopped_and_told_once() {
    let (watch, policy) = (Watch::default(), subjects([bound(10, 20), Bound::NONE, Bound::NONE]));
    let mut told = Vec::new();
    let mut last = Duration::ZERO;
    for number in 0..25 {
        // So far apart that nobody waits for the one before.
        let now = start() + (i64::from(number) * 5).seconds();
        let verdict = ask(&watch, &policy, Some("o"), number, 0, now);
        told.extend(verdict.finding);
        match verdict.pace {
            Pace::Go => assert!(number < 10),
            Pace::Slow(delay) => {
                assert!((10..20).contains(&number));
                assert!(delay >= last && delay <= Duration::from_secs(1), "{delay:?}");
                last = delay;
            }
            Pace::Stop { .. } => assert!(number >= 20),
        }
    }
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!((told[0].value, told[0].bound, told[0].is_stopped, told[0].minutes), (11, 10, false, 10));
    assert_eq!((told[1].value, told[1].bound, told[1].is_stopped), (21, 20, true));
    assert!(told.iter().all(|found| found.measure == Measure::Subjects && found.officer.is_some()));
    let now = start() + 3.minutes();
    let spells = watch.spells(now);
    assert_eq!((spells.len(), spells[0].measure, spells[0].is_stopped), (1, Measure::Subjects, true));
    // Another officer goes; and this one when the window is over, to be told of anew if it goes on.
    assert_eq!(ask(&watch, &policy, Some("p"), 30, 0, now).pace, Pace::Go);
    let later = now + 13.minutes();
    assert_eq!(watch.spells(later), []);
    for number in 0..11 {
        let verdict = ask(&watch, &policy, Some("o"), number, 0, later);
        assert_eq!(verdict.finding.is_some(), number == 10, "{verdict:?}");
    }
}

#[test]
fn those_that_are_slowed_wait_for_each_other_and_too_many_are_stopped() {
    let longest_delay = Duration::from_secs(3);
    let policy = Policy { longest_delay, ..subjects([bound(1, 1001), Bound::NONE, Bound::NONE]) };
    let watch = Watch::default();
    let paces: Vec<Pace> = (0..40).map(|number| ask(&watch, &policy, Some("o"), number, 0, start()).pace).collect();
    let waits: Vec<Duration> =
        paces.iter().filter_map(|pace| if let Pace::Slow(wait) = pace { Some(*wait) } else { None }).collect();
    assert_eq!(paces[0], Pace::Go);
    assert!(waits.is_sorted() && waits.len() == 30 && waits[29] <= longest_delay, "{waits:?}");
    assert_eq!(paces[31..], [Pace::Stop { retry_after: Duration::from_secs(4) }; 9]);
}

#[test]
fn officers_that_are_invented_do_not_help() {
    let agency = Bounds { subjects: [bound(50, 100), Bound::NONE, Bound::NONE], ..Policy::WIDE.agency };
    let policy = Policy { agency, ..subjects([bound(2, 4), Bound::NONE, Bound::NONE]) };
    let watch = Watch::default();
    let stopped = (0..200).filter(|number| {
        let officer = format!("officer {number}");
        matches!(ask(&watch, &policy, Some(&officer), *number, 0, start()).pace, Pace::Stop { .. })
    });
    assert_eq!(stopped.count(), 100);
    // Nor does it to name none.
    assert!(matches!(ask(&watch, &policy, None, 500, 0, start()).pace, Pace::Stop { .. }));
}

#[test]
fn shares_are_taken_of_enough_answers_alone() {
    let share = Share { slow: 20, stop: 50, of: 10 };
    let policy = Policy { officer: Bounds { mismatch: share, ..Policy::WIDE.officer }, ..Policy::WIDE };
    let watch = Watch::default();
    let note =
        |outcome: Outcome, times: u32| (0..times).for_each(|_| watch.after(&fund(), Some("o"), outcome, start()));
    let pace = || ask(&watch, &policy, Some("o"), 1, 0, start()).pace;
    assert_eq!(pace(), Pace::Go);
    note(Outcome::Mismatch, 9);
    for nothing in [Outcome::Pending, Outcome::Unavailable, Outcome::Referred] {
        note(nothing, 5);
    }
    assert_eq!(pace(), Pace::Go, "nine answers are too few");
    note(Outcome::Confirmed, 9);
    assert_eq!(pace(), Pace::Slow(Duration::ZERO), "a half is not more than a half");
    note(Outcome::Mismatch, 1);
    assert!(matches!(pace(), Pace::Stop { .. }));
    note(Outcome::Refuted, 40);
    assert_eq!(pace(), Pace::Go);
    let finding = {
        note(Outcome::Mismatch, 100);
        ask(&watch, &policy, Some("o"), 1, 0, start() + 20.minutes()).finding.unwrap()
    };
    assert_eq!((finding.measure, finding.minutes, finding.is_stopped), (Measure::Mismatch, 60, true));
    assert_eq!(ask(&watch, &policy, Some("o"), 1, 0, start() + 25.hours()).pace, Pace::Go);
}

#[test]
fn names_and_counterparts_are_not_tried_out() {
    let delay = Duration::from_millis(1);
    let policy =
        Policy { names: bound(2, 3), counterparts: bound(2, 3), delay, longest_delay: delay * 10, ..Policy::WIDE };
    let watch = Watch::default();
    let names: Vec<Verdict> =
        (0..5).map(|name| ask(&watch, &policy, Some(&format!("o{name}")), 7, name, start())).collect();
    let kind = |verdict: &Verdict| match verdict.pace {
        Pace::Go => 'g',
        Pace::Slow(_) => 's',
        Pace::Stop { .. } => 'x',
    };
    assert_eq!(names.iter().map(kind).collect::<String>(), "ggsxx");
    let found = names[3].finding.clone().unwrap();
    assert_eq!((found.measure, found.officer, found.value, found.bound), (Measure::Names, None, 4, 3));
    assert_eq!(names[3].pace, Pace::Stop { retry_after: Duration::from_hours(24) });
    assert_eq!(kind(&ask(&watch, &policy, None, 7, 0, start())), 's', "a name that was tried already is nothing new");
    assert_eq!(kind(&ask(&watch, &policy, None, 8, 9, start())), 'g');
    assert_eq!(kind(&ask(&watch, &policy, None, 7, 9, start() + 24.hours())), 'g');
    // Whoever stands in whatever role: the same person with ever other ones.
    let pairs = (20..25).map(|other| {
        let mut people = [person(10, 0), person(other, 0)];
        if other % 2 == 0 {
            people.reverse();
        }
        kind(&watch.before(&policy, &fund(), None, &people, start() + 25.hours()))
    });
    assert_eq!(pairs.collect::<String>(), "ggsxx");
}

#[test]
fn agencies_are_apart() {
    let agency = Bounds { subjects: [bound(1, 1); 3], ..Policy::WIDE.agency };
    let (watch, policy) = (Watch::default(), Policy { agency, ..Policy::WIDE });
    let bank = AgencyId("bank".parse().unwrap());
    for id in [fund(), bank] {
        assert_eq!(watch.before(&policy, &id, None, &[person(1, 0)], start()).pace, Pace::Go);
        let stopped = watch.before(&policy, &id, None, &[person(2, 0)], start());
        assert!(matches!(stopped.pace, Pace::Stop { .. }));
    }
}

#[test]
fn a_clock_that_is_set_back_neither_forgets_nor_keeps_longer() {
    for ahead in [1, 24 * 365] {
        let (watch, policy) = (Watch::default(), subjects([bound(2, 2); 3]));
        let at = |number, after: jiff::Span| ask(&watch, &policy, Some("o"), number, 0, start() + after).pace;
        assert_eq!(at(0, ahead.hours()), Pace::Go);
        assert_eq!(at(1, 0.hours()), Pace::Go);
        let Pace::Stop { retry_after } = at(2, 5.minutes()) else { panic!("the third of a day") };
        assert!(retry_after <= Duration::from_hours(24), "{retry_after:?}");
        assert_eq!(at(2, 25.hours()), Pace::Go, "their day is over");
    }
}

#[test]
fn memory_is_bounded_whatever_is_asked() {
    let watch = Watch::default();
    for number in 0..150_000 {
        let officer = format!("officer {}", number % 700);
        let officer = if number % 2 == 0 { "one" } else { officer.as_str() };
        let _ = ask(&watch, &Policy::WIDE, Some(officer), number, 0, start());
    }
    for name in 0..1000 {
        let _ = ask(&watch, &Policy::WIDE, None, 1, name, start());
    }
    let watched = watch.watched(&fund());
    let watched = lock(&watched);
    assert!(watched.officers.len() <= OFFICERS);
    assert!(watched.officers.values().all(|record| record.sample() <= SUBJECTS_OF_OFFICER));
    assert!(watched.own.sample() <= SUBJECTS_OF_AGENCY && watched.own.sample() > SUBJECTS_OF_AGENCY / 4);
    assert!(watched.guesses.len() <= MOST + MOST_OF_ONE);
    // A sample says about how many there are: within a twentieth.
    let reading = watched.own.reading(&Bounds { subjects: [bound(1, u32::MAX); 3], ..Policy::WIDE.agency }, &[]);
    assert!((142_500..157_500).contains(&reading.value), "{}", reading.value);
}
