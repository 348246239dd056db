//! One question of a checklist.

use askama::Template;
use axum::extract::{Path, State};

use super::super::demands::{matter_name, options, today};
use super::super::{App, Draft, Form, Page, PageError, Reply, Web, Worker, html, page as paged, refused, see_other};
use super::reading::{answered, read};
use super::{Found, address, circumstances, find, now};
use crate::desk::DeliberationDraft;
use crate::domain::ClosedList as _;
use crate::transition::{
    Checked, Circumstances, Finding, Form as Meeting, Need, Office, Precaution, Progress, Question, Resolution, Risk,
};
use crate::transition::{Scope, Verified, asked, progress};
use crate::words::Words;

#[derive(Template)]
#[template(path = "deliberations-question.html", config = "src/web/askama.toml")]
struct QuestionPage {
    page: Page,
    draft: Draft,
    id: String,
    question: &'static str,
    step: String,
    hint: String,
    article: String,
    matter: String,
    /// What can be chosen, where the question is one choice.
    options: Vec<(String, String)>,
    /// The forms and resolutions of a meeting; offices of a head.
    forms: Vec<(String, String)>,
    resolutions: Vec<(String, String)>,
    offices: Vec<(String, String)>,
    /// Said of a check that the system knows.
    linked: Option<String>,
    /// Where departments are asked, whose answer the system reads then.
    check_at: Option<String>,
    back: Option<String>,
    latest: String,
}

#[derive(Template)]
#[template(path = "deliberations-expired.html", config = "src/web/askama.toml")]
struct Expired {
    page: Page,
}

/// `GET /deliberations/{id}/{question}`.
pub(super) async fn show(State(web): App, worker: Worker, Path((id, question)): Path<(String, String)>) -> Reply {
    let question = Question::named(&question).ok_or(PageError::NotFound)?;
    let draft = match find(&web, &worker, &id).await? {
        Found::Draft(draft) => draft,
        Found::Decided(id) => return see_other(&format!("/deliberations/{id}")),
        Found::Nothing => return expired(&worker),
    };
    let circumstances = circumstances(&web, &draft.matter)?;
    // A question that is not asked yet, or not any more, leads to where the checklist is.
    if !asked(&draft.answers, progress(&draft.answers, circumstances).question()).contains(&question) {
        return see_other(&next(&draft, circumstances));
    }
    html(&page(&web, &worker, &draft, circumstances, question, answered(question, &draft.answers)))
}

/// `POST /deliberations/{id}/{question}`.
pub(super) async fn answer(
    State(web): App,
    worker: Worker,
    Path((id, question)): Path<(String, String)>,
    form: Form,
) -> Reply {
    let question = Question::named(&question).ok_or(PageError::NotFound)?;
    let mut draft = match find(&web, &worker, &id).await? {
        Found::Draft(draft) => draft,
        Found::Decided(id) => return see_other(&format!("/deliberations/{id}")),
        Found::Nothing => return expired(&worker),
    };
    let circumstances = circumstances(&web, &draft.matter)?;
    let mut typed = form.draft();
    if let Err(wrong) = read(question, &form, &mut draft.answers, circumstances.checkable, today(&web)) {
        let title = format!("deliberations.{}_title", question.as_str());
        let title = worker.words().text(&title);
        for (field, key) in wrong {
            // Where nothing was chosen of the only question of a page, the question is named.
            typed.refuse(field, worker.words().fill(key, &[("what", &title.trim_end_matches(['？', '?']))]));
        }
        return refused(&page(&web, &worker, &draft, circumstances, question, typed));
    }
    let place = next(&draft, circumstances);
    if !web.front.desk.answer_deliberation(draft.id, draft.answers, now(&web)).await? {
        return expired(&worker);
    }
    see_other(&place)
}

/// Tells that a checklist is gone.
pub(super) fn expired(worker: &Worker) -> Reply {
    paged(axum::http::StatusCode::NOT_FOUND, &Expired { page: worker.page("deliberations.expired_title") })
}

/// Where a checklist goes on.
fn next(draft: &DeliberationDraft, circumstances: Circumstances) -> String {
    match progress(&draft.answers, circumstances) {
        Progress::Ask(question) => address(draft.id, question),
        Progress::Decided(_) => format!("/deliberations/{}/decide", draft.id),
    }
}

fn page(
    web: &Web,
    worker: &Worker,
    draft: &DeliberationDraft,
    circumstances: Circumstances,
    question: Question,
    typed: Draft,
) -> QuestionPage {
    let (words, catalog) = (worker.words(), &web.api.gateway.catalog);
    let asked = asked(&draft.answers, progress(&draft.answers, circumstances).question());
    let at = asked.iter().position(|one| *one == question).unwrap_or_default();
    let back = at.checked_sub(1).and_then(|before| asked.get(before)).map(|before| address(draft.id, *before));
    let name = question.as_str();
    let linked = draft.answers.check.as_ref().filter(|_| question == Question::Check);
    let linked =
        linked.and_then(|check| check.verification).map(|id| words.fill("deliberations.check_linked", &[("id", &id)]));
    let is_to_ask = question == Question::Check && linked.is_none() && circumstances.checkable;
    QuestionPage {
        page: worker.page(&format!("deliberations.{name}_title")).with(&typed),
        draft: typed,
        id: draft.id.to_string(),
        question: name,
        step: words.fill("deliberations.step", &[("at", &(at + 1))]),
        hint: words.text(&format!("deliberations.{name}_hint")).to_owned(),
        article: words.fill("deliberations.article", &[("article", &question.article())]),
        matter: words
            .fill("deliberations.matter_is", &[("matter", &matter_name(catalog, words, draft.matter.as_str()))]),
        options: choices(words, question, draft, circumstances.checkable),
        forms: options::<Meeting>(words, "deliberations.deliberation_form"),
        resolutions: options::<Resolution>(words, "deliberations.deliberation_resolved"),
        offices: options::<Office>(words, "deliberations.signature_office"),
        linked,
        check_at: is_to_ask.then(|| format!("/matters/{}", draft.matter)),
        back,
        latest: today(web).to_string(),
    }
}

/// What can be chosen, where the question is one choice or several.
fn choices(words: &Words, question: Question, draft: &DeliberationDraft, checkable: bool) -> Vec<(String, String)> {
    let yes_or_no = |list: &str| {
        ["yes", "no"]
            .map(|word| (word.to_owned(), words.text(&format!("deliberations.{list}_{word}")).to_owned()))
            .into()
    };
    match question {
        Question::Need => options::<Need>(words, "deliberations.need"),
        Question::Papers => yes_or_no("papers"),
        Question::Duties => yes_or_no("duties"),
        Question::Check => {
            let known = draft.answers.check.filter(|check| check.verification.is_some());
            // What the system has read is not answered otherwise; without it, only what needs no proof is.
            let can_be_said = |finding: Finding| match known {
                Some(check) => check.finding == finding,
                None => Checked { finding, verification: None }.holds(checkable),
            };
            let all = options::<Finding>(words, "deliberations.check");
            all.into_iter().filter(|(value, _)| Finding::named(value).is_some_and(can_be_said)).collect()
        }
        Question::Verified => options::<Verified>(words, "deliberations.verified"),
        Question::Scope => options::<Scope>(words, "deliberations.scope"),
        Question::Risk => options::<Risk>(words, "deliberations.risk"),
        Question::Precautions => {
            let mut all = options::<Precaution>(words, "deliberations.precautions");
            all.push(("none".to_owned(), words.text("deliberations.precautions_none").to_owned()));
            all
        }
        Question::Deliberation | Question::Signature => Vec::new(),
    }
}
