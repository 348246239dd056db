use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::tls::Material;
use crate::access::{KeyReadError, Provider, ProviderTerms, check_authorities, check_key_file};
use crate::api::SourceSummary;
use crate::callbacks::{Recipient, Recipients};
use crate::callers::{Issuer, KeySource};
use crate::claims::{Connections, FactShapes};
use crate::config::{File, Folder, Located, Oidc, SecretPlace, Settings};
use crate::departments::{OperationPromise, OperationRef};
use crate::diagnostic::Diagnostic;
use crate::document::{DocumentSchema, json_error, read_json};
use crate::domain::Slug;
use crate::keys::Keys;
use crate::matters::triage::{Cues, Entry, Triage};
use crate::matters::{Catalog, CatalogFiles, CatalogSchemas};
use crate::private_file;
use crate::sources::{Description, Surroundings};
use crate::store::StoreKey;
use crate::telemetry::Exports;
use crate::web::SingleSignOn;
use crate::words::{Languages, WordsFile};

/// Everything that a folder's files describe, checked against each other.
pub struct Installation {
    /// The gateway's settings.
    pub settings: Settings,
    /// The matters and their claims.
    pub catalog: Arc<Catalog>,
    /// The connected sources.
    pub descriptions: Arc<[Description]>,
    /// Finds the matter behind a demand.
    pub triage: Triage,
    /// What the pages say.
    pub languages: Arc<Languages>,
    /// Who else signs people in.
    pub sign_on: Option<Arc<SingleSignOn>>,
    /// All sources, as agencies may know them.
    pub summaries: Vec<SourceSummary>,
    /// Where agencies are told of outcomes.
    pub recipients: Recipients,
    /// The keys, once they were opened. `None`: keys that are in memory alone, and stay the same when it is reloaded.
    pub keys: Option<Arc<Keys>>,
    /// The listener's certificates; `None`: it speaks plain HTTP.
    pub tls: Option<Material>,
    /// What is exported, and where.
    pub exports: Exports,
    /// A digest of the sources' files: facts that one installation has got serve another only where it is the same.
    pub sources: [u8; 32],
}

/// Where addresses and secrets come from that a source's file only names: environment variables, by name.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl Installation {
    /// Loads and checks everything.
    ///
    /// # Errors
    /// Everything that is wrong in any file.
    pub fn load(folder: &Folder, environment: &Environment<'_>) -> Result<Self, Vec<Diagnostic>> {
        let mut errors = stray(folder);
        let (settings, wrong) = Settings::load(folder);
        errors.extend(wrong);
        let before_sources = errors.len();
        let (shapes, wrong) = shapes(folder);
        errors.extend(wrong);
        let (descriptions, wrong) = sources(folder, environment);
        errors.extend(wrong);
        let sources_are_known = settings.is_some() && errors.len() == before_sources;
        let promises = || descriptions.iter().flat_map(Description::operations).map(|(promise, _)| promise);
        let operations: BTreeMap<OperationRef, OperationPromise> =
            promises().map(|promise| (promise.operation.clone(), promise.clone())).collect();
        let not_connected = settings.as_ref().map(|settings| settings.not_connected.clone()).unwrap_or_default();
        let connections = Connections { shapes: &shapes, operations: &operations, not_connected: &not_connected };
        let catalog = match catalog(folder, &connections) {
            Ok(catalog) => Some(catalog),
            // Claims about a source whose own file is wrong, or that an unread file leaves unconnected, would only repeat that.
            Err(wrong) => {
                errors.extend(wrong.into_iter().filter(|_| sources_are_known));
                None
            }
        };
        let triage =
            catalog.as_ref().and_then(|catalog| triage(folder, catalog).map_err(|wrong| errors.extend(wrong)).ok());
        let languages = languages(folder).map_err(|wrong| errors.extend(wrong)).ok();
        if let (Some(settings), Some(catalog)) = (&settings, &catalog) {
            errors.extend(settings.check_grants(catalog));
            errors.extend(settings.check_not_connected(catalog));
        }
        let recipients = settings.as_ref().map(|settings| recipients(settings, environment)).unwrap_or_default();
        errors.extend(recipients.1);
        let tls = settings.as_ref().and_then(|settings| settings.tls.as_ref()).map(Material::load).transpose();
        let tls = tls.map_err(|wrong| errors.extend(wrong)).ok().flatten();
        errors.extend(settings.iter().flat_map(wrong_key_files));
        errors.extend(settings.as_ref().and_then(|settings| settings.store_key.as_ref()).and_then(wrong_store_key));
        let sign_on = settings.as_ref().and_then(|settings| settings.oidc.as_ref());
        let sign_on = sign_on.map(|oidc| sign_on_by(oidc, environment)).transpose();
        let sign_on = sign_on.map_err(|wrong| errors.push(wrong)).ok().flatten().map(Arc::new);
        match (settings, catalog, triage, languages) {
            (Some(settings), Some(catalog), Some(triage), Some(languages)) if errors.is_empty() => {
                let summaries = summaries(&descriptions, &settings.not_connected);
                let (catalog, descriptions, recipients) =
                    (Arc::new(catalog), descriptions.into(), Arc::new(recipients.0));
                let sources = sources_digest(folder);
                let exports = Exports::read(environment);
                let (languages, keys) = (Arc::new(languages), None);
                Ok(Self {
                    settings,
                    catalog,
                    descriptions,
                    triage,
                    languages,
                    sign_on,
                    summaries,
                    recipients,
                    keys,
                    tls,
                    exports,
                    sources,
                })
            }
            _ => {
                errors.sort();
                errors.dedup();
                Err(errors)
            }
        }
    }
}

