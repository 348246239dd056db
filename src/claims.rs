//! Layer 1: claims (核验主张). What a yes/no question needs to know, whom to ask for it, and what the answers come to.
//! Plain code: values in, values out.
//!
//! - `types`, `expression`, `scope`, `compile`: the language of the rules, checked when it is loaded;
//! - `verdict`: what witnesses may say, and how a rule joins them;
//! - `load`: from a matter's file to a [`Claim`];
//! - `inquiry`, `frame`: one question being answered: whom to ask next, and whether the outcome stands.

mod compile;
mod expression;
mod frame;
mod inquiry;
mod load;
mod scope;
mod shape;
#[cfg(test)]
mod tests;
mod types;
mod verdict;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::departments::OperationRef;
use crate::domain::{ClaimRef, Slug};

pub use inquiry::{Ask, Inquiry, WitnessReport};
pub use load::{ClaimText, Connections};
pub use shape::{NoShape, Shape};
pub use types::FactShapes;
pub use verdict::Rule;

use expression::{Constant, Expression};

/// A claim, ready to be answered.
#[derive(Debug)]
pub struct Claim {
    reference: ClaimRef,
    roles: Vec<String>,
    parameters: Vec<Parameter>,
    rule: Rule,
    facts: Vec<Need>,
    parts: Vec<Part>,
    connected: bool,
    /// The parameters that its requests to departments hold.
    sent: BTreeSet<String>,
}

impl Claim {
    /// Its full name.
    #[must_use]
    pub fn reference(&self) -> &ClaimRef {
        &self.reference
    }

    /// The roles that its subjects stand in, in order.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Its parameters, in order.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Whether every source is connected that it cannot do without. Otherwise its outcome is `referred`.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Of the values of its parameters, those that belong to what was asked: a status, a day, a number, and not those that were
    /// left out, nor free text, which may name somebody.
    #[must_use]
    pub fn particulars(&self, values: &Map<String, Json>) -> Map<String, Json> {
        let is_told = |parameter: &Parameter, value: &Json| match (&parameter.kind, &parameter.default) {
            (ParameterKind::Text { .. }, _) => false,
            (_, Some(ParameterDefault::Value(absent))) => absent != value,
            (_, Some(ParameterDefault::Today) | None) => true,
        };
        let pair = |parameter: &Parameter| {
            let value = values.get(&parameter.name).filter(|value| is_told(parameter, value))?;
            Some((parameter.name.clone(), value.clone()))
        };
        self.parameters.iter().filter_map(pair).collect()
    }

    /// The sources that it may ask, each once.
    #[must_use]
    pub fn sources(&self) -> Vec<&Slug> {
        let mut sources: Vec<&Slug> = self.facts.iter().map(|need| &need.operation.source).collect();
        for part in &self.parts {
            if let Part::Claim(component) = part {
                sources.extend(component.claim.sources());
            }
        }
        sources.sort_unstable();
        sources.dedup();
        sources
    }
}

/// A parameter of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in requests.
    pub name: String,
    /// What it holds.
    pub kind: ParameterKind,
    /// What an absent one means; `None`: it must be given.
    pub default: Option<ParameterDefault>,
}

/// What a parameter holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ParameterKind {
    /// A day, ISO 8601, today at the latest.
    Date,
    /// One of some words.
    Choice {
        /// The words.
        values: Vec<String>,
    },
    /// A whole number.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A text of 1 to `max` characters.
    Text {
        /// The most characters.
        max: usize,
        /// What it looks like, if it is no free text.
        shape: Option<Shape>,
    },
    /// An administrative division by its code of 2, 4, 6, 9 or 12 digits (GB/T 2260, GB/T 10114).
    Division,
}

/// What an absent parameter means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterDefault {
    /// Today in Asia/Shanghai.
    Today,
    /// This value.
    Value(Json),
}

/// A fact that some part of the claim may need.
#[derive(Debug)]
struct Need {
    operation: OperationRef,
    of: Whom,
    when: Option<Expression>,
    /// The facts that decide whether, and about whom, it is asked.
    after: Vec<usize>,
}

/// Whom a fact is about.
#[derive(Debug)]
enum Whom {
    Role(usize),
    /// Somebody whom an earlier fact names.
    Named {
        id_number: Expression,
        name: Option<Expression>,
    },
}

#[derive(Debug)]
enum Part {
    Witness(Witness),
    Claim(Component),
}

/// A witness (佐证). The first that holds of `mismatches`, `refutes`, `confirms` is what it says; else it has no record.
#[derive(Debug)]
struct Witness {
    source: Slug,
    /// The facts that its expressions speak of, and those on which these depend.
    facts: Vec<usize>,
    mismatches: Option<Expression>,
    refutes: Option<Expression>,
    confirms: Option<Expression>,
}

/// Another claim as a part of this one.
#[derive(Debug)]
struct Component {
    claim: Arc<Claim>,
    /// For each role of that claim, the role of this one.
    subjects: Vec<usize>,
    /// For each parameter of that claim, its value.
    parameters: Vec<Expression>,
    when: Option<Expression>,
}

/// A parameter's value, checked by whoever read it.
///
/// `None` if it is of no kind that a parameter has.
fn constant(value: &Json) -> Option<Constant> {
    match value {
        Json::Bool(truth) => Some(Constant::Bool(*truth)),
        Json::Number(number) => number.as_i64().map(Constant::Int),
        Json::String(text) => Some(Constant::Text(text.as_str().into())),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
