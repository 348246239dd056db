//! From a decoded reply to a fact: does it fit its schema, what does its code mean, is it about the right person, and what
//! does it say? Plain code; nothing of the reply ever leaves it but the fact.

use jiff::civil::Date;
use jsonschema::Validator;
use serde_json::{Map, Value};

use super::Exchange;
use super::text::{AgreeText, Empty, FieldKind, Meaning, Quantity};
use crate::domain::{Cause, IdNumber, Person, PersonName};

/// How a reply says how it went.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) status: Vec<(u16, OnStatus)>,
    /// None: what fits its schema went well.
    pub(super) codes: Option<Codes>,
}

/// What an HTTP status means.
#[derive(Debug)]
pub(super) enum OnStatus {
    /// This, whatever the body is.
    Means(Meaning),
    /// What the body says, as with 200.
    Read,
    /// What a body of this kind says.
    Own(Box<Own>),
}

/// The body that comes with a status.
#[derive(Debug)]
pub(super) struct Own {
    /// None: that of the operation.
    pub(super) schema: Option<Validator>,
    pub(super) codes: Codes,
}

/// Where the result code stands, and what each means.
#[derive(Debug)]
pub(super) struct Codes {
    pub(super) at: String,
    pub(super) codes: Vec<(Value, Meaning)>,
}

impl Codes {
    fn meaning(&self, reply: &Value) -> Result<Meaning, Cause> {
        let code = reply.pointer(&self.at).ok_or(Cause::InvalidSourceResponse)?;
        let known = self.codes.iter().find(|(known, _)| known == code);
        known.map(|(_, meaning)| *meaning).ok_or(Cause::UnknownCode)
    }
}

impl Envelope {
    /// What an HTTP status means.
    pub(super) fn of_status(&self, status: u16) -> Result<&OnStatus, Cause> {
        if let Some((_, meaning)) = self.status.iter().find(|(known, _)| *known == status) {
            return Ok(meaning);
        }
        match status {
            200 => Ok(&OnStatus::Read),
            401 | 403 => Err(Cause::Denied),
            429 | 503 => Err(Cause::Busy),
            500.. => Err(Cause::SourceError),
            _ => Err(Cause::InvalidSourceResponse),
        }
    }

    /// Everything that a result can mean.
    pub(super) fn meanings(&self) -> impl Iterator<Item = Meaning> {
        let of = |codes: &Codes| codes.codes.iter().map(|(_, meaning)| *meaning).collect::<Vec<_>>();
        let by_status = self.status.iter().flat_map(move |(_, on_status)| match on_status {
            OnStatus::Means(meaning) => vec![*meaning],
            OnStatus::Read => Vec::new(),
            OnStatus::Own(own) => of(&own.codes),
        });
        by_status.chain(self.codes.iter().flat_map(of))
    }
}

impl Exchange {
    /// What a status and its body mean, and the body where that was read.
    pub(super) fn read(&self, on_status: &OnStatus, body: Vec<u8>) -> Result<(Meaning, Value), Cause> {
        let own = match on_status {
            OnStatus::Own(own) => Some(own),
            OnStatus::Means(_) | OnStatus::Read => None,
        };
        let reply = super::decode::decode(&self.steps, body).map_err(|_| Cause::InvalidSourceResponse)?;
        let schema = own.and_then(|own| own.schema.as_ref()).unwrap_or(&self.schema);
        if !schema.is_valid(&reply) {
            // Where in the schema, never what in the reply.
            let place = schema.iter_errors(&reply).next().map(|error| error.schema_path().to_string());
            tracing::debug!(schema.path = place.unwrap_or_default(), "a reply does not fit its schema");
            return Err(Cause::InvalidSourceResponse);
        }
        let codes = own.map(|own| &own.codes).or(self.envelope.codes.as_ref());
        let meaning = codes.map_or(Ok(Meaning::Ok), |codes| codes.meaning(&reply))?;
        meaning.cause().map_or(Ok((meaning, reply)), Err)
    }
}

impl Meaning {
    /// The cause of failure that it is, if it is one.
    pub(super) fn cause(self) -> Option<Cause> {
        match self {
            Self::Ok | Self::NoRecord | Self::Pending => None,
            Self::Busy => Some(Cause::Busy),
            Self::Denied => Some(Cause::Denied),
            Self::Error => Some(Cause::SourceError),
        }
    }
}

/// A path into a reply; `*` stands for every item of an array.
#[derive(Debug, Clone)]
pub(super) struct Path(pub(super) Vec<String>);

impl Path {
    pub(super) fn new(pointer: &str) -> Self {
        Self(pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect())
    }

