//! Layer 4: pages, written by the server, for people at a counter, in front of a console, or above both.
//!
//! # How to add a page
//!
//! 1. A file `web/<area>.rs` with handlers, and `web/templates/<area>-<page>.html` that `{% extends "base.html" %}`.
//! 2. `#[derive(Template)] #[template(path = "…", config = "src/web/askama.toml")] struct List { page: Page, … }`.
//! 3. `async fn list(State(web): App, worker: Worker) -> Reply { html(&List { page: worker.page("area.title"), … }) }`.
//!    [`Worker`], [`Operator`] and [`Supervisor`] are whoever has that role, [`Member`] anybody who has signed in, [`Visit`]
//!    anybody at all; whoever is not signed in signs in first and comes back.
//! 4. A form is `<form method="post">` with `{{ page.form()|safe }}` in it, which is its token and its id. Its handler takes
//!    [`Form`] last: `form.value("name")`, `form.draft()`, `draft.refuse("name", message)`, and shows the draft again with
//!    [`refused`]. What must happen once goes through [`Form::once`], which ends in [`see_other`].
//! 5. Words stand in `config/words/*.toml`, in a table of the area, and are asked for with `page.t("area.key")`.
//! 6. Routes go into [`members`] below: `.route("/area", only("GET, HEAD, POST", get(area::list).post(area::create)))`.

mod account;
mod assets;
mod carry;
mod check;
mod client;
mod console;
mod cookies;
mod counter;
mod deliberations;
mod demands;
mod device;
mod docs;
mod form;
mod front;
mod guard;
mod headers;
mod language;
mod layout;
mod memory;
mod oidc;
mod once;
mod outside;
mod page_error;
mod paper;
mod proof;
mod record;
mod replies;
mod seal;
mod sessions;
mod sign_in;
#[cfg(test)]
mod tests;
mod visit;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware::from_fn;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use jiff::Timestamp;

use crate::api::{self, Api};
use crate::config::OIDC_BACK;
use crate::config::Records;
use crate::desk::DeskError;
use crate::papers::NotPrinted;
use crate::words::Languages;

pub use console::{Configuration, Drained, Expiries, Levers, Running, Wanted};
pub use docs::Docs;
pub use form::Stale;
pub use form::{Draft, Form};
pub use front::{Client, Cookies, Front};
pub use layout::{Page, Place};
pub use oidc::SingleSignOn;
pub use outside::{Guest, NotServed, Outside};
pub use page_error::PageError;
pub use record::record_changes;
pub use visit::{Member, Operator, Supervisor, Visit, Worker};

/// What the pages work with.
#[derive(Clone)]
pub struct Web {
    /// What the endpoints of programs work with: the gateway, the agencies, the catalog.
    pub api: Api,
    /// What the pages say.
    pub languages: Arc<Languages>,
    /// Who else signs people in.
    pub sign_on: Option<Arc<SingleSignOn>>,
    /// What outlives a change of configuration.
    pub front: Arc<Front>,
    /// What programs can ask, as it is read.
    pub docs: Arc<Docs>,
    /// How long records are kept.
    pub records: Records,
    /// What an operator can do to the process.
    pub levers: Arc<Levers>,
}

/// What handlers take the pages' state by.
pub type App = State<Web>;

/// What handlers say.
pub type Reply = Result<Response<Body>, PageError>;

/// The endpoints of programs and the pages of people, at one address.
pub fn router(web: Web) -> Router {
    let nowhere = axum::routing::any(guard::nowhere).layer(from_fn(api::settle)).with_state(web.clone());
    let framed = pages(&web).layer(from_fn_with_state(web.clone(), guard::frame)).with_state(web.clone());
    let framed = framed.merge(assets::routes()).layer(from_fn(api::settle));
    api::router(web.api).merge(framed).fallback_service(nowhere)
}

/// All pages, without what stands around them.
fn pages(web: &Web) -> Router<Web> {
    public().merge(members().route_layer(from_fn_with_state(web.clone(), guard::signed_in)))
}

/// What anybody may see.
fn public() -> Router<Web> {
    Router::new()
        .route("/sign-in", only("GET, HEAD, POST", get(sign_in::show).post(sign_in::sign_in)))
        .route("/check", only("GET, HEAD, POST", get(check::show).post(check::check)))
        .route("/docs", only("GET, HEAD", get(docs::show)))
        .route("/sign-in/oidc", only("POST", post(oidc::leave)))
        .route(OIDC_BACK, only("GET, HEAD", get(oidc::back)))
        .route("/language", only("POST", post(language::choose)))
}

/// What whoever has signed in may see; handlers say by what they take which role it needs.
fn members() -> Router<Web> {
    Router::new()
        .route("/account", only("GET, HEAD", get(account::show)))
        .route("/account/password", only("GET, HEAD, POST", get(account::show_password).post(account::change_password)))
        .route("/sign-out", only("POST", post(sign_in::sign_out)))
        .route("/carry", only("POST", post(carry::carry_on)))
        .route("/replies/{id}", only("GET, HEAD", get(replies::show)))
        .merge(counter::routes())
        .merge(console::routes())
        .merge(demands::routes())
        .merge(deliberations::routes())
}

/// Lets records go whose time is over, and checklists that nobody finished. What figures need of them stays.
///
/// # Errors
/// If they cannot be read or written.
pub async fn end_records(front: &Front, records: Records, now: Timestamp) -> Result<(), DeskError> {
    let demands = front.desk.end_demands(Records::before(now, records.demands_years)).await?;
    let drafts = now.checked_sub(deliberations::DRAFTS_FOR).unwrap_or(Timestamp::MIN);
    let before = Records::before(now, records.deliberations_years);
    let deliberations = front.desk.end_deliberations(before, drafts).await?;
    if demands + deliberations > 0 {
        tracing::info!(demands, deliberations, "records whose time is over are gone; figures stay");
    }
    Ok(())
}

/// A route that says which methods it takes when it is called with another.
fn only(allowed: &'static str, methods: MethodRouter<Web>) -> MethodRouter<Web> {
    methods.fallback(async move || PageError::MethodNotAllowed(allowed))
}

/// A page.
///
/// # Errors
/// If it cannot be written.
pub fn html(template: &impl Template) -> Reply {
    page(StatusCode::OK, template)
}

/// A form that is shown again with what is wrong in it.
///
/// # Errors
/// If it cannot be written.
pub fn refused(template: &impl Template) -> Reply {
    page(StatusCode::UNPROCESSABLE_ENTITY, template)
}

/// A page with a status.
///
/// # Errors
/// If it cannot be written.
pub fn page(status: StatusCode, template: &impl Template) -> Reply {
    let text = template.render().map_err(|error| {
        tracing::error!(%error, "a page cannot be written");
        PageError::Broken
    })?;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HTML);
    Ok(response)
}

/// A paper, to keep or to print.
///
/// # Errors
/// If there is none.
pub fn pdf(printed: Result<Vec<u8>, NotPrinted>, disposition: &'static str) -> Reply {
    let bytes = printed.map_err(|error| {
        tracing::error!(%error, "a paper cannot be printed");
        PageError::Broken
    })?;
    let mut response = Response::new(Body::from(bytes));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    fields.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    Ok(response)
}

/// Where to go on after a form: the browser gets that page with a request of its own, which reloading does no harm to. A path
/// never holds anything personal.
///
/// # Errors
/// If the path is none.
pub fn see_other(path: &str) -> Reply {
    let place = HeaderValue::from_str(path).map_err(|_| PageError::Broken)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, place);
    Ok(response)
}

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
