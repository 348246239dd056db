//! The transitional rule (三（四）) as a checklist: one question a page, and a record with a reason at its end. What was answered
//! so far is kept on the server under an id that says nothing.

mod list;
mod paper;
mod questions;
mod reading;
mod record;
mod shown;

use axum::Router;
use axum::routing::{get, post};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{PageError, Web, Worker, only};
use crate::desk::DeliberationDraft;
use crate::domain::Slug;
use crate::transition::{Circumstances, Question};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/deliberations", only("GET, HEAD, POST", get(list::list).post(list::begin)))
        .route("/deliberations/new", only("GET, HEAD", get(list::new)))
        .route("/deliberations/{id}", only("GET, HEAD", get(record::record)))
        .route("/deliberations/{id}/decide", only("GET, HEAD, POST", get(record::look).post(record::decide)))
        .route("/deliberations/{id}/record.pdf", only("POST", post(record::printed)))
        .route("/deliberations/{id}/review", only("POST", post(record::review)))
        .route("/deliberations/{id}/{question}", only("GET, HEAD, POST", get(questions::show).post(questions::answer)))
}

/// How long a checklist that is not finished is kept.
pub(super) const DRAFTS_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What became of a checklist under an address.
enum Found {
    /// It is being filled in.
    Draft(Box<DeliberationDraft>),
    /// It was decided: there is a record.
    Decided(Uuid),
    /// It is not there, or is somebody else's.
    Nothing,
}

/// The worker's checklist.
async fn find(web: &Web, worker: &Worker, id: &str) -> Result<Found, PageError> {
    let id = id.parse::<Uuid>().map_err(|_| PageError::NotFound)?;
    let desk = &web.front.desk;
    if let Some(draft) = desk.deliberation_draft(id).await? {
        let is_own = draft.worker == worker.account().user.as_str() && draft.committee == worker.agency.id;
        return Ok(if is_own { Found::Draft(Box::new(draft)) } else { Found::Nothing });
    }
    let decided = desk.deliberation(id).await?.filter(|known| known.committee == worker.agency.id);
    Ok(decided.map_or(Found::Nothing, |known| Found::Decided(known.id)))
}

/// What is so of a matter: what the annex does with it, and whether one of its claims can be asked here.
fn circumstances(web: &Web, matter: &Slug) -> Result<Circumstances, PageError> {
    let matter = web.api.gateway.catalog.matter(matter.as_str()).ok_or(PageError::NotFound)?;
    let checkable = matter.claims.iter().any(|entry| entry.claim.is_connected());
    let text = &matter.text;
    Ok(Circumstances { disposition: text.disposition, checkable, held_by_departments: text.held_by_departments })
}

/// Where a question is asked.
fn address(id: Uuid, question: Question) -> String {
    format!("/deliberations/{id}/{}", crate::domain::ClosedList::as_str(question))
}

fn now(web: &Web) -> Timestamp {
    web.api.gateway.clock.now()
}
