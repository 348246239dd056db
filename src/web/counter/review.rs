//! Everything once more before it is asked; and asking, once.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::check::{Found, Open, Stopped, find, today};
use super::hour::Done;
use super::search::gone;
use super::{is_english, kept, now, view};
use crate::api::{Context, Contract, Problem, Question, VerificationRequest};
use crate::callers::Officer;
use crate::counter::{Answers, Field};
use crate::web::memory::User;
use crate::web::{App, Form, Page, PageError, Reply, Web, Worker, html, see_other};

#[derive(Template)]
#[template(path = "counter-review.html", config = "src/web/askama.toml")]
struct Review {
    page: Page,
    action: String,
    back: String,
    question: String,
    rows: Vec<Row>,
    /// Asked where two people seem to be typed the wrong way round.
    swapped: Option<String>,
    kept: String,
    draft_id: String,
}

/// One thing that was typed, and where it can be changed.
pub(super) struct Row {
    pub(super) label: String,
    pub(super) value: String,
    pub(super) change: String,
}

#[derive(Template)]
#[template(path = "counter-stopped.html", config = "src/web/askama.toml")]
struct StoppedPage {
    page: Page,
    text: String,
    advice: String,
    action: Option<String>,
    matter: String,
    draft_id: String,
}

/// `GET /checks/{draft}/review`.
pub(in crate::web) async fn show(State(web): App, worker: Worker, Path(id): Path<String>) -> Reply {
    let open = match find(&web, &worker, &id, None) {
        Found::Open(open) => open,
        Found::Elsewhere(place) => return see_other(&place),
        Found::Gone => return gone(&worker),
    };
    let next = open.next(&web);
    if !next.ends_with("/review") {
        return see_other(&next);
    }
    let question = open.words.question(&open.name, is_english(&worker)).to_owned();
    html(&Review {
        page: worker.page("counter.review_title"),
        action: format!("/checks/{}/review", open.id),
        back: format!("/checks/{}/{}", open.id, open.form.steps().len()),
        question,
        rows: rows(&web, &worker, &open),
        swapped: swapped(&worker, &open),
        kept: kept::seal(&web, &worker, &open),
        draft_id: open.id.to_string(),
    })
}

/// Whether two people are typed the wrong way round, as a question.
fn swapped(worker: &Worker, open: &Open) -> Option<String> {
    let (parent, child) = open.form.swapped(&open.check.typed)?;
    let role = |role: usize| {
        let role = open.form.claim().roles().get(role).map_or("", String::as_str);
        open.words.role(role, is_english(worker))
    };
    Some(worker.words().fill("counter.swapped", &[("parent", &role(parent)), ("child", &role(child))]))
}

/// `POST /checks/{draft}/swap`: puts two people in each other's place.
pub(in crate::web) async fn swap(State(web): App, worker: Worker, Path(id): Path<String>, form: Form) -> Reply {
    let open = match find(&web, &worker, &id, Some(&form)) {
        Found::Open(open) => open,
        Found::Elsewhere(place) => return see_other(&place),
        Found::Gone => return gone(&worker),
    };
    // Once more, by a reload, changes nothing back: then the elder is the parent.
    if let Some((parent, child)) = open.form.swapped(&open.check.typed) {
        let mut typed = open.check.typed.clone();
        for (one, other) in [(Field::Name(parent), Field::Name(child)), (Field::Number(parent), Field::Number(child))] {
            typed.put(one, open.check.typed.text(other));
            typed.put(other, open.check.typed.text(one));
        }
        web.front.counter.drafts.change(open.id, &User::of(&worker), now(&web), |draft| {
            if let Some(check) = &mut draft.check {
                check.typed = typed;
            }
        });
    }
    see_other(&format!("/checks/{}/review", open.id))
}

/// What was typed, line by line.
fn rows(web: &Web, worker: &Worker, open: &Open) -> Vec<Row> {
    let mut rows = Vec::new();
    for (place, step) in open.form.steps().iter().enumerate() {
        for field in open.form.fields(*step) {
            if open.is_idle(field) {
                continue;
            }
            let value = open.value(field, web, worker);
            let change = format!("/checks/{}/{}", open.id, place + 1);
            rows.push(Row { label: open.label(field, worker), value, change });
        }
    }
    rows
}