/// The places where configuration stands; a file anywhere else is read by nobody.
const PLACES: [&str; 4] = ["config/matters/", "config/sources/", "config/agencies/", "config/words/"];
const FILES: [&str; 4] = ["config/heyan.toml", "config/policy.toml", "config/retained.toml", "config/triage.toml"];

fn stray(folder: &Folder) -> Vec<Diagnostic> {
    let is_toml = |path: &str| Path::new(path).extension().is_some_and(|extension| extension == "toml");
    let message = |path: &str| {
        let place = PLACES.iter().find_map(|place| path.strip_prefix(*place));
        let is_known = FILES.contains(&path) || place.is_some_and(|rest| is_toml(rest) && !rest.contains('/'));
        match (is_toml(path), place) {
            _ if is_known || !path.starts_with("config/") => None,
            (true, _) => Some(
                "nothing reads this file; files stand in config/matters, config/sources, config/agencies and config/words",
            ),
            (false, Some(_)) => Some("nothing reads this file; the names of those that are read end in .toml"),
            (false, None) => None,
        }
    };
    let wrong = |(path, file): (&str, &File)| {
        let message = message(path)?.to_owned();
        Some(Diagnostic { file: file.shown.clone(), line: None, message })
    };
    folder.files().filter_map(wrong).collect()
}

fn shapes(folder: &Folder) -> (FactShapes, Vec<Diagnostic>) {
    let (mut shapes, mut errors) = (FactShapes::default(), Vec::new());
    for (path, file) in folder.files() {
        let name = path.strip_prefix("schemas/facts/").and_then(|name| name.strip_suffix(".json"));
        let Some(name) = name else { continue };
        let shape = read_json(&file.shown, &file.text).and_then(|schema| {
            let wrong = |(place, message): (String, String)| json_error(&file.shown, &file.text, &place, message);
            shapes.add(name, &schema).map_err(wrong)
        });
        errors.extend(shape.err());
    }
    (shapes, errors)
}

fn schema(folder: &Folder, path: &str) -> Result<DocumentSchema, Vec<Diagnostic>> {
    let file = folder.read(path).map_err(|error| vec![error])?;
    DocumentSchema::new(&file.shown, &file.text).map_err(|error| vec![error])
}

