use serde_json::{Map, Value};

use super::super::reply::{About, Field, Item, Path, Reading, Scalar};
use super::super::text::{FieldKind, FieldText, OperationText};
use super::Loader;
use crate::diagnostic::unknown;

impl Loader<'_> {
    /// How an operation's decoded reply, which fits `schema`, becomes its fact.
    pub(super) fn reading(&mut self, place: &str, text: &OperationText, schema: &Value) -> Option<Reading> {
        if let Some(rows) = &text.rows {
            self.pointer(&format!("{place}/rows"), schema, rows);
        }
        let about = self.about(&format!("{place}/about"), text, schema);
        let start = self.start(place, text);
        self.covered(place, text);
        let fact_place = format!("{place}/fact");
        let path = format!("facts/{}.json", text.fact.name);
        let facts = self.surroundings.schema_names.iter();
        let facts = facts.filter_map(|name| name.strip_prefix("facts/")?.strip_suffix(".json"));
        let missing = unknown("fact", &text.fact.name, facts);
        let fact = self.keep(&format!("{fact_place}/name"), (self.surroundings.schemas)(&path).ok_or(missing));
        let record = self.pointer(&format!("{fact_place}/at"), schema, &text.fact.at);
        let (validator, shape) = self.compile(&format!("{fact_place}/name"), &path, &fact?)?;
        let fields = self.fields(&format!("{fact_place}/fields"), &text.fact.fields, &shape, &shape, schema, record);
        Some(Reading {
            rows: text.rows.as_deref().map(Path::new),
            empty: text.empty,
            about: about?,
            start,
            fields,
            fact: validator,
        })
    }

    fn about(&mut self, place: &str, text: &OperationText, schema: &Value) -> Option<About> {
        let about = &text.about;
        let each = about.each.as_deref();
        let base = match each {
            Some(each) => self.pointer(&format!("{place}/each"), schema, &format!("{each}/*")),
            None => Some(schema),
        };
        match (about.at.is_empty(), &about.agree, &about.none) {
            (false, None, None) => {
                for (index, at) in about.at.iter().enumerate() {
                    self.pointer_in(&format!("{place}/at/{index}"), schema, base, at);
                }
                let at = about.at.iter().map(|at| Path::new(at)).collect();
                Some(About::Numbers { each: each.map(Path::new), at, quantity: about.quantity })
            }
            (true, Some(agree), None) => {
                self.pointer_in(&format!("{place}/agree/name"), schema, base, &agree.name);
                self.pointer_in(&format!("{place}/agree/birth_date"), schema, base, &agree.birth_date);
                Some(About::Agree { each: each.map(Path::new), agree: agree.clone() })
            }
            (true, None, Some(_)) => Some(About::Nobody),
            _ => {
                self.wrong(place, "say exactly one of at, agree and none: how does the reply show whom it is about?");
                None
            }
        }
    }

    /// The fields of a record of the fact. `shape` is its schema; `record` the schema of the reply's record, where it is known.
    fn fields(
        &mut self,
        place: &str,
        texts: &Map<String, Value>,
        fact: &Value,
        shape: &Value,
        reply: &Value,
        record: Option<&Value>,
    ) -> Vec<(String, Field)> {
        let none = Map::new();
        let properties = shape.get("properties").and_then(Value::as_object).unwrap_or(&none);
        for missing in properties.keys().filter(|name| !texts.contains_key(*name)) {
            self.wrong(place, format!("the fact's field \"{missing}\" is not filled"));
        }
        let mut fields = Vec::new();
        for (name, value) in texts {
            let place = format!("{place}/{name}");
            let Some(shape) = properties.get(name) else {
                self.wrong(&place, unknown("field of the fact:", name, properties.keys().map(String::as_str)));
                continue;
            };
            let shape = referred(fact, shape);
            fields.extend(self.field(&place, value, fact, shape, reply, record).map(|field| (name.clone(), field)));
        }
        fields
    }

    fn field(
        &mut self,
        place: &str,
        value: &Value,
        fact: &Value,
        shape: &Value,
        reply: &Value,
        record: Option<&Value>,
    ) -> Option<Field> {
        let text = match value {
            Value::String(at) => FieldText { at: Some(at.clone()), ..FieldText::default() },
            table => self.keep(place, FieldText::read(table))?,
        };
        if let Some(fixed) = text.value {
            return Some(Field::Fixed(fixed));
        }
        let Some(each) = &text.each else {
            return Some(Field::One(self.scalar(place, &text, reply, record)));
        };
        let inner = self.pointer_in(&format!("{place}/each"), reply, record, &format!("{each}/*"));
        let item = match &text.fields {
            None => Item::Scalar(self.scalar(place, &text, reply, inner)),
            Some(fields) => {
                let items = shape.get("items").map(|items| referred(fact, items));
                let items = self.keep(place, items.ok_or_else(|| "this field of the fact is no list".to_owned()))?;
                Item::Record(self.fields(&format!("{place}/fields"), fields, fact, items, reply, inner))
            }
        };
        Some(Field::List { each: Path::new(each), item })
    }

    fn scalar(&mut self, place: &str, text: &FieldText, reply: &Value, record: Option<&Value>) -> Scalar {
        let at = text.at.clone().unwrap_or_default();
        if text.at.is_none() && text.each.is_none() {
            self.wrong(place, "where does this field come from? Say at, each or value");
        }
        self.pointer_in(&format!("{place}/at"), reply, record, &at);
        let kind = text.kind.unwrap_or_default();
        if text.format.is_some() && kind != FieldKind::Date {
            self.wrong(&format!("{place}/format"), "only a date has a format");
        }
        if let Some(format) = &text.format {
            let example = jiff::civil::date(2000, 2, 29).strftime(format).to_string();
            if jiff::civil::Date::strptime(format, &example).is_err() {
                self.wrong(&format!("{place}/format"), "this format does not tell a day; write it such as %Y%m%d");
            }
        }
        Scalar {
            at: Path::new(&at),
            kind,
            format: text.format.clone(),
            map: text.map.clone().map(|map| map.into_iter().collect()),
            absent: text.absent.clone(),
        }
    }

    /// Checks a pointer from the top of a reply.
    pub(super) fn pointer<'a>(&mut self, place: &str, schema: &'a Value, pointer: &str) -> Option<&'a Value> {
        self.pointer_in(place, schema, Some(schema), pointer)
    }

    /// Checks that a reply which fits its schema can have something at `pointer` from `base`, and returns the schema of that.
    /// `None` where the schema doesn't tell.
    fn pointer_in<'a>(
        &mut self,
        place: &str,
        root: &'a Value,
        base: Option<&'a Value>,
        pointer: &str,
    ) -> Option<&'a Value> {
        let mut schema = referred(root, base?);
        for part in Path::new(pointer).0 {
            let properties = schema.get("properties").and_then(Value::as_object);
            let is_array = schema.get("items").is_some();
            schema = match (part.as_str(), properties) {
                ("*", _) if is_array => schema.get("items")?,
                (index, _) if is_array && index.parse::<usize>().is_ok() => schema.get("items")?,
                (name, Some(properties)) => match properties.get(name) {
                    Some(schema) => schema,
                    None => {
                        let known = properties.keys().map(String::as_str);
                        self.wrong(place, unknown("place in the reply (by its schema):", name, known));
                        return None;
                    }
                },
                _ => return None,
            };
            schema = referred(root, schema);
        }
        Some(schema)
    }
}

impl FieldText {
    fn read(table: &Value) -> Result<Self, String> {
        serde_json::from_value(table.clone()).map_err(|error| error.to_string())
    }
}

/// The schema itself, or the one that it refers to in the same file.
fn referred<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    target.and_then(|target| root.pointer(target)).unwrap_or(schema)
}
