//! A claim with its subjects while answers come in: what each part may still say, and what it wants to know next.

use std::cell::OnceCell;
use std::sync::Arc;

use super::expression::{Constant, Expression, Truth, Value};
use super::inquiry::{Asked, Slot, State, WitnessReport};
use super::scope::{Knowledge, Scope, Subject, WorkedOut};
use super::verdict::{Rule, Verdict, Verdicts};
use super::{Claim, Part, Whom, Witness};
use crate::departments::OperationRef;
use crate::domain::{Answer, Person, Slug};

/// A claim with its subjects; its components are frames of their own.
#[derive(Debug)]
pub(super) struct Frame {
    claim: Arc<Claim>,
    subjects: Vec<Subject>,
    parameters: Vec<Constant>,
    needs: Vec<Step>,
    /// For each part of the claim that is a claim and is called for, its frame.
    components: Vec<Option<Frame>>,
    /// What each part may still say; `None` for one that is not called for. Worked out once, until something more is known.
    said: OnceCell<Vec<Option<Verdicts>>>,
}

/// How far a fact has come.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Nobody has wanted it, or whether and about whom is not known yet.
    Open,
    /// Not called for: as if there were no record.
    Skipped,
    Asked(usize),
}

impl Frame {
    pub(super) fn new(claim: Arc<Claim>, subjects: Vec<Subject>, parameters: Vec<Constant>, today: &str) -> Self {
        let scope =
            Scope { subjects: &subjects, parameters: &parameters, today, facts: &[], worked_out: WorkedOut::default() };
        let component = |part| match part {
            &Part::Witness(_) => None,
            Part::Claim(component) => {
                if component.when.as_ref().is_some_and(|when| when.truth(&scope) != Truth::True) {
                    return None;
                }
                let inner = component.subjects.iter().filter_map(|role| subjects.get(*role).cloned()).collect();
                let values = component.parameters.iter().map(|value| match value.value(&scope) {
                    Value::Bool(truth) => Constant::Bool(truth),
                    Value::Int(integer) => Constant::Int(integer),
                    Value::Text(text) => Constant::Text(text.into()),
                    // Only constants, parameters and subjects can stand here, and these always have a value.
                    Value::Unknown | Value::Undefined | Value::Record(_) | Value::List(_) => Constant::Text("".into()),
                });
                Some(Self::new(component.claim.clone(), inner, values.collect(), today))
            }
        };
        let components = claim.parts.iter().map(component).collect();
        let needs = vec![Step::Open; claim.facts.len()];
        Self { claim, subjects, parameters, needs, components, said: OnceCell::new() }
    }

    /// Something more is known.
    pub(super) fn learn(&mut self) {
        self.said.take();
        self.components.iter_mut().flatten().for_each(Self::learn);
    }

    pub(super) fn claim(&self) -> &Claim {
        &self.claim
    }

    /// What the claim may still come to.
    pub(super) fn verdicts(&self, asked: &Asked, today: &str) -> Verdicts {
        self.claim.rule.combine(self.said(asked, today).iter().flatten().copied())
    }

    fn said(&self, asked: &Asked, today: &str) -> &[Option<Verdicts>] {
        self.said.get_or_init(|| {
            let facts = self.knowledge(asked);
            let scope = self.scope(&facts, today);
            let parts = self.claim.parts.iter().zip(&self.components);
            parts
                .map(|(part, component)| match part {
                    Part::Witness(witness) => Some(witness.verdicts(&scope)),
                    Part::Claim(_) => component.as_ref().map(|frame| frame.verdicts(asked, today)),
                })
                .collect()
        })
    }

