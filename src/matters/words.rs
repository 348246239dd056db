use std::collections::BTreeMap;

use serde::Deserialize;

use super::Bilingual;
use crate::claims::{Claim, ParameterKind};
use crate::diagnostic::unknown;

/// How a claim is asked at a counter, in the words of whoever stands there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimWords {
    /// The whole question: 这两个人现在是夫妻吗？
    question: Option<Bilingual<String>>,
    /// Who stands in each role: 老人.
    roles: BTreeMap<String, Bilingual<String>>,
    /// What is asked for each parameter.
    parameters: BTreeMap<String, ParameterWords>,
}

/// How a parameter is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterWords {
    /// The question: 要查哪一天？
    question: Bilingual<String>,
    /// What helps to answer it.
    hint: Option<Bilingual<String>>,
    /// Each word that may be chosen.
    #[serde(default)]
    values: BTreeMap<String, Bilingual<String>>,
}

/// What roles are called where a claim's file does not say it.
const ROLES: [(&str, &str, &str); 9] = [
    ("person", "当事人", "the person"),
    ("spouse", "配偶", "the spouse"),
    ("parent", "父亲或者母亲", "the father or mother"),
    ("child", "子女", "the child"),
    ("sibling", "兄弟姐妹", "the brother or sister"),
    ("other", "另一个人", "the other person"),
    ("heir", "继承人", "the heir"),
    ("decedent", "去世的人", "the person who died"),
    ("guardian", "监护人", "the guardian"),
];

impl ClaimWords {
    /// The whole question; where its file does not say it, `statement` is what is true if the claim is.
    #[must_use]
    pub fn question<'a>(&'a self, statement: &'a Bilingual<String>, english: bool) -> &'a str {
        self.question.as_ref().unwrap_or(statement).pick(english)
    }

    /// Who stands in a role.
    #[must_use]
    pub fn role<'a>(&'a self, role: &'a str, english: bool) -> &'a str {
        let usual = || {
            let (_, chinese, plain) = ROLES.iter().find(|(name, ..)| *name == role)?;
            Some(if english { *plain } else { *chinese })
        };
        self.roles.get(role).map(|words| words.pick(english).as_str()).or_else(usual).unwrap_or(role)
    }

    /// What is asked for a parameter.
    #[must_use]
    pub fn parameter<'a>(&'a self, parameter: &'a str, english: bool) -> &'a str {
        self.parameters.get(parameter).map_or(parameter, |words| words.question.pick(english))
    }

    /// What helps to answer that.
    #[must_use]
    pub fn hint(&self, parameter: &str, english: bool) -> Option<&str> {
        self.parameters.get(parameter)?.hint.as_ref().map(|hint| hint.pick(english).as_str())
    }

    /// A word that may be chosen.
    #[must_use]
    pub fn value<'a>(&'a self, parameter: &str, value: &'a str, english: bool) -> &'a str {
        let words = self.parameters.get(parameter).and_then(|words| words.values.get(value));
        words.map_or(value, |words| words.pick(english))
    }

    /// Whether every role, parameter and choice of the claim has words of its own.
    #[must_use]
    pub fn is_complete(&self, claim: &Claim) -> bool {
        let is_said = |kind: &ParameterKind, words: &ParameterWords| match kind {
            ParameterKind::Choice { values } => values.iter().all(|value| words.values.contains_key(value)),
            ParameterKind::Date
            | ParameterKind::Integer { .. }
            | ParameterKind::Text { .. }
            | ParameterKind::Division => true,
        };
        self.question.is_some()
            && claim.roles().iter().all(|role| self.roles.contains_key(role))
            && claim.parameters().iter().all(|parameter| {
                self.parameters.get(&parameter.name).is_some_and(|words| is_said(&parameter.kind, words))
            })
    }

    /// What it speaks of that the claim does not have: the JSON Pointer within the words, and what.
    pub(super) fn strangers(&self, claim: &Claim) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        let roles = || claim.roles().iter().map(String::as_str);
        for role in self.roles.keys().filter(|role| !claim.roles().contains(role)) {
            wrong.push((format!("/roles/{role}"), unknown("role of this claim", role, roles())));
        }
        for (name, words) in &self.parameters {
            let place = format!("/parameters/{name}");
            let Some(parameter) = claim.parameters().iter().find(|parameter| parameter.name == *name) else {
                let known = claim.parameters().iter().map(|parameter| parameter.name.as_str());
                wrong.push((place, unknown("parameter of this claim", name, known)));
                continue;
            };
            let values: &[String] = match &parameter.kind {
                ParameterKind::Choice { values } => values,
                ParameterKind::Date
                | ParameterKind::Integer { .. }
                | ParameterKind::Text { .. }
                | ParameterKind::Division => &[],
            };
            for value in words.values.keys().filter(|value| !values.contains(value)) {
                let known = values.iter().map(String::as_str);
                wrong.push((format!("{place}/values/{value}"), unknown("value of this parameter", value, known)));
            }
        }
        wrong
    }
}
