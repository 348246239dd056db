use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key::Key;
use super::{KeysError, Malformed, Ring, file};

/// A folder of keys that no other process changes as long as this is held.
pub(super) struct Locked {
    folder: PathBuf,
    handle: File,
}

/// How the name of a whole key's file ends, and that of a destroyed one.
const WHOLE: &str = "key";
const DESTROYED: &str = "destroyed";

impl Locked {
    /// Makes the folder if it is not there, and takes it.
    pub(super) fn make(folder: &Path) -> Result<Self, KeysError> {
        let new: Vec<&Path> = folder.ancestors().take_while(|path| !path.exists()).collect();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|cause| KeysError::Files { path: folder.to_owned(), cause })?;
        for parent in new.into_iter().filter_map(Path::parent) {
            // A relative path's parent is the empty one.
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            let synced = File::open(parent).and_then(|parent| parent.sync_all());
            synced.map_err(|cause| KeysError::Files { path: parent.to_owned(), cause })?;
        }
        Self::open(folder)
    }

    /// Takes a folder that is there.
    pub(super) fn open(folder: &Path) -> Result<Self, KeysError> {
        let failed = |cause| KeysError::Files { path: folder.to_owned(), cause };
        let handle = File::open(folder).map_err(failed)?;
        if !handle.metadata().map_err(failed)?.is_dir() {
            return Err(failed(ErrorKind::NotADirectory.into()));
        }
        private(&handle, folder, 0o700)?;
        // Whoever has it holds it for the time of a few files.
        handle.lock().map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), handle })
    }

    /// Reads all keys. One whose destruction was interrupted is destroyed, whatever is left of it.
    pub(super) fn read(&self) -> Result<Ring, KeysError> {
        let mut ring = Ring::default();
        let (whole, destroyed) = (self.named(WHOLE)?, self.named(DESTROYED)?);
        for path in destroyed.iter().chain(&whole) {
            if path.extension().is_some_and(|extension| extension == WHOLE) && is_destroyed(path) {
                continue;
            }
            let malformed = |why| KeysError::Malformed { place: path.display().to_string(), why };
            let key = file::parse(&read(path)?).map_err(malformed)?;
            if path.file_stem().is_none_or(|name| name != key.id().as_str()) {
                return Err(malformed(Malformed::Name));
            }
            ring.try_add(key).map_err(malformed)?;
        }
        Ok(ring)
    }

    /// Writes a key's file. It is there whole, or not at all, and stays when this returns.
    pub(super) fn write(&self, key: &Key) -> Result<(), KeysError> {
        let ending = if key.destroyed().is_some() { DESTROYED } else { WHOLE };
        let path = self.folder.join(format!("{}.{ending}", key.id()));
        let draft = self.folder.join(format!(".{}.{ending}.draft", key.id()));
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| KeysError::Files { path, cause }
        };
        // One that a crash left behind may hold half a secret.
        if draft.exists() {
            wipe(&draft)?;
        }
        let text = file::write(key)?;
        let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
        let written = written.and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()));
        written.map_err(failed(&draft))?;
        fs::rename(&draft, &path).map_err(failed(&path))?;
        self.handle.sync_all().map_err(failed(&self.folder))
    }

    /// Wipes the files of keys that are destroyed. A crash on the way leaves the rest of it to the next call.
    pub(super) fn finish_destroying(&self) -> Result<(), KeysError> {
        for path in self.named(WHOLE)?.iter().filter(|path| is_destroyed(path)) {
            wipe(path)?;
        }
        self.handle.sync_all().map_err(|cause| KeysError::Files { path: self.folder.clone(), cause })
    }

    /// The files whose name ends so, in order. Others belong to somebody else.
    fn named(&self, ending: &str) -> Result<Vec<PathBuf>, KeysError> {
        let failed = |cause| KeysError::Files { path: self.folder.clone(), cause };
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if !is_hidden && path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }
}

fn is_destroyed(path: &Path) -> bool {
    path.with_extension(DESTROYED).exists()
}

/// The text of a file that its owner alone can read.
fn read(path: &Path) -> Result<Zeroizing<String>, KeysError> {
    let failed = |cause| KeysError::Files { path: path.to_owned(), cause };
    let file = File::open(path).map_err(failed)?;
    // Of the file that is open, not of whatever has its name by now.
    private(&file, path, 0o600)?;
    // Large enough that it never moves, which would leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(file::LONGEST + 1));
    match file.take(file::LONGEST as u64).read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(cause) if cause.kind() == ErrorKind::InvalidData => {
            Err(KeysError::Malformed { place: path.display().to_string(), why: Malformed::Shape })
        }
        Err(cause) => Err(failed(cause)),
    }
}

/// Overwrites a file and removes it.
fn wipe(path: &Path) -> Result<(), KeysError> {
    let wiped = OpenOptions::new().write(true).open(path).and_then(|mut file| {
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(file::LONGEST).min(file::LONGEST);
        file.write_all(&vec![0; length])?;
        file.sync_all()
    });
    let removed = wiped.and_then(|()| fs::remove_file(path));
    removed.map_err(|cause| KeysError::Files { path: path.to_owned(), cause })
}

fn private(file: &File, path: &Path, right: u32) -> Result<(), KeysError> {
    let metadata = file.metadata().map_err(|cause| KeysError::Files { path: path.to_owned(), cause })?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 { Err(KeysError::OpenToOthers { path: path.to_owned(), mode, right }) } else { Ok(()) }
}
