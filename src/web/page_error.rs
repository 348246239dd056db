use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;

use super::form::Stale;
use crate::desk::DeskError;
use crate::ledger::NotRecorded;

/// Why there is no such page. What stands around the handlers makes a page of it, in the reader's language.
#[derive(Debug, Clone)]
pub enum PageError {
    /// Nothing is there, or nothing that this person may see.
    NotFound,
    /// It was kept for a while, and is not any more.
    Gone,
    /// Another role's.
    NotYours,
    /// The agency on whose grants the account verifies is not in the configuration.
    NoAgency,
    /// It takes these methods.
    MethodNotAllowed(&'static str),
    /// The form has too many bytes.
    TooLarge,
    /// It is no form that a browser sends.
    Malformed,
    /// It did not arrive in time.
    Slow,
    /// Another site has sent it.
    OtherSite,
    /// Its token is of another session: it is shown what is to be done, and can be sent again.
    Stale(Stale),
    /// So many ask at once that this one has to come again.
    Busy,
    /// There are too many at the door, or the process is stopping.
    Full,
    /// What the pages keep cannot be read or written, or it cannot be recorded.
    Unavailable,
    /// The program does not do what it should.
    Broken,
}

impl PageError {
    /// Its status.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Gone => StatusCode::GONE,
            Self::NotYours | Self::NoAgency | Self::OtherSite => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Stale(_) => StatusCode::OK,
            Self::Busy | Self::Full | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The name of its texts: `errors.<name>_title` and `errors.<name>_text`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Gone => "gone",
            Self::NotYours => "not_yours",
            Self::NoAgency => "no_agency",
            Self::MethodNotAllowed(_) => "method",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Slow => "slow",
            Self::OtherSite => "other_site",
            Self::Stale(_) => "stale",
            Self::Busy => "busy",
            Self::Full => "full",
            Self::Unavailable => "unavailable",
            Self::Broken => "broken",
        }
    }

    /// After how many seconds it is worth trying again.
    pub(super) fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Full => Some(1),
            Self::Busy | Self::Unavailable => Some(5),
            Self::NotFound
            | Self::Gone
            | Self::NotYours
            | Self::NoAgency
            | Self::MethodNotAllowed(_)
            | Self::TooLarge
            | Self::Malformed
            | Self::Slow
            | Self::OtherSite
            | Self::Stale(_)
            | Self::Broken => None,
        }
    }

    /// Every name, for the test that looks for its texts.
    #[cfg(test)]
    pub(super) const NAMES: [&str; 14] = [
        "not_found",
        "gone",
        "not_yours",
        "no_agency",
        "method",
        "too_large",
        "malformed",
        "slow",
        "other_site",
        "stale",
        "busy",
        "full",
        "unavailable",
        "broken",
    ];
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        let fields = response.headers_mut();
        if let Self::MethodNotAllowed(allowed) = &self {
            fields.insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        if let Some(seconds) = self.retry_after() {
            fields.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<NotRecorded> for PageError {
    /// The ledger has logged why.
    fn from(_: NotRecorded) -> Self {
        Self::Unavailable
    }
}

impl From<DeskError> for PageError {
    fn from(error: DeskError) -> Self {
        tracing::error!(%error, "a page cannot be shown, or a form not carried out");
        Self::Unavailable
    }
}
