//! One record: what it says, what was done, and what can be done next.

use askama::Template;
use axum::extract::{Path, State};

use super::super::{App, Page, Reply, html};
use super::{Reader, committee_name, day_shown, find, moment_shown, state_shown, subject_name};
use crate::demands::{self, Entry, Office, Step, StepKind, Subject, offered, standing, state};
use crate::desk::KnownDemand;
use crate::domain::ClosedList;
use crate::words::Words;

#[derive(Template)]
#[template(path = "demands-record.html", config = "src/web/askama.toml")]
struct Record {
    page: Page,
    id: String,
    state: String,
    class: &'static str,
    /// Label and text.
    facts: Vec<(String, String)>,
    history: Vec<Done>,
    /// What can be entered now: the path's last part, and the text.
    next: Vec<(&'static str, String)>,
    /// What takes the last step back, apart from the others.
    back: Option<String>,
    is_new: bool,
    has_letter: bool,
}

/// An entry, as it is shown.
struct Done {
    what: String,
    when: String,
    who: String,
    note: Option<String>,
    is_taken: bool,
}

/// `GET /demands/{id}`.
pub(super) async fn record(State(web): App, reader: Reader, Path(id): Path<String>) -> Reply {
    let known = find(&web, &reader, &id).await?;
    let (words, now) = (reader.words(), state(&known.history));
    let (shown, class) = state_shown(words, now);
    let offered = offered(&known.history, reader.office());
    let text = |kind: &StepKind| words.text(&format!("demands.step_{}", kind.as_str())).to_owned();
    let next = offered.iter().filter(|kind| **kind != StepKind::TakenBack).map(|kind| (kind.as_str(), text(kind)));
    let back = offered.contains(&StepKind::TakenBack).then(|| {
        let is_first = standing(&known.history).is_empty();
        words.text(if is_first { "demands.step_withdraw" } else { "demands.step_taken-back" }).to_owned()
    });
    let title = words.fill("demands.record_title", &[("number", &known.demand.number)]);
    let facts = facts(&web, words, &known.demand);
    html(&Record {
        page: reader.page("demands.title").titled(title),
        id: known.demand.id.to_string(),
        state: shown,
        class,
        facts,
        next: next.collect(),
        back,
        is_new: known.history.is_empty() && reader.office() == Office::Committee,
        has_letter: now != demands::State::Withdrawn,
        history: history(words, &known),
    })
}

fn facts(web: &super::Web, words: &Words, demand: &demands::Demand) -> Vec<(String, String)> {
    let said = &demand.facts;
    let word = |key: String| words.text(&key).to_owned();
    let superior = said.demander.superior.as_ref();
    let superior = superior.map_or_else(|| word("demands.superior_unknown".to_owned()), ToString::to_string);
    let catalog = &web.api.gateway.catalog;
    let mut facts = vec![
        ("demands.agency", said.demander.name.to_string()),
        ("demands.kind", word(format!("demands.kind_{}", said.demander.kind.as_str()))),
        ("demands.level", word(format!("demands.level_{}", said.demander.level.as_str()))),
        ("demands.superior_short", superior),
        ("demands.matter", subject_name(catalog, words, &said.subject)),
        ("demands.on", day_shown(words, said.on)),
        ("demands.said", word(format!("demands.said_{}", said.said.as_str()))),
    ];
    facts.extend(said.note.as_ref().map(|note| ("demands.note_short", note.to_string())));
    // What no list names is against the articles that forbid any such demand, and against nothing else.
    let articles = words.text("demands.basis_text");
    let basis = match said.subject {
        Subject::Matter(_) => format!("{}；{articles}", said.basis),
        Subject::Unlisted => articles.to_owned(),
    };
    facts.push(("demands.basis", basis));
    facts.push(("demands.committee", committee_name(web, &demand.committee)));
    facts.push(("demands.recorded_by", demand.worker.clone()));
    facts.push(("demands.recorded_at", moment_shown(words, demand.recorded)));
    facts.into_iter().map(|(key, text)| (words.text(key).to_owned(), text)).collect()
}

fn history(words: &Words, known: &KnownDemand) -> Vec<Done> {
    let standing = standing(&known.history);
    let who = |user: &str, office| {
        let key = if office == Office::Committee { "demands.by_committee" } else { "demands.by_supervisor" };
        words.fill(key, &[("user", &user)])
    };
    let first = Done {
        what: words.text("demands.history_recorded").to_owned(),
        when: moment_shown(words, known.demand.recorded),
        who: who(&known.demand.worker, Office::Committee),
        note: None,
        is_taken: false,
    };
    let is_withdrawn = state(&known.history) == demands::State::Withdrawn;
    let done = |(at, entry): (usize, &Entry)| {
        let is_last = at + 1 == known.history.len();
        let is_back = entry.step == Step::TakenBack;
        Done {
            what: if is_back && is_last && is_withdrawn {
                words.text("demands.did_withdrawn").to_owned()
            } else {
                did(words, &entry.step)
            },
            when: day_shown(words, entry.on),
            who: who(&entry.author.user, entry.author.office),
            note: entry.note.as_ref().map(ToString::to_string),
            is_taken: !is_back && !standing.iter().any(|other| std::ptr::eq(*other, entry)),
        }
    };
    std::iter::once(first).chain(known.history.iter().enumerate().map(done)).collect()
}

/// What a step says, in one sentence.
fn did(words: &Words, step: &Step) -> String {
    let word = |list: &str, name: &str| words.text(&format!("demands.{list}_{name}")).to_owned();
    match step {
        Step::LetterSent { to } => words.fill("demands.did_letter-sent", &[("to", to)]),
        Step::Answered { gist } => words.fill("demands.did_answered", &[("gist", &word("gist", gist.as_str()))]),
        Step::Corrected => words.text("demands.did_corrected").to_owned(),
        Step::Exposed { channel } => {
            words.fill("demands.did_exposed", &[("channel", &word("channel", channel.as_str()))])
        }
        Step::Closed { why } => words.fill("demands.did_closed", &[("why", &word("why", why.as_str()))]),
        Step::TakenBack => words.text("demands.did_taken-back").to_owned(),
    }
}
