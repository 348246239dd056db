//! What whoever is not let in is told: a program by a problem, a browser by a plain page. Nobody is looked up for it.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Response, header};

use super::cookies::Cookie;
use super::guard::{is_safe, wants_page};
use super::sign_in::is_path;
use super::{Cookies, PageError, Web, assets, headers, page};
use crate::api;
use crate::telemetry;
use crate::words::{Languages, Words};

/// Stands before the pages and the endpoints.
#[derive(Clone)]
pub struct Outside {
    languages: Arc<Languages>,
    cookies: Cookies,
}

/// Whoever asks, as far as it matters to be told why there is no answer.
pub struct Guest(Asks);

enum Asks {
    /// A program, with the languages that it accepts.
    Program(Option<HeaderValue>),
    /// Somebody with a browser, by these words; and where the same can be asked for again, if it was a page and no form.
    Browser(Arc<Words>, Option<String>),
}

/// Why somebody is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotServed {
    /// There are too many, or the process is stopping.
    Full,
    /// The program has a mistake.
    Broken,
}

impl Outside {
    /// What stands before these pages.
    #[must_use]
    pub fn new(web: &Web) -> Self {
        Self { languages: Arc::clone(&web.languages), cookies: web.front.cookies }
    }

    /// Who asks.
    #[must_use]
    pub fn guest<B>(&self, request: &Request<B>) -> Guest {
        let fields = request.headers();
        let accepted = fields.get(header::ACCEPT_LANGUAGE);
        if api::is_of_programs(request.uri().path()) || !wants_page(fields) {
            return Guest(Asks::Program(accepted.cloned()));
        }
        match words(&self.languages, self.cookies, fields) {
            Some(words) => Guest(Asks::Browser(words, place(request))),
            None => Guest(Asks::Program(accepted.cloned())),
        }
    }

    /// Tells whoever asks that there is no answer.
    #[must_use]
    pub fn refuse(&self, guest: &Guest, why: NotServed) -> Response<Body> {
        match &guest.0 {
            Asks::Program(accepted) => {
                let fields = accepted.iter().map(|value| (header::ACCEPT_LANGUAGE, value.clone())).collect();
                match why {
                    NotServed::Full => api::overloaded(&fields),
                    NotServed::Broken => api::broken(&fields),
                }
            }
            Asks::Browser(words, place) => {
                let (error, code) = match why {
                    NotServed::Full => (PageError::Full, "overloaded"),
                    NotServed::Broken => (PageError::Broken, "internal-error"),
                };
                telemetry::request(|told| told.problem = Some(code));
                plain(words, self.cookies, &error, place.as_deref())
            }
        }
    }
}

/// A page for whoever cannot be looked up.
pub(super) fn unknown(web: &Web, request: &Request, error: &PageError) -> Response<Body> {
    let cookies = web.front.cookies;
    match words(&web.languages, cookies, request.headers()) {
        Some(words) => plain(&words, cookies, error, place(request).as_deref()),
        None => bare(error),
    }
}

fn words(languages: &Languages, cookies: Cookies, fields: &HeaderMap) -> Option<Arc<Words>> {
    let accepted = fields.get(header::ACCEPT_LANGUAGE).and_then(|field| field.to_str().ok());
    languages.wanted(Cookie::Language.read(cookies, fields), accepted).cloned()
}

/// Where the same can be asked for again; a form is sent again by the browser alone.
fn place<B>(request: &Request<B>) -> Option<String> {
    let path = request.uri().path_and_query().map(|path| path.as_str().to_owned());
    path.filter(|path| is_safe(request.method()) && is_path(path))
}

#[derive(Template)]
#[template(path = "plain.html", config = "src/web/askama.toml")]
struct Plain<'a> {
    words: &'a Words,
    style: &'static str,
    title: &'a str,
    text: &'a str,
    place: Option<&'a str>,
}

fn plain(words: &Words, cookies: Cookies, error: &PageError, place: Option<&str>) -> Response<Body> {
    let (title, text) = (format!("errors.{}_title", error.name()), format!("errors.{}_text", error.name()));
    let (title, text) = (words.text(&title), words.text(&text));
    let written = page(error.status(), &Plain { words, style: assets::address("heyan.css"), title, text, place });
    let mut response = written.unwrap_or_else(|_| bare(error));
    let fields = response.headers_mut();
    headers::of_pages(fields, cookies == Cookies::Secure);
    if let Ok(language) = words.tag().parse() {
        fields.insert(header::CONTENT_LANGUAGE, language);
    }
    if let Some(seconds) = error.retry_after() {
        fields.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Where not even that can be written.
fn bare(error: &PageError) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = error.status();
    response
}
