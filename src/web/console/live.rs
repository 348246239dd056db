//! Keeps open pages up to date, by server-sent events (WHATWG HTML section 9.2).
//!
//! A page that shows itself asks for one stream. Every two seconds it is sent what has changed on it, or that nothing has. The
//! stream ends with the session, with the process, and when a new configuration takes over; but for the first the browser comes
//! again by itself. There is a bounded number of them; whoever gets none asks for the page every now and then.

use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use super::super::{App, Operator, Page, PageError, Reply, Web};
use super::Notices;
use super::department::{self, Body as DepartmentBody};
use super::view::View;

/// How often it is looked whether something has changed.
const EVERY: Duration = Duration::from_secs(2);

/// How long the browser waits before it comes again.
const RETRY: &str = "retry: 1000\n\n";

/// `GET /operator/live`: the first screen.
pub(super) async fn home(State(web): App, operator: Operator) -> Reply {
    follow(web, operator, Shown::Home)
}

/// `GET /operator/departments/{id}/live`: a department's page.
pub(super) async fn department(State(web): App, operator: Operator, Path(id): Path<String>) -> Reply {
    department::find(&web, &id)?;
    follow(web, operator, Shown::Department(id))
}

/// What is shown.
enum Shown {
    Home,
    Department(String),
}

#[derive(Template)]
#[template(path = "console-home-live.html", config = "src/web/askama.toml")]
struct Situation {
    page: Page,
    notices: Notices,
    view: View,
}

#[derive(Template)]
#[template(path = "console-department-live.html", config = "src/web/askama.toml")]
struct Department {
    page: Page,
    notices: Notices,
    body: DepartmentBody,
}

/// A page that is kept up to date.
struct Stream {
    web: Web,
    operator: Operator,
    shown: Shown,
    /// What the page shows.
    last: String,
    generation: u64,
    is_first: bool,
    _place: OwnedSemaphorePermit,
}

fn follow(web: Web, operator: Operator, shown: Shown) -> Reply {
    let place = web.levers.stream().ok_or(PageError::Busy)?;
    let generation = web.levers.configuration().generation;
    let first = Stream { web, operator, shown, last: String::new(), generation, is_first: true, _place: place };
    let events = stream::unfold(Some(first), |stream| async {
        let mut stream = stream?;
        let (event, goes_on) = stream.next().await;
        Some((Ok::<_, Infallible>(Bytes::from(event)), goes_on.then_some(stream)))
    });
    let mut response = Response::new(Body::from_stream(events));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A proxy that gathers a reply before it hands it on would make it late.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

impl Stream {
    /// The next event, and whether there are more.
    async fn next(&mut self) -> (String, bool) {
        if self.is_first {
            self.is_first = false;
            return (format!("{RETRY}{}", self.changed().await), true);
        }
        let stop = &self.web.api.gateway.stop;
        if stop.run_until_cancelled(sleep(EVERY)).await.is_none() {
            return (String::new(), false);
        }
        if !self.operator.is_signed_in(&self.web).await {
            return ("event: end\ndata: signed out\n\n".to_owned(), false);
        }
        if self.web.levers.configuration().generation != self.generation {
            return (":\n\n".to_owned(), false);
        }
        (self.changed().await, true)
    }

    /// What the page shows now, where that is something else than before.
    async fn changed(&mut self) -> String {
        let now = self.write().await.unwrap_or_default();
        if now.is_empty() || now == self.last {
            return ":\n\n".to_owned();
        }
        let mut event = "event: page\n".to_owned();
        for line in now.lines() {
            event.push_str("data: ");
            event.push_str(line);
            event.push('\n');
        }
        event.push('\n');
        self.last = now;
        event
    }

    async fn write(&self) -> Option<String> {
        let page = self.operator.page("console.title");
        let notices = Notices::new(&self.web, self.operator.words());
        match &self.shown {
            Shown::Home => {
                let view = View::new(&self.web, self.operator.words());
                Situation { page, notices, view }.render().ok()
            }
            Shown::Department(id) => {
                let body = DepartmentBody::new(&self.web, self.operator.words(), id).await.ok()?;
                Department { page, notices, body }.render().ok()
            }
        }
    }
}
