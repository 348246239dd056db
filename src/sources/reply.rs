//! From a decoded reply to a fact: does it fit its schema, what does its code mean, is it about the right person, and what
//! does it say? Plain code; nothing of the reply ever leaves it but the fact.

use jiff::civil::Date;
use jsonschema::Validator;
use serde_json::{Map, Value};

use super::text::{AgreeText, Empty, FieldKind, Meaning, Quantity};
use crate::domain::{Cause, IdNumber, Person, PersonName};

/// How a reply says how it went.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    pub(super) status: Vec<(u16, Meaning)>,
    pub(super) at: Option<String>,
    pub(super) codes: Vec<(Value, Meaning)>,
}

impl Envelope {
    /// What an HTTP status means by itself; `None`: the body says.
    pub(super) fn of_status(&self, status: u16) -> Result<Option<Meaning>, Cause> {
        if let Some((_, meaning)) = self.status.iter().find(|(known, _)| *known == status) {
            return Ok(Some(*meaning));
        }
        match status {
            200 => Ok(None),
            401 | 403 => Err(Cause::Denied),
            429 | 503 => Err(Cause::Busy),
            500.. => Err(Cause::SourceError),
            _ => Err(Cause::InvalidSourceResponse),
        }
    }

    /// What the result code means.
    pub(super) fn of_body(&self, reply: &Value) -> Result<Meaning, Cause> {
        let Some(at) = &self.at else { return Ok(Meaning::Ok) };
        let code = reply.pointer(at).ok_or(Cause::InvalidSourceResponse)?;
        let known = self.codes.iter().find(|(known, _)| known == code);
        known.map(|(_, meaning)| *meaning).ok_or(Cause::UnknownCode)
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
        self.values(value).into_iter().next()
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
    fn check(&self, reply: &Value, person: &Person) -> Result<(), Cause> {
        match self {
            Self::Nobody => Ok(()),
            Self::Numbers { each, at, quantity } => {
                let records = records(reply, each.as_ref())?;
                let mut named =
                    records.iter().map(|record| at.iter().any(|path| names(path, record, &person.id_number)));
                let right = match quantity {
                    Quantity::Every => named.all(|named| named),
                    Quantity::Some => named.any(|named| named),
                };
                if right { Ok(()) } else { Err(Cause::WrongSubject) }
            }
            Self::Agree { each, agree } => {
                let born = person.id_number.birth_date();
                let is_theirs = |record: &&Value| {
                    let text = |pointer: &str| Path::new(pointer).value(record).and_then(Value::as_str);
                    let name = text(&agree.name).and_then(|name| name.parse::<PersonName>().ok());
                    name.is_some() && name == person.name && text(&agree.birth_date).and_then(any_date) == Some(born)
                };
                if records(reply, each.as_ref())?.iter().all(is_theirs) { Ok(()) } else { Err(Cause::WrongSubject) }
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
    let read = |(name, field): &(String, Field)| Ok((name.clone(), field.read(record)?));
    fields.iter().map(read).collect::<Result<Map<_, _>, Cause>>().map(Value::Object)
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
    pub(super) at: Path,
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
        self.about.check(reply, person)?;
        let record = self.at.value(reply).ok_or(INVALID)?;
        let fact = read_fields(&self.fields, record)?;
        if self.fact.is_valid(&fact) { Ok(Some(fact)) } else { Err(INVALID) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ASKED: &str = "11010519491231002X";
    const OTHER: &str = "210102198001010013";

    fn reading(about: About) -> Reading {
        let (rows, empty, at) = (Some(Path::new("/rows")), Empty::NoRecord, Path::new(""));
        let fact = jsonschema::validator_for(&json!({ "type": "object" })).unwrap();
        Reading { rows, empty, about, at, fields: Vec::new(), fact }
    }

    fn read(about: About, meaning: Meaning, reply: &Value) -> Result<Option<Value>, Cause> {
        let person = Person { id_number: ASKED.parse().unwrap(), name: "张伟".parse().ok() };
        reading(about).fact(meaning, reply, &person)
    }

    fn numbers(each: Option<&str>, at: &str) -> About {
        About::Numbers { each: each.map(Path::new), at: vec![Path::new(at)], quantity: Quantity::Every }
    }

    #[test]
    fn no_record_of_somebody_else_is_no_answer() {
        for (named, expected) in [
            (json!(ASKED), Ok(None)),
            (json!(ASKED.to_lowercase()), Ok(None)),
            (json!(""), Ok(None)),
            (Value::Null, Ok(None)),
            (json!(OTHER), Err(Cause::WrongSubject)),
            (json!("unknown"), Err(Cause::WrongSubject)),
            (json!(7), Err(Cause::WrongSubject)),
        ] {
            let reply = json!({ "of": named, "rows": [] });
            for meaning in [Meaning::NoRecord, Meaning::Ok] {
                assert_eq!(read(numbers(None, "/of"), meaning, &reply), expected, "{reply}");
            }
        }
        let silent = json!({ "rows": [] });
        assert_eq!(read(numbers(None, "/of"), Meaning::NoRecord, &silent), Ok(None));
        assert_eq!(read(numbers(Some("/rows"), "/of"), Meaning::NoRecord, &silent), Ok(None));
        assert_eq!(read(numbers(None, "/of"), Meaning::NoRecord, &Value::Null), Ok(None));
    }

    #[test]
    fn no_record_of_somebody_with_another_name_or_birth_date_is_no_answer() {
        let agree = || AgreeText { name: "/name".to_owned(), birth_date: "/born".to_owned() };
        for (reply, expected) in [
            (json!({ "name": "张伟", "born": "1949-12-31", "rows": [] }), Ok(None)),
            (json!({ "born": "19491231", "rows": [] }), Ok(None)),
            (json!({ "rows": [] }), Ok(None)),
            (json!({ "name": "张玮", "born": "1949-12-31", "rows": [] }), Err(Cause::WrongSubject)),
            (json!({ "name": "张伟", "born": "1949-12-30", "rows": [] }), Err(Cause::WrongSubject)),
        ] {
            let about = About::Agree { each: None, agree: agree() };
            assert_eq!(read(about, Meaning::NoRecord, &reply), expected, "{reply}");
        }
    }
}
