//! Answers and conclusions, as they are shown.

use super::super::demands::day_shown;
use crate::domain::{ClosedList, Slug};
use crate::matters::Catalog;
use crate::transition::{Answers, Decision, Deliberation, Question, Signature, asked};
use crate::words::Words;

/// A question that was asked, with its answer.
pub(super) struct Answered {
    pub(super) question: &'static str,
    pub(super) title: String,
    pub(super) lines: Vec<String>,
    pub(super) article: &'static str,
}

/// A conclusion.
pub(super) struct Conclusion {
    pub(super) may: bool,
    /// Why.
    pub(super) reasons: Vec<String>,
    /// What to keep to, where the committee may act; what to do instead, where it may not.
    pub(super) then: Vec<String>,
    /// Where to go on: address and text.
    pub(super) links: Vec<(String, String)>,
}

/// Every question that these answers led through.
pub(super) fn answers(words: &Words, answers: &Answers, decision: &Decision) -> Vec<Answered> {
    let row = |question: Question| Answered {
        question: question.as_str(),
        title: words.text(&format!("deliberations.{}_title", question.as_str())).to_owned(),
        lines: lines(words, question, answers),
        article: question.article(),
    };
    asked(answers, decision.question()).into_iter().map(row).collect()
}

fn lines(words: &Words, question: Question, answers: &Answers) -> Vec<String> {
    let text = |name: &str| words.text(&format!("deliberations.{}_{name}", question.as_str())).to_owned();
    let yes_or_no = |answer: Option<bool>| answer.map(|yes| text(if yes { "yes" } else { "no" })).into_iter().collect();
    let one = |name: Option<&'static str>| name.map(text).into_iter().collect();
    match question {
        Question::Need => one(answers.need.map(ClosedList::as_str)),
        Question::Papers => yes_or_no(answers.papers_prove_it),
        Question::Duties => yes_or_no(answers.own_duty),
        Question::Check => {
            let mut lines: Vec<String> = one(answers.check.map(|check| check.finding.as_str()));
            let linked = answers.check.and_then(|check| check.verification);
            lines.extend(linked.map(|id| words.fill("deliberations.check_linked", &[("id", &id)])));
            lines
        }
        Question::Verified => one(answers.verified.map(ClosedList::as_str)),
        Question::Scope => one(answers.scope.map(ClosedList::as_str)),
        Question::Risk => {
            let mut lines: Vec<String> = one(answers.risk.map(ClosedList::as_str));
            lines.extend(answers.no_risk_because.as_ref().map(ToString::to_string));
            lines
        }
        Question::Deliberation => answers.deliberation.as_ref().map(|one| deliberation(words, one)).unwrap_or_default(),
        Question::Precautions => match &answers.precautions {
            Some(none) if none.is_empty() => vec![text("none")],
            some => some.iter().flatten().map(|one| text(one.as_str())).collect(),
        },
        Question::Signature => answers.signature.as_ref().map(|one| signature(words, one)).unwrap_or_default(),
    }
}

fn deliberation(words: &Words, meeting: &Deliberation) -> Vec<String> {
    let labelled =
        |key: &str, text: String| words.fill("deliberations.labelled", &[("label", &words.text(key)), ("text", &text)]);
    let word = |list: &str, name: &str| words.text(&format!("deliberations.deliberation_{list}_{name}")).to_owned();
    let mut lines = Vec::new();
    if meeting.present > 0 {
        lines.push(labelled("deliberations.deliberation_on", day_shown(words, meeting.on)));
        lines.push(labelled("deliberations.deliberation_form", word("form", meeting.form.as_str())));
        lines.push(labelled("deliberations.deliberation_present", meeting.present.to_string()));
        lines.push(labelled("deliberations.deliberation_agreed", meeting.agreed.to_string()));
    }
    lines.push(labelled("deliberations.deliberation_resolved", word("resolved", meeting.resolved.as_str())));
    lines.extend(meeting.note.as_ref().map(ToString::to_string));
    lines
}

fn signature(words: &Words, signature: &Signature) -> Vec<String> {
    let office = words.text(&format!("deliberations.signature_office_{}", signature.office.as_str())).to_owned();
    let labelled =
        |key: &str, text: &str| words.fill("deliberations.labelled", &[("label", &words.text(key)), ("text", &text)]);
    vec![
        labelled("deliberations.signature_signer", signature.signer.reveal()),
        labelled("deliberations.signature_office", &office),
        labelled("deliberations.signature_approver", signature.seal.approver().reveal()),
        labelled("deliberations.signature_keeper", signature.seal.keeper().reveal()),
    ]
}

/// What the answers came to, with what to do then.
pub(super) fn conclusion(
    catalog: &Catalog,
    words: &Words,
    matter: &Slug,
    answers: &Answers,
    decision: &Decision,
) -> Conclusion {
    let text = |list: &str, name: &str| words.text(&format!("deliberations.{list}_{name}")).to_owned();
    let authorities = catalog.matter(matter.as_str()).map(|matter| matter.text.authorities.join("、"));
    let authorities = authorities.unwrap_or_else(|| words.text("deliberations.authorities").to_owned());
    let told =
        |list: &str, name: &str| words.fill(&format!("deliberations.{list}_{name}"), &[("authorities", &authorities)]);
    match decision {
        Decision::May(grounds) => Conclusion {
            may: true,
            reasons: grounds.iter().map(|ground| text("ground", ground.as_str())).collect(),
            then: conditions(words, answers),
            links: Vec::new(),
        },
        Decision::MayNot(obstacle) => Conclusion {
            may: false,
            reasons: vec![told("obstacle", obstacle.as_str())],
            then: vec![told("instead", obstacle.as_str())],
            links: vec![
                (format!("/matters/{matter}"), words.text("deliberations.guidance_link").to_owned()),
                (format!("/demands/new?matter={matter}"), words.text("deliberations.demand_link").to_owned()),
            ],
        },
    }
}

fn conditions(words: &Words, answers: &Answers) -> Vec<String> {
    let mut conditions = vec![
        words.text("deliberations.may_condition_1").to_owned(),
        words.text("deliberations.may_condition_2").to_owned(),
    ];
    conditions.extend(answers.signature.as_ref().map(|signature| {
        let seal = &signature.seal;
        words.fill(
            "deliberations.may_condition_3",
            &[
                ("signer", &signature.signer.reveal()),
                ("approver", &seal.approver().reveal()),
                ("keeper", &seal.keeper().reveal()),
            ],
        )
    }));
    conditions
}