/// `POST /checks/{draft}/review`: asks, the way that every program asks.
pub(in crate::web) async fn ask(
    State(web): App,
    worker: Worker,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Form,
) -> Reply {
    // Takes up what only the form still has.
    match find(&web, &worker, &id, Some(&form)) {
        Found::Open(_) => {}
        Found::Elsewhere(place) => return see_other(&place),
        Found::Gone => return gone(&worker),
    }
    let context = Context::new(&headers);
    form.once(async move { ask_once(&web, &worker, &id, &context).await }).await
}

/// Asks, unless it is done; whoever comes while it is being asked waits for that.
async fn ask_once(web: &Web, worker: &Worker, id: &str, context: &Context) -> Result<String, PageError> {
    let open = match find(web, worker, id, None) {
        Found::Open(open) => open,
        Found::Elsewhere(place) => return Ok(place),
        Found::Gone => return Err(PageError::NotFound),
    };
    let asking = std::sync::Arc::clone(&open.check.asking);
    let _turn = asking.lock().await;
    let open = match find(web, worker, id, None) {
        Found::Open(open) => open,
        Found::Elsewhere(place) => return Ok(place),
        Found::Gone => return Err(PageError::NotFound),
    };
    let typed = open.dated(today(web));
    let Some(answers) = open.form.read(&typed, today(web)) else { return Ok(open.next(web)) };
    let asked = request(web, worker, &open, answers)?;
    let outcome = match Question::granted(&web.api, &worker.agency, asked, context, true).await {
        Ok(question) => question.verify(web.api.shared.answer_within).await,
        Err(problem) => Err(problem),
    };
    let (drafts, now) = (&web.front.counter.drafts, now(web));
    let (done, stopped, place) = match outcome {
        Ok(verification) => {
            let done = Done { verification: verification.id, claim: verification.claim.clone(), at: now };
            web.front.counter.hour.add(&worker.account().user, done);
            (Some(verification.id), None, format!("/results/{}", verification.id))
        }
        Err(problem) => (None, Some(stop(&problem, now)), format!("/checks/{}/stopped", open.id)),
    };
    drafts.change(open.id, &User::of(worker), now, |draft| {
        if let Some(check) = &mut draft.check {
            (check.done, check.stopped) = (done, stopped);
            if done.is_some() {
                check.typed = typed;
            }
        }
    });
    Ok(place)
}

/// The question as programs send it, read by the same rules.
fn request(web: &Web, worker: &Worker, open: &Open, answers: Answers) -> Result<VerificationRequest, PageError> {
    let claim = open.form.claim();
    let person = |person: &crate::domain::Person| {
        let name = person.name.as_ref().map(crate::domain::PersonName::reveal);
        json!({"name": name, "id_number": person.id_number.reveal()})
    };
    let subjects: Map<String, Value> = claim.roles().iter().cloned().zip(answers.people.iter().map(person)).collect();
    let mut body = json!({
        "matter": claim.reference().matter.as_str(),
        "claim": claim.reference().claim.as_str(),
        "subjects": subjects,
        "parameters": answers.parameters,
        "purpose": answers.purpose.as_str(),
        "legal_basis": answers.legal_basis,
    });
    if let Some(case) = answers.case {
        body["case"] = Value::String(case);
    }
    if let Some(officer) = worker.caller().officer.as_ref().map(Officer::reveal) {
        body["officer"] = json!(officer);
    }
    let contract =
        Contract { catalog: &web.api.gateway.catalog, purposes: &web.api.shared.purpose_ids, today: today(web) };
    contract.read(&body).map_err(|wrong| {
        // The pages' own reading is at least as strict; what differs is told without what was typed.
        let places: Vec<&str> = wrong.iter().map(|error| error.pointer.as_str()).collect();
        tracing::error!(claim = %claim.reference(), places = ?places, "a page's question is not one that programs may ask");
        PageError::Broken
    })
}

