use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use include_dir::{Dir, include_dir};

use crate::diagnostic::Diagnostic;

/// What the program holds within itself, so that it runs without any file.
static CONFIG: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/config");
static SCHEMAS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas");

/// How the names of what the program holds within itself begin.
pub(super) const EMBEDDED: &str = "embedded:";

/// The files under `config/` and `schemas/`, by their path from above these two.
#[derive(Debug, Clone, Default)]
pub struct Folder(BTreeMap<String, File>);

/// A text file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path, as its owner knows it.
    pub shown: String,
    /// Its content.
    pub text: String,
}

impl Folder {
    /// The embedded defaults.
    #[must_use]
    pub fn embedded() -> Self {
        let mut folder = Self::default();
        folder.embed(&CONFIG, "config");
        folder.embed(&SCHEMAS, "schemas");
        folder
    }

    /// The folder around a gateway's file: the configuration beside it over the embedded words, and the embedded schemas under
    /// those of the folder `schemas` beside the configuration's.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn around(file: &Path) -> Result<Self, Vec<Diagnostic>> {
        let mut folder = Self::default();
        folder.embed(&SCHEMAS, "schemas");
        if let Some(words) = CONFIG.get_dir("words") {
            folder.embed(words, "config");
        }
        let main = read(file).map_err(|error| vec![error])?;
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut errors = folder.add_directory(directory, "config");
        let schemas = directory.join("../schemas");
        if schemas.is_dir() {
            errors.extend(folder.add_directory(&schemas, "schemas"));
        }
        // Whatever it is called on disk, it stands where the gateway's file belongs, and only there.
        if let Some(name) = file.file_name().and_then(|name| name.to_str()) {
            folder.0.remove(&format!("config/{name}"));
        }
        folder.0.insert("config/heyan.toml".to_owned(), main);
        if errors.is_empty() { Ok(folder) } else { Err(errors) }
    }

    /// Lays the folders `config` and `schemas` of a directory over this one: a file of the same path replaces, others add.
    ///
    /// # Errors
    /// If the directory has neither, or files that cannot be read.
    pub fn overlay(mut self, directory: &Path) -> Result<Self, Vec<Diagnostic>> {
        let mut errors = Vec::new();
        let mut found = false;
        for name in ["config", "schemas"] {
            let part = directory.join(name);
            if part.is_dir() {
                found = true;
                errors.extend(self.add_directory(&part, name));
            }
        }
        if !found {
            let message = "an overlay is a folder that holds a folder \"config\" or a folder \"schemas\"".to_owned();
            errors.push(wrong(directory, message));
        }
        if errors.is_empty() { Ok(self) } else { Err(errors) }
    }

    /// The file at a path.
    ///
    /// # Errors
    /// If there is none.
    pub fn read(&self, path: &str) -> Result<&File, Diagnostic> {
        let missing = || Diagnostic { file: path.to_owned(), line: None, message: "this file is missing".to_owned() };
        self.0.get(path).ok_or_else(missing)
    }

    /// The files whose path begins and ends so, in order.
    pub fn list<'a>(&'a self, prefix: &'a str, extension: &'a str) -> impl Iterator<Item = &'a File> {
        let wanted = move |path: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| !rest.contains('/'))
                && Path::new(path).extension().is_some_and(|found| found == extension)
        };
        self.0.iter().filter(move |(path, _)| wanted(path)).map(|(_, file)| file)
    }

    /// Every path, with its file.
    pub fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.0.iter().map(|(path, file)| (path.as_str(), file))
    }

    fn embed(&mut self, directory: &Dir<'_>, name: &str) {
        for entry in directory.entries() {
            let path = format!("{name}/{}", entry.path().display());
            match entry {
                include_dir::DirEntry::Dir(inner) => self.embed(inner, name),
                include_dir::DirEntry::File(file) => {
                    if let Some(text) = file.contents_utf8() {
                        let shown = format!("{EMBEDDED}{path}");
                        self.0.insert(path, File { shown, text: text.to_owned() });
                    }
                }
            }
        }
    }

    fn add_directory(&mut self, directory: &Path, name: &str) -> Vec<Diagnostic> {
        let mut errors = Vec::new();
        let mut open = vec![Place { on_disk: directory.to_owned(), path: name.to_owned(), around: Vec::new() }];
        while let Some(place) = open.pop() {
            if place.on_disk.is_dir() {
                match place.entries() {
                    Ok(entries) => {
                        for entry in entries {
                            entry.map_or_else(|error| errors.push(error), |entry| open.push(entry));
                        }
                    }
                    Err(error) => errors.push(error),
                }
            } else if place.on_disk.extension().is_some_and(|extension| extension == "toml" || extension == "json") {
                match read(&place.on_disk) {
                    Ok(file) => drop(self.0.insert(place.path, file)),
                    Err(error) => errors.push(error),
                }
            } else if is_misnamed(&place.path) {
                // Known by its name alone, so that whoever checks the folder can tell that nothing reads it.
                let shown = place.on_disk.display().to_string();
                self.0.insert(place.path, File { shown, text: String::new() });
            }
        }
        errors.sort();
        errors
    }
}

