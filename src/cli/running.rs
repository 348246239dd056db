//! A running gateway and those who tell it something: SIGTERM and SIGINT to stop, SIGHUP and `heyan reload` to take over a
//! new configuration.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;
use super::signals::Signals;
use crate::server::{Installation, Server};
use crate::web::Wanted;

/// Listens to signals from the moment that it is made, and to `heyan reload` in the folder of what survives a restart.
pub(super) struct Running {
    signals: Signals,
    reload: Signal,
    door: Option<Door>,
}

/// The socket that `heyan reload` speaks to. Whoever may write to the folder may use it.
struct Door {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Door {
    fn drop(&mut self) {
        // The next process removes it, too.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Who wants the configuration to be read anew.
enum Who {
    Signal,
    /// `heyan reload`.
    Visitor(io::Result<UnixStream>),
    /// An operator, in the console.
    Operator(Wanted),
}

/// The name of the socket in that folder.
const SOCKET: &str = "control.sock";

impl Running {
    pub(super) fn new(data_dir: Option<&Path>) -> Result<Self, Failure> {
        let signals = Signals::catch()?;
        let (reload, door) = signals.run(async {
            let door = data_dir.map(|folder| Door::open(&folder.join(SOCKET))).transpose()?;
            Ok::<_, io::Error>((signal(SignalKind::hangup())?, door))
        })?;
        Ok(Self { signals, reload, door })
    }

    /// Waits for a signal to stop, and reloads whenever that is wanted.
    pub(super) fn until_stopped(self, server: &Server, load: impl Fn() -> Result<Installation, Failure>) {
        let Self { mut signals, mut reload, door } = self;
        loop {
            let wanted = signals.unless_stopped(async {
                tokio::select! {
                    _ = reload.recv() => Who::Signal,
                    visitor = accept(door.as_ref()) => Who::Visitor(visitor),
                    wanted = server.reload_wanted() => Who::Operator(wanted),
                }
            });
            let Some(who) = wanted else { return };
            let told = match load().and_then(|installation| Ok(server.reload(installation)?)) {
                Ok(()) => {
                    server.reloaded(Ok(()));
                    tracing::info!(rules = server.rules(), "a new configuration has taken over");
                    format!("ok {}\n", server.rules())
                }
                Err(failure) => {
                    let wrong = failure.to_string();
                    server.reloaded(Err(wrong.clone()));
                    tracing::error!("the configuration stays as it was:\n{wrong}");
                    format!("error\n{wrong}\n")
                }
            };
            match who {
                // One who has gone away has no use for it.
                Who::Visitor(Ok(mut visitor)) => drop(signals.run(visitor.write_all(told.as_bytes()))),
                Who::Visitor(Err(_)) | Who::Signal => {}
                Who::Operator(wanted) => wanted.done(),
            }
        }
    }
}

impl Door {
    fn open(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self { listener: UnixListener::bind(path)?, path: path.to_owned() })
    }
}

async fn accept(door: Option<&Door>) -> io::Result<UnixStream> {
    match door {
        Some(door) => door.listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

/// Tells the gateway that keeps its things in this folder to reload. Returns the digest of the rules that decide then, or
/// what is wrong.
pub(super) fn tell_to_reload(data_dir: &Path) -> anyhow::Result<Result<String, String>> {
    let path = data_dir.join(SOCKET);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = runtime.block_on(async {
        let mut stream = UnixStream::connect(&path).await?;
        let mut told = String::new();
        stream.read_to_string(&mut told).await.map(|_| told)
    });
    let told = told.with_context(|| format!("no gateway listens at {}", path.display()))?;
    Ok(match told.strip_prefix("ok ") {
        Some(rules) => Ok(rules.trim().to_owned()),
        None => Err(told.strip_prefix("error\n").unwrap_or(&told).trim_end().to_owned()),
    })
}
