//! A few people, and what each department has written down about them.

use std::cell::RefCell;

use heyan::claims::{Ask, Inquiry, ParameterDefault};
use heyan::departments::Fact;
use heyan::domain::{IdNumber, Outcome, Person};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{INSTALLATION, TODAY};

/// An end that has not come.
pub(crate) const NEVER: &str = "9999-12-31";

/// Somebody, by the name that a question gives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resident {
    id_number: IdNumber,
    name: &'static str,
}

impl Resident {
    pub(crate) fn number(self) -> String {
        self.id_number.reveal().to_owned()
    }

    /// Asked about by another name.
    pub(crate) fn called(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}

/// The departments' records.
#[derive(Default)]
pub(crate) struct Town {
    people: usize,
    registrations: Vec<Value>,
    rows: Vec<Value>,
    marriages: Vec<Value>,
    adoptions: Vec<Value>,
    births: Vec<Value>,
    deaths: Vec<Value>,
    judgments: Vec<(Vec<String>, &'static str, &'static str)>,
    asked: RefCell<Vec<String>>,
}

impl Town {
    /// Somebody whom no department knows.
    pub(crate) fn stranger(&mut self, name: &'static str, born: &str, male: bool) -> Resident {
        self.people += 1;
        let sequence = u16::try_from(self.people * 2 + usize::from(male)).unwrap();
        let id_number = IdNumber::assemble("210102".parse().unwrap(), born.parse().unwrap(), sequence).unwrap();
        Resident { id_number, name }
    }

    /// Somebody whom the police have registered, in a household of one.
    pub(crate) fn resident(&mut self, name: &'static str, born: &str, male: bool) -> Resident {
        let one = self.stranger(name, born, male);
        self.registrations.push(json!({"id_number": one.number(), "name": name, "division": "210102001001",
            "cancelled": "none", "cancelled_on": NEVER}));
        let house = format!("{:09}", self.people);
        self.list(&house, &[(one, "02")], born, NEVER);
        one
    }

    /// A household register's lines, with each one's relation to the head.
    pub(crate) fn list(&mut self, house: &str, people: &[(Resident, &str)], from: &str, to: &str) {
        for (one, relation) in people {
            self.rows
                .push(json!({"household": house, "id_number": one.number(), "name": one.name, "relation": relation,
                "from": from, "to": to}));
        }
    }

    /// A marriage as civil affairs has it.
    pub(crate) fn marry(&mut self, a: Resident, b: Resident, from: &str, to: &str, ended_by: &str) {
        self.marriages.push(json!({"a": a.number(), "a_name": a.name, "b": b.number(), "b_name": b.name,
            "from": from, "to": to, "ended_by": ended_by}));
    }

    pub(crate) fn adopt(&mut self, child: Resident, adopters: &[Resident], birth_parents: &[Resident], from: &str) {
        let list = |people: &[Resident]| -> Vec<Value> {
            people.iter().map(|one| json!({"id_number": one.number(), "name": one.name})).collect()
        };
        self.adoptions.push(json!({"child": child.number(), "child_name": child.name, "adopters": list(adopters),
            "birth_parents": list(birth_parents), "from": from}));
    }

    pub(crate) fn bear(&mut self, child: Resident, mother: Resident, father: Option<Resident>) {
        let father = father.map(|father| (father.number(), father.name)).unwrap_or_default();
        self.births.push(json!({"certificate_number": "A210000001", "id_number": child.number(), "name": child.name,
            "mother": mother.number(), "mother_name": mother.name, "father": father.0, "father_name": father.1}));
    }

    /// A death that health knows.
    pub(crate) fn die(&mut self, one: Resident, on: &str) {
        self.deaths.push(json!({"id_number": one.number(), "name": one.name, "on": on}));
    }

    /// A death that the police know.
    pub(crate) fn strike_off(&mut self, one: Resident, on: &str) {
        for registration in self.registrations.iter_mut().filter(|row| row["id_number"] == one.number()) {
            registration["cancelled"] = json!("death");
            registration["cancelled_on"] = json!(on);
        }
    }

