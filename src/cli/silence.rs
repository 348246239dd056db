//! What the program leaves behind when it ends badly: a place in the program, and nothing of what it was working on.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};
use std::thread;

#[cfg(target_os = "linux")]
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::process::{Resource, Rlimit, setrlimit};

/// From now on the system writes no core file of this process, and hands none to a program that collects them: the memory
/// holds people's names and numbers. On Linux other processes of the same user cannot read it either.
///
/// # Errors
/// If the system does not let it be forbidden.
pub fn forbid_core_files() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // A limit does not bind a program that core files are piped to; this does.
    #[cfg(target_os = "linux")]
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// From now on a panic tells where it happened, and with `RUST_BACKTRACE` by which way, but not its words: those of the
/// standard library repeat texts that they could not cut.
pub fn tell_panics_by_place() {
    panic::set_hook(Box::new(tell));
}

fn tell(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let thread = thread::current().name().unwrap_or("without a name").to_owned();
    let way = Backtrace::capture();
    let way = if way.status() == BacktraceStatus::Captured { format!("\n{way}") } else { String::new() };
    // Where there is a log, it stands there with its trace; once.
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!(panic.thread = thread, panic.place = place, "the program has a mistake and panicked{way}");
        return;
    }
    // Nobody is left to be told that standard error cannot be written.
    let _ = writeln!(io::stderr(), "heyan: the thread {thread} panicked at {place}{way}");
}
