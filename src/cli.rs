//! Layer 5: the command line, one file a command.

mod account;
mod check;
mod demo;
mod keys;
mod ledger;
mod receipt;
mod reload;
mod running;
mod serve;
mod signals;
mod silence;
mod simulate;
mod token;
mod triage;
mod verify;

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::diagnostic::Diagnostic;
use crate::telemetry::logs::{Format, Lines};

pub use silence::{forbid_core_files, tell_panics_by_place};

/// 核验: ask the department that holds a fact, instead of asking a resident for a certificate.
#[derive(Parser)]
#[command(name = "heyan", version, about, arg_required_else_help = true, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done; 1 the answer is no; 2 wrong usage or configuration; 3 could not be done; 4 done in part."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Simulated departments and the gateway in one process, with calls to paste
    Demo(demo::Arguments),
    /// The gateway
    Serve(serve::Arguments),
    /// The simulated departments alone, with their control endpoint
    Simulate(simulate::Arguments),
    /// Load a configuration and report every error in it
    Check(check::Arguments),
    /// Let a running gateway take over its configuration anew; a wrong one changes nothing
    Reload(reload::Arguments),
    /// Find the matter behind a demand for a certificate
    Triage(triage::Arguments),
    /// Ask a running gateway for one verification
    Verify(verify::Arguments),
    /// The keys that sign receipts and checkpoints, and those that hide subjects
    #[command(subcommand)]
    Keys(keys::Command),
    /// 核验回执: signed proof of what a verification came to
    #[command(subcommand)]
    Receipt(receipt::Command),
    /// The audit ledger, read from its file
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Credentials
    #[command(subcommand)]
    Token(token::Command),
    /// Accounts of people who sign in to the pages; also while a gateway runs
    #[command(subcommand)]
    Account(account::Command),
}

/// How a command ends when it doesn't end well.
#[derive(Debug)]
enum Failure {
    /// The answer is no.
    No,
    /// Wrong configuration.
    Configuration(Vec<Diagnostic>),
    /// A running gateway refuses its new configuration, with these words.
    Refused(String),
    /// Wrong usage.
    Usage(anyhow::Error),
    /// What was said is not all that there is, for this reason.
    Incomplete(String),
    /// It could not be done, for this reason.
    Impossible(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Impossible(error.into())
    }
}

/// Runs the program.
#[must_use]
pub fn run() -> ExitCode {
    tell_panics_by_place();
    if let Err(error) = forbid_core_files() {
        let _ = writeln!(
            io::stderr(),
            "heyan: the system does not let core files be forbidden, so nothing is done: {error}"
        );
        return ExitCode::from(3);
    }
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("HEYAN_LOG").unwrap_or_else(|_| EnvFilter::new("heyan=info"));
    tracing_subscriber::registry().with(filter).with(Lines(log_format())).init();
    let done = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Reload(arguments) => reload::run(&arguments),
        Command::Triage(arguments) => triage::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Keys(command) => keys::run(&command),
        Command::Receipt(command) => receipt::run(&command),
        Command::Ledger(command) => ledger::run(&command),
        Command::Token(command) => token::run(&command),
        Command::Account(command) => account::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::No) => ExitCode::from(1),
        Err(failure) => {
            let _ = writeln!(io::stderr(), "{failure}");
            ExitCode::from(match failure {
                Failure::No => 1,
                Failure::Configuration(_) | Failure::Refused(_) | Failure::Usage(_) => 2,
                Failure::Impossible(_) => 3,
                Failure::Incomplete(_) => 4,
            })
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => formatter.write_str("no"),
            Self::Configuration(errors) => {
                errors.iter().try_for_each(|error| writeln!(formatter, "{error}"))?;
                write!(formatter, "{} in the configuration", count(errors.len(), "error"))
            }
            Self::Refused(words) => write!(formatter, "{words}\nnothing has changed"),
            Self::Incomplete(words) => formatter.write_str(words),
            Self::Usage(error) | Self::Impossible(error) => write!(formatter, "heyan: {error:#}"),
        }
    }
}

fn count(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// How the log is written: as `HEYAN_LOG_FORMAT` says, or in a form to be read where somebody reads it, and as JSON elsewhere.
fn log_format() -> Format {
    let is_read = io::stderr().is_terminal();
    let wanted = std::env::var("HEYAN_LOG_FORMAT").ok().and_then(|text| text.parse().ok());
    match wanted.unwrap_or(if is_read { Format::Pretty { has_colours: true } } else { Format::Json }) {
        Format::Json => Format::Json,
        Format::Pretty { .. } => Format::Pretty { has_colours: is_read },
    }
}

/// Prints a line; a reader who has gone away is no error.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}
