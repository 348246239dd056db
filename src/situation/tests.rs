use proptest::prelude::*;

use super::window::MOST_KEYS;
use super::*;

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
}

fn operation() -> OperationRef {
    OperationRef { source: slug("police"), operation: slug("registration") }
}

/// The police, with one operation, and whether its breaker is open.
fn open(left_alone: bool) -> Circumstances {
    let id = slug("registration");
    let operations = vec![OfOperation { id, closed_by_hand: false, planned_outage: None, left_alone }];
    Circumstances { source: slug("police"), closure: None, operations }
}

fn call(situation: &Situation, millis: i64, took: u64, result: Result<(), Cause>) {
    situation.operation(&operation()).note(&Exchange { began: at(millis), took: Duration::from_millis(took), result });
}

/// A question that came to something a second after it was asked; `missing`: the police gave no answer.
fn ask(situation: &Situation, agency: &str, millis: i64, outcome: Outcome, missing: bool) -> Uuid {
    let (police, agency) = (slug("police"), AgencyId(slug(agency)));
    let id = Uuid::from_u128(u128::try_from(millis).unwrap());
    let heard = [Heard { source: &police, cached: !missing && millis % 2 == 0, missing }];
    situation.asked(&Question {
        id,
        agency: &agency,
        claim: &"alive/alive".parse().unwrap(),
        outcome,
        witnesses: &heard,
        asked: at(millis - 1000),
        at: at(millis),
        again: (outcome == Outcome::Pending).then(|| at(millis + 5000)),
        trace: Some(&format!("{millis:032x}")),
    });
    id
}

#[test]
fn an_outage_under_load_is_told_with_cause_moment_and_whom_it_hits() {
    let situation = Situation::default();
    for second in 0..60 {
        call(&situation, second * 1000, 20, Ok(()));
        ask(&situation, "fund", second * 1000 + 1, Outcome::Confirmed, false);
    }
    for failure in 0..6 {
        call(&situation, 60_000 + failure * 10, 2000, Err(Cause::Timeout));
    }
    call(&situation, 62_100, 5, Err(Cause::Busy));
    for question in 0..20 {
        call(&situation, 62_200 + question, 0, Err(Cause::CircuitOpen));
        ask(&situation, if question < 5 { "bank" } else { "fund" }, 62_200 + question, Outcome::Unavailable, true);
    }
    let picture = situation.picture(&[open(true)], at(63_000));
    let police = picture.troubles()[0];
    assert_eq!(
        (police.state, police.since, police.cause()),
        (State::LeftAlone, Some(at(60_000)), Some(Cause::Timeout))
    );
    assert_eq!((police.causes[0].count, police.causes[0].percent, police.causes[1].percent), (6, 86, 14));
    assert_eq!((police.rate.failed, police.rate.held), (7, 20));
    assert_eq!((police.hits.unavailable, police.hits.asked, police.hits.percent()), (20, 80, 25));
    let agencies: Vec<_> = police.hits.agencies.iter().map(|(agency, count)| (agency.to_string(), *count)).collect();
    assert_eq!(agencies, [("fund".to_owned(), 15), ("bank".to_owned(), 5)]);
    assert_eq!(police.hits.claims, [("alive/alive".parse().unwrap(), 20)]);
    assert_eq!(police.hits.traces.len(), 5);
    assert_eq!(&*police.hits.traces[0], format!("{:032x}", 62_219));
    assert_eq!(picture.count(&[State::Well, State::Recovered]), 0);
}

#[test]
fn it_recovers_and_is_told_so() {
    let situation = Situation::default();
    (0..5).for_each(|number| call(&situation, number, 1, Err(Cause::ConnectRefused)));
    let state = |left_alone, millis| {
        let picture = situation.picture(&[open(left_alone)], at(millis));
        (picture.departments[0].state, picture.departments[0].since)
    };
    assert_eq!(state(true, 10), (State::LeftAlone, Some(at(0))));
    (0..5).for_each(|number| call(&situation, 3000 + number, 1, Ok(())));
    assert_eq!(state(false, 3100), (State::Recovering, Some(at(0))));
    assert_eq!(state(false, 10_005), (State::Well, None));
    assert_eq!(state(false, 1_000_000), (State::NoTraffic, None));
}

