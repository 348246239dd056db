use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// A folder for the time of one demo, which its user alone can read. It goes with this; if the demo is killed, with the next one.
pub(super) struct TemporaryFolder {
    path: PathBuf,
    _in_use: File,
}

impl TemporaryFolder {
    /// Makes one, and removes those whose demo is not there any more.
    pub(super) fn make() -> io::Result<Self> {
        let all = std::env::temp_dir();
        remove_left(&all);
        let id = Uuid::now_v7();
        let (new, path) = (all.join(format!("heyan-new-demo-{id}")), all.join(format!("{NAME}{id}")));
        DirBuilder::new().mode(0o700).create(&new)?;
        let in_use = File::create_new(new.join(IN_USE))?;
        in_use.lock()?;
        // Under its name nobody ever finds it without its lock.
        fs::rename(&new, &path)?;
        Ok(Self { path, _in_use: in_use })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, "{} cannot be removed", self.path.display());
        }
    }
}

/// What all of them are called, before their id.
const NAME: &str = "heyan-demo-";

/// The demo holds a lock on this file as long as it runs.
const IN_USE: &str = "in-use";

/// Folders of others, and what else cannot be removed, is left to them.
fn remove_left(all: &Path) {
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(NAME));
        let left = File::open(entry.path().join(IN_USE)).ok().filter(|_| is_ours);
        if left.is_some_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
