use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Failure, say};
use crate::clock::{Clock as _, SystemClock};
use crate::keys::{self, Key, KeyUse, KeysError, Ring, State};
use crate::ledger::Origin;
use crate::ledger_store::{LedgerError, Snapshot, Trust};
use crate::receipt::{jwk, jwks};
use crate::server::{KEYS, verifier_key};
use crate::signing::Algorithm;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make the first key of a use, or of each use that has none
    New(New),
    /// Put a new key in the place of the active one, which still checks what it signed. Then `heyan reload`
    Rotate(Rotate),
    /// Show the keys, never their secrets
    List(List),
    /// Destroy the secret of a retired key for good. A subject key: nobody can find any more whom it hid. Then `heyan reload`
    Destroy(Destroy),
}

#[derive(Args)]
pub(super) struct New {
    #[command(flatten)]
    place: Place,
    /// What it is for; without it: whatever is missing
    #[arg(long, value_name = "USE")]
    r#use: Option<Use>,
    /// With what it signs: receipts alone have the choice
    #[arg(long, value_name = "ALGORITHM", requires = "use")]
    algorithm: Option<Signs>,
}

#[derive(Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    place: Place,
    /// What it is for
    #[arg(long, value_name = "USE")]
    r#use: Use,
    /// With what it signs; without it: as the one before
    #[arg(long, value_name = "ALGORITHM")]
    algorithm: Option<Signs>,
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// Print them as JSON
    #[arg(long, conflicts_with = "jwks")]
    json: bool,
    /// Print what checks receipts, as a JWK Set for `heyan receipt check --keys`
    #[arg(long)]
    jwks: bool,
    /// The origin of the ledger, which stands in what checks its checkpoints; without it: what the ledger in --data-dir says
    #[arg(long, value_name = "NAME")]
    origin: Option<Origin>,
}

#[derive(Args)]
pub(super) struct Destroy {
    #[command(flatten)]
    place: Place,
    /// The key, as `heyan keys list` shows it
    id: String,
    /// What it signed does not check any more either: somebody else may have had the secret
    #[arg(long)]
    distrust: bool,
}

/// Where the keys are.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Place {
    /// The folder of what must survive a restart; its keys are in the folder `keys` there
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The folder of the keys themselves
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Use {
    Receipt,
    Ledger,
    Subject,
}

#[derive(Clone, Copy, ValueEnum)]
enum Signs {
    Ed25519,
    Sm2,
}

impl Place {
    fn folder(&self) -> PathBuf {
        let beside = self.data_dir.as_ref().map(|folder| folder.join(KEYS));
        // One of them is there: so says the group.
        beside.or_else(|| self.folder.clone()).unwrap_or_default()
    }
}

impl From<Use> for KeyUse {
    fn from(usage: Use) -> Self {
        match usage {
            Use::Receipt => Self::Receipt,
            Use::Ledger => Self::Ledger,
            Use::Subject => Self::Subject,
        }
    }
}

impl From<Signs> for Algorithm {
    fn from(signs: Signs) -> Self {
        match signs {
            Signs::Ed25519 => Self::Ed25519,
            Signs::Sm2 => Self::Sm2,
        }
    }
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::New(arguments) => new(arguments),
        Command::Rotate(arguments) => rotate(arguments),
        Command::List(arguments) => list(arguments),
        Command::Destroy(arguments) => destroy(arguments),
    }
}

fn new(arguments: &New) -> Result<(), Failure> {
    let (folder, algorithm) = (arguments.place.folder(), arguments.algorithm.map(Algorithm::from));
    let uses = arguments.r#use.map_or(KeyUse::ALL.to_vec(), |usage| vec![usage.into()]);
    let mut made = 0;
    for usage in uses {
        match keys::make(&folder, usage, algorithm, SystemClock.now()) {
            Ok(key) => say(&format!("made the {usage} key {} ({})", key.id(), key.algorithm())),
            // Without a use, what is there already is not asked for.
            Err(KeysError::Present { .. }) if arguments.r#use.is_none() => continue,
            Err(error) => return Err(failure(error)),
        }
        made += 1;
    }
    if made == 0 {
        say("there is a key of each use already");
    }
    Ok(())
}

