//! What stands around every page: who asks, whether a form comes from a page of ours, what becomes of what went wrong, and what
//! browsers are told beside.

use askama::Template;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Response, header};
use axum::middleware::Next;
use axum::response::IntoResponse as _;

use super::cookies::Cookie;
use super::front::Cookies;
use super::seal::Seal;
use super::visit::Visit;
use super::{App, Page, PageError, Web, form, headers, outside, page, replies, see_other, sign_in};
use crate::api;

/// Around every page.
pub(super) async fn frame(State(web): App, mut request: Request, next: Next) -> Response<Body> {
    let visit = match Visit::new(&web, request.headers(), request.uri()).await {
        Ok(visit) => visit,
        Err(error) => return outside::unknown(&web, &request, &error),
    };
    if !is_safe(request.method()) && !is_from_here(request.headers()) {
        let response = dress(&visit, PageError::OtherSite.into_response());
        return finish(&web, &visit, response);
    }
    request.extensions_mut().insert(visit.clone());
    let is_form = request.method() == Method::POST;
    let mut response = dress(&visit, next.run(request).await);
    if is_form {
        response = replies::keep(&web, &visit, response).await;
    }
    finish(&web, &visit, response)
}

/// Before the pages of those who have signed in. Whoever has not signs in first, and comes back; a form that was sent waits.
pub(super) async fn signed_in(State(web): App, request: Request, next: Next) -> Response<Body> {
    let Some(visit) = request.extensions().get::<Visit>().cloned() else {
        return PageError::Broken.into_response();
    };
    if visit.account().is_some() {
        return next.run(request).await;
    }
    let reply = if is_safe(request.method()) {
        see_other(&sign_in::address(visit.path()))
    } else {
        ask_to_sign_in(&web, &visit, request).await
    };
    reply.into_response()
}

/// Shows the page to sign in, which carries the form that was sent.
async fn ask_to_sign_in(web: &Web, visit: &Visit, request: Request) -> super::Reply {
    let body = form::read(web, request, form::MOST_BYTES).await?;
    let fields = form::parse(&body)?;
    let token = fields.iter().find(|(name, _)| name == form::TOKEN).map(|(_, value)| value.as_str());
    let sealed = match token.and_then(Seal::owner_of) {
        Some(owner) => Some(form::seal(web, visit.path().to_owned(), &body, owner)?),
        // No form of ours.
        None => None,
    };
    sign_in::expired(web, visit, sealed)
}

/// Where nothing is: a page for whoever reads with a browser, and a problem for a program.
pub(super) async fn nowhere(State(web): App, request: Request) -> Response<Body> {
    if api::is_of_programs(request.uri().path()) || !wants_page(request.headers()) {
        return api::not_found(request.headers());
    }
    match Visit::new(&web, request.headers(), request.uri()).await {
        Ok(visit) => finish(&web, &visit, dress(&visit, PageError::NotFound.into_response())),
        Err(error) => outside::unknown(&web, &request, &error),
    }
}

/// Makes a page of what went wrong.
pub(super) fn dress(visit: &Visit, mut response: Response<Body>) -> Response<Body> {
    let Some(error) = response.extensions_mut().remove::<PageError>() else { return response };
    let written = match &error {
        PageError::Stale(stale) => {
            let (page, sealed) = (visit.page("errors.stale_title"), stale.sealed.clone());
            super::html(&StalePage { page, sealed })
        }
        _ => {
            let title = visit.words().text(&format!("errors.{}_title", error.name())).to_owned();
            let text = visit.words().text(&format!("errors.{}_text", error.name())).to_owned();
            page(error.status(), &ErrorPage { page: Page::new(visit.clone(), title), text })
        }
    };
    match written {
        Ok(mut page) => {
            let fields = std::mem::take(response.headers_mut());
            for name in [header::ALLOW, header::RETRY_AFTER, header::SET_COOKIE] {
                for value in fields.get_all(&name) {
                    page.headers_mut().append(&name, value.clone());
                }
            }
            page
        }
        Err(_) => response,
    }
}

#[derive(Template)]
#[template(path = "error.html", config = "src/web/askama.toml")]
struct ErrorPage {
    page: Page,
    text: String,
}

#[derive(Template)]
#[template(path = "stale.html", config = "src/web/askama.toml")]
struct StalePage {
    page: Page,
    sealed: String,
}

fn finish(web: &Web, visit: &Visit, mut response: Response<Body>) -> Response<Body> {
    let cookies = web.front.cookies;
    headers::of_pages(response.headers_mut(), cookies == Cookies::Secure);
    if let Ok(language) = visit.words().tag().parse() {
        response.headers_mut().insert(header::CONTENT_LANGUAGE, language);
    }
    if visit.is_new() {
        Cookie::Visitor.give_bytes(cookies, visit.key(), response.headers_mut());
    }
    response
}

/// Whether a method changes nothing.
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether a form comes from a page of ours, as far as the browser says. `Sec-Fetch-Site` says it best; `Origin` is `null` where
/// pages tell no referrer. Where a browser says nothing, the form's token decides alone.
fn is_from_here(fields: &HeaderMap) -> bool {
    let text = |name: &str| fields.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match text("origin") {
        None | Some("null") => true,
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text("host")
        }
    }
}

/// Whether whoever asks prefers a page to JSON.
pub(super) fn wants_page(fields: &HeaderMap) -> bool {
    let accepted = fields.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|field| field.split(',')).any(|kind| kind.trim_start().starts_with("text/html"))
}
