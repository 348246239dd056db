//! The demo's own configuration with other limits, so that a fault is over soon.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A folder for `--overlay`, gone when it is dropped.
pub(crate) struct Overlay(PathBuf);

/// What replaces the limits of a source.
pub(crate) struct Limits {
    /// For all sources.
    pub(crate) limits: &'static str,
    /// When the gateway answers at the latest.
    pub(crate) answer_within: &'static str,
    /// For one source, more of them.
    pub(crate) one: Option<(&'static str, &'static str)>,
}

pub(crate) const SHORT: Limits = Limits {
    limits: "connect_timeout = \"200ms\"\nresponse_timeout = \"200ms\"\ndeadline = \"500ms\"\nbreaker = { open = \"200ms\" }\n",
    answer_within: "1s",
    one: None,
};
pub(crate) const OPEN: Duration = Duration::from_millis(200);
pub(crate) const DEADLINE: Duration = Duration::from_millis(500);
/// The same as a length of time.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(1);

const SOURCES: [&str; 4] = ["police", "civil-affairs", "health", "court"];

impl Overlay {
    pub(crate) fn new(name: &str, limits: &Limits) -> Self {
        let overlay = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id())));
        fs::create_dir_all(overlay.0.join("config/sources")).unwrap();
        for source in SOURCES {
            let more = limits.one.filter(|(one, _)| *one == source).map_or("", |(_, more)| more);
            let table = format!("[limits]\n{}{more}", limits.limits);
            overlay.lay(&format!("sources/{source}.toml"), "[limits]\nresponse_timeout = \"2s\"\n", &table);
        }
        let answer_within = format!("answer_within = \"{}\"", limits.answer_within);
        overlay.lay("heyan.toml", "answer_within = \"3s\"", &answer_within);
        overlay
    }

    /// Lays a file of `config` over itself, with one thing changed.
    fn lay(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(file)).unwrap();
        assert!(text.contains(from), "{file} has changed: it does not hold {from}");
        fs::write(self.0.join("config").join(file), text.replacen(from, to, 1)).unwrap();
    }

    pub(crate) fn arguments(&self) -> Vec<String> {
        ["--population", "200", "--overlay", self.0.to_str().unwrap()].map(str::to_owned).into()
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        // Whatever is left of it lies in the target folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}
