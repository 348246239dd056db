//! Properties of every claim of the catalog, in worlds of random facts: plain code, no socket.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use heyan::claims::{Ask, Claim, Inquiry, ParameterDefault, ParameterKind};
use heyan::config::Folder;
use heyan::departments::{Fact, OperationRef};
use heyan::domain::{Cause, IdNumber, Outcome, Person};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{INSTALLATION, TODAY};

const DATES: [&str; 5] = ["1995-05-01", "2005-06-01", "2015-07-01", "2026-11-23", "9999-12-31"];
const NAMES: [&str; 2] = ["张三", "李四"];

static SCHEMAS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let folder = Folder::embedded();
    let name = |path: &str| Some(path.strip_prefix("schemas/facts/")?.strip_suffix(".json")?.to_owned());
    let fact =
        |(path, file): (&str, &heyan::config::File)| Some((name(path)?, serde_json::from_str(&file.text).unwrap()));
    folder.files().filter_map(fact).collect()
});

/// A few people, so that records often speak of the same ones.
fn people() -> Vec<IdNumber> {
    let born = [date(1970, 1, 1), date(1972, 2, 2), date(1998, 3, 3), date(2001, 4, 4)];
    let number = |(index, born): (usize, Date)| {
        IdNumber::assemble("210102".parse().unwrap(), born, 11 + u16::try_from(index).unwrap()).unwrap()
    };
    born.into_iter().enumerate().map(number).collect()
}

/// Numbers that follow from a seed and a place.
struct Dice(u64);

