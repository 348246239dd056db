//! A password from a terminal, where it is not seen, or from standard input. It never stands on a command line, which others see.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::anyhow;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::Failure;
use crate::accounts::Password;

/// Reads a password: on a terminal twice.
pub(super) fn read() -> Result<Password, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(Password::new(&line()?));
    }
    let first = ask("Password: ")?;
    let second = ask("Once more: ")?;
    if *first != *second {
        return Err(Failure::Usage(anyhow!("the password was typed in two ways")));
    }
    Ok(Password::new(&first))
}

fn ask(question: &str) -> Result<Zeroizing<String>, Failure> {
    write!(io::stderr(), "{question}")?;
    io::stderr().flush()?;
    let quiet = Quiet::begin()?;
    let line = line();
    drop(quiet);
    writeln!(io::stderr())?;
    line
}

fn line() -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    if line.is_empty() { Err(Failure::Usage(anyhow!("there is no password on standard input"))) } else { Ok(line) }
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
