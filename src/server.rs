//! Layer 4: the composition root. It loads an installation, puts concrete stores and clients together, and runs them: one
//! thread a core, each with a current-thread runtime, a listener of its own on the same port (`SO_REUSEPORT`), and a client
//! of its own towards the departments, so that no request ever wakes another core.

mod installation;
mod listener;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::api::{self, Api, Documents, Replies, Shared};
use crate::cache::Facts;
use crate::clock::Clock;
use crate::config::Settings;
use crate::gateway::{Freshness, Gateway, Verifications};
use crate::sources::Sources;

pub use installation::{Environment, Installation};

/// A running gateway.
pub struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// Starts all threads. When it returns, requests are taken.
    ///
    /// # Errors
    /// If the address cannot be bound, or a thread or a client cannot be made.
    pub fn start(installation: Installation, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = installation.settings.workers.unwrap_or(cores);
        let listeners = listener::bind(installation.settings.listen, workers)?;
        let address = listeners.first().map_or(Ok(installation.settings.listen), std::net::TcpListener::local_addr)?;
        let grace = installation.settings.shutdown_grace;
        let header_timeout = installation.settings.request_timeout;
        let common = Arc::new(Common::new(installation, clock));
        let (ready, is_ready) = mpsc::channel();
        let mut threads = Vec::new();
        for (number, listener) in listeners.into_iter().enumerate() {
            let worker = Worker { common: Arc::clone(&common), stop: stop.clone(), grace, header_timeout };
            let ready = ready.clone();
            let run = move || worker.run(listener, &ready);
            threads.push(thread::Builder::new().name(format!("heyan-{number}")).spawn(run)?);
        }
        drop(ready);
        for _ in &threads {
            if is_ready.recv().is_err() {
                break;
            }
        }
        let server = Self { address, stop, threads };
        if server.threads.iter().any(JoinHandle::is_finished) {
            Err(server.stop().err().unwrap_or(STOPPED.into()))
        } else {
            Ok(server)
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets running requests end, and returns when all threads have.
    ///
    /// # Errors
    /// The first thing that went wrong in a thread.
    pub fn stop(self) -> io::Result<()> {
        self.stop.cancel();
        let mut result = Ok(());
        for thread in self.threads {
            let ended = thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread of the gateway crashed")));
            result = result.and(ended);
        }
        result
    }
}

const STOPPED: io::ErrorKind = io::ErrorKind::Other;

/// What all threads share.
struct Common {
    catalog: Arc<crate::matters::Catalog>,
    descriptions: Arc<[crate::sources::Description]>,
    clock: Arc<dyn Clock>,
    facts: Facts,
    verifications: Verifications,
    freshness: Arc<Freshness>,
    shared: Arc<Shared>,
}

impl Common {
    fn new(installation: Installation, clock: Arc<dyn Clock>) -> Self {
        let Installation { settings, catalog, descriptions, triage, summaries } = installation;
        let connected = descriptions.iter().map(|source| source.id().clone());
        let freshness = Arc::new(Freshness::new(connected, Arc::clone(&clock)));
        let operations = descriptions.iter().flat_map(crate::sources::Description::operations);
        let operations = operations.map(|(promise, lifetimes)| {
            (
                promise.clone(),
                crate::cache::Lifetimes {
                    found: lifetimes.found,
                    no_record: lifetimes.no_record,
                    stale: lifetimes.stale,
                },
            )
        });
        let facts = Facts::new(settings.fact_bytes, operations, Arc::clone(&clock));
        let verifications = Verifications::new(settings.verifications, settings.verifications_for);
        let documents = Documents::new(&catalog, &settings.purposes);
        let shared = Arc::new(Shared {
            access: access(&settings),
            purpose_ids: settings.purposes.keys().cloned().collect(),
            purposes: settings.purposes,
            sources: summaries,
            triage,
            replies: Replies::new(settings.idempotent_replies),
            request_timeout: settings.request_timeout,
            answer_within: settings.answer_within,
            documents,
        });
        Self { catalog, descriptions, clock, facts, verifications, freshness, shared }
    }

    fn api(&self, tasks: TaskTracker) -> io::Result<Api> {
        let sources =
            Sources::new(Arc::clone(&self.descriptions), Arc::clone(&self.clock)).map_err(io::Error::other)?;
        let gateway = Gateway {
            catalog: Arc::clone(&self.catalog),
            departments: Arc::new(self.facts.before(Arc::new(sources))),
            clock: Arc::clone(&self.clock),
            verifications: self.verifications.clone(),
            freshness: Arc::clone(&self.freshness),
            tasks,
        };
        Ok(Api { gateway, shared: Arc::clone(&self.shared) })
    }
}

fn access(settings: &Settings) -> Access {
    let holders = settings.agencies.iter().flat_map(|(agency, tokens)| {
        let agency = Arc::new(agency.clone());
        tokens.iter().map(move |token| (*token, Arc::clone(&agency)))
    });
    Access::new(holders)
}

/// One thread.
struct Worker {
    common: Arc<Common>,
    stop: CancellationToken,
    grace: Duration,
    header_timeout: Duration,
}

impl Worker {
    fn run(self, listener: std::net::TcpListener, ready: &mpsc::Sender<()>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let tasks = TaskTracker::new();
            let router = api::router(self.common.api(tasks.clone())?);
            let listener = TcpListener::from_std(listener)?;
            // Whoever waits has gone only if another thread failed.
            let _ = ready.send(());
            self.serve(listener, router, tasks).await;
            Ok(())
        })
    }

    async fn serve(&self, listener: TcpListener, router: Router, tasks: TaskTracker) {
        let connections = GracefulShutdown::new();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.header_timeout);
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(error.kind = ?error.kind(), "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        continue;
                    }
                },
                () = self.stop.cancelled() => break,
            };
            // Replies are small: waiting to fill a packet would only delay them.
            let _ = stream.set_nodelay(true);
            let service = TowerToHyperService::new(router.clone());
            let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(error.timeout = error.is_timeout(), "a connection broke");
                }
            });
        }
        drop(listener);
        tasks.close();
        let ended = tokio::time::timeout(self.grace, async {
            connections.shutdown().await;
            tasks.wait().await;
        });
        if ended.await.is_err() {
            tracing::warn!("requests were still running when the time to stop was over");
        }
    }
}
