//! The notice (告知单) that the resident takes along: what was demanded, what was checked or where to go instead. It is not a
//! certificate, and says so.

use askama::Template;
use axum::extract::{Path, RawQuery, State};

use super::answer::{Answer, draft_named, name_of};
use super::drafts::Demand;
use super::result::{Shown, find, witness};
use super::search::{draft, gone};
use super::view::{self, Look};
use super::{is_english, now};
use crate::domain::Outcome;
use crate::web::{App, Page, PageError, Reply, Web, Worker, html};

#[derive(Template)]
#[template(path = "counter-notice.html", config = "src/web/askama.toml")]
struct NoticePage {
    page: Page,
    back: String,
    pdf: String,
    matter: String,
    demand: Demand,
    why: String,
    demander: String,
    finding: Option<Finding>,
    steps: Vec<String>,
    documents: Vec<(String, String)>,
    exceptions: Vec<String>,
    authorities: String,
    citation: String,
    committee: String,
    officer: String,
    at: String,
}

/// What was checked.
struct Finding {
    look: Look,
    question: String,
    about: Vec<(String, String)>,
    witnesses: Vec<(String, String)>,
    as_of: String,
    code: Option<String>,
}

/// `GET /matters/{id}/notice`.
pub(in crate::web) async fn of_matter(
    State(web): App,
    worker: Worker,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Reply {
    let matter = web.api.gateway.catalog.matter(&id).ok_or(PageError::NotFound)?;
    let found = draft_named(query.as_deref()).and_then(|id| draft(&web, &worker, id));
    let named = found.as_ref().map_or(String::new(), |(id, _)| format!("?draft={id}"));
    let demand = found.map(|(_, draft)| draft.demand).unwrap_or_default();
    let answer = Answer::of(&web, &worker, matter, by(&demand));
    let back = format!("/matters/{id}{named}");
    html(&written(&web, &worker, name_of(matter, &worker), answer, demand, None, &back))
}

/// `GET /results/{verification}/notice`.
pub(in crate::web) async fn of_result(State(web): App, worker: Worker, Path(id): Path<String>) -> Reply {
    let Some(shown) = find(&web, &worker, &id).await? else { return gone(&worker) };
    if shown.verification.outcome == Outcome::Pending {
        return crate::web::see_other(&format!("/results/{}", shown.verification.id));
    }
    let demand = shown.open.as_ref().map(|(_, draft)| draft.demand.clone()).unwrap_or_default();
    let answer = Answer::of(&web, &worker, shown.matter, by(&demand));
    let back = format!("/results/{}", shown.verification.id);
    let name = name_of(shown.matter, &worker);
    let finding = finding(&web, &worker, &shown);
    html(&written(&web, &worker, name, answer, demand, Some(finding), &back))
}

/// Where the same is a PDF.
fn pdf_of(place: &str) -> String {
    match place.split_once('?') {
        Some((path, query)) => format!("{path}/notice.pdf?{query}"),
        None => format!("{place}/notice.pdf"),
    }
}

fn by(demand: &Demand) -> Option<&str> {
    Some(demand.by.as_str()).filter(|by| !by.is_empty())
}

fn finding(web: &Web, worker: &Worker, shown: &Shown<'_>) -> Finding {
    let verification = &shown.verification;
    Finding {
        look: view::outcome(verification.outcome),
        question: shown.entry.words.question(&shown.entry.name, is_english(worker)).to_owned(),
        about: shown.about(web, worker, false),
        witnesses: verification.witnesses.iter().map(|report| witness(web, worker, report)).collect(),
        as_of: view::moment(verification.as_of, is_english(worker)),
        code: shown.code(),
    }
}

fn written(
    web: &Web,
    worker: &Worker,
    matter: String,
    answer: Answer,
    demand: Demand,
    finding: Option<Finding>,
    back: &str,
) -> NoticePage {
    // Whoever is confirmed needs no other way.
    let is_needed = finding.as_ref().is_none_or(|finding| finding.look != view::outcome(Outcome::Confirmed));
    NoticePage {
        page: worker.page("counter.notice_title"),
        pdf: pdf_of(back),
        back: back.to_owned(),
        matter,
        demand,
        why: answer.why,
        demander: answer.demander,
        finding,
        steps: if is_needed { answer.steps } else { Vec::new() },
        documents: if is_needed { answer.documents } else { Vec::new() },
        exceptions: if is_needed { answer.exceptions } else { Vec::new() },
        authorities: answer.authorities,
        citation: answer.citation,
        committee: worker.agency.name.clone(),
        officer: worker.account().name.clone(),
        at: view::moment(now(web), is_english(worker)),
    }
}
