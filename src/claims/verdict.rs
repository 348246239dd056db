//! What the parts of a claim may still say, and what the claim may still come to.

use std::fmt;

use serde::Deserialize;

use crate::domain::Outcome;

/// What a part of a claim (a witness, or another claim) says once everything that it needs is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Confirms,
    Refutes,
    NoRecord,
    Mismatch,
    Conflict,
}

impl Verdict {
    pub(crate) const ALL: [Self; 5] = [Self::Confirms, Self::Refutes, Self::NoRecord, Self::Mismatch, Self::Conflict];

    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Confirms => Outcome::Confirmed,
            Self::Refutes => Outcome::Refuted,
            Self::NoRecord => Outcome::NoRecord,
            Self::Mismatch => Outcome::Mismatch,
            Self::Conflict => Outcome::Conflict,
        }
    }
}

/// The verdicts that are still possible.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Verdicts(u8);

impl Verdicts {
    pub(crate) fn only(verdict: Verdict) -> Self {
        Self(1 << verdict as u8)
    }

    pub(crate) fn with(self, verdict: Verdict) -> Self {
        Self(self.0 | Self::only(verdict).0)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Verdict> {
        Verdict::ALL.into_iter().filter(move |verdict| self.0 & Self::only(*verdict).0 != 0)
    }

    /// The verdict, if only one is left.
    pub(crate) fn settled(self) -> Option<Verdict> {
        let mut verdicts = self.iter();
        match (verdicts.next(), verdicts.next()) {
            (Some(verdict), None) => Some(verdict),
            _ => None,
        }
    }
}

impl fmt::Debug for Verdicts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<Verdict> for Verdicts {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        verdicts.into_iter().fold(Self::default(), Self::with)
    }
}

/// How the parts' verdicts become the claim's (规则).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// In order; the first that confirms or refutes decides.
    #[default]
    First,
    /// One that confirms is enough, unless another refutes: a conflict.
    Any,
    /// All must confirm; one that refutes is enough to refute.
    All,
}

impl Rule {
    /// What two neighbouring parts say together. Each rule is associative, so that a claim is the fold of its parts.
    fn join(self, left: Verdict, right: Verdict) -> Verdict {
        use Verdict::{Confirms, Conflict, Mismatch, NoRecord, Refutes};
        let strongest =
            |order: [Verdict; 5]| order.into_iter().find(|verdict| [left, right].contains(verdict)).unwrap_or(NoRecord);
        match self {
            Self::First if matches!(left, Confirms | Refutes | Conflict) => left,
            Self::First if matches!(right, Confirms | Refutes | Conflict) => right,
            Self::Any if matches!((left, right), (Confirms, Refutes) | (Refutes, Confirms)) => Conflict,
            Self::First | Self::Any => strongest([Conflict, Confirms, Refutes, Mismatch, NoRecord]),
            Self::All => strongest([Refutes, Conflict, Mismatch, NoRecord, Confirms]),
        }
    }

    /// What the claim may come to when each part may say one of its verdicts, independently of the others. A claim without
    /// parts has no record.
    pub(crate) fn combine(self, parts: impl IntoIterator<Item = Verdicts>) -> Verdicts {
        let joined = parts.into_iter().reduce(|left, right| {
            left.iter().flat_map(|left| right.iter().map(move |right| self.join(left, right))).collect()
        });
        joined.unwrap_or(Verdicts::only(Verdict::NoRecord))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules() -> impl Strategy<Value = Rule> {
        prop_oneof![Just(Rule::First), Just(Rule::Any), Just(Rule::All)]
    }

    fn verdicts() -> impl Strategy<Value = Verdict> {
        proptest::sample::select(Verdict::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn every_rule_is_associative(rule in rules(), a in verdicts(), b in verdicts(), c in verdicts()) {
            prop_assert_eq!(rule.join(rule.join(a, b), c), rule.join(a, rule.join(b, c)));
        }

        #[test]
        fn any_and_all_do_not_depend_on_order(all in any::<bool>(), a in verdicts(), b in verdicts()) {
            let rule = if all { Rule::All } else { Rule::Any };
            prop_assert_eq!(rule.join(a, b), rule.join(b, a));
        }

        /// The definitions of the contract, written out independently.
        #[test]
        fn rules_mean_what_the_contract_says(said in prop::collection::vec(verdicts(), 1..6)) {
            use Verdict::{Confirms, Conflict, Mismatch, NoRecord, Refutes};
            let said: Vec<_> = said.into_iter().map(|verdict| if verdict == Conflict { NoRecord } else { verdict }).collect();
            let has = |verdict| said.contains(&verdict);
            let neither = if has(Mismatch) { Mismatch } else { NoRecord };
            let first = said.iter().copied().find(|verdict| matches!(verdict, Confirms | Refutes)).unwrap_or(neither);
            let any = match (has(Confirms), has(Refutes)) {
                (true, true) => Conflict,
                (true, false) => Confirms,
                (false, true) => Refutes,
                (false, false) => neither,
            };
            let all = if has(Refutes) { Refutes } else if said.iter().all(|one| *one == Confirms) { Confirms } else { neither };
            for (rule, expected) in [(Rule::First, first), (Rule::Any, any), (Rule::All, all)] {
                let combined = rule.combine(said.iter().copied().map(Verdicts::only));
                prop_assert_eq!(combined, Verdicts::only(expected), "{:?} of {:?}", rule, said);
            }
        }
    }
}
