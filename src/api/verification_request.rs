//! The body of `POST /v1/verifications`: from JSON to a question, with everything that is wrong with it at once.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use serde_json::{Map, Number, Value};

use super::json::is_plain;
use super::max_age;
use super::problem::{FieldError, Kind, Reason};
use crate::claims::{Claim, Parameter, ParameterDefault, ParameterKind};
use crate::clock;
use crate::domain::{Division, IdNumber, Person, PersonName, Slug, holds_id_number};
use crate::matters::Catalog;
use crate::rights::Particulars;

/// A verification as an agency asks for it.
#[derive(Debug)]
pub(crate) struct VerificationRequest {
    pub(crate) claim: Arc<Claim>,
    pub(crate) people: Vec<Person>,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) purpose: Slug,
    pub(crate) officer: Option<String>,
    pub(crate) case: Option<String>,
    pub(crate) legal_basis: Option<String>,
    pub(crate) max_age: Option<Duration>,
}

impl VerificationRequest {
    /// Which particulars it names.
    pub(crate) fn names(&self) -> Particulars {
        Particulars {
            officer: self.officer.is_some(),
            case: self.case.is_some(),
            legal_basis: self.legal_basis.is_some(),
        }
    }
}

/// What a body is checked against.
pub(crate) struct Contract<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) purposes: &'a BTreeSet<Slug>,
    pub(crate) today: Date,
}

/// The fields of a body, and whether each must be there.
pub(crate) const FIELDS: [(&str, bool); 9] = [
    ("matter", true),
    ("claim", true),
    ("subjects", true),
    ("parameters", false),
    ("purpose", true),
    ("case", false),
    ("legal_basis", false),
    ("officer", false),
    ("max_age", false),
];

/// The most characters of `case`, `officer` and `legal_basis`.
pub(crate) const MAX_CASE: usize = 64;
pub(crate) const MAX_OFFICER: usize = 64;
pub(crate) const MAX_LEGAL_BASIS: usize = 500;

/// How many errors are told: a small body must not make a large reply.
const MAX_ERRORS: usize = 100;

