use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::queue::Queue;
use super::rows::{self, Head, ReadError};
use crate::ledger::{Hash, LedgerCondition, LedgerKeys, NotRecorded, SignedCheckpoint, leaf_hash};
use crate::telemetry::metrics::Commits;

/// The thread that writes. Entries that are waiting when it is free become one transaction with one signed checkpoint: the disk
/// is waited for once for all of them, and then each is told.
pub(super) struct Writer {
    orders: Arc<Queue<Order>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

/// What others see of the thread's work.
struct Shared {
    last: RwLock<Arc<SignedCheckpoint>>,
    commits: AtomicU64,
    measured: Commits,
    pulse: Mutex<Pulse>,
}

/// How the transactions went.
#[derive(Default)]
struct Pulse {
    last: Option<Instant>,
    took: Duration,
    longest: Duration,
    failures: u64,
    failing: Option<Instant>,
}

impl Shared {
    /// Notes how a transaction of so many entries went that began then.
    fn pulse(&self, began: Instant, entries: usize, is_written: bool) {
        let mut pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
        if is_written {
            let took = began.elapsed();
            (pulse.last, pulse.took, pulse.failing) = (Some(Instant::now()), took, None);
            pulse.longest = pulse.longest.max(took);
            self.measured.observe(took, entries);
        } else {
            pulse.failures += 1;
            pulse.failing.get_or_insert(began);
        }
    }
}

/// What the thread is told.
enum Order {
    Record(Job),
    /// To write with these keys from now on.
    Renew(Box<LedgerKeys>, Sender<Result<(), ReadError>>),
}

/// An entry to be recorded.
struct Job {
    leaf: Vec<u8>,
    hash: Hash,
    reply: oneshot::Sender<Result<u64, NotRecorded>>,
}

/// Ends a transaction. Tests put another one in its place, which fails.
pub(super) type Commit = Box<dyn FnMut(&Connection) -> rusqlite::Result<()> + Send>;

impl Writer {
    pub(super) fn start(connection: Connection, head: Head, keys: LedgerKeys, commit: Commit) -> io::Result<Self> {
        connection.set_prepared_statement_cache_capacity(32);
        let last = RwLock::new(Arc::new(head.checkpoint.clone()));
        let shared = Arc::new(Shared {
            last,
            commits: AtomicU64::new(0),
            measured: Commits::default(),
            pulse: Mutex::default(),
        });
        let desk = Desk { connection, head: Some(head), keys, commit, shared: Arc::clone(&shared), trouble: None };
        let orders = Arc::<Queue<Order>>::default();
        let waiting = Arc::clone(&orders);
        let thread = Builder::new().name("heyan-ledger".to_owned()).spawn(move || desk.run(&waiting))?;
        Ok(Self { orders, thread: Some(thread), shared })
    }

    /// Hands an entry over. Its hash is computed here, where there are many threads.
    pub(super) fn record(&self, leaf: Vec<u8>) -> oneshot::Receiver<Result<u64, NotRecorded>> {
        let (reply, told) = oneshot::channel();
        // If the thread is gone the job is dropped, and its sender is told by that.
        self.orders.put(Order::Record(Job { hash: leaf_hash(&leaf), leaf, reply }));
        told
    }

    /// Lets other keys take over; what came before is written with those before.
    pub(super) fn renew(&self, keys: LedgerKeys) -> Result<(), ReadError> {
        let (reply, told) = channel();
        self.orders.put(Order::Renew(Box::new(keys), reply));
        // A thread that is gone tells nothing.
        told.recv().unwrap_or_else(|_| Err(rusqlite::Error::InvalidQuery.into()))
    }

