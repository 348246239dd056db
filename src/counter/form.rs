use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::reading;
use super::{Basis, CaseNumber, Field, Offer, Step, Typed, Wrong};
use crate::claims::{Claim, Parameter, ParameterKind};
use crate::domain::{Person, Slug, holds_id_number, without_personal_numbers};

/// A claim as pages of questions.
#[derive(Debug, Clone)]
pub struct Form {
    claim: Arc<Claim>,
    offer: Offer,
    steps: Vec<Step>,
}

/// What was asked for, as values.
#[derive(Debug, Clone)]
pub struct Answers {
    /// One person for each role of the claim, in its order.
    pub people: Vec<Person>,
    /// The parameters that were given; the others mean what they mean when absent.
    pub parameters: Map<String, Value>,
    /// What it is needed for.
    pub purpose: Slug,
    /// The case number.
    pub case: Option<String>,
    /// Why it may be asked.
    pub legal_basis: String,
}

/// The most characters of a case number and of a law.
const MAX_CASE: usize = 64;
const MAX_LAW: usize = 200;

/// The roles of which the one is the elder.
const PARENT: &str = "parent";
const CHILD: &str = "child";

impl Form {
    /// The pages of a claim.
    #[must_use]
    pub fn new(claim: Arc<Claim>, offer: Offer) -> Self {
        let people = (0..claim.roles().len()).map(Step::Person);
        let parameters = (0..claim.parameters().len()).map(Step::Parameter);
        let mut steps: Vec<Step> = people.chain(parameters).collect();
        if offer.purposes.len() != 1 || offer.asks_for_a_case() {
            steps.push(Step::Purpose);
        }
        steps.push(Step::Basis);
        Self { claim, offer, steps }
    }

    /// The claim.
    #[must_use]
    pub fn claim(&self) -> &Arc<Claim> {
        &self.claim
    }

    /// What it offers.
    #[must_use]
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// The pages, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The fields of a page, in order.
    #[must_use]
    pub fn fields(&self, step: Step) -> Vec<Field> {
        match step {
            Step::Person(role) => vec![Field::Name(role), Field::Number(role)],
            Step::Parameter(place) => vec![Field::Value(place)],
            Step::Purpose if !self.offer.asks_for_a_case() => vec![Field::Purpose],
            Step::Purpose => vec![Field::Purpose, Field::Case],
            Step::Basis => vec![Field::Basis, Field::Law],
        }
    }

    /// What is wrong with a page, each with its field, in their order.
    #[must_use]
    pub fn check(&self, step: Step, typed: &Typed, today: Date) -> Vec<(Field, Wrong)> {
        let reader = Reader { form: self, typed, today };
        let mut wrong = Vec::new();
        let mut note = |field, what: Option<Wrong>| wrong.extend(what.map(|what| (field, what)));
        match step {
            Step::Person(role) => {
                note(Field::Name(role), reading::name(typed.text(Field::Name(role))).err().map(Wrong::Name));
                note(Field::Number(role), reader.number(role).err());
            }
            Step::Parameter(place) => note(Field::Value(place), reader.parameter(place).err()),
            Step::Purpose => {
                note(Field::Purpose, reader.purpose().err());
                note(Field::Case, reader.case().err());
            }
            Step::Basis => match reader.basis() {
                Err(what) => note(Field::Basis, Some(what)),
                Ok(Basis::Law) => note(Field::Law, reader.law().err()),
                Ok(Basis::Consent | Basis::Relative) => {}
            },
        }
        wrong
    }

    /// The places of a parent and a child where the parent, by the ID numbers, is not the elder: they seem to be typed the wrong
    /// way round. No department would say so; it would have no record.
    #[must_use]
    pub fn swapped(&self, typed: &Typed) -> Option<(usize, usize)> {
        let place = |name: &str| self.claim.roles().iter().position(|role| role == name);
        let (parent, child) = (place(PARENT)?, place(CHILD)?);
        let born = |role| reading::id_number(typed.text(Field::Number(role))).ok().map(|number| number.birth_date());
        (born(parent)? >= born(child)?).then_some((parent, child))
    }