    pub(crate) fn judge(&mut self, kind: &'static str, parties: &[Resident], from: &'static str) {
        self.judgments.push((parties.iter().map(|one| one.number()).collect(), kind, from));
    }

    /// What the claim comes to.
    pub(crate) fn ask(&self, claim: &str, people: &[Resident], parameters: &[(&str, Value)]) -> Outcome {
        let claim = INSTALLATION.catalog.claims().find(|one| one.reference().to_string() == claim).unwrap();
        let person = |one: &Resident| Person { id_number: one.id_number, name: Some(one.name.parse().unwrap()) };
        let value = |parameter: &heyan::claims::Parameter| {
            let given = parameters.iter().find(|(name, _)| *name == parameter.name);
            match (given, &parameter.default) {
                (Some((_, value)), _) | (None, Some(ParameterDefault::Value(value))) => value.clone(),
                (None, _) => json!(TODAY.to_string()),
            }
        };
        let parameters: Vec<Value> = claim.parameters().iter().map(value).collect();
        let mut inquiry = Inquiry::new(claim.clone(), people.iter().map(person).collect(), &parameters, TODAY);
        self.asked.borrow_mut().clear();
        loop {
            let asks = inquiry.advance();
            if asks.is_empty() {
                return inquiry.outcome().unwrap();
            }
            for ask in asks {
                let (record, as_of) = (self.answer(&ask), jiff::Timestamp::from_second(1_700_000_000).unwrap());
                self.asked.borrow_mut().push(ask.operation.to_string());
                inquiry.settle(ask.slot, Ok(Fact { record, as_of, stale: false }.into()), false);
            }
        }
    }

    /// The operations that the latest question asked, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    fn answer(&self, ask: &Ask) -> Option<Value> {
        let number = ask.about.id_number.reveal();
        let one = |list: &[Value]| list.iter().find(|record| record["id_number"] == number).cloned();
        let all = |list: &[Value], concerns: &dyn Fn(&Value) -> bool| {
            let records: Vec<&Value> = list.iter().filter(|record| concerns(record)).collect();
            (!records.is_empty()).then(|| json!({"records": records}))
        };
        match ask.operation.to_string().as_str() {
            "police.person" => one(&self.registrations),
            "police.households" => {
                let mine = |house: &Value| {
                    self.rows.iter().any(|row| row["household"] == *house && row["id_number"] == number)
                };
                all(&self.rows, &|row| mine(&row["household"]))
            }
            "civil-affairs.marriages" => all(&self.marriages, &|one| one["a"] == number || one["b"] == number),
            "civil-affairs.adoptions" => all(&self.adoptions, &|one| one.to_string().contains(number)),
            "health.birth" => one(&self.births),
            "health.births-of" => all(&self.births, &|one| one["mother"] == number || one["father"] == number),
            "health.death" => one(&self.deaths),
            "court.index" => {
                let mut kinds: Vec<&str> = self.judgments_of(number).map(|(_, kind, _)| *kind).collect();
                kinds.dedup();
                (!kinds.is_empty()).then(|| json!({"kinds": kinds}))
            }
            "court.judgments" => {
                let other = |parties: &[String]| parties.iter().find(|one| *one != number).cloned().unwrap_or_default();
                let records: Vec<Value> = self
                    .judgments_of(number)
                    .map(|(parties, kind, from)| json!({"kind": kind, "other": other(parties), "from": from, "to": NEVER}))
                    .collect();
                (!records.is_empty()).then(|| json!({"records": records}))
            }
            other => panic!("nobody answers {other}"),
        }
    }

    fn judgments_of(&self, number: &str) -> impl Iterator<Item = &(Vec<String>, &'static str, &'static str)> {
        self.judgments.iter().filter(move |(parties, ..)| parties.iter().any(|one| one == number))
    }
}

/// The four statuses of a person, in the order unmarried, married, divorced, widowed.
pub(crate) fn statuses(town: &Town, person: Resident, on: Date) -> [Outcome; 4] {
    ["unmarried", "married", "divorced", "widowed"].map(|status| {
        let parameters = [("status", json!(status)), ("on", json!(on.to_string()))];
        town.ask("marital-status/status-is", &[person], &parameters)
    })
}
