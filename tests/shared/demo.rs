//! A running `heyan demo`.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::log::Log;

/// A process, and what it has said of itself.
pub(crate) struct Demo {
    /// The line of `--json`.
    said: Value,
    pub(crate) process: Child,
    /// Everything that it has logged.
    pub(crate) log: Log,
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log.text());
        }
    }
}

impl Demo {
    /// Starts one; `more` are its further arguments and variables.
    pub(crate) fn start(more: impl FnOnce(&mut Command)) -> Self {
        // A file that may not grow is then an error of writing, and not the end of the process.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_heyan")]);
        command.args(["demo", "--json", "--listen", "127.0.0.1:0"]);
        more(&mut command);
        let log = Log::default();
        let mut process = command.stdout(Stdio::piped()).stderr(log.of_process()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{}", log.text()));
        Self { said, process, log }
    }

    /// What it has said of this.
    pub(crate) fn text(&self, key: &str) -> String {
        self.said[key].as_str().unwrap().to_owned()
    }

    /// All that it has said of this.
    pub(crate) fn list(&self, key: &str) -> &[Value] {
        self.said[key].as_array().unwrap()
    }
}