impl Dice {
    fn of(seed: u64, place: &impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, place).hash(&mut hasher);
        Self(hasher.finish() | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// Any value that fits a fact's schema.
fn any(schema: &Value, field: &str, dice: &mut Dice) -> Value {
    if let Some(values) = schema["enum"].as_array() {
        return dice.pick(values).clone();
    }
    match schema["type"].as_str().unwrap() {
        "object" => {
            let member = |(name, schema): (&String, &Value)| (name.clone(), any(schema, name, dice));
            Value::Object(schema["properties"].as_object().unwrap().iter().map(member).collect())
        }
        "array" => (0..dice.below(4)).map(|_| any(&schema["items"], field, dice)).collect(),
        "boolean" => json!(dice.below(2) == 0),
        "string" if schema["format"] == "date" => json!(dice.pick(&DATES)),
        "string" => match schema["pattern"].as_str() {
            Some(pattern) if pattern.contains("{17}") => {
                if pattern.contains("?$") && dice.below(4) == 0 {
                    return json!("");
                }
                json!(dice.pick(&people()).reveal())
            }
            Some("^[0-9]{12}$") => json!("210102001001"),
            Some("^[0-9]{2}$") => json!(dice.pick(&["02", "10", "20", "30", "51", "71"])),
            _ if field.contains("name") && dice.below(8) > 0 => json!(NAMES[0]),
            _ => json!(dice.pick(&NAMES)),
        },
        other => panic!("a fact has a {other}"),
    }
}

/// What a department would answer in the world of a seed.
fn answer(seed: u64, ask: &Ask) -> Fact {
    let mut dice = Dice::of(seed, &(&ask.operation, ask.about.id_number));
    let promise = INSTALLATION.descriptions.iter().flat_map(heyan::sources::Description::operations);
    let fact =
        promise.map(|(promise, _)| promise).find(|promise| promise.operation == ask.operation).unwrap().fact.clone();
    let record = (dice.below(3) > 0).then(|| any(&SCHEMAS[fact.as_str()], "", &mut dice));
    Fact { record, as_of: jiff::Timestamp::from_second(1_700_000_000).unwrap(), stale: false }
}

fn parameters(claim: &Claim, dice: &mut Dice) -> Vec<Value> {
    let value = |parameter: &heyan::claims::Parameter| {
        if let Some(ParameterDefault::Value(value)) = parameter.default.clone().filter(|_| dice.below(2) == 0) {
            return value;
        }
        match &parameter.kind {
            ParameterKind::Date => json!(DATES[dice.below(4)]),
            ParameterKind::Choice { values } => json!(dice.pick(values)),
            ParameterKind::Integer { .. } => json!(dice.below(3)),
            ParameterKind::Text { .. } => json!(dice.pick(&NAMES)),
            ParameterKind::Division => json!("2101"),
        }
    };
    claim.parameters().iter().map(value).collect()
}

type Question = (OperationRef, IdNumber);

/// What became of an inquiry: its outcome, and the outcomes that stood before its end.
struct Ended {
    outcome: Outcome,
    asked: BTreeSet<String>,
    early: Vec<Outcome>,
}

/// Answers a claim in a world; answers arrive in the order of `order`; those that `fails` names don't.
fn run(
    claim: &Arc<Claim>,
    seed: u64,
    order: u64,
    fails: &dyn Fn(&Question) -> bool,
    world: &dyn Fn(&Ask) -> Fact,
) -> Ended {
    let parameters = parameters(claim, &mut Dice::of(seed, &"parameters"));
    run_about(claim, &subjects(claim, seed), &parameters, order, fails, world)
}

/// The people that a question in the world of a seed is about, all of one name.
fn subjects(claim: &Claim, seed: u64) -> Vec<Person> {
    let mut dice = Dice::of(seed, &"people");
    let mut pool = people();
    let person = |_: &String| {
        let id_number = pool.remove(dice.below(pool.len()));
        Person { id_number, name: Some(NAMES[0].parse().unwrap()) }
    };
    claim.roles().iter().map(person).collect()
}

fn run_about(
    claim: &Arc<Claim>,
    subjects: &[Person],
    parameters: &[Value],
    order: u64,
    fails: &dyn Fn(&Question) -> bool,
    world: &dyn Fn(&Ask) -> Fact,
) -> Ended {
    let mut inquiry = Inquiry::new(Arc::clone(claim), subjects.to_vec(), parameters, TODAY);
    let (mut open, mut asked, mut early) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut order = Dice::of(order, &"order");
    loop {
        for ask in inquiry.advance() {
            assert!(asked.insert(format!("{} {:?}", ask.operation, ask.about.id_number.reveal())), "asked twice");
            open.push(ask);
        }
        if open.is_empty() {
            let outcome = inquiry.outcome().unwrap();
            explained(outcome, &inquiry);
            return Ended { outcome, asked, early };
        }
        let ask = open.swap_remove(order.below(open.len()));
        let question = (ask.operation.clone(), ask.about.id_number);
        let answer = if fails(&question) { Err(Cause::Timeout) } else { Ok(Arc::new(world(&ask))) };
        inquiry.settle(ask.slot, answer, false);
        early.extend(inquiry.outcome().filter(|outcome| *outcome != Outcome::Unavailable));
    }
}

/// An outcome follows from what the witnesses that were asked have said.
fn explained(outcome: Outcome, inquiry: &Inquiry) {
    use heyan::domain::Answer;
    let said: Vec<Answer> = inquiry.witnesses().iter().map(|witness| witness.answer).collect();
    let needed = match outcome {
        Outcome::Confirmed => Answer::Confirms,
        Outcome::Refuted => Answer::Refutes,
        Outcome::Mismatch => Answer::Mismatch,
        Outcome::Unavailable => Answer::Unavailable,
        Outcome::Conflict | Outcome::NoRecord | Outcome::Pending | Outcome::Referred => return,
    };
    assert!(said.contains(&needed), "{outcome:?} of {} from {said:?}", inquiry.claim().reference());
}

fn claims() -> impl Strategy<Value = Arc<Claim>> {
    let connected: Vec<Arc<Claim>> =
        INSTALLATION.catalog.claims().filter(|claim| claim.is_connected()).cloned().collect();
    proptest::sample::select(connected)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Whatever comes first, the outcome is the same, and one that stood before the end still stands.
    #[test]
    fn the_order_of_answers_never_matters(claim in claims(), seed: u64, one: u64, other: u64) {
        let world = |ask: &Ask| answer(seed, ask);
        let first = run(&claim, seed, one, &|_| false, &world);
        let second = run(&claim, seed, other, &|_| false, &world);
        prop_assert_eq!(first.outcome, second.outcome, "{}", claim.reference());
        prop_assert!(first.outcome != Outcome::Unavailable);
        prop_assert!(first.early.iter().all(|early| *early == first.outcome), "{}", claim.reference());
        prop_assert!(!first.asked.is_empty());
    }

    /// An outcome that stands although answers are missing would be the same with any answer in their place.
    #[test]
    fn no_missing_answer_could_change_an_outcome(claim in claims(), seed: u64, order: u64, missing: u64, others: [u64; 4]) {
        let fails = |(operation, about): &Question| Dice::of(missing, &(operation, *about)).below(3) == 0;
        let outcome = run(&claim, seed, order, &fails, &|ask| answer(seed, ask)).outcome;
        if outcome == Outcome::Unavailable {
            return Ok(());
        }
        for other in others {
            let world = |ask: &Ask| {
                let lost = fails(&(ask.operation.clone(), ask.about.id_number));
                answer(if lost { other } else { seed }, ask)
            };
            let complete = run(&claim, seed, order, &|_| false, &world).outcome;
            prop_assert_eq!(outcome, complete, "{}", claim.reference());
        }
    }
}

/// Nobody is confirmed by a name that no record bears, in whatever role.
#[test]
fn no_strange_name_is_ever_confirmed() {
    for claim in INSTALLATION.catalog.claims().filter(|claim| claim.is_connected()) {
        for seed in 0..300 {
            for role in 0..claim.roles().len() {
                let mut subjects = subjects(claim, seed);
                subjects[role].name = Some("王五".parse().unwrap());
                let parameters = parameters(claim, &mut Dice::of(seed, &"parameters"));
                let world = |ask: &Ask| answer(seed, ask);
                let outcome = run_about(claim, &subjects, &parameters, seed, &|_| false, &world).outcome;
                assert_ne!(outcome, Outcome::Confirmed, "{} as {}", claim.reference(), claim.roles()[role]);
            }
        }
    }
}

/// Whatever the departments say, nobody has two statuses.
#[test]
fn at_most_one_status_is_ever_confirmed() {
    let claim = INSTALLATION.catalog.claims().find(|claim| claim.reference().to_string() == "marital-status/status-is");
    let claim = claim.unwrap();
    for seed in 0..3000 {
        let world = |ask: &Ask| answer(seed, ask);
        let statuses = ["unmarried", "married", "divorced", "widowed"];
        let confirmed: Vec<_> = statuses
            .iter()
            .filter(|status| {
                let parameters = [json!(status), json!(DATES[usize::try_from(seed % 4).unwrap()])];
                let ended = run_about(claim, &subjects(claim, seed), &parameters, seed, &|_| false, &world);
                ended.outcome == Outcome::Confirmed
            })
            .collect();
        assert!(confirmed.len() <= 1, "{confirmed:?} in the world of {seed}");
    }
}

/// Every claim has, in some world, each of the outcomes that its witnesses speak of.
#[test]
fn every_claim_can_be_confirmed() {
    for claim in INSTALLATION.catalog.claims().filter(|claim| claim.is_connected()) {
        let confirmed = (0..200_000)
            .any(|seed| run(claim, seed, 0, &|_| false, &|ask| answer(seed, ask)).outcome == Outcome::Confirmed);
        assert!(confirmed, "{} was never confirmed", claim.reference());
    }
}