    fn knowledge<'a>(&self, asked: &'a Asked) -> Vec<Knowledge<'a>> {
        let known = |step: &Step| match step {
            Step::Open => Knowledge::Unknown,
            Step::Skipped => Knowledge::NoRecord,
            Step::Asked(slot) => match asked.state(*slot) {
                Some(State::Answered { fact, .. }) => {
                    fact.record.as_ref().map_or(Knowledge::NoRecord, Knowledge::Found)
                }
                Some(State::Awaited | State::Failed(_)) | None => Knowledge::Unknown,
            },
        };
        self.needs.iter().map(known).collect()
    }

    fn scope<'a>(&'a self, facts: &'a [Knowledge<'a>], today: &'a str) -> Scope<'a> {
        Scope { subjects: &self.subjects, parameters: &self.parameters, today, facts, worked_out: WorkedOut::default() }
    }

    /// Asks what is wanted now. Returns whether answers are awaited.
    pub(super) fn expand(&mut self, asked: &mut Asked, today: &str) -> bool {
        let claim = self.claim.clone();
        let mut awaited = false;
        for (index, part) in claim.parts.iter().enumerate() {
            let said = self.said(asked, today);
            if !matters(claim.rule, said, index) || !self.can_settle(said, asked) {
                continue;
            }
            let waits = match part {
                Part::Witness(witness) => {
                    while self.request(witness, asked, today) {}
                    self.awaits(witness, asked)
                }
                Part::Claim(_) => {
                    self.said.take();
                    let frame = self.components.get_mut(index).and_then(Option::as_mut);
                    frame.is_some_and(|frame| frame.expand(asked, today))
                }
            };
            awaited |= waits;
            if waits && claim.rule == Rule::First {
                break;
            }
        }
        awaited
    }

    /// Moves the open facts of a witness one step on, as far as what is known allows. Returns whether any moved.
    fn request(&mut self, witness: &Witness, asked: &mut Asked, today: &str) -> bool {
        let mut moved = false;
        for index in &witness.facts {
            if !matches!(self.needs.get(*index), Some(Step::Open)) {
                continue;
            }
            let next = {
                let facts = self.knowledge(asked);
                self.next_step(*index, &self.scope(&facts, today))
            };
            let step = match next {
                Next::Wait => Step::Open,
                Next::Skip => Step::Skipped,
                Next::Ask(operation, person) => Step::Asked(asked.ask(&operation, person)),
            };
            // A fact that is not called for is as good as known, and another part may have asked for this one before.
            let is_news = match step {
                Step::Open => false,
                Step::Skipped => true,
                Step::Asked(slot) => !matches!(asked.state(slot), Some(State::Awaited)),
            };
            if is_news {
                self.said.take();
            }
            if let Some(need) = self.needs.get_mut(*index) {
                moved |= !matches!(step, Step::Open);
                *need = step;
            }
        }
        moved
    }

    fn next_step<'a>(&'a self, index: usize, scope: &Scope<'a>) -> Next {
        let Some(need) = self.claim.facts.get(index) else { return Next::Skip };
        match need.when.as_ref().map_or(Truth::True, |when| when.truth(scope)) {
            Truth::Unknown => return Next::Wait,
            Truth::False => return Next::Skip,
            Truth::True => {}
        }
        let person = match &need.of {
            Whom::Role(role) => self.subjects.get(*role).map(|subject| subject.person.clone()),
            Whom::Named { id_number, name } => match id_number.value(scope) {
                Value::Unknown => return Next::Wait,
                Value::Text(text) => text.parse().ok().map(|id_number| Person {
                    id_number,
                    name: name.as_ref().and_then(|name| text_of(name, scope)).and_then(|name| name.parse().ok()),
                }),
                _ => None,
            },
        };
        person.map_or(Next::Skip, |person| Next::Ask(need.operation.clone(), person))
    }

    fn awaits(&self, witness: &Witness, asked: &Asked) -> bool {
        self.slots(witness).any(|slot| matches!(asked.state(slot), Some(State::Awaited)))
    }

    fn slots(&self, witness: &Witness) -> impl Iterator<Item = usize> {
        witness.facts.iter().filter_map(|fact| match self.needs.get(*fact) {
            Some(Step::Asked(slot)) => Some(*slot),
            _ => None,
        })
    }

    /// Whether the claim can still come to one verdict, given the parts that stay open because an answer could not be got.
    fn can_settle(&self, said: &[Option<Verdicts>], asked: &Asked) -> bool {
        let parts = self.claim.parts.iter().zip(&self.components).zip(said);
        let called: Vec<(Verdicts, bool)> = parts
            .filter_map(|((part, component), said)| {
                let stuck = match part {
                    Part::Witness(witness) => self.is_stuck(&witness.facts, asked),
                    Part::Claim(_) => component.as_ref().is_some_and(|frame| frame.has_stuck(asked)),
                };
                said.map(|said| (said, stuck))
            })
            .collect();
        called.iter().all(|(_, stuck)| !stuck) || settles(self.claim.rule, &called, &mut Vec::new())
    }

    fn has_stuck(&self, asked: &Asked) -> bool {
        let own = self.claim.parts.iter().any(|part| match part {
            Part::Witness(witness) => self.is_stuck(&witness.facts, asked),
            Part::Claim(_) => false,
        });
        own || self.components.iter().flatten().any(|frame| frame.has_stuck(asked))
    }

    /// Whether one of these facts could not be got, and no other will come.
    fn is_stuck(&self, facts: &[usize], asked: &Asked) -> bool {
        let mut failed = false;
        for fact in facts {
            match self.needs.get(*fact) {
                Some(Step::Asked(slot)) => match asked.state(*slot) {
                    Some(State::Failed(_)) => failed = true,
                    Some(State::Awaited) => return false,
                    Some(State::Answered { .. }) | None => {}
                },
                Some(Step::Open) => return false,
                Some(Step::Skipped) | None => {}
            }
        }
        failed
    }

    pub(super) fn report(&self, asked: &Asked, today: &str, reports: &mut Vec<WitnessReport>) {
        let parts = self.claim.parts.iter().zip(&self.components).zip(self.said(asked, today));
        for ((part, component), said) in parts {
            match (part, component) {
                (Part::Witness(witness), _) => {
                    self.report_witness(witness, said.and_then(Verdicts::settled), asked, reports);
                }
                (Part::Claim(_), Some(frame)) => frame.report(asked, today, reports),
                (Part::Claim(_), None) => {}
            }
        }
    }

    /// The sources of all its witnesses, each once, in the order of the claim.
    pub(super) fn sources(&self, sources: &mut Vec<Slug>) {
        for (part, component) in self.claim.parts.iter().zip(&self.components) {
            match (part, component) {
                (Part::Witness(witness), _) if !sources.contains(&witness.source) => {
                    sources.push(witness.source.clone());
                }
                (Part::Claim(_), Some(frame)) => frame.sources(sources),
                (Part::Witness(_) | Part::Claim(_), _) => {}
            }
        }
    }

    fn report_witness(
        &self,
        witness: &Witness,
        said: Option<Verdict>,
        asked: &Asked,
        reports: &mut Vec<WitnessReport>,
    ) {
        let slots: Vec<&Slot> = self.slots(witness).filter_map(|slot| asked.slots.get(slot)).collect();
        if slots.is_empty() {
            return;
        }
        let failed = slots.iter().find_map(|slot| match slot.state {
            State::Failed(cause) => Some((slot.operation.source.clone(), cause)),
            State::Awaited | State::Answered { .. } => None,
        });
        let awaited = slots.iter().any(|slot| matches!(slot.state, State::Awaited));
        let (source, answer, cause) = match (said, failed) {
            (Some(verdict), _) => match speaker(witness, &slots) {
                Some(source) => (source, answer_of(verdict), None),
                None => return,
            },
            (None, Some((source, cause))) => (source, Answer::Unavailable, Some(cause)),
            (None, None) if awaited => (witness.source.clone(), Answer::Pending, None),
            (None, None) => return,
        };
        let mut report = WitnessReport { source, answer, cause, as_of: None, cached: false, stale: false };
        for slot in slots.iter().filter(|slot| slot.operation.source == report.source) {
            if let State::Answered { fact, cached } = &slot.state {
                report.as_of = Some(report.as_of.map_or(fact.as_of, |as_of| as_of.min(fact.as_of)));
                report.cached |= cached;
                report.stale |= fact.stale;
            }
        }
        // Witnesses that rest on the same source alone may say the same.
        if !reports.contains(&report) {
            reports.push(report);
        }
    }
}

