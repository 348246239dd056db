use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderName, HeaderValue, Request, Response};
use futures_util::future::join_all;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;
use tokio_io_timeout::TimeoutStream;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::generation::{Generation, House};
use crate::access::Peer;
use crate::api;
use crate::durable::LedgerMark;
use crate::ledger::Ledger as _;
use crate::telemetry::{self, Answering, Method};
use crate::web::{self, Client};

/// One thread.
pub(super) struct Worker {
    pub(super) number: usize,
    pub(super) house: Arc<House>,
    pub(super) turns: watch::Receiver<Turn>,
}

/// A generation takes over; each thread tells when it has.
#[derive(Clone)]
pub(super) struct Turn {
    pub(super) generation: Arc<Generation>,
    pub(super) taken: mpsc::Sender<()>,
}

/// In every reply: the id of its trace, which operators can look up.
const TRACE_ID: HeaderName = HeaderName::from_static("trace-id");

/// How long a client may take to read what it is sent.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a request that is turned away is kept waiting for that: a client that comes again at once, whatever `Retry-After`
/// says, must not cost the others their turn.
const PACE: Duration = Duration::from_millis(250);

/// How often the store is told how far the ledger has come.
const MARK_EVERY: Duration = Duration::from_secs(10);

/// How often it is looked how much waits.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked for records whose time is over.
const END_EVERY: Duration = Duration::from_hours(1);

/// The most bytes of a request's head.
const MAX_HEAD: usize = 32 * 1024;

const CLOSE: HeaderValue = HeaderValue::from_static("close");

impl Worker {
    pub(super) fn run(self, listener: std::net::TcpListener) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let tasks = TaskTracker::new();
            let mut turns = self.turns.clone();
            let Turn { generation: first, taken: ready } = turns.borrow_and_update().clone();
            let api = first.api(&self.house, tasks.clone())?;
            if self.number == 0 {
                self.take_up(&api, &tasks);
            }
            let router = Arc::new(RwLock::new(first.router(&self.house, api)));
            tasks.spawn(follow(turns, Arc::clone(&self.house), tasks.clone(), Arc::clone(&router)));
            let listener = TcpListener::from_std(listener)?;
            // Whoever waits has gone only if another thread failed.
            let _ = ready.send(());
            self.serve(listener, router, tasks).await;
            Ok(())
        })
    }

    /// What one thread does for all: it goes on with what an earlier process left open, and tells agencies of outcomes.
    fn take_up(&self, api: &api::Api, tasks: &TaskTracker) {
        let gateway = api.gateway.clone();
        tasks.spawn(async move {
            match gateway.resume().await {
                Ok(0) => {}
                Ok(questions) => tracing::info!(questions, "open questions of an earlier process are taken up"),
                Err(error) => tracing::error!(%error, "open questions of an earlier process cannot be read"),
            }
        });
        tasks.spawn(keep_mark(Arc::clone(&self.house)));
        tasks.spawn(look_what_waits(Arc::clone(&self.house)));
        tasks.spawn(keep_keys(self.turns.clone(), Arc::clone(&self.house)));
        tasks.spawn(look_at_certificates(Arc::clone(&self.house)));
        tasks.spawn(end_records(self.turns.clone(), Arc::clone(&self.house)));
        let (turns, house) = (self.turns.clone(), Arc::clone(&self.house));
        tasks.spawn(async move {
            let rules = move || Arc::clone(turns.borrow().generation.catalog.digest());
            let recording = web::record_changes(&house.front, &*house.ledger, rules);
            house.stop.run_until_cancelled(recording).await;
        });
        let (turns, house) = (self.turns.clone(), Arc::clone(&self.house));
        tasks.spawn(async move {
            let recipients = move || turns.borrow().generation.recipients.clone();
            let sending = crate::callbacks::send(&*house.durable, &*house.clock, recipients);
            house.stop.run_until_cancelled(sending).await;
        });
    }

    async fn serve(&self, listener: TcpListener, router: Arc<RwLock<Router>>, tasks: TaskTracker) {
        let house = &self.house;
        let connections = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(house.connections));
        let running = house.doors.open();
        let mut door = Door { house: Arc::clone(house), router, running, most: house.at_once, is_closed: false };
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(house.request_timeout).max_buf_size(MAX_HEAD);
        loop {
            // No more connections than there are places: the others wait where the kernel keeps them.
            let accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, listener.accept().await)
            };
            let (place, stream, client) = tokio::select! {
                (place, accepted) = accepted => match accepted {
                    Ok((stream, peer)) => (place, stream, peer.ip()),
                    Err(error) => {
                        tracing::warn!(error.kind = ?error.kind(), "a connection could not be accepted");
                        sleep(Duration::from_millis(20)).await;
                        continue;
                    }
                },
                () = house.stop.cancelled() => break,
            };
            let (door, http, watcher) = (door.clone(), http.clone(), connections.watcher());
            tokio::spawn(async move {
                let _place = place;
                door.open(&http, stream, client, watcher).await;
            });
        }
        tasks.close();
        let ended = async {
            connections.shutdown().await;
            tasks.wait().await;
        };
        door.is_closed = true;
        http.keep_alive(false);
        tokio::select! {
            () = ended => {}
            () = tokio::time::sleep(house.grace) => {
                tracing::warn!("requests were still running when the time to stop was over");
            }
            () = turn_away(&listener, &door, &http) => {}
        }
    }
}