    fn values<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        let mut values = vec![value];
        for part in &self.0 {
            values = values
                .into_iter()
                .flat_map(|value| match (part.as_str(), value) {
                    ("*", Value::Array(items)) => items.iter().collect(),
                    (index, Value::Array(items)) => {
                        index.parse::<usize>().ok().and_then(|index| items.get(index)).into_iter().collect()
                    }
                    (name, value) => value.get(name).into_iter().collect::<Vec<_>>(),
                })
                .collect();
        }
        values
    }

    fn value<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        if self.0.iter().any(|part| part == "*") {
            return self.values(value).into_iter().next();
        }
        self.0.iter().try_fold(value, |value, part| match value {
            Value::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
            value => value.get(part.as_str()),
        })
    }
}

/// How a reply shows whom it is about.
#[derive(Debug, Clone)]
pub(super) enum About {
    /// By ID numbers, in every record or in some.
    Numbers { each: Option<Path>, at: Vec<Path>, quantity: Quantity },
    /// By name and birth date.
    Agree { each: Option<Path>, agree: AgreeText },
    /// Not at all, for the reason that the file gives.
    Nobody,
}

impl About {
    /// The first record that names the person, in a reply that is about the person; `None` where replies name nobody.
    fn theirs<'a>(&self, reply: &'a Value, person: &Person) -> Result<Option<&'a Value>, Cause> {
        let (each, quantity) = match self {
            Self::Nobody => return Ok(None),
            Self::Numbers { each, quantity, .. } => (each, *quantity),
            Self::Agree { each, .. } => (each, Quantity::Every),
        };
        let records = records(reply, each.as_ref())?;
        let theirs = records.iter().copied().find(|record| self.names(record, person));
        // A reply without records names nobody.
        let right = match quantity {
            Quantity::Every => records.iter().all(|record| self.names(record, person)),
            Quantity::Some => true,
        };
        theirs.filter(|_| right).map(Some).ok_or(Cause::WrongSubject)
    }

    fn names(&self, record: &Value, person: &Person) -> bool {
        match self {
            Self::Nobody => false,
            Self::Numbers { at, .. } => at.iter().any(|path| names(path, record, &person.id_number)),
            Self::Agree { agree, .. } => {
                let born = person.id_number.birth_date();
                let text = |pointer: &str| Path::new(pointer).value(record).and_then(Value::as_str);
                let name = text(&agree.name).and_then(|name| name.parse::<PersonName>().ok());
                name.is_some() && name == person.name && text(&agree.birth_date).and_then(any_date) == Some(born)
            }
        }
    }

    /// A reply without a record need not say whom it is about. If it does, it must be the right person: "no record" of
    /// somebody else is no answer.
    fn check_without_record(&self, reply: &Value, person: &Person) -> Result<(), Cause> {
        let is_right = match self {
            Self::Numbers { each: None, at, .. } => {
                let mut named =
                    at.iter().flat_map(|path| path.values(reply)).filter(|value| !is_blank(value)).peekable();
                named.peek().is_none() || named.any(|value| is_number(value, &person.id_number))
            }
            Self::Agree { each: None, agree } => {
                let stated = |pointer: &str| Path::new(pointer).value(reply).filter(|value| !is_blank(value));
                let text = |pointer: &str| stated(pointer).map(|value| value.as_str().unwrap_or_default());
                let same_name = text(&agree.name).is_none_or(|name| name.parse::<PersonName>().ok() == person.name);
                let born = person.id_number.birth_date();
                same_name && text(&agree.birth_date).is_none_or(|day| any_date(day) == Some(born))
            }
            Self::Numbers { .. } | Self::Agree { .. } | Self::Nobody => true,
        };
        if is_right { Ok(()) } else { Err(Cause::WrongSubject) }
    }
}

/// Where the fact's record stands.
#[derive(Debug, Clone)]
pub(super) enum Start {
    /// At one place of the reply.
    At(Path),
    /// Within the first record that names the person.
    Theirs(Path),
}

fn records<'a>(reply: &'a Value, each: Option<&Path>) -> Result<Vec<&'a Value>, Cause> {
    let Some(each) = each else { return Ok(vec![reply]) };
    let records = each.value(reply).and_then(Value::as_array).ok_or(Cause::InvalidSourceResponse)?;
    Ok(records.iter().collect())
}

fn names(path: &Path, record: &Value, id_number: &IdNumber) -> bool {
    path.values(record).into_iter().any(|value| is_number(value, id_number))
}

fn is_number(value: &Value, id_number: &IdNumber) -> bool {
    value.as_str().and_then(|text| text.trim().parse::<IdNumber>().ok()) == Some(*id_number)
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// A day as any of the usual forms has it.
fn any_date(text: &str) -> Option<Date> {
    ["%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y年%m月%d日"].iter().find_map(|format| Date::strptime(format, text).ok())
}

/// Where a field of the fact comes from.
#[derive(Debug, Clone)]
pub(super) enum Field {
    Fixed(Value),
    One(Scalar),
    List { each: Path, item: Item },
}

#[derive(Debug, Clone)]
pub(super) struct Scalar {
    pub(super) at: Path,
    pub(super) kind: FieldKind,
    pub(super) format: Option<String>,
    pub(super) map: Option<Vec<(String, Value)>>,
    pub(super) absent: Option<Value>,
}

#[derive(Debug, Clone)]
pub(super) enum Item {
    Scalar(Scalar),
    Record(Vec<(String, Field)>),
}

impl Field {
    fn read(&self, record: &Value) -> Result<Value, Cause> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::One(scalar) => scalar.read(record),
            Self::List { each, item } => {
                let items = each.value(record).and_then(Value::as_array).ok_or(Cause::InvalidSourceResponse)?;
                let read = |record| match item {
                    Item::Scalar(scalar) => scalar.read(record),
                    Item::Record(fields) => read_fields(fields, record),
                };
                items.iter().map(read).collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
        }
    }
}