/// Why a question was not asked.
fn stop(problem: &Problem, now: Timestamp) -> Stopped {
    let after = |seconds: u32| now + SignedDuration::from_secs(i64::from(seconds));
    match problem {
        Problem::ClaimNotGranted | Problem::PurposeNotGranted | Problem::NotGrantedToday => Stopped::NotGranted,
        Problem::ParticularsDemanded(_) => Stopped::Demanded,
        Problem::RateLimited { seconds, .. } => Stopped::TooMany(after(*seconds)),
        Problem::ProbingSuspected(seconds) => Stopped::Watched(after(*seconds)),
        Problem::LedgerUnavailable(_) | Problem::LedgerUnreadable(_) => Stopped::Ledger,
        _ => Stopped::Busy,
    }
}

/// `GET /checks/{draft}/stopped`: why nobody was asked, and what to do.
pub(in crate::web) async fn stopped(State(web): App, worker: Worker, Path(id): Path<String>) -> Reply {
    let open = match find(&web, &worker, &id, None) {
        Found::Open(open) => open,
        Found::Elsewhere(place) => return see_other(&place),
        Found::Gone => return gone(&worker),
    };
    let Some(why) = open.check.stopped else { return see_other(&open.next(&web)) };
    let (words, english) = (worker.words(), is_english(&worker));
    let (title, means, now, until) = match why {
        Stopped::NotGranted => (
            "counter.stopped_not_granted",
            "counter.stopped_not_granted_means",
            "counter.stopped_not_granted_now",
            None,
        ),
        Stopped::Demanded => {
            ("counter.stopped_demanded", "counter.stopped_demanded_means", "counter.stopped_demanded_now", None)
        }
        Stopped::TooMany(until) => {
            ("counter.stopped_too_many", "counter.stopped_too_many_means", "counter.stopped_too_many_now", Some(until))
        }
        Stopped::Watched(until) => {
            ("counter.stopped_watched", "counter.stopped_watched_means", "counter.stopped_watched_now", Some(until))
        }
        Stopped::Ledger => {
            ("counter.stopped_ledger", "counter.stopped_ledger_means", "counter.stopped_ledger_now", None)
        }
        Stopped::Busy => ("counter.stopped_busy", "counter.stopped_busy_means", "counter.stopped_busy_now", None),
    };
    let advice = match until {
        Some(until) => words.fill(now, &[("until", &view::moment(until, english))]),
        None => words.text(now).to_owned(),
    };
    // What is not granted does not become so by trying again; what is demanded is asked for on the way.
    let action = match why {
        Stopped::NotGranted => None,
        Stopped::Demanded | Stopped::TooMany(_) | Stopped::Watched(_) | Stopped::Ledger | Stopped::Busy => {
            Some(format!("/checks/{}/review", open.id))
        }
    };
    html(&StoppedPage {
        page: worker.page(title),
        text: words.text(means).to_owned(),
        advice,
        action,
        matter: open.check.claim.matter.to_string(),
        draft_id: open.id.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_nobody_was_asked_is_told_for_what_it_is() {
        let now = Timestamp::UNIX_EPOCH;
        let later = now + SignedDuration::from_secs(7);
        for (problem, why) in [
            (Problem::ClaimNotGranted, Stopped::NotGranted),
            (Problem::PurposeNotGranted, Stopped::NotGranted),
            (Problem::NotGrantedToday, Stopped::NotGranted),
            (Problem::ParticularsDemanded(Vec::new()), Stopped::Demanded),
            (Problem::RateLimited { limit: 1, seconds: 7 }, Stopped::TooMany(later)),
            (Problem::ProbingSuspected(7), Stopped::Watched(later)),
            (Problem::LedgerUnavailable(5), Stopped::Ledger),
            (Problem::Overloaded(5), Stopped::Busy),
        ] {
            assert_eq!(stop(&problem, now), why, "{problem:?}");
        }
    }
}
