use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

use super::tables::Tables;
use crate::clock::Clock;
use crate::durable::NotSaved;

/// The thread that has the tables. Jobs that are waiting when it is free become one transaction: the disk is waited for
/// once for all of them, and then each is told.
pub(super) struct Writer {
    /// `None` once it is to end.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    commits: Arc<AtomicU64>,
}

/// Runs within the transaction. The outer error is the end of the whole transaction.
type Job = Box<dyn FnOnce(&mut Tables) -> rusqlite::Result<Ran> + Send>;

/// A job that ran: why it failed by itself, and how whoever waits is told what came of it.
struct Ran {
    failure: Option<rusqlite::Error>,
    tell: Box<dyn FnOnce(Result<(), NotSaved>) + Send>,
}

impl Writer {
    pub(super) fn start(tables: Tables, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (jobs, waiting) = channel();
        let commits = Arc::new(AtomicU64::new(0));
        let desk =
            Desk { tables, clean_at: clock.now(), clock, commits: commits.clone(), trouble: None, more_to_clean: true };
        let thread = Builder::new().name("heyan-store".to_owned()).spawn(move || desk.run(&waiting))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), commits })
    }

    /// Does something with the tables. What it changed is on the disk when this says `Ok`.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tables) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, NotSaved> {
        let (reply, told) = oneshot::channel();
        let job: Job = Box::new(move |tables| {
            let (outcome, failure) = match tables.part(work)? {
                Ok(value) => (Ok(value), None),
                Err(cause) => (Err(NotSaved), Some(cause)),
            };
            // Whoever asked may have gone away.
            let tell = move |written: Result<(), NotSaved>| drop(reply.send(written.and(outcome)));
            Ok(Ran { failure, tell: Box::new(tell) })
        });
        self.jobs.as_ref().ok_or(NotSaved)?.send(job).map_err(|_| NotSaved)?;
        // A job that is dropped unheard was in a transaction that failed before its turn.
        told.await.unwrap_or(Err(NotSaved))
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    /// Lets it write what is waiting.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's thread had crashed");
        }
    }
}

/// What the thread works with.
struct Desk {
    tables: Tables,
    clock: Arc<dyn Clock>,
    commits: Arc<AtomicU64>,
    clean_at: Timestamp,
    more_to_clean: bool,
    /// When it was last logged that nothing can be written; `None` while it can.
    trouble: Option<Instant>,
}

impl Desk {
    fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let pause = if self.more_to_clean { Duration::ZERO } else { CLEAN_EVERY };
            match jobs.recv_timeout(pause) {
                Ok(first) => self.write(std::iter::once(first).chain(jobs.try_iter()).take(MOST_AT_ONCE)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.clean_if_due();
        }
    }

    /// One transaction. A crash before its commit leaves nothing of any job; a crash after it leaves all of those that did
    /// not fail by themselves, and nobody has been told before.
    fn write(&mut self, jobs: impl Iterator<Item = Job>) {
        let mut ran = Vec::new();
        let outcome = self.transaction(jobs, &mut ran);
        let failed = ran.iter_mut().find_map(|job| job.failure.take());
        match (&outcome, failed) {
            (Err(cause), _) => self.give_up(cause),
            (Ok(_), Some(cause)) => self.complain(&cause),
            (Ok(true), None) => self.recovered(),
            // What was only read says nothing about whether it can be written again.
            (Ok(false), None) => {}
        }
        self.commits.fetch_add(u64::from(outcome == Ok(true)), Ordering::Relaxed);
        let written = outcome.map(drop).map_err(|_| NotSaved);
        for job in ran {
            (job.tell)(written);
        }
    }

    fn transaction(&mut self, jobs: impl Iterator<Item = Job>, ran: &mut Vec<Ran>) -> rusqlite::Result<bool> {
        // Those that are not reached any more have been taken all the same, and are told by being dropped.
        let jobs: Vec<Job> = jobs.collect();
        self.tables.begin()?;
        for job in jobs {
            ran.push(job(&mut self.tables)?);
        }
        self.tables.commit()
    }

    fn clean_if_due(&mut self) {
        let now = self.clock.now();
        if now < self.clean_at && !self.more_to_clean {
            return;
        }
        self.clean_at = now.saturating_add(CLEAN_EVERY_BY_THE_CLOCK).unwrap_or(Timestamp::MAX);
        let cleaned = self.tables.clean(now).and_then(|more| {
            self.more_to_clean = more;
            if more { Ok(()) } else { self.tables.empty_journal() }
        });
        if let Err(cause) = cleaned {
            self.more_to_clean = false;
            self.give_up(&cause);
        }
    }

    fn give_up(&mut self, cause: &rusqlite::Error) {
        self.complain(cause);
        if let Err(cause) = self.tables.roll_back() {
            tracing::error!(error = %cause, "the store cannot give a transaction up");
        }
    }

    /// Says once for all jobs of a transaction what failed, and while that goes on, now and then. SQLite's messages name
    /// tables and columns, never values.
    fn complain(&mut self, cause: &rusqlite::Error) {
        if self.trouble.is_none_or(|last| last.elapsed() >= COMPLAIN_EVERY) {
            tracing::error!(error = %cause, "the store cannot keep or read what it was asked to; it goes on trying with what comes");
            self.trouble = Some(Instant::now());
        }
    }

    fn recovered(&mut self) {
        if self.trouble.take().is_some() {
            tracing::info!("the store can be written again");
        }
    }
}

/// The most jobs of one transaction.
const MOST_AT_ONCE: usize = 512;

const CLEAN_EVERY: Duration = Duration::from_mins(1);
const CLEAN_EVERY_BY_THE_CLOCK: SignedDuration = SignedDuration::from_mins(1);

const COMPLAIN_EVERY: Duration = Duration::from_secs(1);
