//! What happens to a couple, and what departments that know of it must be heard to say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::asks::question;

/// A wife and her husband, alive and in their only marriage when it begins; every department knew all about them.
pub(crate) struct Couple {
    pub(crate) wife: Value,
    pub(crate) husband: Value,
    together: bool,
    pub(crate) events: Vec<Event>,
}

/// Something that happened to a couple.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) kind: &'static str,
    /// Whose death it is: 0 the wife's, 1 the husband's.
    pub(crate) who: usize,
    pub(crate) known_to: Vec<&'static str>,
    pub(crate) sent: Timestamp,
    /// When the departments knew for certain; `None`: not yet.
    pub(crate) done: Option<Timestamp>,
    /// Whether the gateway was told by all that knew.
    pub(crate) told: bool,
    /// It could not have happened.
    pub(crate) void: bool,
    pub(crate) child: Option<Value>,
}

/// What can be asked about a couple.
#[derive(Clone)]
pub(crate) enum Question {
    Spouses {
        back: bool,
    },
    Married(usize),
    Divorced(usize),
    Alive(usize),
    Died(usize),
    /// Where the wife was registered at first.
    Registered,
    SameHousehold {
        back: bool,
    },
    Mother(Value),
}

/// When an answer was asked for, how old it says it is, and when it came.
#[derive(Clone, Copy)]
pub(crate) struct Moments {
    pub(crate) started: Timestamp,
    pub(crate) as_of: Timestamp,
    pub(crate) replied: Timestamp,
}

/// The couples of a population.
pub(crate) fn couples(people: &[Value]) -> Vec<Couple> {
    let by_id: BTreeMap<&str, &Value> =
        people.iter().filter_map(|person| Some((person["id_number"].as_str()?, person))).collect();
    let spouse = |person: &Value| {
        let marriages = person["marriages"].as_array()?;
        let simple = person["died"].is_null()
            && person["unknown_to"] == json!({})
            && person["household"].is_string()
            && marriages.len() == 1
            && marriages[0]["to"].is_null();
        simple.then(|| marriages[0]["spouse"].as_str().unwrap().to_owned())
    };
    let wives = people.iter().filter(|person| person["sex"] == "female");
    let couple = |wife: &Value| {
        let husband = by_id[spouse(wife)?.as_str()];
        let together = wife["household"] == husband["household"];
        spouse(husband)?;
        Some(Couple { wife: wife.clone(), husband: husband.clone(), together, events: Vec::new() })
    };
    wives.filter_map(couple).collect()
}

impl Couple {
    fn person(&self, who: usize) -> &Value {
        [&self.wife, &self.husband][who]
    }

    /// Some question that can be asked about them.
    pub(crate) fn any_question(&self) -> Question {
        let who = fastrand::usize(..2);
        let back = fastrand::bool();
        match fastrand::u8(..8) {
            0 => Question::Married(who),
            1 => Question::Divorced(who),
            2 => Question::Alive(who),
            3 => Question::Died(who),
            4 => Question::Registered,
            5 => Question::SameHousehold { back },
            6 => {
                let children: Vec<&Value> = self.events.iter().filter_map(|event| event.child.as_ref()).collect();
                if children.is_empty() {
                    return Question::Spouses { back };
                }
                Question::Mother((*super::pick(&children)).clone())
            }
            _ => Question::Spouses { back },
        }
    }

    pub(crate) fn request(&self, question_: &Question) -> Value {
        let (wife, husband) = (&self.wife, &self.husband);
        let pair = |back: bool| if back { (husband, wife) } else { (wife, husband) };
        let status = |who: usize, status: &str| {
            question("marital-status/status-is", &[("person", self.person(who))], Some(json!({"status": status})))
        };
        match question_ {
            Question::Spouses { back } => {
                let (person, spouse) = pair(*back);
                question("marital-status/spouses", &[("person", person), ("spouse", spouse)], None)
            }
            Question::Married(who) => status(*who, "married"),
            Question::Divorced(who) => status(*who, "divorced"),
            Question::Alive(who) => question("alive/alive", &[("person", self.person(*who))], None),
            Question::Died(who) => question("death/died", &[("person", self.person(*who))], None),
            Question::Registered => {
                let division = Some(json!({"division": wife["registered_division"]}));
                question("identity/registered-in", &[("person", wife)], division)
            }
            Question::SameHousehold { back } => {
                let (person, other) = pair(*back);
                let when = Some(json!({"when": "now"}));
                question("kinship/same-household", &[("person", person), ("other", other)], when)
            }
            Question::Mother(child) => question("kinship/parent-child", &[("parent", wife), ("child", child)], None),
        }
    }