    /// The first page with something wrong on it.
    #[must_use]
    pub fn first_wrong(&self, typed: &Typed, today: Date) -> Option<usize> {
        self.steps.iter().position(|step| !self.check(*step, typed, today).is_empty())
    }

    /// Everything as values; `None` while some page is wrong.
    #[must_use]
    pub fn read(&self, typed: &Typed, today: Date) -> Option<Answers> {
        let reader = Reader { form: self, typed, today };
        let mut people = Vec::new();
        for role in 0..self.claim.roles().len() {
            let name = reading::name(typed.text(Field::Name(role))).ok()?;
            people.push(Person { id_number: reader.number(role).ok()?, name: Some(name) });
        }
        let mut parameters = Map::new();
        for (place, parameter) in self.claim.parameters().iter().enumerate() {
            if let Some(value) = reader.parameter(place).ok()? {
                parameters.insert(parameter.name.clone(), value);
            }
        }
        let law = match reader.basis().ok()? {
            Basis::Law => reader.law().ok()?,
            Basis::Consent | Basis::Relative => String::new(),
        };
        Some(Answers {
            people,
            parameters,
            purpose: reader.purpose().ok()?,
            case: reader.case().ok()?,
            legal_basis: reader.basis().ok()?.recorded(&law),
        })
    }

    /// What was typed into a field, as it is shown again: read as it was meant where it can be, else as it stands.
    #[must_use]
    pub fn shown(&self, field: Field, typed: &Typed, today: Date) -> String {
        let text = typed.text(field);
        match field {
            Field::Name(_) => reading::name(text).map_or_else(|_| text.to_owned(), |name| name.reveal().to_owned()),
            Field::Number(role) => {
                let read = Reader { form: self, typed, today }.number(role);
                read.map_or_else(|_| reading::grouped(text), |number| reading::grouped(number.reveal()))
            }
            Field::Value(place) => match self.claim.parameters().get(place).map(|parameter| &parameter.kind) {
                Some(ParameterKind::Date) => {
                    reading::day(text, today).map_or_else(|| text.to_owned(), reading::written_day)
                }
                Some(ParameterKind::Integer { .. }) => {
                    reading::whole_number(text).map_or_else(|| text.to_owned(), |number| number.to_string())
                }
                Some(ParameterKind::Division) => {
                    reading::division(text).map_or_else(|_| text.to_owned(), reading::written_division)
                }
                Some(ParameterKind::Text { shape: Some(shape), .. }) => {
                    shape.read(&reading::code(text)).unwrap_or_else(|| reading::line(text))
                }
                Some(ParameterKind::Text { shape: None, .. }) => reading::line(text),
                Some(ParameterKind::Choice { .. }) | None => text.to_owned(),
            },
            Field::Purpose => self.purpose_shown(typed),
            Field::Case | Field::Law => reading::line(text),
            Field::Basis => text.to_owned(),
        }
    }

    /// The purpose that is chosen; the only one there is needs no choice.
    fn purpose_shown(&self, typed: &Typed) -> String {
        match &self.offer.purposes[..] {
            [(only, _)] => only.to_string(),
            _ => typed.text(Field::Purpose).to_owned(),
        }
    }
}

/// Reads one field after another.
struct Reader<'a> {
    form: &'a Form,
    typed: &'a Typed,
    today: Date,
}