impl Contract<'_> {
    /// Reads a body.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn read(&self, body: &Value) -> Result<VerificationRequest, Vec<FieldError>> {
        let mut reader = Reader::default();
        let request = self.read_body(body, &mut reader);
        match request {
            Some(request) if reader.errors.is_empty() => Ok(request),
            _ => Err(reader.errors),
        }
    }

    fn read_body(&self, body: &Value, reader: &mut Reader) -> Option<VerificationRequest> {
        let body = reader.object("", body)?;
        reader.known("", body, FIELDS.iter().map(|(name, _)| *name));
        for (name, _) in FIELDS.iter().filter(|(name, required)| *required && !body.contains_key(*name)) {
            reader.wrong(format!("/{name}"), Reason::Missing);
        }
        let claim = self.claim(body, reader);
        let people = body.get("subjects").and_then(|value| self.subjects(value, claim.as_deref(), reader));
        let parameters = self.parameters(body.get("parameters"), claim.as_deref(), reader);
        let purpose = body.get("purpose").and_then(|value| self.purpose(value, reader));
        let case = reader.kept_text(body, "case", MAX_CASE);
        let officer = reader.kept_text(body, "officer", MAX_OFFICER);
        let legal_basis = reader.kept_text(body, "legal_basis", MAX_LEGAL_BASIS);
        let max_age = body.get("max_age").and_then(|value| reader.max_age(value));
        Some(VerificationRequest {
            claim: claim?,
            people: people?,
            parameters: parameters?,
            purpose: purpose?,
            officer,
            case,
            legal_basis,
            max_age,
        })
    }

    fn claim(&self, body: &Map<String, Value>, reader: &mut Reader) -> Option<Arc<Claim>> {
        let matter = body.get("matter").and_then(|value| reader.string("/matter", value));
        let claim = body.get("claim").and_then(|value| reader.string("/claim", value));
        let matter = self.catalog.matter(matter?).or_else(|| {
            reader.wrong("/matter", Reason::UnknownClaim);
            None
        })?;
        let claim = claim?;
        let entry = matter.claims.iter().find(|entry| entry.claim.reference().claim.as_str() == claim);
        if entry.is_none() {
            reader.wrong("/claim", Reason::UnknownClaim);
        }
        entry.map(|entry| Arc::clone(&entry.claim))
    }

    fn subjects(&self, value: &Value, claim: Option<&Claim>, reader: &mut Reader) -> Option<Vec<Person>> {
        let subjects = reader.object("/subjects", value)?;
        let Some(claim) = claim else {
            for (role, subject) in subjects.iter().filter(|(role, _)| is_plain(role)) {
                self.person(&format!("/subjects/{role}"), subject, reader);
            }
            return None;
        };
        reader.known("/subjects", subjects, claim.roles().iter().map(String::as_str));
        let mut people: Vec<Person> = Vec::new();
        for role in claim.roles() {
            let pointer = format!("/subjects/{role}");
            match subjects.get(role) {
                None => reader.wrong(pointer, Reason::Missing),
                Some(subject) => {
                    let Some(person) = self.person(&pointer, subject, reader) else { continue };
                    if people.iter().any(|other| other.id_number == person.id_number) {
                        reader.wrong(format!("{pointer}/id_number"), Reason::SamePerson);
                    }
                    people.push(person);
                }
            }
        }
        (people.len() == claim.roles().len()).then_some(people)
    }

    fn person(&self, pointer: &str, value: &Value, reader: &mut Reader) -> Option<Person> {
        let person = reader.object(pointer, value)?;
        reader.known(pointer, person, ["name", "id_number"]);
        let mut field = |name: &str| {
            let place = format!("{pointer}/{name}");
            match person.get(name) {
                Some(value) => reader.string(&place, value),
                None => {
                    reader.wrong(place, Reason::Missing);
                    None
                }
            }
        };
        let (name, id_number) = (field("name"), field("id_number"));
        let name = name.and_then(|name| {
            name.parse::<PersonName>()
                .map_err(|error| reader.wrong(format!("{pointer}/name"), Reason::Name(error)))
                .ok()
        });
        let id_number = id_number.and_then(|number| self.id_number(pointer, number, reader));
        Some(Person { id_number: id_number?, name: Some(name?) })
    }

    fn id_number(&self, person: &str, text: &str, reader: &mut Reader) -> Option<IdNumber> {
        let mut wrong = |reason| reader.wrong(format!("{person}/id_number"), reason);
        let number = text.parse::<IdNumber>().map_err(|error| wrong(Reason::IdNumber(error))).ok()?;
        if number.birth_date() > self.today {
            wrong(Reason::Future);
            return None;
        }
        Some(number)
    }

    fn parameters(
        &self,
        value: Option<&Value>,
        claim: Option<&Claim>,
        reader: &mut Reader,
    ) -> Option<Map<String, Value>> {
        let none = Map::new();
        let given = match value {
            Some(value) => reader.object("/parameters", value)?,
            None => &none,
        };
        let claim = claim?;
        reader.known("/parameters", given, claim.parameters().iter().map(|parameter| parameter.name.as_str()));
        let mut parameters = Map::new();
        for parameter in claim.parameters() {
            let pointer = format!("/parameters/{}", parameter.name);
            match (given.get(&parameter.name), &parameter.default) {
                (Some(value), _) => match checked(parameter, value, self.today) {
                    Ok(value) => drop(parameters.insert(parameter.name.clone(), value)),
                    Err(reason) => reader.wrong(pointer, reason),
                },
                (None, Some(ParameterDefault::Today)) => {
                    parameters.insert(parameter.name.clone(), Value::String(self.today.to_string()));
                }
                (None, Some(ParameterDefault::Value(value))) => {
                    parameters.insert(parameter.name.clone(), value.clone());
                }
                (None, None) => reader.wrong(pointer, Reason::Missing),
            }
        }
        Some(parameters)
    }

    fn purpose(&self, value: &Value, reader: &mut Reader) -> Option<Slug> {
        let text = reader.string("/purpose", value)?;
        let purpose = text.parse::<Slug>().ok().filter(|purpose| self.purposes.contains(purpose));
        if purpose.is_none() {
            reader.wrong("/purpose", Reason::UnknownPurpose);
        }
        purpose
    }
}

