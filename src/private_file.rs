//! Layer 2: files with a secret in them, which their owner alone may read.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Why a file with a secret is not read.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// Somebody else on this machine may read it.
    #[error("{} can be read by others than its owner (mode {mode:03o}): make a new secret if they may have, and run: chmod 600 '{}'", path.display(), path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is a folder or a pipe.
    #[error("{} is not a file", .0.display())]
    NoFile(PathBuf),
    /// The file cannot be read.
    #[error("{} cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

/// No file with a secret is as large.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Reads a file that its owner alone can read.
///
/// # Errors
/// If others can read or change it too, or nobody can.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, PrivateFileError> {
    let unreadable = |cause| PrivateFileError::Unreadable { path: path.to_owned(), cause };
    // Whoever opens a pipe may wait for ever.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(PrivateFileError::NoFile(path.to_owned()));
    }
    let file = File::open(path).map_err(unreadable)?;
    // Of the file that is open, not of whatever has its name by now.
    let metadata = file.metadata().map_err(unreadable)?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(PrivateFileError::OpenToOthers { path: path.to_owned(), mode });
    }
    // Large enough that it never moves, which would leave a copy behind.
    let length = usize::try_from(metadata.len().min(MOST_BYTES)).unwrap_or_default();
    let mut text = Zeroizing::new(Vec::with_capacity(length + 1));
    file.take(length as u64).read_to_end(&mut text).map_err(unreadable)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_what_its_owner_alone_can_read_is_read() {
        let path = std::env::temp_dir().join(format!("heyan-private-{}", uuid::Uuid::now_v7()));
        fs::write(&path, "secret\n").unwrap();
        for (mode, is_private) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o602, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match read(&path) {
                Ok(text) => assert!(is_private && **text == *b"secret\n", "{mode:o}"),
                Err(error) => {
                    let said = error.to_string();
                    assert!(!is_private && said.contains(&format!("(mode {mode:03o})")), "{mode:o}: {said}");
                    assert!(said.contains(&format!("chmod 600 '{}'", path.display())), "{said}");
                }
            }
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(read(&path), Err(PrivateFileError::Unreadable { .. })));
        assert!(matches!(read(&std::env::temp_dir()), Err(PrivateFileError::NoFile(_))));
    }
}
