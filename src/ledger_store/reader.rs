use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::rows::{ReadError, Stored};
use crate::ledger::{NoProof, NotProved};

/// The thread that reads for proofs, with a connection of its own: whoever asks for proofs delays no entry.
pub(super) struct Reader {
    /// `None` once it is to end.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// Makes a proof, tells whoever waits, and says why there is none if that is the ledger's fault.
type Job = Box<dyn FnOnce(&mut Stored<'_>) -> Option<ReadError> + Send>;

impl Reader {
    pub(super) fn start(connection: Connection) -> io::Result<Self> {
        let (jobs, waiting) = channel();
        let thread = Builder::new().name("heyan-proofs".to_owned()).spawn(move || run(&connection, &waiting))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Makes a proof in a ledger of `size` entries.
    pub(super) async fn prove<T: Send + 'static>(
        &self,
        size: u64,
        make: impl FnOnce(&mut Stored<'_>) -> Result<T, NoProof<ReadError>> + Send + 'static,
    ) -> Result<T, NotProved> {
        let (reply, told) = oneshot::channel();
        let job: Job = Box::new(move |stored| {
            let (proof, cause) = match make(stored) {
                Ok(proof) => (Ok(proof), None),
                Err(NoProof::Outside) => (Err(NotProved::Outside(size)), None),
                Err(NoProof::Nodes(cause)) => (Err(NotProved::Unreadable), Some(cause)),
            };
            // Whoever asked may have gone away.
            let _ = reply.send(proof);
            cause
        });
        let jobs = self.jobs.as_ref().ok_or(NotProved::Unreadable)?;
        jobs.send(job).map_err(|_| NotProved::Unreadable)?;
        told.await.unwrap_or(Err(NotProved::Unreadable))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that makes proofs had crashed");
        }
    }
}

fn run(connection: &Connection, jobs: &Receiver<Job>) {
    let mut trouble: Option<Instant> = None;
    while let Ok(job) = jobs.recv() {
        let Some(cause) = job(&mut Stored(connection)) else {
            trouble = None;
            continue;
        };
        if trouble.is_none_or(|last| last.elapsed() >= COMPLAIN_EVERY) {
            tracing::error!(error = %cause, "the ledger cannot be read for a proof");
            trouble = Some(Instant::now());
        }
    }
}

const COMPLAIN_EVERY: Duration = Duration::from_mins(1);
