use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::compile::Names;
use super::super::expression::Expression;
use super::super::types::Type;
use super::super::{Claim, Component, ParameterDefault, Part, constant};
use super::{Loader, NotConnected, WitnessText};
use crate::diagnostic::unknown;
use crate::domain::ClaimRef;

impl Loader<'_> {
    /// A part of the claim that is a claim itself.
    pub(super) fn component(
        &mut self,
        text: &WitnessText,
        claim: &str,
        place: &str,
        names: &Names,
        claims: &BTreeMap<ClaimRef, Arc<Claim>>,
    ) -> Option<Result<Part, NotConnected>> {
        let known: Vec<String> = claims.keys().map(ToString::to_string).collect();
        let found = claim.parse().ok().and_then(|reference: ClaimRef| claims.get(&reference).cloned());
        let found = found.ok_or_else(|| unknown("claim", claim, known.iter().map(String::as_str)));
        let claim = self.keep(format!("{place}/claim"), found)?;
        let mut subjects = Vec::new();
        for role in &claim.roles {
            let ours = text.subjects.get(role).unwrap_or(role);
            let index = names
                .role(ours)
                .ok_or_else(|| format!("no role of this claim stands for \"{role}\" of {}", claim.reference));
            subjects.extend(self.keep(format!("{place}/subjects/{role}"), index));
        }
        for role in text.subjects.keys().filter(|role| !claim.roles.contains(role)) {
            let message = unknown("role", role, claim.roles.iter().map(String::as_str));
            self.wrong.push((format!("{place}/subjects/{role}"), message));
        }
        let mut parameters = Vec::new();
        for parameter in &claim.parameters {
            let given = text.parameters.get(&parameter.name).map(String::as_str);
            let compiled = match (given, &parameter.default) {
                (Some(text), _) => names.compile_as(text, &parameter.kind.value_type()),
                (None, Some(ParameterDefault::Today)) => Ok(Expression::Today),
                (None, Some(ParameterDefault::Value(value))) => {
                    constant(value).map(Expression::Constant).ok_or_else(|| "no value".to_owned())
                }
                (None, None) => {
                    Err(format!("the parameter \"{}\" of {} needs a value", parameter.name, claim.reference))
                }
            };
            let place = format!("{place}/parameters/{}", parameter.name);
            let is_sent = claim.sent.contains(&parameter.name);
            let compiled = match compiled {
                Ok(value) if is_sent => self.passed_on(&claim, &parameter.name, value, names),
                compiled => compiled,
            };
            parameters.extend(self.keep(place, compiled));
        }
        let when = self.optional(&format!("{place}/when"), text.when.as_deref(), names, &Type::Bool);
        if !claim.connected {
            return Some(Err(NotConnected));
        }
        Some(Ok(Part::Claim(Component { claim, subjects, parameters, when })))
    }

    /// A parameter that goes to a department, which is sent the request's own whatever stands here: so it must be that one.
    fn passed_on(&mut self, claim: &Claim, name: &str, value: Expression, names: &Names) -> Result<Expression, String> {
        self.sent.insert(name.to_owned());
        match value {
            Expression::Parameter(index) if Some(index) == names.parameter(name) => Ok(value),
            _ => Err(format!(
                "{} sends its parameter \"{name}\" to a department, as the request has it: this claim needs a parameter of \
                 that name, and here {name} = \"{name}\"",
                claim.reference
            )),
        }
    }
}
