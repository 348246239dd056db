use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;

/// The signals that end a command well, SIGINT and SIGTERM, and a runtime to wait for them on.
pub(super) struct Signals {
    runtime: Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From now on these signals no longer kill. Whoever is told that the command is ready may send one at once, so this comes
    /// before anything is said.
    pub(super) fn catch() -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (interrupt, terminate) = {
            let _entered = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        Ok(Self { runtime, interrupt, terminate })
    }

    /// Runs something on the runtime, to its end.
    pub(super) fn run<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    /// Waits for a signal; one that came since they were caught is there at once. What was spawned goes on meanwhile.
    pub(super) fn wait(&mut self) {
        self.unless_stopped(std::future::pending::<()>());
    }

    /// Waits for something; nothing comes of it where a signal comes first.
    pub(super) fn unless_stopped<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.interrupt.recv() => None,
                _ = self.terminate.recv() => None,
                done = work => Some(done),
            }
        })
    }
}