    /// The last checkpoint that is certainly on the disk.
    pub(super) fn last(&self) -> Arc<SignedCheckpoint> {
        Arc::clone(&self.shared.last.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How it is doing.
    pub(super) fn condition(&self) -> LedgerCondition {
        let pulse = self.shared.pulse.lock().unwrap_or_else(PoisonError::into_inner);
        LedgerCondition {
            entries: self.last().checkpoint.size,
            commits: self.commits(),
            last: pulse.last.map(|last| last.elapsed()),
            took: pulse.took,
            longest: pulse.longest,
            failures: pulse.failures,
            failing: pulse.failing.map(|since| since.elapsed()),
        }
    }

    /// How its transactions went.
    pub(super) fn measured(&self) -> &Commits {
        &self.shared.measured
    }

    pub(super) fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    /// Lets it write what is waiting.
    fn drop(&mut self) {
        self.orders.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the ledger's thread had crashed");
        }
    }
}

/// What the thread works with.
struct Desk {
    connection: Connection,
    /// Where the ledger on the disk ends; `None` while that is not known, after something went wrong.
    head: Option<Head>,
    keys: LedgerKeys,
    commit: Commit,
    shared: Arc<Shared>,
    /// When it was last logged that nothing can be written; `None` while it can.
    trouble: Option<Instant>,
}

impl Desk {
    fn run(mut self, orders: &Queue<Order>) {
        // However it ends: whoever waits is told.
        let _closing = orders.closing();
        while let Some(taken) = orders.take() {
            let mut jobs = Vec::new();
            for order in taken {
                match order {
                    Order::Record(job) => jobs.push(job),
                    Order::Renew(keys, reply) => {
                        self.write(std::mem::take(&mut jobs));
                        // Whoever asked may have gone away.
                        let _ = reply.send(self.renew(*keys));
                    }
                }
            }
            self.write(jobs);
        }
    }

    /// Takes other keys, if they know the one that the last checkpoint is signed with: else nobody could open the ledger again.
    fn renew(&mut self, keys: LedgerKeys) -> Result<(), ReadError> {
        Head::read(&self.connection, &keys)?;
        self.keys = keys;
        Ok(())
    }

    /// One transaction. A crash before its commit leaves nothing of any entry; a crash after it leaves all of them, and nobody
    /// has been told before.
    fn write(&mut self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let began = Instant::now();
        let written = self.transaction(&jobs);
        self.shared.pulse(began, jobs.len(), written.is_ok());
        match written {
            Ok((first, head)) => {
                *self.shared.last.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(head.checkpoint.clone());
                self.head = Some(head);
                self.shared.commits.fetch_add(1, Ordering::Relaxed);
                self.recovered();
                for (index, job) in (first..).zip(jobs) {
                    // Whoever asked may have gone away.
                    let _ = job.reply.send(Ok(index));
                }
            }
            Err(cause) => {
                self.give_up(&cause);
                for job in jobs {
                    let _ = job.reply.send(Err(NotRecorded));
                }
            }
        }
    }

    /// Writes all of it. Returns the index of the first entry, and the new end.
    fn transaction(&mut self, jobs: &[Job]) -> Result<(u64, Head), ReadError> {
        // After something went wrong, the tree that goes on is the one on the disk.
        let head = match &self.head {
            Some(head) => head,
            None => self.head.insert(Head::read(&self.connection, &self.keys)?),
        };
        let (key, connection) = (self.keys.current(), &self.connection);
        let (mut frontier, first) = (head.frontier.clone(), head.frontier.size());
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut nodes = Vec::new();
        for job in jobs {
            let index = frontier.size();
            rows::insert_entry(connection, index, &job.leaf, &key.stamp_entry(index, &job.hash))?;
            frontier.push(job.hash, |node, hash| {
                if rows::is_stored(node.level) {
                    nodes.push((node, *hash));
                }
            });
        }
        for (node, hash) in &nodes {
            rows::insert_node(connection, *node, hash)?;
        }
        let number = head.number + 1;
        let checkpoint = key.sign(frontier.size(), frontier.root());
        rows::insert_checkpoint(connection, number, &checkpoint.note, &key.stamp_checkpoint(number, &checkpoint.note))?;
        (self.commit)(connection)?;
        Ok((first, Head { frontier, number, checkpoint }))
    }

    /// What is on the disk now is nothing of the transaction, or all of it: that is read when there is something to write
    /// again. Until then the last checkpoint that is handed out stays the one before.
    fn give_up(&mut self, cause: &ReadError) {
        self.head = None;
        self.complain(cause);
        if !self.connection.is_autocommit()
            && let Err(cause) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(error = %cause, "the ledger cannot give a transaction up");
        }
    }

    /// Says what failed, and while that goes on, now and then. SQLite's messages name tables and columns, never values.
    fn complain(&mut self, cause: &ReadError) {
        if self.trouble.is_none_or(|last| last.elapsed() >= COMPLAIN_EVERY) {
            tracing::error!(error = %cause, "the ledger cannot record what it was asked to, so nothing is asked; it goes on trying with what comes");
            self.trouble = Some(Instant::now());
        }
    }

    fn recovered(&mut self) {
        if self.trouble.take().is_some() {
            tracing::info!("the ledger can be written again");
        }
    }
}

const COMPLAIN_EVERY: Duration = Duration::from_mins(1);