    /// What may be answered: by what certainly had happened, with and without what may or may not have been known yet.
    pub(crate) fn truths(&self, question: &Question, moments: Moments) -> Vec<&'static str> {
        let Moments { started, as_of, replied } = moments;
        let possible: Vec<&Event> = self.events.iter().filter(|event| !event.void && event.sent <= replied).collect();
        let certain = |event: &Event| event.done.is_some_and(|done| done < as_of || (event.told && done < started));
        let open: Vec<usize> = (0..possible.len()).filter(|index| !certain(possible[*index])).collect();
        // Police who were not told of a move learn of it with the next change of anybody in the household.
        let may_come_out = possible.iter().any(|event| event.kind == "move" && !event.known_to.contains(&"police"));
        let mut truths = Vec::new();
        for choice in 0..1_u32 << open.len() {
            let left_out = |index: usize| {
                open.iter().position(|one| *one == index).is_some_and(|place| choice & (1 << place) == 0)
            };
            let known: Vec<&Event> =
                (0..possible.len()).filter(|index| !left_out(*index)).map(|index| possible[index]).collect();
            let mut known = Known::after(&known);
            for came_out in [false, may_come_out] {
                known.moved |= came_out;
                let truth = self.truth(question, &known);
                if !truths.contains(&truth) {
                    truths.push(truth);
                }
            }
        }
        truths
    }

    fn truth(&self, question: &Question, known: &Known) -> &'static str {
        let or_refuted = |is_true: bool| if is_true { "confirmed" } else { "refuted" };
        match question {
            Question::Spouses { .. } | Question::Married(_) => or_refuted(known.is_married()),
            Question::Divorced(_) => or_refuted(known.divorced),
            Question::Alive(who) => or_refuted(!known.police[*who] && !known.health[*who]),
            Question::Died(who) if known.police[*who] || known.health[*who] => "confirmed",
            Question::Died(_) => "no_record",
            Question::Registered => or_refuted(!known.police[0] && !known.moved),
            Question::SameHousehold { .. } => {
                or_refuted(self.together && !known.moved && !known.police[0] && !known.police[1])
            }
            Question::Mother(_) => "confirmed",
        }
    }
}

/// What departments know, so far as answers depend on it.
#[derive(Default)]
struct Known {
    /// What ended the marriage, whoever knows.
    ended_by: Option<&'static str>,
    /// Civil affairs, or a court, have the divorce.
    divorced: bool,
    /// Civil affairs have a death that ended the marriage.
    widowed: bool,
    police: [bool; 2],
    health: [bool; 2],
    /// The police have the wife in another household.
    moved: bool,
}

impl Known {
    fn after(events: &[&Event]) -> Self {
        let mut known = Self::default();
        for event in events {
            let is_known_to = |source: &str| event.known_to.contains(&source);
            match event.kind {
                "divorce" | "court-divorce" => {
                    known.ended_by.get_or_insert(event.kind);
                    let by_court = event.kind == "court-divorce" && is_known_to("court");
                    known.divorced |= by_court || is_known_to("civil-affairs");
                }
                "death" => {
                    let by_death = *known.ended_by.get_or_insert("death") == "death";
                    known.widowed |= by_death && is_known_to("civil-affairs");
                    known.police[event.who] |= is_known_to("police");
                    known.health[event.who] |= is_known_to("health");
                }
                "move" => known.moved |= is_known_to("police"),
                _ => {}
            }
        }
        known
    }

    fn is_married(&self) -> bool {
        let dead = |who: usize| self.police[who] || self.health[who];
        !self.divorced && !self.widowed && !dead(0) && !dead(1)
    }
}