fn read_fields(fields: &[(String, Field)], record: &Value) -> Result<Value, Cause> {
    let mut members = Map::with_capacity(fields.len());
    for (name, field) in fields {
        members.insert(name.clone(), field.read(record)?);
    }
    Ok(Value::Object(members))
}

impl Scalar {
    fn read(&self, record: &Value) -> Result<Value, Cause> {
        const INVALID: Cause = Cause::InvalidSourceResponse;
        let value = match self.at.value(record) {
            None | Some(Value::Null) => return self.absent.clone().ok_or(INVALID),
            Some(Value::String(text)) if text.trim().is_empty() && self.absent.is_some() => {
                return self.absent.clone().ok_or(INVALID);
            }
            Some(value) => value,
        };
        if let Some(map) = &self.map {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                _ => return Err(INVALID),
            };
            return map.iter().find(|(known, _)| *known == text).map(|(_, value)| value.clone()).ok_or(INVALID);
        }
        match (self.kind, value) {
            (FieldKind::Text, Value::String(text)) => Ok(Value::String(text.clone())),
            (FieldKind::Name, Value::String(text)) => {
                let name = text.parse::<PersonName>().map_err(|_| INVALID)?;
                Ok(Value::String(name.reveal().to_owned()))
            }
            (FieldKind::IdNumber, Value::String(text)) => {
                let number = text.trim().parse::<IdNumber>().map_err(|_| INVALID)?;
                Ok(Value::String(number.reveal().to_owned()))
            }
            (FieldKind::Date, Value::String(text)) => {
                let format = self.format.as_deref().unwrap_or("%Y-%m-%d");
                let day = Date::strptime(format, text.trim()).map_err(|_| INVALID)?;
                Ok(Value::String(day.to_string()))
            }
            (FieldKind::Integer, Value::Number(number)) if number.is_i64() => Ok(value.clone()),
            (FieldKind::Integer, Value::String(text)) => {
                text.trim().parse::<i64>().map(Value::from).map_err(|_| INVALID)
            }
            (FieldKind::Boolean, Value::Bool(_)) => Ok(value.clone()),
            _ => Err(INVALID),
        }
    }
}

/// Everything that turns an operation's decoded reply into a fact.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) rows: Option<Path>,
    pub(super) empty: Empty,
    pub(super) about: About,
    pub(super) start: Start,
    pub(super) fields: Vec<(String, Field)>,
    pub(super) fact: Validator,
}

impl Reading {
    /// The fact in a reply that means `ok` or `no-record`; `None`: there is no record.
    pub(super) fn fact(&self, meaning: Meaning, reply: &Value, person: &Person) -> Result<Option<Value>, Cause> {
        const INVALID: Cause = Cause::InvalidSourceResponse;
        let rows = match &self.rows {
            None => None,
            // `null` is no empty list: it says nothing.
            Some(path) => match path.value(reply) {
                Some(Value::Array(rows)) => Some(rows.len()),
                Some(Value::String(text)) if text.is_empty() && meaning == Meaning::NoRecord => Some(0),
                None if meaning == Meaning::NoRecord => Some(0),
                _ => return Err(INVALID),
            },
        };
        match (meaning, rows, self.empty) {
            (Meaning::NoRecord, None | Some(0), _) | (Meaning::Ok, Some(0), Empty::NoRecord) => {
                return self.about.check_without_record(reply, person).map(|()| None);
            }
            (Meaning::Ok, None | Some(1..), _) => {}
            (Meaning::NoRecord, Some(_), _)
            | (Meaning::Ok, Some(0), Empty::Invalid)
            | (Meaning::Pending | Meaning::Busy | Meaning::Denied | Meaning::Error, _, _) => return Err(INVALID),
        }
        let theirs = self.about.theirs(reply, person)?;
        let record = match &self.start {
            Start::At(path) => path.value(reply),
            Start::Theirs(path) => theirs.and_then(|record| path.value(record)),
        };
        let record = record.ok_or(INVALID)?;
        let fact = read_fields(&self.fields, record)?;
        if self.fact.is_valid(&fact) { Ok(Some(fact)) } else { Err(INVALID) }
    }
}

#[cfg(test)]
mod tests;