fn sources(folder: &Folder, environment: &Environment<'_>) -> (Vec<Description>, Vec<Diagnostic>) {
    let (mut descriptions, mut errors) = (Vec::<Description>::new(), Vec::new());
    let schema = match schema(folder, "schemas/source.schema.json") {
        Ok(schema) => schema,
        Err(wrong) => return (descriptions, wrong),
    };
    let schemas = |path: &str| folder.read(&format!("schemas/{path}")).ok();
    let schemas = |path: &str| schemas(path).map(|file| (file.shown.clone(), file.text.clone()));
    let names: Vec<&str> = folder.files().filter_map(|(path, _)| path.strip_prefix("schemas/")).collect();
    let surroundings =
        Surroundings { schema: &schema, schemas: &schemas, schema_names: &names, variables: &environment };
    for file in folder.list("config/sources/", "toml") {
        match Description::load(&file.shown, &file.text, &surroundings) {
            Ok(description) => {
                if let Some(other) = descriptions.iter().find(|other| other.id() == description.id()) {
                    let Diagnostic { file, line, .. } = other.place();
                    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
                    let message = format!("{file}{line} describes the source \"{}\" already", description.id());
                    errors.push(Diagnostic { message, ..description.place().clone() });
                }
                descriptions.push(description);
            }
            Err(wrong) => errors.extend(wrong),
        }
    }
    (descriptions, errors)
}

fn catalog(folder: &Folder, connections: &Connections<'_>) -> Result<Catalog, Vec<Diagnostic>> {
    let pair = |file: &File| (file.shown.clone(), file.text.clone());
    let one = |path: &str| folder.read(path).map(pair).map_err(|error| vec![error]);
    let files = CatalogFiles {
        matters: folder.list("config/matters/", "toml").map(pair).collect(),
        policy: one("config/policy.toml")?,
        retained: one("config/retained.toml")?,
    };
    let schemas = CatalogSchemas {
        matter: schema(folder, "schemas/matter.schema.json")?,
        policy: schema(folder, "schemas/policy.schema.json")?,
        retained: schema(folder, "schemas/retained.schema.json")?,
    };
    Catalog::load(&files, &schemas, connections)
}

fn triage(folder: &Folder, catalog: &Catalog) -> Result<Triage, Vec<Diagnostic>> {
    let file = folder.read("config/triage.toml").map_err(|error| vec![error])?;
    let schema = schema(folder, "schemas/triage.schema.json")?;
    let document = crate::document::Document::read(&file.shown, &file.text, &schema)?;
    let cues: Cues = document.fill().map_err(|error| vec![error])?;
    let matters = catalog.matters().iter().map(|matter| Entry {
        id: matter.id.as_str(),
        retained: false,
        names: std::iter::once(&matter.text.name).chain(&matter.text.bracketed).map(String::as_str).collect(),
        everyday: matter.text.everyday.iter().map(String::as_str).collect(),
    });
    let retained = catalog.policy().retained.iter().map(|item| Entry {
        id: &item.id,
        retained: true,
        names: vec![&item.name],
        everyday: item.everyday.iter().map(String::as_str).collect(),
    });
    Triage::new(matters.chain(retained), &cues)
        .map_err(|wrong| wrong.into_iter().map(|(place, message)| document.error(&place, message)).collect())
}

fn languages(folder: &Folder) -> Result<Languages, Vec<Diagnostic>> {
    let schema = schema(folder, "schemas/words.schema.json")?;
    let words = |(path, file): (&'_ str, &'_ File)| {
        let tag = path.strip_prefix("config/words/")?.strip_suffix(".toml").filter(|tag| !tag.contains('/'))?;
        Some((tag.to_owned(), file.clone()))
    };
    let files: Vec<(String, File)> = folder.files().filter_map(words).collect();
    let files = files.iter().map(|(tag, file)| WordsFile { tag, shown: &file.shown, text: &file.text });
    Languages::load(files, &schema)
}

/// Where agencies are told of outcomes, with the secrets that sign it.
fn recipients(settings: &Settings, environment: &Environment<'_>) -> (BTreeMap<String, Recipient>, Vec<Diagnostic>) {
    let (mut recipients, mut errors) = (BTreeMap::new(), Vec::new());
    for member in &settings.agencies {
        let Some((callback, place)) = &member.callback else { continue };
        let secret = secret_at(&callback.secret, environment);
        match secret.and_then(|secret| Recipient::new(&callback.address, &secret)) {
            Ok(recipient) => drop(recipients.insert(member.agency.id.to_string(), recipient)),
            Err(message) => errors.push(Diagnostic { message, ..place.clone() }),
        }
    }
    (recipients, errors)
}

