//! What becomes of a body that nobody has read: HTTP/1.1 cannot go on behind it.

use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, Response, header};
use axum::middleware::Next;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::time::timeout;

/// The most bytes that are read and thrown away to keep a connection, and how long that may take.
const MOST: usize = 64 * 1024;
const TIME: Duration = Duration::from_secs(1);

/// Answers a request. What is left of a small body is thrown away; a connection that cannot go on says that it closes
/// (RFC 9112 section 9.6).
pub(crate) async fn settle(request: Request, next: Next) -> Response<Body> {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // A client that waits for `100 Continue` sends nothing unless it is told to.
    let is_sent = !request.headers().contains_key(header::EXPECT);
    let left = Arc::new(Mutex::new(None));
    let lent = |body| Body::new(Lent { body, left: Arc::clone(&left) });
    let mut response = next.run(request.map(lent)).await;
    let left = left.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(body) = left else { return response };
    if !(is_sent && matches!(timeout(TIME, drain(body)).await, Ok(true))) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Reads a body and throws it away. Returns whether it ended within bounds.
async fn drain(mut body: Body) -> bool {
    let mut left = MOST;
    loop {
        match body.frame().await {
            None => return true,
            Some(Err(_)) => return false,
            Some(Ok(frame)) => match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(rest) => left = rest,
                None => return false,
            },
        }
    }
}

/// A body that comes back if it is dropped before its end.
struct Lent {
    body: Body,
    left: Arc<Mutex<Option<Body>>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            let body = mem::replace(&mut self.body, Body::empty());
            *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
