//! The door: every request passes here, and whoever cannot be served is told so.

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderName, HeaderValue, Request, Response};
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulConnection, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use super::generation::{Faces, House};
use crate::access::Peer;
use crate::api;
use crate::telemetry::{self, Answering, Method};
use crate::web::{Client, NotServed};

/// In every reply: the id of its trace, which operators can look up.
const TRACE_ID: HeaderName = HeaderName::from_static("trace-id");

/// How long a client may take to read what it is sent.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a request that is turned away is kept waiting for that: a client that comes again at once, whatever `Retry-After`
/// says, must not cost the others their turn.
const PACE: Duration = Duration::from_millis(250);

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// What every request passes first: beyond so many at once, and while the process is stopping, it is turned away before
/// anything is read of it.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) house: Arc<House>,
    pub(super) faces: Arc<RwLock<Faces>>,
    pub(super) running: Arc<AtomicUsize>,
    pub(super) most: usize,
    pub(super) is_closed: bool,
}

impl Door {
    /// A connection whose requests pass here, to its end.
    pub(super) async fn open(&self, http: &http1::Builder, stream: TcpStream, client: IpAddr, watcher: Watcher) {
        // Replies are small: waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let stream = Box::pin(stream);
        let ended = match &self.house.entrance {
            None => watcher.watch(self.serve(http, stream, client, None)).await,
            Some(entrance) => match entrance.accept(stream).await {
                Some((stream, peer)) => watcher.watch(self.serve(http, stream, client, peer)).await,
                None => Ok(()),
            },
        };
        if let Err(error) = ended {
            tracing::debug!(error.timeout = error.is_timeout(), "a connection broke");
        }
    }

    fn serve<S>(
        &self,
        http: &http1::Builder,
        stream: S,
        client: IpAddr,
        peer: Option<Arc<Peer>>,
    ) -> impl GracefulConnection<Error = hyper::Error> + Send + use<S>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let door = self.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Client(client));
            if let Some(peer) = &peer {
                request.extensions_mut().insert(Arc::clone(peer));
            }
            door.clone().pass(request)
        });
        http.serve_connection(TokioIo::new(stream), service)
    }

    async fn pass(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        if api::is_health(request.uri().path()) {
            return self.let_in(request).await;
        }
        let telling = self.telling(&request);
        let response = telling.around(self.unless_full(request)).await;
        response.map(|mut response| {
            let trace = telling.trace().map(|trace| HeaderValue::from_str(&trace.to_string()));
            if let Some(Ok(trace)) = trace {
                response.headers_mut().insert(TRACE_ID, trace);
            }
            telling.end(response.status().as_u16());
            response
        })
    }

    /// Begins to record what becomes of a request.
    fn telling(&self, request: &Request<Incoming>) -> Answering {
        let told = telemetry::Request {
            method: Method::of(request.method().as_str()),
            is_tls: self.house.entrance.is_some(),
            ..telemetry::Request::default()
        };
        let fields = |name| request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
        self.house.telemetry.answering(told, fields("traceparent"), fields("tracestate"))
    }

    async fn unless_full(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        if self.is_closed || self.running.load(Ordering::Relaxed) >= self.most {
            self.house.doors.turned_away.fetch_add(1, Ordering::Relaxed);
            sleep(PACE).await;
            let Faces { outside, .. } = self.faces();
            return Ok(outside.refuse(&outside.guest(&request), NotServed::Full));
        }
        self.let_in(request).await
    }

    /// Lets a request in. A mistake of the program's ends it, and nothing else: the thread goes on, and whoever asked is told. The
    /// panic's place is logged where it happens.
    async fn let_in(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let _inside = Inside::new(&self.running);
        let Faces { router, outside } = self.faces();
        let guest = outside.guest(&request);
        // What the request worked with goes with it; locks that it held are taken over as they are.
        let answering = AssertUnwindSafe(router.oneshot(request.map(Body::new))).catch_unwind();
        let (mut reply, is_over) = match answering.await {
            Ok(reply) => (reply?, false),
            Err(_) => (outside.refuse(&guest, NotServed::Broken), true),
        };
        // Whoever keeps a connection is to make the next one elsewhere; and nobody knows what was read of a request that broke.
        if is_over || self.house.levers.is_draining() {
            reply.headers_mut().insert(CONNECTION, CLOSE);
        }
        Ok(reply)
    }

    fn faces(&self) -> Faces {
        self.faces.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Counts a request while it is worked on.
struct Inside<'a>(&'a AtomicUsize);

impl<'a> Inside<'a> {
    fn new(running: &'a AtomicUsize) -> Self {
        running.fetch_add(1, Ordering::Relaxed);
        Self(running)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
