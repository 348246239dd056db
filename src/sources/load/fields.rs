use serde_json::{Map, Value};

use super::super::reply::{About, Field, Item, Path, Reading, Scalar};
use super::super::text::{FieldKind, FieldText, OperationText};
use super::Loader;
use crate::diagnostic::unknown;

impl Loader<'_> {
    /// How an operation's decoded reply, which fits `schema`, becomes its fact.
    pub(super) fn reading(&mut self, place: &str, text: &OperationText, schema: &Value) -> Option<Reading> {
        if let Some(rows) = &text.rows {
            self.pointer(&format!("{place}/rows"), schema, &format!("{rows}/*"));
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
        let (validator, shape) = self.compile(&fact?)?;
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
        let target = Target { fact, shape };
        if let Some(fixed) = text.value {
            self.constant(&format!("{place}/value"), target, &fixed);
            return Some(Field::Fixed(fixed));
        }
        let Some(each) = &text.each else {
            return Some(Field::One(self.scalar(place, &text, target, reply, record)));
        };
        let inner = self.pointer_in(&format!("{place}/each"), reply, record, &format!("{each}/*"));
        let items = shape.get("items").map(|items| referred(fact, items));
        let items = self.keep(place, items.ok_or_else(|| "this field of the fact is no list".to_owned()))?;
        let item = match &text.fields {
            None => Item::Scalar(self.scalar(place, &text, Target { fact, shape: items }, reply, inner)),
            Some(fields) => Item::Record(self.fields(&format!("{place}/fields"), fields, fact, items, reply, inner)),
        };
        Some(Field::List { each: Path::new(each), item })
    }

    fn scalar(
        &mut self,
        place: &str,
        text: &FieldText,
        target: Target<'_>,
        reply: &Value,
        record: Option<&Value>,
    ) -> Scalar {
        let at = text.at.clone().unwrap_or_default();
        if text.at.is_none() && text.each.is_none() {
            self.wrong(place, "where does this field come from? Say at, each or value");
        }
        let given = self.pointer_in(&format!("{place}/at"), reply, record, &at);
        let kind = text.kind.unwrap_or_default();
        self.readable(place, text, kind, given);
        self.fits(place, text, kind, target);
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
            let kinds = kinds(schema);
            let may_be = |kind: &str| kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
            let is_item = part == "*" || part.parse::<usize>().is_ok();
            if !(may_be("object") && part != "*" || may_be("array") && is_item) {
                let kinds = kinds.unwrap_or_default().join(" or ");
                let message = match part.as_str() {
                    "*" => format!("by the schema of the reply this is no array, but of type {kinds}"),
                    _ => format!("\"{part}\" leads into something of type {kinds}, by the schema of the reply"),
                };
                self.wrong(place, message);
                return None;
            }
            let properties = schema.get("properties").and_then(Value::as_object);
            schema = match (schema.get("items").filter(|_| is_item), properties) {
                (Some(items), _) => items,
                (None, Some(properties)) => match properties.get(&part) {
                    Some(schema) => schema,
                    None => {
                        let known = properties.keys().map(String::as_str);
                        self.wrong(place, unknown("place in the reply (by its schema):", &part, known));
                        return None;
                    }
                },
                (None, None) => return None,
            };
            schema = referred(root, schema);
        }
        Some(schema)
    }

    /// Refuses a place of the reply whose type never has such a value.
    fn readable(&mut self, place: &str, text: &FieldText, kind: FieldKind, given: Option<&Value>) {
        let readable: &[&str] = match (&text.map, kind) {
            (Some(_), _) => &["string", "boolean", "integer", "number"],
            (None, FieldKind::Integer) => &["string", "integer", "number"],
            (None, FieldKind::Boolean) => &["boolean"],
            (None, FieldKind::Text | FieldKind::Name | FieldKind::IdNumber | FieldKind::Date) => &["string"],
        };
        if let Some(kinds) = given.and_then(kinds).filter(|kinds| !kinds.iter().any(|kind| readable.contains(kind))) {
            let (kinds, readable) = (kinds.join(" or "), readable.join(" or "));
            let message =
                format!("by the schema of the reply here stands {kinds}; for this field {readable} is needed");
            self.wrong(&format!("{place}/at"), message);
        }
    }

    /// Refuses values that the fact's field cannot hold.
    fn fits(&mut self, place: &str, text: &FieldText, kind: FieldKind, target: Target<'_>) {
        for (key, value) in text.map.iter().flatten() {
            self.constant(&format!("{place}/map/{key}"), target, value);
        }
        if let Some(absent) = &text.absent {
            self.constant(&format!("{place}/absent"), target, absent);
        }
        let yields = match kind {
            FieldKind::Integer => "integer",
            FieldKind::Boolean => "boolean",
            FieldKind::Text | FieldKind::Name | FieldKind::IdNumber | FieldKind::Date => "string",
        };
        let kinds = kinds(target.shape).filter(|kinds| text.map.is_none() && !kinds.contains(&yields));
        if let Some(kinds) = kinds {
            let hint = match kinds.first() {
                Some(&"boolean") => "; say as = \"boolean\", or give a map",
                Some(&"integer") => "; say as = \"integer\", or give a map",
                Some(&"array") => "; say each",
                _ => "",
            };
            self.wrong(
                place,
                format!("the fact's field is of type {}, and this is of type {yields}{hint}", kinds.join(" or ")),
            );
        }
    }

    fn constant(&mut self, place: &str, target: Target<'_>, value: &Value) {
        let mut schema = target.shape.clone();
        if let (Some(schema), Some(definitions)) = (schema.as_object_mut(), target.fact.get("$defs")) {
            schema.insert("$defs".to_owned(), definitions.clone());
        }
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        if options.build(&schema).is_ok_and(|schema| !schema.is_valid(value)) {
            let values = schema.get("enum").and_then(Value::as_array);
            let values = values.map(|values| values.iter().filter_map(Value::as_str));
            let message = match (value.as_str(), values) {
                (Some(text), Some(values)) => unknown("value of the fact's field:", text, values),
                _ => format!("the fact's field cannot be {value}, by its schema"),
            };
            self.wrong(place, message);
        }
    }
}

/// A field of the fact: the fact's whole schema, and the field's.
#[derive(Clone, Copy)]
struct Target<'a> {
    fact: &'a Value,
    shape: &'a Value,
}

/// The types of value that a schema allows; `None` where it doesn't tell.
fn kinds(schema: &Value) -> Option<Vec<&str>> {
    let kind_of = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match (schema.get("type"), schema.get("enum").and_then(Value::as_array), schema.get("const")) {
        (Some(Value::String(kind)), ..) => Some(vec![kind]),
        (Some(Value::Array(kinds)), ..) => Some(kinds.iter().filter_map(Value::as_str).collect()),
        (None, Some(values), _) => Some(values.iter().map(kind_of).collect()),
        (None, None, Some(value)) => Some(vec![kind_of(value)]),
        _ => None,
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
