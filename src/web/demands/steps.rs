//! A step of the follow-up is entered.

use askama::Template;
use axum::extract::{Path, State};

use super::super::form::ID;
use super::super::{App, Draft, Form, Page, PageError, Reply, Web, html, refused};
use super::{Reader, agency, find, note, options, past_day, today};
use crate::demands::{
    self, AnswerGist, Author, Channel, Entry, NoResult, Office, Refused, Step, StepKind, offered, standing,
};
use crate::desk::{Followed, KnownDemand, NewStep};
use crate::domain::ClosedList;
use crate::words::Words;

#[derive(Template)]
#[template(path = "demands-step.html", config = "src/web/askama.toml")]
struct StepPage {
    page: Page,
    draft: Draft,
    id: String,
    kind: &'static str,
    number: String,
    seen: usize,
    /// None where there is nothing to choose.
    choice: Option<Choice>,
    asks_to: bool,
    asks_day: bool,
    note_label: String,
    latest: String,
}

/// What is to be chosen.
struct Choice {
    name: &'static str,
    legend: String,
    options: Vec<(String, String)>,
}

/// `GET /demands/{id}/{step}`.
pub(super) async fn show(State(web): App, reader: Reader, Path((id, step)): Path<(String, String)>) -> Reply {
    let kind = StepKind::named(&step).ok_or(PageError::NotFound)?;
    let known = find(&web, &reader, &id).await?;
    let superior = known.demand.facts.demander.superior.as_ref();
    let to = superior.map(ToString::to_string).unwrap_or_default();
    let mut draft = Draft::of([("on", today(&web).to_string().as_str()), ("to", &to)]);
    if !offered(&known.history, reader.office()).contains(&kind) {
        let refusal = if kind == StepKind::Exposed && reader.office() == Office::Committee {
            Refused::SupervisorOnly
        } else {
            Refused::NotNow
        };
        draft.refuse("step", reader.words().text(told(refusal).1));
        return refused(&page(&web, &reader, &known, kind, draft));
    }
    html(&page(&web, &reader, &known, kind, draft))
}

/// `POST /demands/{id}/{step}`.
pub(super) async fn enter(
    State(web): App,
    reader: Reader,
    Path((id, step)): Path<(String, String)>,
    form: Form,
) -> Reply {
    let kind = StepKind::named(&step).ok_or(PageError::NotFound)?;
    let known = find(&web, &reader, &id).await?;
    let entry = match entry(&web, &reader, kind, &form) {
        Ok(entry) => entry,
        Err(draft) => return refused(&page(&web, &reader, &known, kind, draft)),
    };
    let seen = form.value("seen").parse().unwrap_or(usize::MAX);
    let new = NewStep { form: form.value(ID).to_owned(), seen, entry };
    let (demand, mut draft) = (known.demand.id, form.draft());
    // What a form enters, it enters once: the table knows its id.
    match web.front.desk.follow_up(demand, new, today(&web)).await? {
        Followed::Entered(_) => super::super::see_other(&format!("/demands/{demand}")),
        Followed::Gone => Err(PageError::NotFound),
        Followed::Moved => {
            draft.refuse("step", reader.words().text("demands.refused_moved"));
            let known = find(&web, &reader, &id).await?;
            refused(&page(&web, &reader, &known, kind, draft))
        }
        Followed::Refused(refusal) => {
            let (field, key) = told(refusal);
            draft.refuse(field, reader.words().text(key));
            refused(&page(&web, &reader, &known, kind, draft))
        }
    }
}

fn entry(web: &Web, reader: &Reader, kind: StepKind, form: &Form) -> Result<Entry, Draft> {
    let (words, today) = (reader.words(), today(web));
    let mut draft = form.draft();
    let mut wrong = |name: &str, key: &str| draft.refuse(name, words.text(key));
    let step = read_step(kind, form).map_err(|(name, key)| wrong(name, key)).ok();
    let on = match kind {
        StepKind::TakenBack => Some(today),
        _ => past_day(form.value("on"), today).map_err(|key| wrong("on", key)).ok(),
    };
    let note = note(form.value("note")).map_err(|key| wrong("note", key)).ok();
    if kind == StepKind::TakenBack && note == Some(None) {
        wrong("note", "demands.missing_why");
    }
    match (step, on, note) {
        (Some(step), Some(on), Some(note)) if !draft.is_wrong() => {
            let author = Author { user: reader.user(), office: reader.office() };
            Ok(Entry { step, on, author, at: web.api.gateway.clock.now(), note })
        }
        _ => Err(draft),
    }
}

/// The step that a form says; or which field lacks what.
fn read_step(kind: StepKind, form: &Form) -> Result<Step, (&'static str, &'static str)> {
    Ok(match kind {
        StepKind::LetterSent => {
            Step::LetterSent { to: agency(form.value("to"), "demands.missing_to").map_err(|key| ("to", key))? }
        }
        StepKind::Answered => {
            Step::Answered { gist: AnswerGist::named(form.value("gist")).ok_or(("gist", "demands.missing_gist"))? }
        }
        StepKind::Corrected => Step::Corrected,
        StepKind::Exposed => Step::Exposed {
            channel: Channel::named(form.value("channel")).ok_or(("channel", "demands.missing_channel"))?,
        },
        StepKind::Closed => {
            Step::Closed { why: NoResult::named(form.value("why")).ok_or(("why", "demands.missing_why_closed"))? }
        }
        StepKind::TakenBack => Step::TakenBack,
    })
}

/// Beside which field a refusal stands, and its words.
fn told(refused: Refused) -> (&'static str, &'static str) {
    match refused {
        Refused::NotNow => ("step", "demands.refused_not-now"),
        Refused::SupervisorOnly => ("step", "demands.refused_supervisor"),
        Refused::NotYours => ("step", "demands.refused_not-yours"),
        Refused::InFuture => ("on", "demands.day_to_come"),
        Refused::TooEarly => ("on", "demands.refused_too-early"),
        Refused::NeedsNote => ("note", "demands.missing_why"),
    }
}

fn page(web: &Web, reader: &Reader, known: &KnownDemand, kind: StepKind, draft: Draft) -> StepPage {
    let words = reader.words();
    let is_withdrawal = kind == StepKind::TakenBack && standing(&known.history).is_empty();
    let title =
        if is_withdrawal { "demands.step_withdraw".to_owned() } else { format!("demands.step_{}", kind.as_str()) };
    let note_label = if kind == StepKind::TakenBack { "demands.step_note_needed" } else { "demands.step_note" };
    StepPage {
        page: reader.page(&title).with(&draft),
        draft,
        id: known.demand.id.to_string(),
        kind: kind.as_str(),
        number: words.fill("demands.record_title", &[("number", &known.demand.number)]),
        seen: known.history.len(),
        choice: choice(words, kind),
        asks_to: kind == StepKind::LetterSent,
        asks_day: kind != StepKind::TakenBack,
        note_label: words.text(note_label).to_owned(),
        latest: today(web).to_string(),
    }
}

fn choice(words: &Words, kind: StepKind) -> Option<Choice> {
    let (name, options) = match kind {
        StepKind::Answered => ("gist", options::<demands::AnswerGist>(words, "demands.gist")),
        StepKind::Exposed => ("channel", options::<demands::Channel>(words, "demands.channel")),
        StepKind::Closed => ("why", options::<demands::NoResult>(words, "demands.why")),
        StepKind::LetterSent | StepKind::Corrected | StepKind::TakenBack => return None,
    };
    Some(Choice { name, legend: words.text(&format!("demands.{name}")).to_owned(), options })
}