#[test]
fn an_alarm_ends_where_few_ask_and_what_it_was_stays_told() {
    let situation = Situation::default();
    (0..3).for_each(|number| call(&situation, number * 1000, 1, Err(Cause::InvalidSourceResponse)));
    let police = |millis| situation.picture(&[open(false)], at(millis)).departments[0].clone();
    assert_eq!((police(169_000).state, police(169_000).since), (State::Failing, Some(at(0))), "nobody has asked since");
    call(&situation, 169_001, 1, Ok(()));
    let calm = police(169_002);
    assert_eq!((calm.state, calm.since, calm.cause()), (State::Recovered, None, None));
    assert_eq!(calm.past, Some(Past { failed: 3, until: at(2001) }));
    let picture = situation.picture(&[open(false)], at(400_000));
    assert_eq!(
        (picture.count(&[State::Well, State::Recovered]), picture.troubles().len()),
        (1, 0),
        "it does not count on"
    );
    assert_eq!((police(602_001).state, police(602_001).past), (State::Well, None), "ten minutes later it is forgotten");
}

#[test]
fn a_department_that_fails_part_of_its_calls_is_named_throughout() {
    let situation = Situation::default();
    for second in 0..600 {
        let result = if second % 10 == 0 { Err(Cause::SourceError) } else { Ok(()) };
        call(&situation, second * 1000, 1, result);
        let police = situation.picture(&[open(false)], at(second * 1000 + 2)).departments[0].clone();
        assert!(police.state.is_trouble() && police.since.is_some(), "{second}: {police:?}");
    }
    // With a call every half minute, too: it is calm in between, and says why.
    for call_number in 0..60 {
        let millis = 600_000 + call_number * 30_000;
        call(&situation, millis, 1, if call_number % 5 == 0 { Err(Cause::SourceError) } else { Ok(()) });
        let police = situation.picture(&[open(false)], at(millis + 2)).departments[0].clone();
        assert_eq!(police.state.is_trouble(), police.past.is_none(), "{millis}: {police:?}");
    }
}

#[test]
fn a_closure_and_an_outage_are_states_of_their_own() {
    let situation = Situation::default();
    (0..5).for_each(|number| call(&situation, number, 1, Err(Cause::Timeout)));
    let mut police = open(true);
    police.operations[0].planned_outage = Some(at(9000));
    let picture = situation.picture(&[police.clone()], at(100));
    assert_eq!((picture.departments[0].state, picture.departments[0].until), (State::PlannedOutage, Some(at(9000))));
    assert!(picture.troubles().is_empty());
    let closure = Closure { by: "zhang".to_owned(), reason: "升级".to_owned(), at: at(50), until: Some(at(500)) };
    police.operations[0].closed_by_hand = true;
    police.closure = Some(closure.clone());
    let picture = situation.picture(&[police], at(100));
    let department = picture.troubles()[0];
    assert_eq!(
        (department.state, department.since, department.until),
        (State::ClosedByHand, Some(at(50)), Some(at(500)))
    );
    assert_eq!((department.cause(), &department.closure), (Some(Cause::ClosedByOperator), &Some(closure)));
}

#[test]
fn the_worst_comes_first() {
    let (situation, names) = (Situation::default(), ["a", "b", "c"]);
    let note = |source: &str, number: i64, result| {
        let operation = OperationRef { source: slug(source), operation: slug("o") };
        let exchange = Exchange { began: at(number), took: Duration::ZERO, result };
        situation.operation(&operation).note(&exchange);
    };
    for number in 0..40 {
        note("a", number, if number == 39 { Err(Cause::Busy) } else { Ok(()) });
        note("b", number, Err(Cause::Tls));
        note("c", number + 5, Err(Cause::Tls));
    }
    let hit = |source: &str| {
        let source = slug(source);
        let heard = [Heard { source: &source, cached: false, missing: true }];
        let (agency, claim) = (AgencyId(slug("fund")), "alive/alive".parse().unwrap());
        let (outcome, id) = (Outcome::Unavailable, Uuid::nil());
        let (asked, at, again, trace) = (at(50), at(50), None, None);
        situation.asked(&Question {
            id,
            agency: &agency,
            claim: &claim,
            outcome,
            witnesses: &heard,
            asked,
            at,
            again,
            trace,
        });
    };
    let order = || {
        let of = |source: &&str| {
            let operations =
                vec![OfOperation { id: slug("o"), closed_by_hand: false, planned_outage: None, left_alone: false }];
            Circumstances { source: slug(source), closure: None, operations }
        };
        let picture = situation.picture(&names.iter().map(of).collect::<Vec<_>>(), at(60));
        picture.troubles().iter().map(|one| one.source.to_string()).collect::<Vec<_>>().concat()
    };
    assert_eq!(order(), "bca", "both fail, and b has for longer");
    hit("a");
    hit("c");
    assert_eq!(order(), "cba", "c hits a question; a hardly fails");
}

