//! Requests and replies of a department as it sees them, and the connections they travel on.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::TokioIo;
use socket2::{SockRef, Socket};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A request, read to its end.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What a department says.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
}

/// A body as it goes onto the wire.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Ends the connection without a response.
#[derive(Debug, thiserror::Error)]
#[error("the simulated department hangs up")]
pub(super) struct HangUp;

/// Whoever answers on a listener.
pub(super) trait Answering: Send + Sync + 'static {
    /// Whether a new connection is closed at once.
    fn refuses_connections(&self) -> bool;

    /// The response to a request; none to reset the connection.
    fn answer(&self, request: Request) -> impl Future<Output = Option<Response<Body>>> + Send;
}

impl Request {
    /// The value of a header; empty where there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// Whether it is a POST to this path.
    pub(super) fn posts_to(&self, path: &str) -> bool {
        self.method == Method::POST && self.path == path
    }
}

impl Reply {
    pub(super) fn json(value: &impl serde::Serialize) -> Self {
        Self::new(StatusCode::OK, JSON, serde_json::to_vec(value).unwrap_or_default())
    }

    pub(super) fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, body: body.into() }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "404 page not found\n")
    }

    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let length = self.body.len();
        let body = Full::new(self.body).map_err(|never| match never {}).boxed_unsync();
        respond(self.status, self.content_type, Some(length), body)
    }
}

/// A response with a body of any kind.
pub(super) fn respond(status: StatusCode, kind: &'static str, length: Option<usize>, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(length) = length {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

/// A body that comes in pieces.
pub(super) fn pieces(stream: impl futures_util::Stream<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    use futures_util::StreamExt as _;
    StreamBody::new(stream.map(|piece| piece.map(Frame::data))).boxed_unsync()
}

/// Milliseconds since 1970.
pub(super) fn epoch_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Whether a time that a caller sent, in milliseconds since 1970, is about now.
pub(super) fn is_about_now(millis: &str) -> bool {
    let is_number = !millis.is_empty() && millis.bytes().all(|byte| byte.is_ascii_digit());
    is_number && millis.parse::<u64>().is_ok_and(|sent| sent.abs_diff(epoch_millis()) <= CLOCK_SKEW_MILLIS)
}

/// Accepts connections until it is told to stop.
pub(super) async fn listen<A: Answering>(
    listener: TcpListener,
    desk: Arc<A>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: others are about to be closed.
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        if desk.refuses_connections() {
            // The result is a reset instead of an orderly end; either way the caller gets nothing.
            let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
            continue;
        }
        let _ = stream.set_nodelay(true);
        let Ok(handle) = SockRef::from(&stream).try_clone() else { continue };
        let (desk, stop) = (Arc::clone(&desk), stop.clone());
        tasks.spawn(async move {
            // A caller keeps an idle connection for as long as it likes.
            let mut protocol = hyper::server::conn::http1::Builder::new();
            protocol.header_read_timeout(None);
            let service = service_fn(|request| serve(&*desk, request, &handle));
            let connection = protocol.serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                () = stop.cancelled() => {}
                // A caller who hangs up is no concern of a department's.
                _ = connection => {}
            }
        });
    }
}

async fn serve<A: Answering>(
    desk: &A,
    request: hyper::Request<Incoming>,
    handle: &Socket,
) -> Result<Response<Body>, HangUp> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_REQUEST).collect().await else {
        return Ok(Reply::new(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", "too large\n").into_response());
    };
    let path = parts.uri.path().to_owned();
    let request = Request { method: parts.method, path, headers: parts.headers, body: body.to_bytes() };
    if let Some(response) = desk.answer(request).await {
        Ok(response)
    } else {
        let _ = handle.set_linger(Some(Duration::ZERO));
        Err(HangUp)
    }
}

pub(super) const JSON: &str = "application/json;charset=utf-8";
const MAX_REQUEST: usize = 1 << 20;
const CLOCK_SKEW_MILLIS: u64 = 5 * 60 * 1000;