/// Whether a file stands where configuration is read from, but is called like none. What people lay beside it on purpose is not
/// meant: notes, certificates, an editor's backup.
fn is_misnamed(path: &str) -> bool {
    let beside = [".md", ".txt", ".pem", ".crt", ".key", "~"];
    ["config/matters/", "config/sources/", "config/agencies/"].iter().any(|place| path.starts_with(place))
        && !beside.iter().any(|end| path.ends_with(end))
}

/// A file or folder on disk that is still to be read.
struct Place {
    on_disk: PathBuf,
    /// Its path within the folder that is read.
    path: String,
    /// The folders around it, without links.
    around: Vec<PathBuf>,
}

impl Place {
    /// What stands in a folder. Names that begin with a dot are left alone: editors and volume mounts keep their own things so.
    fn entries(&self) -> Result<Vec<Result<Self, Diagnostic>>, Diagnostic> {
        let unreadable = |error: io::Error| wrong(&self.on_disk, format!("this folder cannot be read: {error}"));
        let real = self.on_disk.canonicalize().map_err(unreadable)?;
        if self.around.contains(&real) {
            return Err(wrong(&self.on_disk, "this link leads back to a folder around it".to_owned()));
        }
        let around = [self.around.as_slice(), &[real]].concat();
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.on_disk).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let place = |name: &str| Self {
                on_disk: entry.path(),
                path: format!("{}/{name}", self.path),
                around: around.clone(),
            };
            match entry.file_name().to_str() {
                Some(name) if name.starts_with('.') => {}
                Some(name) => entries.push(Ok(place(name))),
                None => entries.push(Err(wrong(&entry.path(), "this file's name is not UTF-8".to_owned()))),
            }
        }
        Ok(entries)
    }
}

fn wrong(path: &Path, message: String) -> Diagnostic {
    Diagnostic { file: path.display().to_string(), line: None, message }
}

/// Reads a file. What is no regular file could block or never end.
fn read(path: &Path) -> Result<File, Diagnostic> {
    let unreadable = |error: io::Error| wrong(path, format!("this file cannot be read: {error}"));
    let about = fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        return Err(wrong(path, "this is not a file".to_owned()));
    }
    if about.len() > MAX_BYTES {
        return Err(wrong(path, "this file is larger than 4 MiB".to_owned()));
    }
    match String::from_utf8(fs::read(path).map_err(unreadable)?) {
        Ok(text) => Ok(File { shown: path.display().to_string(), text }),
        Err(_) => Err(wrong(path, "this file is not UTF-8".to_owned())),
    }
}

/// The largest file that is read.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

