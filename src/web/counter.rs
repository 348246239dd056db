//! The committee's pages: what was demanded, what happens instead of a certificate, and, where a fact can be checked, one
//! question after another until there is an answer.
//!
//! | address | page |
//! | --- | --- |
//! | `/` | what was demanded? and all matters |
//! | `/found/{draft}` | what that is, and what to do |
//! | `/matters/{id}`, `/retained/{id}` | the same of one matter, and of what committees still issue |
//! | `/checks/{draft}/{page}` | one question |
//! | `/checks/{draft}/review` | everything once more, and the button that asks |
//! | `/results`, `/results/{verification}` | the last hour's, and one |
//! | `/…/notice`, `/…/notice.pdf` | the notice to print |
//!
//! No address holds anything that somebody typed: see `drafts`.

mod answer;
mod check;
mod drafts;
mod hour;
mod kept;
mod notice;
mod result;
mod review;
mod search;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use jiff::Timestamp;

use self::drafts::Draft;
use self::hour::Hour;
use super::memory::{Bounds, Memory};
use super::{Visit, Web, only};

/// What the counter keeps in memory.
pub(super) struct Counter {
    pub(super) drafts: Arc<Memory<Draft>>,
    hour: Hour,
}

impl Default for Counter {
    fn default() -> Self {
        Self { drafts: Memory::new(Bounds { of_one: 50, of_all: 20_000 }), hour: Hour::default() }
    }
}

/// The counter's pages.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/", only("GET, HEAD, POST", get(search::home).post(search::find)))
        .route("/found/{draft}", only("GET, HEAD", get(search::found)))
        .route("/found/{draft}/notice", only("GET, HEAD", get(notice::of_found)))
        .route("/found/{draft}/notice.pdf", only("POST", post(notice::pdf_of_found)))
        .route("/matters/{id}", only("GET, HEAD", get(answer::matter)))
        .route("/matters/{id}/notice", only("GET, HEAD", get(notice::of_matter)))
        .route("/matters/{id}/notice.pdf", only("POST", post(notice::pdf_of_matter)))
        .route("/retained/{id}", only("GET, HEAD", get(answer::retained)))
        .route("/checks", only("POST", post(check::begin)))
        .route("/checks/{draft}/{page}", only("GET, HEAD, POST", get(check::show).post(check::answer)))
        .route("/checks/{draft}/review", only("GET, HEAD, POST", get(review::show).post(review::ask)))
        .route("/checks/{draft}/swap", only("POST", post(review::swap)))
        .route("/checks/{draft}/stopped", only("GET, HEAD", get(review::stopped)))
        .route("/checks/{draft}/again", only("POST", post(check::again)))
        .route("/next", only("POST", post(check::next_resident)))
        .route("/results", only("GET, HEAD", get(result::list)))
        .route("/results/{verification}", only("GET, HEAD", get(result::show)))
        .route("/results/{verification}/notice", only("GET, HEAD", get(notice::of_result)))
        .route("/results/{verification}/notice.pdf", only("POST", post(notice::pdf_of_result)))
}

/// Whether the reader's language is English: the matters' own texts stand in two languages.
fn is_english(visit: &Visit) -> bool {
    visit.words().tag().split('-').next() == Some("en")
}

/// Now, by the gateway's clock.
fn now(web: &Web) -> Timestamp {
    web.api.gateway.clock.now()
}
