//! The record on paper: what was asked, what was answered, what that came to. The page shows it, and the PDF is made of it.

use super::super::demands::{committee_name, day_shown, is_english, matter_name, moment_shown};
use super::super::{Web, paper};
use super::now;
use super::shown::{Answered, answers, conclusion};
use crate::clock::day_of;
use crate::desk::KnownDeliberation;
use crate::domain::ClosedList as _;
use crate::papers::{Block, Finding, Paper, Weight};
use crate::transition::Review;
use crate::words::Words;

/// The record's paper.
pub(super) fn written(web: &Web, words: &Words, known: &KnownDeliberation) -> Paper {
    let text = |key: &str| words.text(&format!("deliberations.{key}")).to_owned();
    let title = words.fill("deliberations.record_title", &[("number", &known.number)]);
    let committee = committee_name(web, &known.committee);
    let language = paper::language(is_english(words));
    let mut paper = Paper::new(&*title, &*committee, language, now(web));
    paper.put(Block::Title(title));
    paper.put(Block::Panel(text("not_a_certificate")));
    paper.rows(facts(web, words, known));
    let space = if is_english(words) { " " } else { "" };
    let conclusion = conclusion(&web.api.gateway.catalog, words, &known.matter, &known.answers, &known.decision);
    paper.put(Block::Result(Finding {
        result: text(if conclusion.may { "may" } else { "may_not" }),
        meaning: conclusion.reasons.join(space),
        proof: None,
    }));
    paper.heading(&text(if conclusion.may { "may_conditions" } else { "instead" }));
    paper.steps(conclusion.then);
    paper.heading(&text("answers"));
    let answers = answers(words, &known.answers, &known.decision);
    paper.rows(answers.into_iter().map(|one| answered(words, one)).collect());
    paper.heading(&text("review"));
    if known.reviews.is_empty() {
        paper.text(Weight::Plain, text("review_none"));
    }
    // Where there is no room for all, the last ones count.
    paper.steps(known.reviews.iter().rev().map(|review| reviewed(words, review)).collect());
    paper.text(Weight::Strong, text("signature_line"));
    paper.put(Block::Signature(vec![committee, day_shown(words, day_of(known.decided))]));
    paper.foot(&text("record_foot"));
    paper
}

fn facts(web: &Web, words: &Words, known: &KnownDeliberation) -> Vec<(String, String)> {
    let facts = [
        ("deliberations.matter_label", matter_name(&web.api.gateway.catalog, words, known.matter.as_str())),
        ("demands.committee", committee_name(web, &known.committee)),
        ("deliberations.worker", known.worker.clone()),
        ("deliberations.decided", day_shown(words, day_of(known.decided))),
    ];
    facts.into_iter().map(|(key, value)| (words.text(key).to_owned(), value)).collect()
}

fn answered(words: &Words, one: Answered) -> (String, String) {
    let answer = one.lines.join(if is_english(words) { "; " } else { "；" });
    // The foot names the document.
    let article = one.article.strip_prefix(DOCUMENT).unwrap_or(one.article);
    let values: [(&str, &dyn std::fmt::Display); 2] = [("answer", &answer), ("article", &article)];
    (one.title, words.fill("deliberations.answered", &values))
}

/// What every article of the checklist begins with.
const DOCUMENT: &str = "辽民发〔2020〕52号 ";

fn reviewed(words: &Words, review: &Review) -> String {
    let verdict = words.text(&format!("deliberations.verdict_{}", review.verdict.as_str())).to_owned();
    let note = review.note.as_ref().map(|note| format!(" {note}")).unwrap_or_default();
    format!("{verdict}{note}（{} {}）", review.user, moment_shown(words, review.at))
}
