use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;
use tokio::time::timeout;

use super::Api;
use super::json::{self, JsonError, JsonErrorKind};
use super::problem::{FieldError, Problem, Reason};

/// The most bytes of a body.
const MAX_BODY: usize = 64 * 1024;

/// The most bytes of a refused body that are read and thrown away, and how long that may take.
const MAX_DISCARDED: usize = 64 * 1024 * 1024;
const DISCARDING: Duration = Duration::from_secs(5);

/// Reads a request's JSON body. One that says that it is too large is refused before it is read.
pub(super) async fn read(api: &Api, request: Request<Body>) -> Result<(Bytes, Value), Problem> {
    let (parts, body) = request.into_parts();
    if !is_json(&parts.headers) {
        return Err(Problem::UnsupportedMediaType);
    }
    let length =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > MAX_BODY) {
        if !parts.headers.contains_key(header::EXPECT) {
            discard(body).await;
        }
        return Err(Problem::PayloadTooLarge);
    }
    let body = timeout(api.shared.request_timeout, Limited::new(body, MAX_BODY).collect()).await;
    let body = match body {
        Err(_) => return Err(Problem::RequestTimeout),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Problem::PayloadTooLarge),
        // The connection broke: nobody will read this.
        Ok(Err(_)) => return Err(Problem::Malformed(Vec::new())),
        Ok(Ok(body)) => body.to_bytes(),
    };
    let value = json::read(&body).map_err(malformed)?;
    Ok((body, value))
}

/// Throws away what a client sends of a body that is refused, within bounds: one that is busy sending would take a
/// connection that closes for a failure, and never read why.
async fn discard(mut body: Body) {
    let mut left = MAX_DISCARDED;
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    // Whoever takes longer than that has been told nothing yet, and will see the connection close.
    let _ = timeout(DISCARDING, read).await;
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(kind), None) = (kinds.next().and_then(|kind| kind.to_str().ok()), kinds.next()) else { return false };
    let mut parts = kind.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf8 = |parameter: &str| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    is_json && parts.all(is_utf8)
}

fn malformed(errors: Vec<JsonError>) -> Problem {
    let field = |error: JsonError| {
        let reason = match error.kind {
            JsonErrorKind::Syntax { line, column } => Reason::Syntax(line, column),
            JsonErrorKind::Depth => Reason::Depth,
            JsonErrorKind::DuplicateKey => Reason::DuplicateKey,
            JsonErrorKind::Nul => Reason::Nul,
        };
        FieldError { pointer: error.pointer, reason }
    };
    Problem::Malformed(errors.into_iter().map(field).collect())
}
