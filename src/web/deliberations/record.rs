//! The answers are looked through, become a record, and are reviewed.

use askama::Template;
use axum::extract::{Path, State};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::super::demands::{Reader, matter_name, note, options};
use super::super::form::ID;
use super::super::paper::Sheet;
use super::super::{App, Draft, Form, Page, PageError, Reply, Supervisor, Web, Worker};
use super::super::{html, pdf, refused, see_other};
use super::paper::written;
use super::questions::expired;
use super::shown::{Answered, Conclusion, answers, conclusion};
use super::{Found, address, circumstances, find, now};
use crate::desk::{DeliberationDraft, KnownDeliberation};
use crate::domain::ClosedList as _;
use crate::transition::{Answers, Progress, Review, Verdict, progress};

#[derive(Template)]
#[template(path = "deliberations-decide.html", config = "src/web/askama.toml")]
struct Look {
    page: Page,
    id: String,
    matter: String,
    answers: Vec<Answered>,
    conclusion: Conclusion,
    seen: String,
    /// Where answers are changed.
    change: String,
}

/// `GET /deliberations/{id}/decide`: the answers, before they become a record.
pub(super) async fn look(State(web): App, worker: Worker, Path(id): Path<String>) -> Reply {
    match find(&web, &worker, &id).await? {
        Found::Draft(draft) => shown(&web, &worker, &draft),
        Found::Decided(id) => see_other(&format!("/deliberations/{id}")),
        Found::Nothing => expired(&worker),
    }
}

fn shown(web: &Web, worker: &Worker, draft: &DeliberationDraft) -> Reply {
    let (words, catalog) = (worker.words(), &web.api.gateway.catalog);
    let decision = match progress(&draft.answers, circumstances(web, &draft.matter)?) {
        Progress::Ask(question) => return see_other(&address(draft.id, question)),
        Progress::Decided(decision) => decision,
    };
    html(&Look {
        page: worker.page("deliberations.review_title"),
        id: draft.id.to_string(),
        matter: matter_name(catalog, words, draft.matter.as_str()),
        answers: answers(words, &draft.answers, &decision),
        conclusion: conclusion(catalog, words, &draft.matter, &draft.answers, &decision),
        seen: digest(&draft.answers)?,
        change: format!("/deliberations/{}", draft.id),
    })
}

/// `POST /deliberations/{id}/decide`: makes the record, of the answers that the page has shown.
pub(super) async fn decide(State(web): App, worker: Worker, Path(id): Path<String>, form: Form) -> Reply {
    let draft = match find(&web, &worker, &id).await? {
        Found::Draft(draft) => draft,
        // Twice is once.
        Found::Decided(id) => return see_other(&format!("/deliberations/{id}")),
        Found::Nothing => return expired(&worker),
    };
    let circumstances = circumstances(&web, &draft.matter)?;
    let decision = match progress(&draft.answers, circumstances) {
        Progress::Ask(question) => return see_other(&address(draft.id, question)),
        Progress::Decided(decision) => decision,
    };
    // Another tab has changed an answer since: the worker looks again.
    if form.value("seen") != digest(&draft.answers)? {
        return shown(&web, &worker, &draft);
    }
    let id = draft.id;
    form.once(async move {
        let is_there = web.front.desk.decide_deliberation(*draft, circumstances.checkable, decision, now(&web)).await?;
        let place = if is_there { format!("/deliberations/{id}") } else { format!("/deliberations/{id}/decide") };
        Ok(place)
    })
    .await
}

fn digest(answers: &Answers) -> Result<String, PageError> {
    let text = serde_json::to_vec(answers).map_err(|_| PageError::Broken)?;
    Ok(URL_SAFE_NO_PAD.encode(Sha256::digest(text)))
}

#[derive(Template)]
#[template(path = "deliberations-record.html", config = "src/web/askama.toml")]
struct Record {
    page: Page,
    draft: Draft,
    id: String,
    sheet: Sheet,
    /// Where to go on: address and text.
    links: Vec<(String, String)>,
    verdicts: Vec<(String, String)>,
    may_review: bool,
}

/// `GET /deliberations/{id}`.
pub(super) async fn record(State(web): App, reader: Reader, Path(id): Path<String>) -> Reply {
    let known = known(&web, &reader, &id).await?;
    html(&page(&web, &reader, &known, Draft::default()))
}

/// `POST /deliberations/{id}/record.pdf`.
pub(super) async fn printed(State(web): App, reader: Reader, Path(id): Path<String>, _form: Form) -> Reply {
    let known = known(&web, &reader, &id).await?;
    pdf(written(&web, reader.words(), &known).pdf(), "attachment; filename=\"jilu.pdf\"")
}

/// A record that the reader may see. Another committee's is nowhere.
async fn known(web: &Web, reader: &Reader, id: &str) -> Result<KnownDeliberation, PageError> {
    let id = id.parse::<Uuid>().map_err(|_| PageError::NotFound)?;
    let known = web.front.desk.deliberation(id).await?.ok_or(PageError::NotFound)?;
    if reader.sees(&known.committee) { Ok(known) } else { Err(PageError::NotFound) }
}

fn page(web: &Web, reader: &Reader, known: &KnownDeliberation, draft: Draft) -> Record {
    let words = reader.words();
    let title = words.fill("deliberations.record_title", &[("number", &known.number)]);
    let may_review = reader.committee.is_none();
    let conclusion = conclusion(&web.api.gateway.catalog, words, &known.matter, &known.answers, &known.decision);
    Record {
        page: reader.page("deliberations.title").titled(title).with(&draft),
        draft,
        id: known.id.to_string(),
        sheet: written(web, words, known).into(),
        // A supervisor looks at it, and goes nowhere for it.
        links: if may_review { Vec::new() } else { conclusion.links },
        verdicts: options::<Verdict>(words, "deliberations.verdict"),
        may_review,
    }
}

/// `POST /deliberations/{id}/review`: a supervisor says what to make of it.
pub(super) async fn review(
    State(web): App,
    supervisor: Supervisor,
    reader: Reader,
    Path(id): Path<String>,
    form: Form,
) -> Reply {
    let known = known(&web, &reader, &id).await?;
    let words = reader.words();
    let mut draft = form.draft();
    let verdict = Verdict::named(form.value("verdict"));
    if verdict.is_none() {
        let what = words.text("deliberations.verdict");
        draft.refuse("verdict", words.fill("deliberations.missing", &[("what", &what)]));
    }
    let note = note(form.value("note")).map_err(|key| draft.refuse("note", words.text(key))).ok();
    if verdict == Some(Verdict::Objection) && note == Some(None) {
        draft.refuse("note", words.text("demands.missing_why"));
    }
    let (Some(verdict), Some(note), false) = (verdict, note, draft.is_wrong()) else {
        return refused(&page(&web, &reader, &known, draft));
    };
    let user = supervisor.account().user.as_str().to_owned();
    let (review, id, form_id) = (Review { user, at: now(&web), verdict, note }, known.id, form.value(ID).to_owned());
    form.once(async move {
        let is_there = web.front.desk.review_deliberation(id, form_id, review).await?;
        if is_there { Ok(format!("/deliberations/{id}")) } else { Err(PageError::NotFound) }
    })
    .await
}
