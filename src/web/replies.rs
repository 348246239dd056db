//! Pages that answer a form. Each gets an address of its own for a while, so that the browser asks for it with a request of its
//! own: going back to it and reloading it never ask to send the form again.

use std::fmt;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use uuid::Uuid;

use super::memory::{Bounds, Memory, User};
use super::visit::now;
use super::{App, HTML, Member, PageError, Reply, Visit, Web};

/// What forms were answered with.
pub(super) struct Replies(Arc<Memory<Kept>>);

#[derive(Clone)]
struct Kept {
    /// Where the form was sent.
    path: String,
    status: StatusCode,
    page: Bytes,
}

impl Default for Replies {
    fn default() -> Self {
        Self(Memory::new(Bounds { of_one: 10, of_all: 3_000 }))
    }
}

impl Replies {
    /// Forgets how a user's forms were answered that were sent to somewhere below a path.
    pub(super) fn forget_below(&self, path: &str, user: &User) {
        self.0.forget_those(user, |kept| kept.path.starts_with(path));
    }

    /// Forgets what was last looked at in a session.
    pub(super) fn forget_session(&self, session: &[u8; 32]) {
        self.0.forget_session(session);
    }
}

/// The most bytes of a page.
const MOST: usize = 1024 * 1024;

/// Keeps a page that answers a member's form, and sends the browser there. What leads elsewhere, a paper, and what failed stays as
/// it is.
pub(super) async fn keep(web: &Web, visit: &Visit, response: Response<Body>) -> Response<Body> {
    let Some(member) = Member::of(visit) else { return response };
    let is_page = response.headers().get(header::CONTENT_TYPE) == Some(&HTML);
    let is_answer = is_page && matches!(response.status(), StatusCode::OK | StatusCode::UNPROCESSABLE_ENTITY);
    // Whoever has just signed out could not look at it.
    if !is_answer || !member.is_signed_in(web).await {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // It was written as a whole, and is read as one.
    let Ok(page) = to_bytes(body, MOST).await else { return PageError::Broken.into_response() };
    let id = Uuid::now_v7();
    let Ok(place) = HeaderValue::from_str(&format!("/replies/{id}")) else {
        return Response::from_parts(parts, Body::from(page));
    };
    web.front.replies.0.keep(
        web,
        &User::of(&member),
        id,
        Kept { path: visit.path().to_owned(), status: parts.status, page },
    );
    parts.status = StatusCode::SEE_OTHER;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.insert(header::LOCATION, place);
    Response::from_parts(parts, Body::empty())
}

/// `GET /replies/{id}`.
pub(super) async fn show(State(web): App, member: Member, Path(id): Path<String>) -> Reply {
    let id = id.parse::<Uuid>().map_err(|_| PageError::NotFound)?;
    let kept = web.front.replies.0.find(id, &User::of(&member), now(&web)).ok_or(PageError::Gone)?;
    let mut response = Response::new(Body::from(kept.page));
    *response.status_mut() = kept.status;
    response.headers_mut().insert(header::CONTENT_TYPE, HTML);
    Ok(response)
}

impl fmt::Debug for Replies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Replies(…)")
    }
}
