use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::diagnostic::Diagnostic;

/// What the program holds within itself, so that it runs without any file.
static CONFIG: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/config");
static SCHEMAS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas");

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

    /// The folder around a gateway's file: the configuration beside it, and the embedded schemas under those of the folder
    /// `schemas` beside the configuration's.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn around(file: &Path) -> Result<Self, Vec<Diagnostic>> {
        let mut folder = Self::default();
        folder.embed(&SCHEMAS, "schemas");
        let main = read(file).map_err(|error| vec![error])?;
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut errors = folder.add_directory(directory, "config");
        let schemas = directory.join("../schemas");
        if schemas.is_dir() {
            errors.extend(folder.add_directory(&schemas, "schemas"));
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
            errors.push(Diagnostic { file: directory.display().to_string(), line: None, message });
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
                        let shown = format!("embedded:{path}");
                        self.0.insert(path, File { shown, text: text.to_owned() });
                    }
                }
            }
        }
    }

    fn add_directory(&mut self, directory: &Path, name: &str) -> Vec<Diagnostic> {
        let mut errors = Vec::new();
        let mut open: Vec<(PathBuf, String, usize)> = vec![(directory.to_owned(), name.to_owned(), 0)];
        while let Some((place, path, depth)) = open.pop() {
            let wrong = |message: String| Diagnostic { file: place.display().to_string(), line: None, message };
            if place.is_dir() {
                if depth > MAX_DEPTH {
                    errors.push(wrong("folders nest too deep here; is a link leading back?".to_owned()));
                    continue;
                }
                match fs::read_dir(&place) {
                    Ok(entries) => open.extend(entries.flatten().filter_map(|entry| {
                        let name = entry.file_name().into_string().ok()?;
                        Some((entry.path(), format!("{path}/{name}"), depth + 1))
                    })),
                    Err(error) => errors.push(wrong(format!("this folder cannot be read: {error}"))),
                }
            } else if place.extension().is_some_and(|extension| extension == "toml" || extension == "json") {
                match read(&place) {
                    Ok(file) => drop(self.0.insert(path, file)),
                    Err(error) => errors.push(error),
                }
            }
        }
        errors
    }
}

/// How deep folders may nest.
const MAX_DEPTH: usize = 8;

fn read(path: &Path) -> Result<File, Diagnostic> {
    let shown = path.display().to_string();
    match fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(File { shown, text }),
        Ok(Err(_)) => Err(Diagnostic { file: shown, line: None, message: "this file is not UTF-8".to_owned() }),
        Err(error) => {
            Err(Diagnostic { file: shown, line: None, message: format!("this file cannot be read: {error}") })
        }
    }
}