#[cfg(test)]
impl Folder {
    /// This folder with one file more, or another.
    pub(super) fn with(mut self, path: &str, text: &str) -> Self {
        self.0.insert(path.to_owned(), File { shown: path.to_owned(), text: text.to_owned() });
        self
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A directory that goes away with the test.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(files: &[(&str, &[u8])]) -> Self {
            let scratch = Self(std::env::temp_dir().join(format!("heyan-folder-{}", uuid::Uuid::now_v7())));
            fs::create_dir_all(&scratch.0).unwrap();
            for (path, content) in files {
                let path = scratch.0.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
            scratch
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn messages(result: Result<Folder, Vec<Diagnostic>>) -> Vec<String> {
        result.err().unwrap().into_iter().map(|error| error.message).collect()
    }

    #[test]
    fn an_overlay_replaces_and_adds() {
        let scratch = Scratch::new(&[
            ("config/heyan.toml", b"# mine"),
            ("config/agencies/fund.toml", b"# fund"),
            ("schemas/sources/bank/account.json", b"{}"),
            ("config/agencies/fund.toml~", b"\xff"),
            ("config/.git/broken.toml", b"\xff"),
        ]);
        let folder = Folder::embedded().overlay(&scratch.0).unwrap();
        assert_eq!(folder.read("config/heyan.toml").unwrap().text, "# mine");
        assert_eq!(
            folder.read("config/heyan.toml").unwrap().shown,
            scratch.0.join("config/heyan.toml").display().to_string()
        );
        assert_eq!(folder.read("config/policy.toml").unwrap().shown, "embedded:config/policy.toml");
        assert!(folder.read("schemas/sources/bank/account.json").is_ok());
        assert_eq!(
            folder.list("config/agencies/", "toml").map(|file| file.text.as_str()).collect::<Vec<_>>(),
            ["# fund"]
        );
        assert_eq!(folder.read("config/none.toml").unwrap_err().message, "this file is missing");
    }

    #[test]
    fn lists_are_in_order_and_not_deep() {
        let scratch = Scratch::new(&[
            ("config/sources/b.toml", b"b"),
            ("config/sources/a.toml", b"a"),
            ("config/sources/deep/c.toml", b"c"),
            ("config/sources/d.json", b"d"),
        ]);
        let folder = Folder::default().overlay(&scratch.0).unwrap();
        assert_eq!(
            folder.list("config/sources/", "toml").map(|file| file.text.as_str()).collect::<Vec<_>>(),
            ["a", "b"]
        );
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let scratch = Scratch::new(&[("config/latin.toml", b"# \xe9"), ("config/good.toml", b"")]);
        let config = scratch.0.join("config");
        symlink("nowhere.toml", config.join("dangling.toml")).unwrap();
        symlink("/dev/zero", config.join("endless.toml")).unwrap();
        symlink("..", config.join("up")).unwrap();
        fs::write(config.join(std::ffi::OsStr::from_bytes(b"\xff.toml")), "").unwrap();
        fs::File::create(config.join("huge.json")).unwrap().set_len(MAX_BYTES + 1).unwrap();
        let mut told = messages(Folder::embedded().overlay(&scratch.0));
        told.sort();
        assert_eq!(told.len(), 6, "{told:#?}");
        assert!(told[0].starts_with("this file cannot be read"), "{told:#?}");
        assert_eq!(told[1], "this file is larger than 4 MiB");
        assert_eq!(told[2], "this file is not UTF-8");
        assert_eq!(told[3], "this file's name is not UTF-8");
        assert_eq!(told[4], "this is not a file");
        assert_eq!(told[5], "this link leads back to a folder around it");
    }

    #[test]
    fn two_links_to_one_folder_are_no_loop() {
        let scratch = Scratch::new(&[("shared/a.toml", b"a")]);
        fs::create_dir_all(scratch.0.join("config")).unwrap();
        symlink("../shared", scratch.0.join("config/one")).unwrap();
        symlink("../shared", scratch.0.join("config/two")).unwrap();
        let folder = Folder::default().overlay(&scratch.0).unwrap();
        assert_eq!(
            folder.files().map(|(path, _)| path).collect::<Vec<_>>(),
            ["config/one/a.toml", "config/two/a.toml"]
        );
    }

    #[test]
    fn an_overlay_without_folders_is_a_mistake() {
        let scratch = Scratch::new(&[("heyan.toml", b"")]);
        assert!(messages(Folder::embedded().overlay(&scratch.0))[0].starts_with("an overlay is a folder"));
        assert!(
            messages(Folder::embedded().overlay(&scratch.0.join("nowhere")))[0].starts_with("an overlay is a folder")
        );
    }

    #[test]
    fn the_gateways_file_may_have_any_name() {
        let scratch =
            Scratch::new(&[("etc/prod.toml", b"# prod"), ("etc/agencies/a.toml", b""), ("schemas/x.json", b"{}")]);
        let folder = Folder::around(&scratch.0.join("etc/prod.toml")).unwrap();
        assert_eq!(folder.read("config/heyan.toml").unwrap().text, "# prod");
        assert!(folder.read("config/prod.toml").is_err());
        assert!(folder.read("config/agencies/a.toml").is_ok());
        assert!(folder.read("schemas/x.json").is_ok());
        assert!(folder.read("schemas/config.schema.json").is_ok());
        assert_eq!(messages(Folder::around(&scratch.0.join("etc/none.toml"))).len(), 1);
    }
}