/// A parameter's value, in the one way that it can be written.
fn checked(parameter: &Parameter, value: &Value, today: Date) -> Result<Value, Reason> {
    match (&parameter.kind, value) {
        (ParameterKind::Date, Value::String(text)) => {
            let day = clock::day(text).ok_or(Reason::Date)?;
            if day > today { Err(Reason::Future) } else { Ok(value.clone()) }
        }
        (ParameterKind::Choice { values }, Value::String(text)) if !values.contains(text) => {
            Err(Reason::NotOneOf(values.clone()))
        }
        (ParameterKind::Choice { .. }, Value::String(_)) => Ok(value.clone()),
        (ParameterKind::Integer { min, max }, Value::Number(number)) => {
            let number = integer(number).ok_or(Reason::Type(Kind::Integer))?;
            if (*min..=*max).contains(&number) { Ok(number.into()) } else { Err(Reason::Range(*min, *max)) }
        }
        (ParameterKind::Integer { .. }, _) => Err(Reason::Type(Kind::Integer)),
        (ParameterKind::Text { shape: Some(shape), .. }, Value::String(text)) => {
            shape.read(text).map(Value::String).ok_or_else(|| Reason::Shape(shape.clone()))
        }
        (ParameterKind::Text { max, shape: None }, Value::String(text)) => {
            check_text(text, *max).map(|()| value.clone())
        }
        (ParameterKind::Division, Value::String(text)) => {
            text.parse::<Division>().map(|_| value.clone()).map_err(Reason::Division)
        }
        _ => Err(Reason::Type(Kind::String)),
    }
}

/// The integer that a number is: to JSON Schema `2.0` and `2e0` are integers, too.
#[expect(clippy::cast_possible_truncation, reason = "only where nothing is cut off")]
fn integer(number: &Number) -> Option<i64> {
    // Beyond 2^53 a float stands for several integers.
    let is_one = |float: &f64| float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0;
    number.as_i64().or_else(|| number.as_f64().filter(|_| number.is_f64()).filter(is_one).map(|float| float as i64))
}

fn check_text(text: &str, most: usize) -> Result<(), Reason> {
    if text.trim().is_empty() || text.chars().count() > most {
        Err(Reason::Length(1, most))
    } else if text.chars().any(char::is_control) {
        Err(Reason::ControlCharacter)
    } else {
        Ok(())
    }
}

/// Collects what is wrong.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) errors: Vec<FieldError>,
}

impl Reader {
    pub(super) fn wrong(&mut self, pointer: impl Into<String>, reason: Reason) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(FieldError { pointer: pointer.into(), reason });
        }
    }

    pub(super) fn object<'a>(&mut self, pointer: &str, value: &'a Value) -> Option<&'a Map<String, Value>> {
        if !value.is_object() {
            self.wrong(pointer, Reason::Type(Kind::Object));
        }
        value.as_object()
    }

    pub(super) fn string<'a>(&mut self, pointer: &str, value: &'a Value) -> Option<&'a str> {
        if !value.is_string() {
            self.wrong(pointer, Reason::Type(Kind::String));
        }
        value.as_str()
    }

    /// Refuses fields that are not `known`. A key that is not like ours could be personal: it is not repeated.
    pub(super) fn known<'a>(
        &mut self,
        pointer: &str,
        object: &Map<String, Value>,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        let known: Vec<&str> = known.into_iter().collect();
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            let place = if is_plain(key) { format!("{pointer}/{key}") } else { pointer.to_owned() };
            self.wrong(place, Reason::UnknownField(known.iter().map(|known| (*known).to_owned()).collect()));
        }
    }

    pub(super) fn required_text(&mut self, body: &Map<String, Value>, name: &str, most: usize) -> Option<String> {
        if !body.contains_key(name) {
            self.wrong(format!("/{name}"), Reason::Missing);
        }
        self.optional_text(body, name, most)
    }

    pub(super) fn optional_text(&mut self, body: &Map<String, Value>, name: &str, most: usize) -> Option<String> {
        let value = body.get(name)?;
        let pointer = format!("/{name}");
        let text = self.string(&pointer, value)?;
        if let Err(reason) = check_text(text, most) {
            self.wrong(pointer, reason);
        }
        Some(text.to_owned())
    }

    /// A text that is written down: nobody's ID number may be in it.
    fn kept_text(&mut self, body: &Map<String, Value>, name: &str, most: usize) -> Option<String> {
        let text = self.optional_text(body, name, most)?;
        if text.chars().count() <= most && holds_id_number(&text) {
            self.wrong(format!("/{name}"), Reason::HoldsIdNumber);
        }
        Some(text)
    }

    fn max_age(&mut self, value: &Value) -> Option<Duration> {
        let text = self.string("/max_age", value)?;
        let age = max_age::parse(text);
        if age.is_none() {
            self.wrong("/max_age", Reason::Duration);
        }
        age
    }
}
