//! From the files of `config/` to a checked [`Catalog`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Bilingual, Catalog, ClaimEntry, ClaimWords, Matter, MatterText, Policy, Retained, Transition};
use crate::claims::{Claim, ClaimText, Connections};
use crate::diagnostic::{Diagnostic, unknown};
use crate::document::{Document, DocumentSchema};
use crate::domain::{ClaimRef, Slug};

/// The catalog's files: each one's name and text.
pub struct CatalogFiles {
    /// `config/matters/*.toml`.
    pub matters: Vec<(String, String)>,
    /// `config/policy.toml`.
    pub policy: (String, String),
    /// `config/retained.toml`.
    pub retained: (String, String),
}

/// The schemas that describe these files.
pub struct CatalogSchemas {
    /// Of a matter.
    pub matter: DocumentSchema,
    /// Of the policy.
    pub policy: DocumentSchema,
    /// Of the retained items.
    pub retained: DocumentSchema,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    claims: Vec<ClaimText>,
}

/// Of each claim, how it is asked at a counter.
#[derive(Deserialize)]
struct Counter {
    #[serde(default)]
    claims: Vec<Worded>,
}

#[derive(Deserialize)]
struct Worded {
    #[serde(default)]
    words: ClaimWords,
}

#[derive(Deserialize)]
struct PolicyText {
    transition: Transition,
    no_basis: NoBasis,
}

#[derive(Deserialize)]
struct NoBasis {
    guidance: Bilingual<Vec<String>>,
}

#[derive(Deserialize)]
struct RetainedText {
    #[serde(default)]
    items: Vec<Retained>,
}

impl Catalog {
    /// Reads and checks all files together.
    ///
    /// # Errors
    /// Everything that is wrong in any of them.
    pub fn load(
        files: &CatalogFiles,
        schemas: &CatalogSchemas,
        connections: &Connections<'_>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut errors = Vec::new();
        let policy = policy(files, schemas).map_err(|wrong| errors.extend(wrong)).ok();
        let mut texts = Vec::new();
        for (file, text) in &files.matters {
            match MatterFile::read(file, text, &schemas.matter) {
                Ok(matter) => texts.push(matter),
                Err(wrong) => errors.extend(wrong),
            }
        }
        errors.extend(duplicates(&texts));
        let (claims, wrong) = compile(&texts, texts.len() == files.matters.len(), connections);
        errors.extend(wrong);
        match policy {
            Some(policy) if errors.is_empty() => {
                let mut matters: Vec<Matter> = texts.into_iter().map(|file| file.matter(&claims)).collect();
                matters.sort_by_key(|matter| matter.text.number);
                Ok(Self { matters, claims, policy, digest: digest(files) })
            }
            _ => {
                errors.sort();
                Err(errors)
            }
        }
    }
}

/// A matter's file that fits its schema.
struct MatterFile {
    document: Document,
    id: Slug,
    text: MatterText,
    claims: Vec<ClaimText>,
    /// Of each claim.
    words: Vec<ClaimWords>,
}

impl MatterFile {
    fn read(file: &str, text: &str, schema: &DocumentSchema) -> Result<Self, Vec<Diagnostic>> {
        let document = Document::read(file, text, schema)?;
        let id = document.value().get("id").and_then(|id| id.as_str()?.parse::<Slug>().ok());
        let id = id.ok_or_else(|| vec![document.error("/id", "this is not an id")])?;
        let text = document.fill().map_err(|error| vec![error])?;
        let claims = document.fill::<Claims>().map_err(|error| vec![error])?.claims;
        let counter = document.fill::<Counter>().map_err(|error| vec![error])?;
        let words = counter.claims.into_iter().map(|claim| claim.words).collect();
        Ok(Self { document, id, text, claims, words })
    }

    fn matter(self, claims: &BTreeMap<ClaimRef, Arc<Claim>>) -> Matter {
        let entry = |(text, words): (&ClaimText, &ClaimWords)| {
            let claim = claims.get(&self.reference(text)?)?.clone();
            let name = Bilingual { chinese: text.name.clone(), english: text.english.clone() };
            Some(ClaimEntry { claim, name, words: words.clone() })
        };
        let entries = self.claims.iter().zip(&self.words).filter_map(entry).collect();
        Matter { id: self.id, text: self.text, claims: entries }
    }

    /// What the words of a claim speak of that it does not have.
    fn strangers(&self, index: usize, claim: &Claim) -> Vec<Diagnostic> {
        let wrong = self.words.get(index).map(|words| words.strangers(claim)).unwrap_or_default();
        let at =
            |(place, message): (String, String)| self.document.error(&format!("/claims/{index}/words{place}"), message);
        wrong.into_iter().map(at).collect()
    }