fn rotate(arguments: &Rotate) -> Result<(), Failure> {
    let (folder, usage) = (arguments.place.folder(), arguments.r#use.into());
    let algorithm = arguments.algorithm.map(Algorithm::from);
    let (key, retired) = keys::rotate(&folder, usage, algorithm, SystemClock.now()).map_err(failure)?;
    say(&format!("made the {usage} key {} ({}); {retired} is retired", key.id(), key.algorithm()));
    say("a running gateway takes it with `heyan reload`");
    Ok(())
}

fn destroy(arguments: &Destroy) -> Result<(), Failure> {
    let folder = arguments.place.folder();
    if arguments.distrust && signed_last(&arguments.place, &arguments.id)? {
        return Err(Failure::Usage(anyhow!(
            "the last checkpoint of the ledger is signed with {}: without it no gateway would open that ledger again; run \
             `heyan reload`, and distrust the key once something more is recorded, which the new key then signs",
            arguments.id
        )));
    }
    let key = keys::destroy(&folder, &arguments.id, arguments.distrust, SystemClock.now()).map_err(failure)?;
    say(&format!("destroyed the secret of {}", key.id()));
    match (key.usage(), key.public()) {
        (KeyUse::Subject, _) => say("nobody can find any more whom it hid"),
        (_, Some(_)) => say("what it signed still checks"),
        (_, None) => say("what it signed does not check any more"),
    }
    say("a running gateway forgets it with `heyan reload`; copies and backups of the folder are yours to destroy");
    Ok(())
}

/// Whether the ledger beside the keys says that this key has signed it last.
fn signed_last(place: &Place, id: &str) -> Result<bool, Failure> {
    let folder = place.folder();
    let ring = Ring::open(&folder).map_err(failure)?;
    let key = ring.keys().find(|key| key.id().as_str() == id && key.usage() == KeyUse::Ledger);
    let Some(public) = key.and_then(Key::public) else { return Ok(false) };
    let beside = place.data_dir.as_deref().or_else(|| folder.parent()).unwrap_or(&folder);
    let ledger = match Snapshot::open(beside) {
        Ok(ledger) => ledger,
        Err(LedgerError::None(_)) => return Ok(false),
        Err(error) => return Err(Failure::Impossible(error.into())),
    };
    let verifier = verifier_key(public, &ledger.origin().unwrap_or_default());
    Ok(verifier.is_ok_and(|key| ledger.checkpoint(&Trust::Public(vec![key])).is_ok()))
}

fn list(arguments: &List) -> Result<(), Failure> {
    let place = &arguments.place;
    let ring = Ring::open(&place.folder()).map_err(failure)?;
    let beside = || place.data_dir.as_deref().map(super::ledger::origin).unwrap_or_default();
    let shown = Shown { origin: arguments.origin.clone().unwrap_or_else(beside), ring };
    if arguments.jwks {
        say(&jwks(shown.ring.checks(KeyUse::Receipt)).to_string());
    } else if arguments.json {
        let keys: Vec<Value> = shown.ring.keys().map(|key| shown.json(key)).collect();
        say(&json!({"keys": keys}).to_string());
    } else {
        shown.ring.keys().for_each(|key| say(&shown.line(key)));
    }
    Ok(())
}

/// Keys to be shown, and the origin of the ledger that some of them sign for.
struct Shown {
    ring: Ring,
    origin: Origin,
}

impl Shown {
    fn line(&self, key: &Key) -> String {
        let state = self.ring.state(key);
        let since = match state {
            State::Active | State::Retired => format!("made {:.0}", key.made()),
            State::Destroyed(at) => format!("made {:.0}, destroyed {at:.0}", key.made()),
        };
        let public = key.public().map(|public| self.verifier(key).unwrap_or_else(|| jwk(public).to_string()));
        let public = public.map(|public| format!("  {public}")).unwrap_or_default();
        format!("{:<24}  {:<8} {:<11}  {:<9}  {since}{public}", key.id(), key.usage(), key.algorithm(), state.name())
    }

    fn json(&self, key: &Key) -> Value {
        json!({
            "id": key.id(), "use": key.usage(), "algorithm": key.algorithm(), "state": self.ring.state(key).name(),
            "made": key.made().to_string(), "destroyed": key.destroyed().map(|at| at.to_string()),
            "public": key.public().map(jwk), "verifier": self.verifier(key)
        })
    }

    /// What checks a ledger's checkpoints is written as those who read such checkpoints write it.
    fn verifier(&self, key: &Key) -> Option<String> {
        let public = key.public().filter(|_| key.usage() == KeyUse::Ledger)?;
        verifier_key(public, &self.origin).ok().map(|key| key.to_string())
    }
}

fn failure(error: KeysError) -> Failure {
    match error {
        KeysError::Present { .. }
        | KeysError::Missing(_)
        | KeysError::Unknown { .. }
        | KeysError::Active { .. }
        | KeysError::Algorithm(..) => Failure::Usage(error.into()),
        KeysError::OpenToOthers { .. }
        | KeysError::Files { .. }
        | KeysError::Malformed { .. }
        | KeysError::Changed(_)
        | KeysError::NoVariable(_)
        | KeysError::NoEntropy => Failure::Impossible(error.into()),
    }
}
