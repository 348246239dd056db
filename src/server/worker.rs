use std::io;
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::time::Duration;

use futures_util::future::join_all;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use super::door::Door;
use super::generation::{Faces, Generation, House};
use crate::api;
use crate::durable::LedgerMark;
use crate::ledger::Ledger as _;
use crate::web;

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

/// How often the store is told how far the ledger has come.
const MARK_EVERY: Duration = Duration::from_secs(10);

/// How often it is looked how much waits.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked for records whose time is over.
const END_EVERY: Duration = Duration::from_hours(1);

/// The most bytes of a request's head.
const MAX_HEAD: usize = 32 * 1024;

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
            let faces = Arc::new(RwLock::new(first.faces(&self.house, api)));
            tasks.spawn(follow(turns, Arc::clone(&self.house), tasks.clone(), Arc::clone(&faces)));
            let listener = TcpListener::from_std(listener)?;
            // Whoever waits has gone only if another thread failed.
            let _ = ready.send(());
            self.serve(listener, faces, tasks).await;
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

    async fn serve(&self, listener: TcpListener, faces: Arc<RwLock<Faces>>, tasks: TaskTracker) {
        let house = &self.house;
        let connections = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(house.connections));
        let running = house.doors.open();
        let mut door = Door { house: Arc::clone(house), faces, running, most: house.at_once, is_closed: false };
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
async fn follow(mut turns: watch::Receiver<Turn>, house: Arc<House>, tasks: TaskTracker, faces: Arc<RwLock<Faces>>) {
    while let Some(Ok(())) = house.stop.run_until_cancelled(turns.changed()).await {
        let Turn { generation: next, taken } = turns.borrow_and_update().clone();
        match next.api(&house, tasks.clone()) {
            Ok(api) => {
                let next = next.faces(&house, api);
                *faces.write().unwrap_or_else(PoisonError::into_inner) = next;
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
