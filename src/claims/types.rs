use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

/// What kind of value an expression yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    Int,
    Text,
    /// A text that is one of these.
    OneOf(Arc<[String]>),
    /// A day, ISO 8601; `9999-12-31` stands for an end that has not come.
    Date,
    List(Box<Type>),
    /// The empty list literal: any list.
    AnyList,
    Record(Arc<Shape>),
}

impl Type {
    /// The type that both values fit, if there is one.
    pub(crate) fn unify(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::AnyList, list @ (Self::List(_) | Self::AnyList)) | (list @ Self::List(_), Self::AnyList) => {
                Some(list.clone())
            }
            (Self::List(one), Self::List(other)) => one.unify(other).map(|item| Self::List(Box::new(item))),
            (one, other) if one != other && one.is_text() && other.is_text() => Some(Self::Text),
            (one, other) if one == other => Some(one.clone()),
            _ => None,
        }
    }
}

impl Type {
    /// Whether such a value may stand where `wanted` is.
    pub(crate) fn fits(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::List(item), Self::List(wanted)) => item.fits(wanted),
            (one, other) => one == other || (one.is_text() && other.is_text()),
        }
    }

    fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::OneOf(_))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => formatter.write_str("bool"),
            Self::Int => formatter.write_str("number"),
            Self::Text | Self::OneOf(_) => formatter.write_str("text"),
            Self::Date => formatter.write_str("date"),
            Self::List(item) => write!(formatter, "list of {item}"),
            Self::AnyList => formatter.write_str("list"),
            Self::Record(_) => formatter.write_str("record"),
        }
    }
}

/// The fields of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Shape(pub(crate) BTreeMap<String, Type>);

/// The canonical facts (`schemas/facts/*.json`) as the types of their fields.
///
/// A fact's schema is a closed object whose properties are all required and never null, so that a field of a fact that was
/// found always has a value.
#[derive(Debug, Default)]
pub struct FactShapes(BTreeMap<String, Arc<Shape>>);

impl FactShapes {
    /// Reads a fact's schema.
    ///
    /// # Errors
    /// What about the schema cannot be a fact: the JSON Pointer within it, and what.
    pub fn add(&mut self, name: &str, schema: &Json) -> Result<(), (String, String)> {
        let Type::Record(shape) = type_of(schema, schema, "")? else {
            return Err((String::new(), "a fact must be an object".to_owned()));
        };
        if shape.0.contains_key("found") {
            let message = "\"found\" cannot be a field: it says whether there is a record";
            return Err(("/properties/found".to_owned(), message.to_owned()));
        }
        self.0.insert(name.to_owned(), shape);
        Ok(())
    }

    /// The names of all facts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn shape(&self, name: &str) -> Option<&Arc<Shape>> {
        self.0.get(name)
    }
}

fn type_of(root: &Json, schema: &Json, place: &str) -> Result<Type, (String, String)> {
    let at = |what: &str| (place.to_owned(), what.to_owned());
    if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
        let target = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return type_of(root, target.ok_or_else(|| at("this $ref leads nowhere in this file"))?, place);
    }
    match schema.get("type").and_then(Json::as_str) {
        Some("boolean") => Ok(Type::Bool),
        Some("integer") => Ok(Type::Int),
        Some("string") if schema.get("format").is_some_and(|format| format == "date") => Ok(Type::Date),
        Some("string") => Ok(match schema.get("enum").and_then(Json::as_array) {
            Some(values) => Type::OneOf(values.iter().filter_map(Json::as_str).map(str::to_owned).collect()),
            None => Type::Text,
        }),
        Some("array") => {
            let items = schema.get("items").ok_or_else(|| at("an array without \"items\""))?;
            Ok(Type::List(Box::new(type_of(root, items, &format!("{place}/items"))?)))
        }
        Some("object") => {
            let properties = schema.get("properties").and_then(Json::as_object);
            let properties = properties.ok_or_else(|| at("an object without \"properties\""))?;
            let required: Vec<&str> = schema
                .get("required")
                .and_then(Json::as_array)
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
                .collect();
            if schema.get("additionalProperties") != Some(&Json::Bool(false)) {
                return Err(at("a fact is closed: say \"additionalProperties\": false"));
            }
            let mut fields = BTreeMap::new();
            for (name, property) in properties {
                let place = format!("{place}/properties/{name}");
                if !required.contains(&name.as_str()) {
                    return Err((place, format!("every field of a fact is required: name \"{name}\" in \"required\"")));
                }
                fields.insert(name.clone(), type_of(root, property, &place)?);
            }
            Ok(Type::Record(Arc::new(Shape(fields))))
        }
        _ => Err(at("a fact's \"type\" is one of boolean, integer, string, array, object")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_closed_and_complete_objects_are_facts() {
        let mut shapes = FactShapes::default();
        let good = json!({"type": "object", "additionalProperties": false, "required": ["on"],
                          "properties": {"on": {"type": "string", "format": "date"}}});
        shapes.add("death", &good).unwrap();
        assert_eq!(shapes.shape("death").unwrap().0["on"], Type::Date);
        let open = json!({"type": "object", "required": [], "properties": {}});
        assert!(shapes.add("open", &open).unwrap_err().1.contains("closed"));
        let optional =
            json!({"type": "object", "additionalProperties": false, "properties": {"a": {"type": "integer"}}});
        assert_eq!(shapes.add("optional", &optional).unwrap_err().0, "/properties/a");
    }
}