    fn reference(&self, claim: &ClaimText) -> Option<ClaimRef> {
        Some(ClaimRef { matter: self.id.clone(), claim: claim.id.parse().ok()? })
    }
}

fn duplicates(files: &[MatterFile]) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    let (mut ids, mut numbers) = (BTreeMap::new(), BTreeMap::new());
    for file in files {
        if let Some(other) = ids.insert(&file.id, file.document.file()) {
            errors.push(file.document.error("/id", format!("{other} has the same id \"{}\"", file.id)));
        }
        if let Some(other) = numbers.insert(file.text.number, file.document.file()) {
            errors.push(file.document.error("/number", format!("{other} has the same number {}", file.text.number)));
        }
        let mut claims = BTreeSet::new();
        for (index, claim) in file.claims.iter().enumerate() {
            if !claims.insert(&claim.id) {
                let message = format!("a claim before this one has the same id \"{}\"", claim.id);
                errors.push(file.document.error(&format!("/claims/{index}/id"), message));
            }
        }
    }
    errors
}

/// Compiles all claims, those first of which others are built. Where the files are not `complete`, a claim that is missing may
/// stand in the one that could not be read: to tell that, too, would bury the cause.
fn compile(
    files: &[MatterFile],
    complete: bool,
    connections: &Connections<'_>,
) -> (BTreeMap<ClaimRef, Arc<Claim>>, Vec<Diagnostic>) {
    let mut open: Vec<(ClaimRef, &MatterFile, usize, &ClaimText)> = Vec::new();
    for file in files {
        for (index, text) in file.claims.iter().enumerate() {
            open.extend(file.reference(text).map(|reference| (reference, file, index, text)));
        }
    }
    let names: BTreeSet<ClaimRef> = open.iter().map(|(reference, ..)| reference.clone()).collect();
    let (mut claims, mut errors, mut failed) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    for (_, file, index, text) in &open {
        for (part, component) in text.parts() {
            if !names.contains(&component) {
                let known: Vec<String> = names.iter().map(ToString::to_string).collect();
                let message = unknown("claim", &component.to_string(), known.iter().map(String::as_str));
                let place = format!("/claims/{index}/witnesses/{part}/claim");
                errors.extend(complete.then(|| file.document.error(&place, message)));
                failed.insert(component);
            }
        }
    }
    loop {
        let ready = |(_, _, _, text): &(ClaimRef, &MatterFile, usize, &ClaimText)| {
            text.parts().all(|(_, component)| claims.contains_key(&component) || failed.contains(&component))
        };
        let (now, later): (Vec<_>, Vec<_>) = open.into_iter().partition(ready);
        if now.is_empty() {
            errors.extend(later.iter().map(|(reference, file, index, _)| {
                file.document.error(&format!("/claims/{index}"), format!("{reference} is built from itself"))
            }));
            return (claims, errors);
        }
        for (reference, file, index, text) in now {
            if text.parts().any(|(_, component)| failed.contains(&component)) {
                failed.insert(reference);
                continue;
            }
            match text.compile(reference.clone(), connections, &claims) {
                Ok(claim) => {
                    errors.extend(file.strangers(index, &claim));
                    claims.insert(reference, Arc::new(claim));
                }
                Err(wrong) => {
                    let at = |(place, message): (String, String)| {
                        file.document.error(&format!("/claims/{index}{place}"), message)
                    };
                    errors.extend(wrong.into_iter().map(at));
                    failed.insert(reference);
                }
            }
        }
        open = later;
    }
}

fn policy(files: &CatalogFiles, schemas: &CatalogSchemas) -> Result<Policy, Vec<Diagnostic>> {
    let policy = Document::read(&files.policy.0, &files.policy.1, &schemas.policy);
    let retained = Document::read(&files.retained.0, &files.retained.1, &schemas.retained);
    let (policy, retained) = match (policy, retained) {
        (Ok(policy), Ok(retained)) => (policy, retained),
        (policy, retained) => {
            return Err([policy.err(), retained.err()].into_iter().flatten().flatten().collect());
        }
    };
    let text: PolicyText = policy.fill().map_err(|error| vec![error])?;
    let items: RetainedText = retained.fill().map_err(|error| vec![error])?;
    Ok(Policy { transition: text.transition, no_basis: text.no_basis.guidance, retained: items.items })
}

fn digest(files: &CatalogFiles) -> Arc<str> {
    let mut hasher = Sha256::new();
    for (_, text) in files.matters.iter().chain([&files.policy, &files.retained]) {
        hasher.update(Sha256::digest(text.as_bytes()));
    }
    let digest = hasher.finalize().iter().fold("sha256:".to_owned(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    digest.into()
}
