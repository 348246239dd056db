//! From a claim's text in a matter's file to a checked [`Claim`].

mod component;
mod parameters;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value as Json;

use super::compile::Names;
use super::expression::Expression;
use super::types::{FactShapes, Shape, Type};
use super::{Claim, Need, Part, Rule, Whom, Witness};
use crate::departments::{OperationPromise, OperationRef};
use crate::diagnostic::unknown;
use crate::domain::{ClaimRef, Slug};

/// A claim as its file has it; the file's schema has checked the shape.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimText {
    /// Its id within the matter.
    pub id: String,
    /// The question in Chinese.
    pub name: String,
    /// The question in English.
    pub english: String,
    roles: Vec<String>,
    /// How it is asked at a counter: nothing that decides.
    #[serde(default, rename = "words")]
    _words: IgnoredAny,
    #[serde(default)]
    parameters: IndexMap<String, Json>,
    #[serde(default)]
    rule: Rule,
    #[serde(default)]
    facts: IndexMap<String, Json>,
    #[serde(default, rename = "where")]
    definitions: IndexMap<String, Json>,
    witnesses: Vec<WitnessText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NeedText {
    ask: String,
    of: String,
    named: Option<String>,
    when: Option<String>,
    fact: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WitnessText {
    source: Option<String>,
    #[serde(default)]
    where_connected: bool,
    mismatches: Option<String>,
    refutes: Option<String>,
    confirms: Option<String>,
    claim: Option<String>,
    #[serde(default)]
    subjects: BTreeMap<String, String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    when: Option<String>,
}

/// What there is to ask.
pub struct Connections<'a> {
    /// The canonical facts.
    pub shapes: &'a FactShapes,
    /// The operations of all connected sources.
    pub operations: &'a BTreeMap<OperationRef, OperationPromise>,
    /// Sources that matters may name although they are not connected.
    pub not_connected: &'a BTreeSet<Slug>,
}

/// Something wrong: the JSON Pointer within the claim, and what.
type Wrong = (String, String);

impl ClaimText {
    /// The claims that this one is built from, each with the index of its witness.
    pub fn parts(&self) -> impl Iterator<Item = (usize, ClaimRef)> {
        let claim = |(index, witness): (usize, &WitnessText)| Some((index, witness.claim.as_ref()?.parse().ok()?));
        self.witnesses.iter().enumerate().filter_map(claim)
    }

    /// Compiles and checks it. `claims` are those that it is built from.
    ///
    /// # Errors
    /// Everything that is wrong, each with its JSON Pointer within the claim.
    pub fn compile(
        &self,
        reference: ClaimRef,
        connections: &Connections<'_>,
        claims: &BTreeMap<ClaimRef, Arc<Claim>>,
    ) -> Result<Claim, Vec<Wrong>> {
        let mut loader = Loader {
            connections,
            wrong: Vec::new(),
            connected: Vec::new(),
            spoilt: BTreeSet::new(),
            sent: BTreeSet::new(),
        };
        let parameters = loader.parameters(&self.parameters);
        let kinds = parameters.iter().map(|parameter| (parameter.name.clone(), parameter.kind.value_type())).collect();
        let mut names = Names::new(self.roles.clone(), kinds);
        let outer = names.clone();
        let texts = loader.facts(&self.facts, &mut names);
        loader.definitions(&self.definitions, &mut names);
        let facts = loader.needs(&texts, &names);
        let mut connected = true;
        let mut parts = Vec::new();
        for (index, text) in self.witnesses.iter().enumerate() {
            let place = format!("/witnesses/{index}");
            match loader.part(text, &place, &names, &outer, &facts, claims) {
                Some(Ok(part)) => parts.push(part),
                Some(Err(NotConnected)) => connected &= text.where_connected,
                None => {}
            }
        }
        if loader.wrong.is_empty() {
            connected &= !parts.is_empty();
            let (roles, rule, sent) = (self.roles.clone(), self.rule, loader.sent);
            Ok(Claim { reference, roles, parameters, rule, facts, parts, connected, sent })
        } else {
            Err(loader.wrong)
        }
    }
}

/// The part needs a source that is not connected.
struct NotConnected;

struct Loader<'a> {
    connections: &'a Connections<'a>,
    wrong: Vec<Wrong>,
    /// For each fact, whether its source is connected.
    connected: Vec<bool>,
    /// Names whose own definition is wrong: what uses them would only repeat that.
    spoilt: BTreeSet<String>,
    /// Parameters that go to departments.
    sent: BTreeSet<String>,
}

