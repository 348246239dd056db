//! The notice as a PDF. It is sent for by a form, because it may hold what was typed, and is stored nowhere.

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
use crate::papers::{Advice, Demand, Finding, Language, Notice, Slip, Subject};
use crate::web::front::Cookies;
use crate::web::{App, Form, PageError, Reply, Visit, Web, Worker, pdf, see_other};

/// `POST /matters/{id}/notice.pdf`.
pub(in crate::web) async fn of_matter(
    State(web): App,
    worker: Worker,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    _form: Form,
) -> Reply {
    let matter = web.api.gateway.catalog.matter(&id).ok_or(PageError::NotFound)?;
    let found = draft_named(query.as_deref()).and_then(|id| draft(&web, &worker, id));
    let demand = found.map(|(_, draft)| draft.demand).unwrap_or_default();
    let language = language(&worker);
    sent(&Notice {
        language,
        demand: Demand { matter: Some(matter), purpose: None, ..said(&demand) },
        finding: None,
        advice: Some(Advice::of(matter, language)),
        committee: &worker.agency.name,
        officer: &worker.account().name,
        at: now(&web),
    })
}

/// `POST /results/{verification}/notice.pdf`.
pub(in crate::web) async fn of_result(
    State(web): App,
    worker: Worker,
    Path(id): Path<String>,
    headers: HeaderMap,
    _form: Form,
) -> Reply {
    let Some(shown) = find(&web, &worker, &id).await? else { return gone(&worker) };
    let verification = &shown.verification;
    if verification.outcome == Outcome::Pending {
        return see_other(&format!("/results/{}", verification.id));
    }
    let typed = Printed::of(&web, &worker, &shown);
    let people: Vec<Subject<'_>> = typed.people.iter().map(|(role, person)| subject(role, person)).collect();
    let details: Vec<(&str, &str)> =
        typed.details.iter().map(|(label, value)| (label.as_str(), value.as_str())).collect();
    let check_page = check_page(&web, &headers);
    let slip = match &verification.receipt_code {
        Some(code) => match open_code(&web.api, &code.to_string()).await {
            Ok(Ok(opened)) => Some(Slip { code: *code, until: opened.validity.expires, check_page: &check_page }),
            Ok(Err(_)) => None,
            Err(_) => return Err(PageError::Unavailable),
        },
        None => None,
    };
    let language = language(&worker);
    let advice = (verification.outcome != Outcome::Confirmed).then(|| Advice::of(shown.matter, language));
    let purpose = Some(typed.purpose.as_str()).filter(|purpose| !purpose.is_empty());
    sent(&Notice {
        language,
        demand: Demand { matter: Some(shown.matter), purpose, ..said(&typed.demand) },
        finding: Some(Finding {
            claim: shown.entry.words.question(&shown.entry.name, is_english(&worker)),
            details: &details,
            people: &people,
            outcome: verification.outcome,
            as_of: verification.as_of,
            slip,
        }),
        advice,
        committee: &worker.agency.name,
        officer: &worker.account().name,
        at: now(&web),
    })
}

/// What was typed, as far as it is still kept.
#[derive(Default)]
struct Printed {
    demand: drafts::Demand,
    people: Vec<(String, Person)>,
    details: Vec<(String, String)>,
    purpose: String,
}

impl Printed {
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
        ..Demand::default()
    }
}

fn language(visit: &Visit) -> Language {
    if is_english(visit) { Language::English } else { Language::Chinese }
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

fn sent(notice: &Notice<'_>) -> Reply {
    pdf(notice.pdf(), "attachment; filename=\"gaozhidan.pdf\"")
}
