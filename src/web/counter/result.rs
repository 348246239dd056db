//! What came of a question, and of those of the last hour.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use uuid::Uuid;

use super::answer::name_of;
use super::check::Open;
use super::drafts::Draft;
use super::search::gone;
use super::view::{self, Look};
use super::{is_english, now};
use crate::claims::WitnessReport;
use crate::counter::{self, Field};
use crate::domain::{Answer, ClaimRef, Outcome, Slug};
use crate::gateway::Verification;
use crate::matters::{ClaimEntry, Matter};
use crate::web::memory::User;
use crate::web::{App, Page, PageError, Reply, Visit, Web, Worker, html};

/// A verification with everything that its pages need.
pub(super) struct Shown<'a> {
    pub(super) verification: Arc<Verification>,
    pub(super) matter: &'a Matter,
    pub(super) entry: &'a ClaimEntry,
    /// What was typed, while it is kept.
    pub(super) open: Option<(Uuid, Draft)>,
}

#[derive(Template)]
#[template(path = "counter-result.html", config = "src/web/askama.toml")]
struct ResultPage {
    page: Page,
    look: Look,
    /// What to do now.
    advice: String,
    id: String,
    outcome: &'static str,
    question: String,
    matter: String,
    matter_name: String,
    /// Who demanded it, where that was said.
    by: String,
    about: Vec<(String, String)>,
    witnesses: Vec<(String, String)>,
    as_of: String,
    again_at: Option<String>,
    code: Option<String>,
    draft_id: Option<String>,
    /// What to do instead, where the fact is not confirmed.
    steps: Vec<String>,
    documents: Vec<(String, String)>,
    exceptions: Vec<String>,
    /// Whether it is worth asking the same again.
    can_ask_again: bool,
    /// Whether what was typed may be wrong.
    can_correct: bool,
    claim: String,
}

#[derive(Template)]
#[template(path = "counter-results.html", config = "src/web/askama.toml")]
struct Results {
    page: Page,
    rows: Vec<Line>,
}

/// A verification in the list.
struct Line {
    id: String,
    time: String,
    matter: String,
    question: String,
    look: Look,
    code: String,
}

/// `GET /results/{verification}`.
pub(in crate::web) async fn show(State(web): App, worker: Worker, Path(id): Path<String>) -> Reply {
    let Some(shown) = find(&web, &worker, &id).await? else { return gone(&worker) };
    let (words, english, verification) = (worker.words(), is_english(&worker), &shown.verification);
    let outcome = verification.outcome;
    let look = view::outcome(outcome);
    let text = &shown.matter.text;
    // Whoever is confirmed needs no other way, and where records say otherwise none helps; whoever waits may take one.
    let needs_ways = !matches!(outcome, Outcome::Confirmed | Outcome::Refuted);
    let steps = if english { &text.english.guidance } else { &text.guidance };
    let documents = text.documents.iter().map(|document| (document.name.clone(), document.reissued_by.clone()));
    html(&ResultPage {
        page: worker.page(look.headline),
        look,
        advice: words.fill(look.advice, &[("departments", &shown.departments(&web).join("、"))]),
        id: verification.id.to_string(),
        outcome: outcome.as_str(),
        question: shown.entry.words.question(&shown.entry.name, english).to_owned(),
        matter: shown.matter.id.to_string(),
        matter_name: name_of(shown.matter, &worker),
        by: shown.open.as_ref().map(|(_, draft)| draft.demand.by.clone()).unwrap_or_default(),
        about: shown.about(&web, &worker, true),
        witnesses: verification.witnesses.iter().map(|report| witness(&web, &worker, outcome, report)).collect(),
        as_of: view::moment(verification.as_of, english),
        again_at: verification
            .again
            .map(|again| words.fill("counter.pending_again", &[("time", &view::moment(again, english))])),
        code: shown.code(),
        draft_id: shown.open.as_ref().map(|(id, _)| id.to_string()),
        steps: if needs_ways { steps.clone() } else { Vec::new() },
        documents: if needs_ways { documents.collect() } else { Vec::new() },
        exceptions: if needs_ways { text.exceptions.clone() } else { Vec::new() },
        can_ask_again: matches!(outcome, Outcome::Unavailable | Outcome::Conflict),
        can_correct: matches!(outcome, Outcome::Mismatch | Outcome::NoRecord | Outcome::Refuted),
        claim: verification.claim.to_string(),
    })
}