/// The source that a settled witness speaks for: its own if that has answered, else another one that was enough.
fn speaker(witness: &Witness, slots: &[&Slot]) -> Option<Slug> {
    let mut answered = slots.iter().filter(|slot| matches!(slot.state, State::Answered { .. }));
    let first = answered.clone().next()?;
    let own = answered.find(|slot| slot.operation.source == witness.source);
    Some(own.unwrap_or(first).operation.source.clone())
}

enum Next {
    Wait,
    Skip,
    Ask(OperationRef, Person),
}

impl Witness {
    /// What it may still say.
    fn verdicts<'a>(&'a self, scope: &Scope<'a>) -> Verdicts {
        let mut possible = Verdicts::default();
        for (expression, verdict) in [
            (&self.mismatches, Verdict::Mismatch),
            (&self.refutes, Verdict::Refutes),
            (&self.confirms, Verdict::Confirms),
        ] {
            match expression.as_ref().map_or(Truth::False, |expression| expression.truth(scope)) {
                Truth::True => return possible.with(verdict),
                Truth::Unknown => possible = possible.with(verdict),
                Truth::False => {}
            }
        }
        possible.with(Verdict::NoRecord)
    }
}

fn text_of<'a>(expression: &'a Expression, scope: &Scope<'a>) -> Option<&'a str> {
    match expression.value(scope) {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn answer_of(verdict: Verdict) -> Answer {
    match verdict {
        Verdict::Confirms => Answer::Confirms,
        Verdict::Refutes => Answer::Refutes,
        Verdict::NoRecord => Answer::NoRecord,
        Verdict::Mismatch | Verdict::Conflict => Answer::Mismatch,
    }
}

/// Whether what this part says can make a difference.
fn matters(rule: Rule, said: &[Option<Verdicts>], index: usize) -> bool {
    let Some(own) = said.get(index).copied().flatten() else { return false };
    let with = |verdict| {
        let only = |(place, said): (usize, &Option<Verdicts>)| {
            if place == index { Some(Verdicts::only(verdict)) } else { *said }
        };
        rule.combine(said.iter().enumerate().filter_map(only))
    };
    let mut results = own.iter().map(with);
    results.next().is_some_and(|first| results.any(|other| other != first))
}

/// Whether some choice of verdicts for the parts that are not stuck leaves one verdict for the claim.
fn settles(rule: Rule, parts: &[(Verdicts, bool)], chosen: &mut Vec<Verdicts>) -> bool {
    let Some((said, stuck)) = parts.get(chosen.len()) else {
        return rule.combine(chosen.iter().copied()).settled().is_some();
    };
    let choices: Vec<Verdicts> = if *stuck { vec![*said] } else { said.iter().map(Verdicts::only).collect() };
    choices.into_iter().any(|choice| {
        chosen.push(choice);
        let settled = settles(rule, parts, chosen);
        chosen.pop();
        settled
    })
}