impl Loader<'_> {
    /// Notes what is wrong with the value at `place`, if anything.
    fn keep<T>(&mut self, place: impl Into<String>, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.wrong.push((place.into(), message))).ok()
    }

    fn facts(&mut self, texts: &IndexMap<String, Json>, names: &mut Names) -> Vec<(String, NeedText, OperationRef)> {
        let mut facts = Vec::new();
        for (name, value) in texts {
            let place = format!("/facts/{name}");
            let text = serde_json::from_value::<NeedText>(value.clone()).map_err(|error| error.to_string());
            let Some(text) = self.keep(&*place, text) else {
                self.spoilt.insert(name.clone());
                continue;
            };
            if names.knows(name) {
                self.wrong.push((place.clone(), format!("\"{name}\" means something already")));
            }
            let found = self.operation(&text);
            let Some((operation, shape, connected)) = self.keep(format!("{place}/ask"), found) else {
                self.spoilt.insert(name.clone());
                continue;
            };
            self.sends(&format!("{place}/ask"), &operation, names);
            names.add_fact(name, facts.len(), shape);
            self.connected.push(connected);
            facts.push((name.clone(), text, operation));
        }
        facts
    }

    fn operation(&self, text: &NeedText) -> Result<(OperationRef, Arc<Shape>, bool), String> {
        let Connections { shapes, operations, not_connected } = self.connections;
        let parts =
            text.ask.split_once('.').and_then(|(source, name)| Some((source.parse().ok()?, name.parse().ok()?)));
        let (source, operation): (Slug, Slug) = parts.ok_or("name a source and its operation: \"source.operation\"")?;
        let operation = OperationRef { source, operation };
        let shape = |name: &str| shapes.shape(name).cloned().ok_or_else(|| unknown("fact", name, shapes.names()));
        if let Some(OperationPromise { fact, .. }) = operations.get(&operation) {
            if let Some(expected) = text.fact.as_deref().filter(|expected| *expected != fact.as_str()) {
                return Err(format!("{operation} answers with the fact \"{fact}\", not with \"{expected}\""));
            }
            return Ok((operation, shape(fact.as_str())?, true));
        }
        let is_connected = operations.keys().any(|known| known.source == operation.source);
        if !is_connected && not_connected.contains(&operation.source) {
            let fact = text.fact.as_deref().ok_or_else(|| {
                format!(
                    "the source \"{}\" is not connected; say with fact = \"…\" what it would answer",
                    operation.source
                )
            })?;
            return Ok((operation, shape(fact)?, false));
        }
        if !is_connected {
            let sources = operations.keys().map(|known| &known.source).chain(*not_connected).map(Slug::as_str);
            let what = unknown("source", operation.source.as_str(), sources);
            return Err(format!(
                "{what}. A source needs a file in config/sources, or an entry in not_connected of config/heyan.toml"
            ));
        }
        let known: Vec<String> = operations.keys().map(ToString::to_string).collect();
        Err(unknown("operation", &text.ask, known.iter().map(String::as_str)))
    }

    /// Notes the parameters that an operation's request holds: the claim must have them.
    fn sends(&mut self, place: &str, operation: &OperationRef, names: &Names) {
        for name in self.connections.operations.get(operation).into_iter().flat_map(|promise| &promise.parameters) {
            if names.parameter(name).is_none() && !self.spoilt.contains(name) {
                let what = format!("parameter of this claim, which the request of {operation} holds:");
                self.wrong.push((place.to_owned(), unknown(&what, name, names.parameters())));
            }
            self.sent.insert(name.clone());
        }
    }

    /// Whether a text uses no name whose own definition is wrong.
    fn is_sound(&self, text: &str) -> bool {
        !words(text).any(|word| self.spoilt.contains(word))
    }

    fn definitions(&mut self, texts: &IndexMap<String, Json>, names: &mut Names) {
        for (index, (name, text)) in texts.iter().enumerate() {
            let place = format!("/where/{name}");
            let text = text.as_str().unwrap_or_default();
            if names.knows(name) {
                self.wrong.push((place.clone(), format!("\"{name}\" means something already")));
            }
            let below =
                || texts.keys().skip(index).find(|below| !names.knows(below) && words(text).any(|word| word == *below));
            let compiled = match names.compile(text) {
                Err(_) if !self.is_sound(text) => None,
                Err(wrong) => {
                    let wrong =
                        below().map_or(wrong, |below| format!("\"{below}\" is defined below; move it above this"));
                    self.keep(place, Err(wrong))
                }
                compiled => self.keep(place, compiled),
            };
            match compiled {
                Some((expression, kind)) => names.define(name, expression, kind),
                None => drop(self.spoilt.insert(name.clone())),
            }
        }
    }

    fn needs(&mut self, texts: &[(String, NeedText, OperationRef)], names: &Names) -> Vec<Need> {
        let mut needs = Vec::new();
        for (name, text, operation) in texts {
            let place = format!("/facts/{name}");
            let of = match names.role(&text.of) {
                Some(role) => Whom::Role(role),
                None => {
                    let id_number = self.optional(&format!("{place}/of"), Some(&text.of), names, &Type::Text);
                    let Some(id_number) = id_number else { continue };
                    let name = self.optional(&format!("{place}/named"), text.named.as_deref(), names, &Type::Text);
                    Whom::Named { id_number, name }
                }
            };
            let when = self.optional(&format!("{place}/when"), text.when.as_deref(), names, &Type::Bool);
            let mut after = BTreeSet::new();
            let derived = match &of {
                Whom::Role(_) => [None, None],
                Whom::Named { id_number, name } => [Some(id_number), name.as_ref()],
            };
            for expression in derived.into_iter().flatten().chain(when.as_ref()) {
                expression.facts(&mut after);
            }
            needs.push(Need { operation: operation.clone(), of, when, after: after.into_iter().collect() });
        }
        if needs.len() == texts.len() {
            for (index, (name, ..)) in texts.iter().enumerate() {
                if closure(&needs, &needs[index].after).contains(&index) {
                    self.wrong.push((format!("/facts/{name}"), "this fact waits for itself".to_owned()));
                }
            }
        }
        needs
    }

    fn optional(&mut self, place: &str, text: Option<&str>, names: &Names, kind: &Type) -> Option<Expression> {
        let text = text?;
        let compiled = names.compile_as(text, kind);
        if compiled.is_err() && !self.is_sound(text) { None } else { self.keep(place, compiled) }
    }

    fn part(
        &mut self,
        text: &WitnessText,
        place: &str,
        names: &Names,
        outer: &Names,
        needs: &[Need],
        claims: &BTreeMap<ClaimRef, Arc<Claim>>,
    ) -> Option<Result<Part, NotConnected>> {
        match (&text.source, &text.claim) {
            (Some(source), None) => self.witness(text, source, place, names, needs),
            (None, Some(claim)) => self.component(text, claim, place, outer, claims),
            _ => {
                self.wrong.push((place.to_owned(), "a witness names either a \"source\" or a \"claim\"".to_owned()));
                None
            }
        }
    }

    fn witness(
        &mut self,
        text: &WitnessText,
        source: &str,
        place: &str,
        names: &Names,
        needs: &[Need],
    ) -> Option<Result<Part, NotConnected>> {
        let [mismatches, refutes, confirms] =
            [("mismatches", &text.mismatches), ("refutes", &text.refutes), ("confirms", &text.confirms)]
                .map(|(key, text)| self.optional(&format!("{place}/{key}"), text.as_deref(), names, &Type::Bool));
        let mut facts = BTreeSet::new();
        for expression in [&mismatches, &refutes, &confirms].into_iter().flatten() {
            expression.facts(&mut facts);
        }
        let facts = closure(needs, &facts.into_iter().collect::<Vec<_>>());
        if facts.iter().any(|fact| !self.connected.get(*fact).copied().unwrap_or(true)) {
            return Some(Err(NotConnected));
        }
        let of_source = |fact: &usize| needs.get(*fact).is_some_and(|need| need.operation.source.as_str() == source);
        if self.wrong.is_empty() && !facts.iter().any(of_source) {
            let message = format!("this witness uses no fact of its source \"{source}\"");
            self.wrong.push((format!("{place}/source"), message));
        }
        let source = self.keep(format!("{place}/source"), source.parse::<Slug>().map_err(|error| error.to_string()))?;
        Some(Ok(Part::Witness(Witness { source, facts: facts.into_iter().collect(), mismatches, refutes, confirms })))
    }
}

/// The words of an expression.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_')
}

/// The facts, and all on which they wait.
fn closure(needs: &[Need], facts: &[usize]) -> BTreeSet<usize> {
    let mut closed = BTreeSet::new();
    let mut open = facts.to_vec();
    while let Some(fact) = open.pop() {
        if closed.insert(fact) {
            open.extend(needs.get(fact).into_iter().flat_map(|need| &need.after));
        }
    }
    closed
}