/// `GET /results`.
pub(in crate::web) async fn list(State(web): App, worker: Worker) -> Reply {
    let mut rows = Vec::new();
    for done in web.front.counter.hour.of(&worker.account().user, now(&web)) {
        // What is not kept any more is not listed.
        if let Some(shown) = look_up(&web, &worker, done.verification).await? {
            rows.push(Line {
                id: done.verification.to_string(),
                time: view::time_of_day(done.at),
                matter: name_of(shown.matter, &worker),
                question: shown.entry.words.question(&shown.entry.name, is_english(&worker)).to_owned(),
                look: view::outcome(shown.verification.outcome),
                code: shown.code().unwrap_or_default(),
            });
        }
    }
    html(&Results { page: worker.page("counter.results_title"), rows })
}

/// The verification of an address, if this worker has asked it within the last hour.
pub(super) async fn find<'a>(web: &'a Web, worker: &Worker, id: &str) -> Result<Option<Shown<'a>>, PageError> {
    let Ok(id) = id.parse::<Uuid>() else { return Ok(None) };
    match web.front.counter.hour.find(&worker.account().user, id, now(web)) {
        Some(done) => look_up(web, worker, done.verification).await,
        None => Ok(None),
    }
}

async fn look_up<'a>(web: &'a Web, worker: &Worker, id: Uuid) -> Result<Option<Shown<'a>>, PageError> {
    let found = web.api.gateway.find(id, &worker.agency.id).await.map_err(|_| PageError::Unavailable)?;
    let Some(verification) = found else { return Ok(None) };
    let Some((matter, entry)) = entry(web, &verification.claim) else { return Ok(None) };
    let open = web.front.counter.drafts.find_by(&User::of(worker), now(web), |draft| draft.verification() == Some(id));
    Ok(Some(Shown { verification, matter, entry, open }))
}

fn entry<'a>(web: &'a Web, claim: &ClaimRef) -> Option<(&'a Matter, &'a ClaimEntry)> {
    let matter = web.api.gateway.catalog.matter(claim.matter.as_str())?;
    Some((matter, matter.claims.iter().find(|entry| entry.claim.reference() == claim)?))
}

impl Shown<'_> {
    /// The receipt's short code, once there is a receipt.
    pub(super) fn code(&self) -> Option<String> {
        self.verification.receipt_code.as_ref().map(ToString::to_string)
    }

    /// Whose records say otherwise: there they are corrected.
    pub(super) fn departments(&self, web: &Web) -> Vec<String> {
        let says_otherwise = |report: &&WitnessReport| report.answer == Answer::Refutes;
        let reports = self.verification.witnesses.iter().filter(says_otherwise);
        let mut names: Vec<String> = Vec::new();
        for name in reports.map(|report| source_name(web, &report.source)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        // A question may have been settled by what none of them said alone.
        if names.is_empty() { self.matter.text.authorities.clone() } else { names }
    }

    /// What was asked, while it is kept: each with its label. Of ID numbers the ends alone.
    pub(super) fn about(&self, web: &Web, worker: &Worker, with_basis: bool) -> Vec<(String, String)> {
        let Some((id, draft)) = &self.open else { return Vec::new() };
        let Some(open) = Open::of(web, worker, *id, draft.clone()) else { return Vec::new() };
        let mut about = Vec::new();
        for field in open.form.steps().iter().flat_map(|step| open.form.fields(*step)) {
            if open.is_idle(field) || (!with_basis && field == Field::Basis) {
                continue;
            }
            let value = match field {
                Field::Number(_) => counter::id_number(open.check.typed.text(field)).map(|number| number.to_string()),
                _ => Ok(open.value(field, web, worker)),
            };
            about.extend(value.ok().map(|value| (open.label(field, worker), value)));
        }
        about
    }
}

/// What a department said, in plain words; what it has on record stays there.
fn witness(web: &Web, visit: &Visit, outcome: Outcome, report: &WitnessReport) -> (String, String) {
    let said = visit.words().text(view::witness(outcome, report.answer, report.cause));
    (source_name(web, &report.source), said.to_owned())
}

fn source_name(web: &Web, source: &Slug) -> String {
    let known = web.api.shared.sources.iter().find(|known| known.id == *source);
    known.and_then(|known| known.name.clone()).unwrap_or_else(|| source.to_string())
}
