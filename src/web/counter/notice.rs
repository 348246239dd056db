//! The notice (告知单) that the resident takes along: what was demanded, what was checked or where to go instead. The page and the
//! PDF are made of the same paper. The PDF is sent for by a form, because it may hold what was typed, and is stored nowhere.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};

use super::answer::draft_named;
use super::check::Open;
use super::drafts;
use super::result::{Shown, find};
use super::search::{draft, gone};
use super::{is_english, now};
use crate::api::open_code;
use crate::counter::Field;
use crate::domain::{Outcome, Person};
use crate::papers::{Advice, Checked, Demand, Language, Notice, Paper, Slip, Subject, correction};
use crate::web::front::Cookies;
use crate::web::paper::{Sheet, language};
use crate::web::{App, Form, Page, PageError, Reply, Web, Worker, html, pdf};

#[derive(Template)]
#[template(path = "counter-notice.html", config = "src/web/askama.toml")]
struct NoticePage {
    page: Page,
    back: String,
    /// Where the same is a PDF.
    pdf: String,
    sheet: Sheet,
}

/// `GET /matters/{id}/notice`.
pub(in crate::web) async fn of_matter(
    State(web): App,
    worker: Worker,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Reply {
    let named = draft_named(query.as_deref()).and_then(|id| draft(&web, &worker, id));
    let query = named.map_or(String::new(), |(id, _)| format!("?draft={id}"));
    let paper = paper_of_matter(&web, &worker, &id, &query)?;
    let pdf = format!("/matters/{id}/notice.pdf{query}");
    shown(&worker, paper, format!("/matters/{id}{query}"), pdf)
}

/// `POST /matters/{id}/notice.pdf`.
pub(in crate::web) async fn pdf_of_matter(
    State(web): App,
    worker: Worker,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    _form: Form,
) -> Reply {
    sent(&paper_of_matter(&web, &worker, &id, &query.map_or(String::new(), |query| format!("?{query}")))?)
}

/// `GET /found/{draft}/notice`: of a demand that no law is known for.
pub(in crate::web) async fn of_found(State(web): App, worker: Worker, Path(id): Path<String>) -> Reply {
    let Some((id, draft)) = draft(&web, &worker, &id) else { return gone(&worker) };
    let paper = paper_without_basis(&web, &worker, &draft.demand);
    shown(&worker, paper, format!("/found/{id}"), format!("/found/{id}/notice.pdf"))
}

/// `POST /found/{draft}/notice.pdf`.
pub(in crate::web) async fn pdf_of_found(
    State(web): App,
    worker: Worker,
    Path(id): Path<String>,
    _form: Form,
) -> Reply {
    let Some((_, draft)) = draft(&web, &worker, &id) else { return gone(&worker) };
    sent(&paper_without_basis(&web, &worker, &draft.demand))
}

/// `GET /results/{verification}/notice`.
pub(in crate::web) async fn of_result(
    State(web): App,
    worker: Worker,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Reply {
    let Some(found) = find(&web, &worker, &id).await? else { return gone(&worker) };
    let place = format!("/results/{}", found.verification.id);
    let paper = paper_of_result(&web, &worker, &headers, &found).await?;
    shown(&worker, paper, place.clone(), format!("{place}/notice.pdf"))
}

/// `POST /results/{verification}/notice.pdf`.
pub(in crate::web) async fn pdf_of_result(
    State(web): App,
    worker: Worker,
    Path(id): Path<String>,
    headers: HeaderMap,
    _form: Form,
) -> Reply {
    let Some(found) = find(&web, &worker, &id).await? else { return gone(&worker) };
    sent(&paper_of_result(&web, &worker, &headers, &found).await?)
}

fn shown(worker: &Worker, paper: Paper, back: String, pdf: String) -> Reply {
    html(&NoticePage { page: worker.page("counter.notice_title"), back, pdf, sheet: paper.into() })
}

fn sent(paper: &Paper) -> Reply {
    pdf(paper.pdf(), "attachment; filename=\"gaozhidan.pdf\"")
}

/// What somebody is told of a matter: `query` names the draft in which more of the demand stands.
fn paper_of_matter(web: &Web, worker: &Worker, id: &str, query: &str) -> Result<Paper, PageError> {
    let matter = web.api.gateway.catalog.matter(id).ok_or(PageError::NotFound)?;
    let found = query.strip_prefix('?').and_then(|query| draft_named(Some(query)));
    let found = found.and_then(|id| draft(web, worker, id));
    let demand = found.map(|(_, draft)| draft.demand).unwrap_or_default();
    let language = tongue(worker);
    let demand = Demand { matter: Some(matter), ..said(&demand) };
    Ok(notice(web, worker, demand, None, Some(Advice::of(matter, language))))
}

/// What somebody is told of a demand that is in no list.
fn paper_without_basis(web: &Web, worker: &Worker, demand: &drafts::Demand) -> Paper {
    let advice = Advice::without_basis(web.api.gateway.catalog.policy(), tongue(worker));
    notice(web, worker, said(demand), None, Some(advice))
}

/// What came of a question, or that its answer is still to come.
async fn paper_of_result(
    web: &Web,
    worker: &Worker,
    headers: &HeaderMap,
    shown: &Shown<'_>,
) -> Result<Paper, PageError> {
    let verification = &shown.verification;
    let typed = Typed::of(web, worker, shown);
    let people: Vec<Subject<'_>> = typed.people.iter().map(|(role, person)| subject(role, person)).collect();
    let details: Vec<(&str, &str)> =
        typed.details.iter().map(|(label, value)| (label.as_str(), value.as_str())).collect();
    let check_page = check_page(web, headers);
    let slip = match &verification.receipt_code {
        Some(code) => match open_code(&web.api, &code.to_string()).await {
            Ok(Ok(opened)) => Some(Slip { code: *code, until: opened.validity.expires, check_page: &check_page }),
            Ok(Err(_)) => None,
            Err(_) => return Err(PageError::Unavailable),
        },
        None => None,
    };
    let correction = correction(&shown.departments(web), tongue(worker));
    let advice = match verification.outcome {
        // Whoever is confirmed needs no other way.
        Outcome::Confirmed => None,
        Outcome::Refuted => Some(Advice::of_refuted(shown.matter, &correction)),
        _ => Some(Advice::of(shown.matter, tongue(worker))),
    };
    let purpose = Some(typed.purpose.as_str()).filter(|purpose| !purpose.is_empty());
    let demand = Demand { matter: Some(shown.matter), purpose, ..said(&typed.demand) };
    let checked = Checked {
        claim: shown.entry.words.question(&shown.entry.name, is_english(worker)),
        details: &details,
        people: &people,
        outcome: verification.outcome,
        as_of: verification.as_of,
        again: verification.again,
        slip,
    };
    Ok(notice(web, worker, demand, Some(checked), advice))
}

fn notice(
    web: &Web,
    worker: &Worker,
    demand: Demand<'_>,
    checked: Option<Checked<'_>>,
    advice: Option<Advice<'_>>,
) -> Paper {
    let notice = Notice {
        language: tongue(worker),
        demand,
        checked,
        advice,
        committee: &worker.agency.name,
        officer: &worker.account().name,
        at: now(web),
    };
    notice.paper()
}

fn tongue(worker: &Worker) -> Language {
    language(is_english(worker))
}

/// What was typed, as far as it is still kept.
#[derive(Default)]
struct Typed {
    demand: drafts::Demand,
    people: Vec<(String, Person)>,
    details: Vec<(String, String)>,
    purpose: String,
}

impl Typed {
    fn of(web: &Web, worker: &Worker, shown: &Shown<'_>) -> Self {
        let Some((id, draft)) = &shown.open else { return Self::default() };
        let demand = draft.demand.clone();
        let Some(open) = Open::of(web, worker, *id, draft.clone()) else { return Self { demand, ..Self::default() } };
        let answers = open.form.read(&open.check.typed, super::check::today(web));
        let role = |role: &String| open.words.role(role, is_english(worker)).to_owned();
        let roles = open.form.claim().roles().iter().map(role);
        let people = roles.zip(answers.map(|answers| answers.people).unwrap_or_default()).collect();
        let parameters = (0..open.form.claim().parameters().len()).map(Field::Value);
        let details = parameters.map(|field| (open.label(field, worker), open.value(field, web, worker))).collect();
        Self { demand, people, details, purpose: open.value(Field::Purpose, web, worker) }
    }
}

fn subject<'a>(role: &'a str, person: &'a Person) -> Subject<'a> {
    Subject { role, name: person.name.as_ref(), id_number: Some(&person.id_number) }
}

fn said(demand: &drafts::Demand) -> Demand<'_> {
    let filled = |text: &'_ str| !text.is_empty();
    Demand {
        said: Some(demand.text.as_str()).filter(|text| filled(text)),
        by: Some(demand.by.as_str()).filter(|text| filled(text)),
        basis: Some(demand.basis.as_str()).filter(|text| filled(text)),
        ..Demand::default()
    }
}

/// Where whoever holds the paper checks its code: where people find the gateway, or, if that is not said, where the worker has.
fn check_page(web: &Web, headers: &HeaderMap) -> String {
    if let Some(address) = &web.front.address {
        return format!("{address}/check");
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let scheme = match web.front.cookies {
        Cookies::Secure => "https",
        Cookies::Plain => "http",
    };
    format!("{scheme}://{host}/check")
}
