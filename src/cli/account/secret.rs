//! A password from a terminal, where it is not seen, or from standard input. It never stands on a command line, which others see.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::anyhow;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::Failure;
use crate::accounts::Password;

/// Reads a password: on a terminal twice.
pub(super) async fn read() -> Result<Password, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(Password::new(&line()?));
    }
    let first = ask("Password: ").await?;
    let second = ask("Once more: ").await?;
    if *first != *second {
        return Err(Failure::Usage(anyhow!("the password was typed in two ways")));
    }
    Ok(Password::new(&first))
}

async fn ask(question: &str) -> Result<Zeroizing<String>, Failure> {
    // Whoever is stopped from now on leaves the terminal as it was.
    let stopped = Stopped::catch()?;
    let quiet = Quiet::begin()?;
    write!(io::stderr(), "{question}")?;
    io::stderr().flush()?;
    let typed = tokio::select! {
        () = stopped.wait() => Err(Failure::Impossible(anyhow!("stopped; nothing was changed"))),
        typed = typed() => typed,
    };
    drop(quiet);
    writeln!(io::stderr())?;
    typed
}

/// A line, while signals are waited for. Its thread waits for the line alone, and ends with the process.
async fn typed() -> Result<Zeroizing<String>, Failure> {
    let (told, typed) = oneshot::channel();
    // Whoever asked may have been stopped.
    std::thread::Builder::new().spawn(move || drop(told.send(line())))?;
    typed.await?
}

fn line() -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    if line.is_empty() { Err(Failure::Usage(anyhow!("there is no password on standard input"))) } else { Ok(line) }
}

/// The signals that end a process, each of which a key or a closed window sends.
struct Stopped([Signal; 4]);

impl Stopped {
    /// From now on they no longer kill.
    fn catch() -> io::Result<Self> {
        let [interrupt, quit, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::quit(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Self([interrupt?, quit?, terminate?, hangup?]))
    }

    async fn wait(self) {
        let Self([mut interrupt, mut quit, mut terminate, mut hangup]) = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = quit.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// A terminal that does not show what is typed, as long as this lives.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // The terminal may be gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
