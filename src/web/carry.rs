//! A form whose sender had to sign in first: it is carried out afterwards, for the same person.

use askama::Template;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, header};
use tower::ServiceExt as _;

use super::visit::now;
use super::{App, Client, Form, Member, Page, PageError, Reply, Visit, Web, guard, html, pages, replies};

/// Says of a request that its form's token was checked when it was sealed.
#[derive(Clone, Copy)]
pub(super) struct Carried;

/// `POST /carry`: goes on with a form that was sent with the token of an earlier session.
pub(super) async fn carry_on(State(web): App, member: Member, client: Client, fields: HeaderMap, form: Form) -> Reply {
    carry(&web, &member, client, &fields, form.value("carried")).await
}

/// Carries a sealed form out, if it is of whoever has signed in now. Somebody else is told that it was not sent, and never sees it.
pub(super) async fn carry(web: &Web, visit: &Visit, client: Client, fields: &HeaderMap, sealed: &str) -> Reply {
    let form = web.front.seal.open(sealed, now(web)).ok_or(PageError::Malformed)?;
    if form.owner != web.front.seal.owner(visit.user()) {
        return html(&NotCarried { page: visit.page("carry.other_title"), sealed: sealed.to_owned() });
    }
    let mut request = Request::new(Body::from(form.body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = form.path.parse().map_err(|_| PageError::Malformed)?;
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    for cookie in fields.get_all(header::COOKIE) {
        request.headers_mut().append(header::COOKIE, cookie.clone());
    }
    let account = visit.account().cloned().ok_or(PageError::NotYours)?;
    let visit = visit.signed_in(web, *visit.key(), account, &form.path);
    request.extensions_mut().insert(visit.clone());
    request.extensions_mut().insert(client);
    request.extensions_mut().insert(Carried);
    let Ok(response): Result<Response<Body>, std::convert::Infallible> =
        pages(web).with_state(web.clone()).oneshot(request).await;
    Ok(replies::keep(web, &visit, guard::dress(&visit, response)).await)
}

#[derive(Template)]
#[template(path = "carry-other.html", config = "src/web/askama.toml")]
struct NotCarried {
    page: Page,
    sealed: String,
}
