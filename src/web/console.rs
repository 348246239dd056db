//! The operator's console (`/operator`): which department is failing, since when, with which cause, whom that hits, what is
//! tried, and what to do. What it shows is of the whole process, whichever thread writes the page.
//!
//! `view` puts the [`Situation`](crate::situation::Situation) into words (`wording`) and pictures (`chart`); `live` keeps open
//! pages up to date; `acts` is what an operator can do, and `levers` with what. The other files are a page each.

mod acts;
mod chart;
mod department;
mod levers;
mod live;
mod pages;
#[cfg(test)]
mod tests;
mod traces;
mod view;
mod wording;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::{App, Operator, Page, Reply, Web, html, only};
pub use levers::{Configuration, Drained, Expiries, Levers, Running, Wanted};
use view::View;
use wording::Moment;

use crate::words::Words;

/// The console's pages.
pub(super) fn routes() -> Router<Web> {
    let get_only = |handler| only("GET, HEAD", handler);
    Router::new()
        .route("/operator", get_only(get(home)))
        .route("/operator/live", get_only(get(live::home)))
        .route("/operator/departments/{id}", get_only(get(department::show)))
        .route("/operator/departments/{id}/live", get_only(get(live::department)))
        .route("/operator/departments/{id}/close", only("GET, HEAD, POST", get(acts::ask_close).post(acts::close)))
        .route("/operator/departments/{id}/open", only("GET, HEAD, POST", get(acts::ask_open).post(acts::open)))
        .route("/operator/agencies", get_only(get(pages::agencies)))
        .route("/operator/ledger", get_only(get(pages::ledger)))
        .route("/operator/caches", get_only(get(pages::caches)))
        .route("/operator/pending", get_only(get(pages::pending)))
        .route("/operator/certificates", get_only(get(pages::certificates)))
        .route("/operator/configuration", get_only(get(pages::configuration)))
        .route("/operator/traces", get_only(get(traces::list)))
        .route("/operator/traces/{id}", get_only(get(traces::one)))
        .route("/operator/drain", only("GET, HEAD, POST", get(acts::ask_drain).post(acts::drain)))
        .route("/operator/undrain", only("GET, HEAD, POST", get(acts::ask_undrain).post(acts::undrain)))
        .route("/operator/reload", only("GET, HEAD, POST", get(acts::ask_reload).post(acts::reload)))
}

/// A page of the console, and what stands above each of them.
struct Frame {
    page: Page,
    notices: Notices,
}

/// What concerns the whole gateway.
struct Notices {
    drained: Option<String>,
    failed_reload: bool,
}

/// A page of the console in the navigation: its address, what it is called, and whether it is this one.
struct Entry {
    path: &'static str,
    name: String,
    is_here: bool,
}

const ENTRIES: [(&str, &str); 8] = [
    ("/operator", "console.nav_home"),
    ("/operator/traces", "console.nav_traces"),
    ("/operator/agencies", "console.nav_agencies"),
    ("/operator/pending", "console.nav_pending"),
    ("/operator/ledger", "console.nav_ledger"),
    ("/operator/caches", "console.nav_caches"),
    ("/operator/certificates", "console.nav_certificates"),
    ("/operator/configuration", "console.nav_configuration"),
];

impl Frame {
    fn new(web: &Web, operator: &Operator, title: &str) -> Self {
        Self { page: operator.page(title), notices: Notices::new(web, operator.words()) }
    }

    fn titled(self, title: String) -> Self {
        Self { page: self.page.titled(title), ..self }
    }

    fn entries(&self) -> Vec<Entry> {
        let path = self.page.path().split('?').next().unwrap_or_default();
        let entry = |(place, name): &(&'static str, &str)| Entry {
            path: place,
            name: self.page.t(name).to_owned(),
            is_here: path == *place,
        };
        ENTRIES.iter().map(entry).collect()
    }
}

impl Notices {
    fn new(web: &Web, words: &Words) -> Self {
        let now = web.api.gateway.clock.now();
        let told = |drained: Drained| {
            let at = Moment::new(drained.at, now).shown;
            words.fill("console.draining", &[("at", &at), ("by", &drained.by), ("reason", &drained.reason)])
        };
        let drained = web.levers.drained().map(told);
        Self { drained, failed_reload: web.levers.configuration().failed.is_some() }
    }
}

#[derive(Template)]
#[template(path = "console-home.html", config = "src/web/askama.toml")]
struct Home {
    frame: Frame,
    page: Page,
    view: View,
}

/// `GET /operator`: the first screen.
async fn home(State(web): App, operator: Operator) -> Reply {
    let view = View::new(&web, operator.words());
    let frame = Frame::new(&web, &operator, "console.title");
    html(&Home { page: operator.page("console.title"), frame, view })
}