impl Reader<'_> {
    fn number(&self, role: usize) -> Result<crate::domain::IdNumber, Wrong> {
        let text = self.typed.text(Field::Number(role));
        if reading::line(text).is_empty() {
            return Err(Wrong::Missing);
        }
        let number = reading::id_number(text).map_err(Wrong::IdNumber)?;
        if number.birth_date() > self.today {
            return Err(Wrong::Future);
        }
        let is_same = |other: usize| reading::id_number(self.typed.text(Field::Number(other))) == Ok(number);
        if (0..role).any(is_same) { Err(Wrong::SamePerson) } else { Ok(number) }
    }

    /// A parameter's value as requests hold it; `None` where it may be left out, and is.
    fn parameter(&self, place: usize) -> Result<Option<Value>, Wrong> {
        let Some(parameter) = self.form.claim.parameters().get(place) else { return Err(Wrong::Missing) };
        let text = reading::line(self.typed.text(Field::Value(place)));
        if text.is_empty() {
            return match (&parameter.default, &parameter.kind) {
                (Some(_), _) => Ok(None),
                (None, ParameterKind::Choice { .. }) => Err(Wrong::NotChosen),
                (None, _) => Err(Wrong::Missing),
            };
        }
        self.value(parameter, &text).map(Some)
    }

    fn value(&self, parameter: &Parameter, text: &str) -> Result<Value, Wrong> {
        match &parameter.kind {
            ParameterKind::Date => {
                let day = reading::day(text, self.today).ok_or(Wrong::Day)?;
                if day > self.today { Err(Wrong::Future) } else { Ok(Value::String(day.to_string())) }
            }
            ParameterKind::Choice { values } => {
                let chosen = values.iter().find(|value| *value == text).ok_or(Wrong::NotChosen)?;
                Ok(Value::String(chosen.clone()))
            }
            ParameterKind::Integer { min, max } => {
                let number = reading::whole_number(text).filter(|number| (*min..=*max).contains(number));
                number.map(Value::from).ok_or(Wrong::Number(*min, *max))
            }
            ParameterKind::Text { shape: Some(shape), .. } => {
                let read = shape.read(&reading::code(text)).map(Value::String);
                read.ok_or(Wrong::Shape)
            }
            ParameterKind::Text { max, shape: None } => shorter(text, *max).map(Value::String),
            ParameterKind::Division => {
                let division = reading::division(text).map_err(Wrong::Division)?;
                Ok(Value::String(division.code().to_owned()))
            }
        }
    }

    fn purpose(&self) -> Result<Slug, Wrong> {
        self.chosen().map(|(purpose, _)| purpose.clone()).ok_or(Wrong::NotChosen)
    }

    /// The purpose that is chosen, and whether it takes a case number.
    fn chosen(&self) -> Option<&(Slug, CaseNumber)> {
        let chosen = self.form.purpose_shown(self.typed);
        self.form.offer.purposes.iter().find(|(purpose, _)| purpose.as_str() == chosen)
    }

    fn case(&self) -> Result<Option<String>, Wrong> {
        let text = reading::line(self.typed.text(Field::Case));
        match self.chosen().map_or_else(|| self.form.offer.case_of_all(), |(_, case)| *case) {
            CaseNumber::Unasked => Ok(None),
            CaseNumber::Welcome if text.is_empty() => Ok(None),
            CaseNumber::Demanded if text.is_empty() => Err(Wrong::Missing),
            CaseNumber::Welcome | CaseNumber::Demanded => self.kept(&text, MAX_CASE).map(Some),
        }
    }

    fn basis(&self) -> Result<Basis, Wrong> {
        Basis::named(self.typed.text(Field::Basis)).ok_or(Wrong::NotChosen)
    }

    fn law(&self) -> Result<String, Wrong> {
        let text = reading::line(self.typed.text(Field::Law));
        if text.is_empty() {
            return Err(Wrong::Missing);
        }
        let text = self.kept(&text, MAX_LAW)?;
        if without_personal_numbers(&text) != text {
            return Err(Wrong::HoldsNumber);
        }
        if LAWS.iter().any(|word| text.contains(word)) { Ok(text) } else { Err(Wrong::NoLaw) }
    }

    /// What is written down for good: nobody's ID number may be in it, and nobody's name whom the question is about.
    fn kept(&self, text: &str, most: usize) -> Result<String, Wrong> {
        let text = shorter(text, most)?;
        let is_name = |(field, typed): (Field, &str)| {
            let name = reading::line(typed);
            matches!(field, Field::Name(_)) && name.chars().count() > 1 && text.contains(&name)
        };
        if holds_id_number(&text) {
            Err(Wrong::HoldsNumber)
        } else if self.typed.fields().any(is_name) {
            Err(Wrong::HoldsName)
        } else {
            Ok(text)
        }
    }
}

/// What the name of a law or of a rule has in it.
const LAWS: [&str; 9] = ["法", "条例", "规定", "办法", "细则", "规则", "通知", "意见", "《"];

fn shorter(text: &str, most: usize) -> Result<String, Wrong> {
    if text.chars().count() > most { Err(Wrong::TooLong(most)) } else { Ok(text.to_owned()) }
}