#[test]
fn questions_that_wait_are_counted_until_they_arrive() {
    let situation = Situation::default();
    let first = ask(&situation, "fund", 1000, Outcome::Pending, true);
    ask(&situation, "fund", 2000, Outcome::Pending, false);
    let pending = situation.picture(&[], at(3000)).pending;
    assert_eq!((pending.count, pending.oldest, pending.next), (2, Some(at(0)), Some(at(6000))));
    assert_eq!(pending.by_source, [(slug("police"), 1, Some(at(6000)))]);
    let hits = |millis| situation.picture(&[open(false)], at(millis)).departments[0].hits.clone();
    assert_eq!(
        (hits(3000).pending, hits(3000).count()),
        (1, 1),
        "one that a department takes its time for hits nobody"
    );
    let (police, agency) = (slug("police"), AgencyId(slug("fund")));
    let arrived = |id, millis| {
        situation.arrived(&Question {
            id,
            agency: &agency,
            claim: &"alive/alive".parse().unwrap(),
            outcome: Outcome::Unavailable,
            witnesses: &[Heard { source: &police, cached: false, missing: true }],
            asked: at(0),
            at: at(millis),
            again: None,
            trace: None,
        });
    };
    arrived(first, 4000);
    assert_eq!(hits(4000).count(), 1, "one that was hit when it began to wait is not counted twice");
    arrived(Uuid::from_u128(2000), 5000);
    assert_eq!((hits(5000).unavailable, situation.picture(&[], at(5000)).pending.count), (1, 0));
}

#[test]
fn agencies_and_what_was_remembered_are_counted() {
    let situation = Situation::default();
    (1..=10).for_each(|number| {
        ask(&situation, "fund", number * 1000, Outcome::Confirmed, false);
    });
    ask(&situation, "bank", 11_001, Outcome::Unavailable, true);
    situation.refused(&AgencyId(slug("bank")), at(11_002));
    let agencies = situation.agencies(at(12_000));
    let all: Vec<_> = agencies.iter().map(|one| (one.agency.to_string(), one.asked, one.hit, one.refused)).collect();
    assert_eq!(all, [("fund".to_owned(), 10, 0, 0), ("bank".to_owned(), 1, 1, 1)]);
    assert_eq!(situation.remembered(at(12_000)), [(slug("police"), 11, 10)]);
    assert!(situation.agencies(at(700_000)).is_empty(), "ten minutes later it is forgotten");
}

#[test]
fn the_hour_is_drawn_minute_by_minute() {
    let situation = Situation::default();
    call(&situation, 0, 1, Ok(()));
    call(&situation, 60_000, 1, Err(Cause::Tls));
    call(&situation, 61_000, 0, Err(Cause::CircuitOpen));
    let bars = situation.hour(&[operation()], at(60_500));
    assert_eq!(bars.len(), 60);
    assert_eq!(
        (bars[58], bars[59]),
        (Bar { answered: 1, failed: 0, held: 0 }, Bar { answered: 0, failed: 1, held: 1 })
    );
}

proptest! {
    /// Whatever comes, what is kept is bounded, and the picture adds up.
    #[test]
    fn it_stays_bounded_and_adds_up(
        events in prop::collection::vec((0..20_000_i64, 0..Cause::ALL.len() + 1, 0..600_u32, any::<bool>()), 1..300),
    ) {
        let (situation, mut now) = (Situation::default(), 1000);
        for (later, result, agency, missing) in events {
            now += later;
            call(&situation, now, 7, Cause::ALL.get(result).map_or(Ok(()), |cause| Err(*cause)));
            let outcome = if missing { Outcome::Unavailable } else { Outcome::Confirmed };
            ask(&situation, &format!("a{agency}"), now, outcome, missing);
            let picture = situation.picture(&[open(false)], at(now));
            let police = &picture.departments[0];
            prop_assert!(police.hits.count() <= picture.ten_minutes.asked);
            prop_assert_eq!(police.hits.unavailable, picture.ten_minutes.outcomes.of(Outcome::Unavailable));
            prop_assert!(police.hits.agencies.len() <= MOST_KEYS && police.hits.traces.len() <= 5);
            prop_assert_eq!(police.since.is_some(), police.state.is_trouble());
            prop_assert_eq!(police.causes.iter().map(|share| share.count).sum::<u32>() > 0, police.state.is_trouble());
            prop_assert_eq!(picture.ten_minutes.outcomes.of(Outcome::Confirmed) + police.hits.unavailable, picture.ten_minutes.asked);
        }
    }
}