/// While running requests end, whoever comes is told so, and `/readyz` too: whoever spreads requests over several gateways
/// learns from it.
async fn turn_away(listener: &TcpListener, door: &Door, http: &http1::Builder) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (door, http) = (door.clone(), http.clone());
                // Whoever is told so has no part in the end of the others.
                tokio::spawn(
                    async move { door.open(&http, stream, peer.ip(), GracefulShutdown::new().watcher()).await },
                );
            }
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Puts each new generation in the place of the one before.
async fn follow(mut turns: watch::Receiver<Turn>, house: Arc<House>, tasks: TaskTracker, router: Arc<RwLock<Router>>) {
    while let Some(Ok(())) = house.stop.run_until_cancelled(turns.changed()).await {
        let Turn { generation: next, taken } = turns.borrow_and_update().clone();
        match next.api(&house, tasks.clone()) {
            Ok(api) => {
                let next = next.router(&house, api);
                *router.write().unwrap_or_else(PoisonError::into_inner) = next;
            }
            Err(error) => tracing::error!(%error, "a thread goes on with the configuration before"),
        }
        // Whoever waits may have gone.
        let _ = taken.send(());
    }
}

/// Looks every now and then how much waits.
async fn look_what_waits(house: Arc<House>) {
    loop {
        // The store has logged why, if it cannot be known.
        if let Ok(waiting) = house.durable.waiting().await {
            *house.waiting.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
        }
        if house.stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_none() {
            return;
        }
    }
}

/// Lets the store know every now and then how far the ledger has come.
async fn keep_mark(house: Arc<House>) {
    let mut last = None;
    loop {
        if last.is_none_or(|mark: LedgerMark| mark.entries != house.ledger.checkpoint().checkpoint.size) {
            // The store has logged why, if it cannot; then it is tried again.
            last = house.mark_ledger().await.ok();
        }
        if house.stop.run_until_cancelled(sleep(MARK_EVERY)).await.is_none() {
            return;
        }
    }
}

/// Lets the pages' records go whose time is over.
async fn end_records(turns: watch::Receiver<Turn>, house: Arc<House>) {
    loop {
        let (records, now) = (turns.borrow().generation.records, house.clock.now());
        let ended = web::end_records(&house.front, records, now).await;
        if let Err(error) = ended {
            tracing::error!(%error, "records whose time is over are still there; it is tried again");
        }
        if house.stop.run_until_cancelled(sleep(END_EVERY)).await.is_none() {
            return;
        }
    }
}

/// Keeps the keys of issuers fresh, those of the generation that is running.
async fn keep_keys(mut turns: watch::Receiver<Turn>, house: Arc<House>) {
    loop {
        let rings = turns.borrow_and_update().generation.keyrings();
        let fresh = join_all(rings.iter().map(|ring| ring.keep_fresh(&*house.clock)));
        tokio::select! {
            _ = fresh, if !rings.is_empty() => {}
            changed = turns.changed() => if changed.is_err() { return },
            () = house.stop.cancelled() => return,
        }
    }
}

/// Looks every now and then whether the files of the listener's certificates have changed.
async fn look_at_certificates(house: Arc<House>) {
    let Some(entrance) = &house.entrance else { return };
    entrance.tell(house.clock.now());
    let pause = async || sleep(entrance.look_every()).await;
    while house.stop.run_until_cancelled(pause()).await.is_some() {
        let looking = Arc::clone(&house);
        // A disk that hangs must not hold up requests.
        let looked = tokio::task::spawn_blocking(move || {
            if let Some(entrance) = &looking.entrance {
                entrance.look(looking.clock.now());
            }
        });
        if looked.await.is_err() {
            tracing::error!("the files of the certificates could not be looked at");
        }
    }
}

/// What every request passes first: beyond so many at once, and while the process is stopping, it is turned away before
/// anything is read of it.
#[derive(Clone)]
struct Door {
    house: Arc<House>,
    router: Arc<RwLock<Router>>,
    running: Arc<AtomicUsize>,
    most: usize,
    is_closed: bool,
}

impl Door {
    /// A connection whose requests pass here, to its end.
    async fn open(&self, http: &http1::Builder, stream: TcpStream, client: IpAddr, watcher: Watcher) {
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
            return Ok(api::overloaded(request.headers()));
        }
        self.let_in(request).await
    }

    async fn let_in(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let _inside = Inside::new(&self.running);
        let router = self.router.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut reply = router.oneshot(request.map(Body::new)).await?;
        // Whoever keeps a connection is to make the next one elsewhere.
        if self.house.levers.is_draining() {
            reply.headers_mut().insert(CONNECTION, CLOSE);
        }
        Ok(reply)
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
