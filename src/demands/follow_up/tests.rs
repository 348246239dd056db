use jiff::civil::date;
use proptest::prelude::*;

use super::super::figures::testing::demand;
use super::*;

fn entry(step: Step, office: Office, day: i8, note: Option<&str>) -> Entry {
    Entry {
        step,
        on: date(2026, 11, day),
        author: Author { user: "lihua".to_owned(), office },
        at: "2026-11-23T08:00:00Z".parse().unwrap(),
        note: note.map(|text| text.to_owned().try_into().unwrap()),
    }
}

fn letter() -> Step {
    Step::LetterSent { to: "沈阳市公积金管理中心".to_owned().try_into().unwrap() }
}

const ANSWERED: Step = Step::Answered { gist: AnswerGist::Upholds };
const EXPOSED: Step = Step::Exposed { channel: Channel::Media };

/// What comes of these steps, each a day later than the one before.
fn walk(steps: &[(Step, Office, Option<&str>)]) -> Result<State, Refused> {
    let demand = demand(date(2026, 11, 1));
    let (mut history, mut now) = (Vec::new(), Ok(State::Recorded));
    for (index, (step, office, note)) in steps.iter().enumerate() {
        let entry = entry(step.clone(), *office, 2 + i8::try_from(index).unwrap(), *note);
        now = Ok(append(&demand, &history, &entry, date(2026, 11, 30))?);
        history.push(entry);
    }
    now
}

#[test]
fn a_record_is_followed_to_its_end() {
    use Office::{Committee, Supervisor};
    let why = Some("没有答复");
    for (steps, end) in [
        (vec![(letter(), Committee, None)], State::LetterSent),
        (vec![(letter(), Committee, None), (ANSWERED, Committee, None)], State::Answered),
        (
            vec![(letter(), Committee, None), (ANSWERED, Committee, None), (Step::Corrected, Committee, None)],
            State::Corrected,
        ),
        (vec![(letter(), Committee, None), (EXPOSED, Supervisor, None)], State::Exposed),
        (
            vec![(letter(), Committee, None), (EXPOSED, Supervisor, None), (Step::Corrected, Committee, None)],
            State::Corrected,
        ),
        (vec![(letter(), Committee, None), (Step::Closed { why: NoResult::Other }, Committee, why)], State::Closed),
        (vec![(letter(), Committee, None), (Step::TakenBack, Committee, why)], State::Recorded),
        (vec![(Step::TakenBack, Committee, why)], State::Withdrawn),
    ] {
        assert_eq!(walk(&steps), Ok(end), "{steps:?}");
    }
}

#[test]
fn what_does_not_follow_is_refused() {
    use Office::{Committee, Supervisor};
    let why = Some("录错了");
    for (steps, refused) in [
        (vec![(ANSWERED, Committee, None)], Refused::NotNow),
        (vec![(Step::Corrected, Committee, None)], Refused::NotNow),
        (vec![(letter(), Committee, None), (Step::Corrected, Committee, None)], Refused::NotNow),
        (vec![(EXPOSED, Supervisor, None)], Refused::NotNow),
        (vec![(letter(), Committee, None), (EXPOSED, Committee, None)], Refused::SupervisorOnly),
        (vec![(letter(), Committee, None), (Step::TakenBack, Committee, None)], Refused::NeedsNote),
        (
            vec![(letter(), Committee, None), (Step::Closed { why: NoResult::Other }, Committee, None)],
            Refused::NeedsNote,
        ),
        (
            vec![(letter(), Committee, None), (EXPOSED, Supervisor, None), (Step::TakenBack, Committee, why)],
            Refused::NotYours,
        ),
        (vec![(Step::TakenBack, Committee, why), (letter(), Committee, None)], Refused::NotNow),
        (vec![(Step::TakenBack, Committee, why), (Step::TakenBack, Committee, why)], Refused::NotNow),
    ] {
        assert_eq!(walk(&steps), Err(refused), "{steps:?}");
    }
}

#[test]
fn days_follow_one_another_and_are_past() {
    let (demand, today) = (demand(date(2026, 11, 10)), date(2026, 11, 20));
    let sent = |day| entry(letter(), Office::Committee, day, None);
    assert_eq!(append(&demand, &[], &sent(9), today), Err(Refused::TooEarly));
    assert_eq!(append(&demand, &[], &sent(10), today), Ok(State::LetterSent));
    assert_eq!(append(&demand, &[], &sent(21), today), Err(Refused::InFuture));
    let answered = entry(ANSWERED, Office::Committee, 14, None);
    assert_eq!(append(&demand, &[sent(15)], &answered, today), Err(Refused::TooEarly));
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let steps = prop_oneof![
        Just(letter()),
        Just(ANSWERED),
        Just(Step::Corrected),
        Just(EXPOSED),
        Just(Step::Closed { why: NoResult::Other }),
        Just(Step::TakenBack),
    ];
    let offices = prop_oneof![Just(Office::Committee), Just(Office::Supervisor)];
    (steps, offices, 1_i8..=28, any::<bool>())
        .prop_map(|(step, office, day, noted)| entry(step, office, day, noted.then_some("说明")))
}

proptest! {
    /// However entries come, the history only grows, and what `append` promised is what `state` says.
    #[test]
    fn a_history_is_sound_whatever_is_tried(tried in proptest::collection::vec(any_entry(), 0..40)) {
        let demand = demand(date(2026, 11, 1));
        let mut history: Vec<Entry> = Vec::new();
        for entry in tried {
            let before = state(&history);
            let is_offered = offered(&history, entry.author.office).contains(&entry.step.kind());
            if let Ok(now) = append(&demand, &history, &entry, date(2026, 11, 28)) {
                history.push(entry);
                prop_assert_eq!(state(&history), now);
                prop_assert!(is_offered && before != State::Withdrawn);
            } else {
                prop_assert_eq!(state(&history), before);
            }
        }
        let standing = standing(&history);
        prop_assert!(standing.windows(2).all(|pair| pair[0].on <= pair[1].on));
        let is_sound = |entry: &&Entry| match entry.step {
            Step::Exposed { .. } => entry.author.office == Office::Supervisor,
            Step::TakenBack => false,
            _ => true,
        };
        prop_assert!(standing.iter().all(is_sound));
    }
}
