use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value as Json;

use super::super::types::Type;
use super::super::{Parameter, ParameterDefault, ParameterKind};
use super::Loader;
use crate::clock;

#[derive(Debug, Deserialize)]
struct ParameterText {
    #[serde(flatten)]
    kind: ParameterKind,
    default: Option<Json>,
}

impl Loader<'_> {
    pub(super) fn parameters(&mut self, texts: &IndexMap<String, Json>) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        for (name, value) in texts {
            let place = format!("/parameters/{name}");
            let text = serde_json::from_value::<ParameterText>(value.clone()).map_err(|error| error.to_string());
            let Some(ParameterText { kind, default }) = self.keep(&*place, text) else {
                self.spoilt.insert(name.clone());
                continue;
            };
            if let ParameterKind::Integer { min, max } = kind
                && min > max
            {
                self.wrong.push((format!("{place}/min"), format!("no number is {min} or more and {max} or less")));
            }
            let default = match default {
                Some(Json::String(text)) if text == "today" && kind == ParameterKind::Date => {
                    Some(ParameterDefault::Today)
                }
                Some(value) => {
                    let fits =
                        kind.accepts(&value).then_some(()).ok_or_else(|| "the default is not a valid value".to_owned());
                    self.keep(format!("{place}/default"), fits);
                    Some(ParameterDefault::Value(value))
                }
                None => None,
            };
            parameters.push(Parameter { name: name.clone(), kind, default });
        }
        parameters
    }
}

impl ParameterKind {
    pub(super) fn value_type(&self) -> Type {
        match self {
            Self::Date => Type::Date,
            Self::Integer { .. } => Type::Int,
            Self::Choice { values } => Type::OneOf(values.as_slice().into()),
            Self::Text { .. } | Self::Division => Type::Text,
        }
    }

    /// Whether `value` is one that such a parameter may have, as far as that does not depend on the day.
    #[must_use]
    pub fn accepts(&self, value: &Json) -> bool {
        match (self, value) {
            (Self::Date, Json::String(text)) => clock::day(text).is_some(),
            (Self::Choice { values }, Json::String(text)) => values.contains(text),
            (Self::Integer { min, max }, Json::Number(number)) => {
                number.as_i64().is_some_and(|number| (*min..=*max).contains(&number))
            }
            (Self::Text { max, shape }, Json::String(text)) => {
                shape.as_ref().is_none_or(|shape| shape.read(text).is_some())
                    && !text.trim().is_empty()
                    && text.chars().count() <= *max
                    && !text.chars().any(char::is_control)
            }
            (Self::Division, Json::String(text)) => text.parse::<crate::domain::Division>().is_ok(),
            _ => false,
        }
    }
}