/// Who else signs people in, with the secret that shows who we are.
fn sign_on_by(oidc: &Oidc, environment: &Environment<'_>) -> Result<SingleSignOn, Diagnostic> {
    let secret = secret_at(&oidc.secret.value, environment);
    let secret = secret.map_err(|message| Diagnostic { message, ..oidc.secret.place.clone() })?;
    if let Some(ca) = &oidc.ca {
        let wrong = |error: KeyReadError| Diagnostic {
            message: format!("{}: {error}", ca.value.display()),
            ..ca.place.clone()
        };
        check_authorities(&ca.value).map_err(wrong)?;
    }
    let terms = ProviderTerms {
        issuer: oidc.issuer.clone(),
        client: oidc.client.clone(),
        secret,
        redirect: oidc.redirect.clone(),
        scopes: oidc.scopes.clone(),
        algorithms: oidc.algorithms.clone(),
        ca: oidc.ca.as_ref().map(|ca| ca.value.clone()),
    };
    let (name, directory) = (oidc.name.clone(), oidc.directory.clone());
    Ok(SingleSignOn { name, provider: Provider::new(terms), directory })
}

/// A secret from where it is kept.
fn secret_at(place: &SecretPlace, environment: &Environment<'_>) -> Result<Zeroizing<String>, String> {
    let secret = match place {
        SecretPlace::Variable { env } => {
            environment(env).ok_or_else(|| format!("the environment variable {env} is not set; it holds the secret"))?
        }
        SecretPlace::File { file } => {
            let text = private_file::read(file).map_err(|error| error.to_string())?;
            str::from_utf8(&text).map_err(|_| format!("{} is not UTF-8", file.display()))?.to_owned()
        }
    };
    let secret = Zeroizing::new(secret);
    let trimmed = secret.trim_end();
    if trimmed.is_empty() { Err("the secret is empty".to_owned()) } else { Ok(Zeroizing::new(trimmed.to_owned())) }
}

/// Files of issuers' keys, or of the authorities of where these come from, that hold none.
fn wrong_key_files(settings: &Settings) -> Vec<Diagnostic> {
    let wrong = |issuer: &Located<Issuer>| {
        let (name, path, error) = match &issuer.value.keys.source {
            KeySource::File(path) => ("jwks_file", path, check_key_file(path).err()?),
            KeySource::Address { ca, .. } => {
                let ca = ca.as_ref()?;
                ("jwks_ca", ca, check_authorities(ca).err()?)
            }
        };
        let message = format!("{name} {}: {error}", path.display());
        Some(Diagnostic { message, ..issuer.place.clone() })
    };
    settings.issuers.iter().filter_map(wrong).collect()
}

/// A file that is to hold the store's key, and cannot.
fn wrong_store_key(key: &Located<SecretPlace>) -> Option<Diagnostic> {
    let SecretPlace::File { file } = &key.value else { return None };
    let error = StoreKey::from_file(file).err()?;
    Some(Diagnostic { message: error.to_string(), ..key.place.clone() })
}

fn sources_digest(folder: &Folder) -> [u8; 32] {
    let places = ["config/sources/", "schemas/sources/", "schemas/facts/"];
    let files = folder.files().filter(|(path, _)| places.iter().any(|place| path.starts_with(place)));
    let mut hasher = Sha256::new();
    for (path, file) in files {
        hasher.update(Sha256::digest(path.as_bytes()));
        hasher.update(Sha256::digest(file.text.as_bytes()));
    }
    hasher.finalize().into()
}

fn summaries(descriptions: &[Description], not_connected: &BTreeSet<Slug>) -> Vec<SourceSummary> {
    let connected = descriptions.iter().map(|source| SourceSummary {
        id: source.id().clone(),
        name: Some(source.name().to_owned()),
        planned_outages: source.planned_outages(),
    });
    let is_connected = |id: &&Slug| descriptions.iter().any(|source| source.id() == *id);
    let others = not_connected.iter().filter(|id| !is_connected(id));
    let others = others.map(|id| SourceSummary { id: id.clone(), name: None, planned_outages: Vec::new() });
    connected.chain(others).collect()
}
