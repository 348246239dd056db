use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Failure, count, say};
use crate::domain::IdNumber;
use crate::keys::Ring;
use crate::ledger::{Entry, LedgerKeys, NoteKey, Origin, SignedCheckpoint, SubjectHash};
use crate::ledger_store::{Fault, LedgerError, Snapshot, Trust, Verified};
use crate::server::{KEYS, ledger_keys};
use crate::signing::{KeyId, SubjectKey};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Compute the whole ledger anew and hold it against its signed checkpoints; also while a gateway writes it
    Verify(Verify),
    /// Prove that one entry is in the ledger: its bytes, the proof (RFC 9162), and the signed checkpoint, as JSON
    Prove(Prove),
    /// Print every entry, one line of JSON each
    Export(Place),
    /// Print what checks the ledger's checkpoints, for `heyan ledger verify --key`: a verifier key of C2SP signed-note a line,
    /// the newest first
    Key(Place),
    /// Print the entries about one resident, whose ID number is read from standard input. Exit code 4: some are hidden by a key
    /// that is neither here nor destroyed, so that more may be about this resident
    History(Place),
}

#[derive(Args)]
pub(super) struct Place {
    /// The folder where the gateway keeps what must survive a restart
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// The folder of its keys, where it is not the one in there
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
}

impl Place {
    fn keys(&self) -> Result<(Ring, LedgerKeys), Failure> {
        let beside = || self.data_dir.join(KEYS);
        Ok(ledger_keys(&self.keys.clone().unwrap_or_else(beside), &origin(&self.data_dir))?)
    }
}

/// The origin of a folder's ledger, as its first checkpoint says it: whoever has not its key cannot have written another one
/// there without that being seen. Where there is none yet, the default.
pub(super) fn origin(data_dir: &Path) -> Origin {
    Snapshot::open(data_dir).ok().and_then(|ledger| ledger.origin()).unwrap_or_default()
}

#[derive(Args)]
pub(super) struct Verify {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    key: Key,
    /// A checkpoint that was handed out some time: what was cut off or rewritten since is found out. Can be given several times
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Prove {
    /// The entry's index, counted from 0
    index: u64,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    key: Key,
}

#[derive(Args)]
struct Key {
    /// The ledger's public key, as a verifier key of C2SP signed-note (name+hash+key), several of them a line each. Without it:
    /// the keys that lie beside the ledger, which can also tell the very entry that was changed
    #[arg(long = "key", value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Verify(arguments) => verify(arguments),
        Command::Prove(arguments) => prove(arguments),
        Command::Export(place) => export(place),
        Command::Key(place) => key(place),
        Command::History(place) => history(place),
    }
}

impl Key {
    fn trust(&self, place: &Place) -> Result<Trust, Failure> {
        let Some(file) = &self.file else { return Ok(Trust::Keys(Box::new(place.keys()?.1))) };
        let text = read(file)?;
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let keys: Result<Vec<NoteKey>, _> = lines.map(str::parse).collect();
        let keys =
            keys.with_context(|| format!("the key in {} cannot be used", file.display())).map_err(Failure::Usage)?;
        if keys.is_empty() {
            return Err(Failure::Usage(anyhow!("there is no key in {}", file.display())));
        }
        Ok(Trust::Public(keys))
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()));
    text.map_err(Failure::Usage)
}

fn verify(arguments: &Verify) -> Result<(), Failure> {
    let data_dir = &arguments.place.data_dir;
    let trust = arguments.key.trust(&arguments.place)?;
    let mut handed_out = Vec::new();
    for file in &arguments.checkpoint {
        let opened = SignedCheckpoint::open(&read(file)?, trust.public()).map(|(checkpoint, _)| checkpoint);
        let opened = opened.with_context(|| format!("{} is no checkpoint of this ledger", file.display()));
        handed_out.push(opened.map_err(Failure::Usage)?);
    }
    let verified = match Snapshot::open(data_dir).and_then(|snapshot| snapshot.verify(&trust, &handed_out)) {
        // So damaged that it is no ledger any more.
        Err(LedgerError::Tampered { fault, .. }) => Verified { entries: 0, root: [0; 32], fault: Some(fault) },
        verified => verified?,
    };
    if arguments.json {
        say(&serde_json::to_string(&Found::from(&verified))?);
    } else {
        report(&verified, handed_out.len());
    }
    if verified.fault.is_none() { Ok(()) } else { Err(Failure::No) }
}

/// What `verify --json` prints, in this order.
#[derive(Serialize)]
struct Found {
    valid: bool,
    entries: u64,
    root: String,
    first_bad: Option<u64>,
    reason: Option<String>,
}

impl From<&Verified> for Found {
    fn from(verified: &Verified) -> Self {
        let fault = verified.fault.as_ref();
        Self {
            valid: fault.is_none(),
            entries: verified.entries,
            root: STANDARD.encode(verified.root),
            first_bad: fault.and_then(Fault::first_bad),
            reason: fault.map(ToString::to_string),
        }
    }
}

fn report(verified: &Verified, handed_out: usize) {
    let entries = count(usize::try_from(verified.entries).unwrap_or(usize::MAX), "entry").replace("entrys", "entries");
    let Some(fault) = &verified.fault else {
        say(&format!("valid: {entries}, every one as it was recorded"));
        say(&format!("root:  {}", STANDARD.encode(verified.root)));
        if handed_out == 0 {
            say(
                "       (that nothing was cut off at the end can only be seen with --checkpoint, one that was handed out)",
            );
        } else {
            say(&format!("       (it continues {})", count(handed_out, "checkpoint that was handed out")));
        }
        return;
    };
    say(&format!("NOT VALID: {fault}"));
    if let Some(first) = fault.first_bad() {
        say(&format!("first bad entry: {first}, of {entries}"));
    }
    say("Keep the file as it is: it is evidence.");
}

fn prove(arguments: &Prove) -> Result<(), Failure> {
    let data_dir = &arguments.place.data_dir;
    let trust = arguments.key.trust(&arguments.place)?;
    let proved = Snapshot::open(data_dir)?.prove(arguments.index, &trust)?;
    let missing = || Failure::Usage(anyhow!("the ledger has no entry {}", arguments.index));
    let (leaf, proof) = proved.ok_or_else(missing)?;
    let entry: Value = serde_json::from_slice(&leaf).with_context(|| format!("entry {} is not JSON", proof.index))?;
    let proof = json!({
        "index": proof.index,
        "tree_size": proof.checkpoint.checkpoint.size,
        "entry": entry,
        "leaf": STANDARD.encode(&leaf),
        "leaf_hash": STANDARD.encode(proof.leaf),
        "hashes": proof.hashes.iter().map(|hash| STANDARD.encode(hash)).collect::<Vec<_>>(),
        "checkpoint": proof.checkpoint.note,
    });
    say(&format!("{proof:#}"));
    Ok(())
}

fn export(place: &Place) -> Result<(), Failure> {
    let mut lines = Lines::new();
    Snapshot::open(&place.data_dir)?.entries(|index, leaf| lines.print(index, leaf).map(drop))?;
    lines.end()
}

fn key(place: &Place) -> Result<(), Failure> {
    let (_, keys) = place.keys()?;
    keys.public().for_each(|key| say(&key.to_string()));
    Ok(())
}

/// A resident's own entries. The ID number comes from standard input, because command lines are seen by others.
fn history(place: &Place) -> Result<(), Failure> {
    let (ring, _) = place.keys()?;
    let mut text = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut text).context("cannot read the ID number from standard input")?;
    let number: IdNumber = text.trim().parse().map_err(|error| Failure::Usage(anyhow!("standard input: {error}")))?;
    let hash = |key: &SubjectKey| SubjectHash::of(&number, key).to_string();
    let hashes: Vec<String> = ring.subjects().map(|key| hash(key)).collect();
    // As an entry writes it: no text that a caller wrote has quotation marks of this kind in it.
    let known: Vec<String> = ring.subjects().map(|key| format!("\"subject_key\":\"{}\"", key.id())).collect();
    let (mut lines, mut hidden) = (Lines::new(), BTreeMap::<KeyId, usize>::new());
    Snapshot::open(&place.data_dir)?.entries(|index, leaf| {
        let text = std::str::from_utf8(leaf).unwrap_or_default();
        let is_readable = known.iter().any(|key| text.contains(key.as_str()));
        if is_readable && !hashes.iter().any(|hash| text.contains(hash.as_str())) {
            return Ok(());
        }
        let Some(subjects) = decode(index, leaf)?.subjects else { return Ok(()) };
        if !is_readable {
            *hidden.entry(subjects.key).or_default() += 1;
            return Ok(());
        }
        // The hash stands among the subjects, not in some text that a caller wrote.
        let is_about = subjects.hashes.iter().any(|subject| hashes.contains(&subject.hash.to_string()));
        if is_about { lines.print(index, leaf) } else { Ok(()) }
    })?;
    lines.end()?;
    tell_hidden(&ring, &hidden)
}

/// Says of how many entries nobody can know here about whom they are.
///
/// # Errors
/// If a key would tell that is somewhere else: then the history is not whole.
fn tell_hidden(ring: &Ring, hidden: &BTreeMap<KeyId, usize>) -> Result<(), Failure> {
    let is_destroyed = |id: &KeyId| ring.keys().any(|key| key.id() == id && key.destroyed().is_some());
    let (destroyed, missing): (Vec<_>, Vec<_>) = hidden.iter().partition(|(id, _)| is_destroyed(id));
    let told = |keys: &[(&KeyId, &usize)], why: &str| {
        let entries: usize = keys.iter().map(|(_, entries)| **entries).sum();
        let names: Vec<&str> = keys.iter().map(|(id, _)| id.as_str()).collect();
        let are = if entries == 1 { "1 entry is".to_owned() } else { format!("{entries} entries are") };
        format!("{are} hidden by keys that are gone: {}. {why}", names.join(", "))
    };
    if !destroyed.is_empty() {
        let why = "They were destroyed: nobody can find out any more about whom these entries are";
        // Whoever does not read it has the exit code of the rest.
        let _ = writeln!(io::stderr(), "{}", told(&destroyed, why));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let why = "They are not in the folder of keys, and were not destroyed: put their files back, and ask again";
    Err(Failure::Incomplete(told(&missing, why)))
}

fn decode(index: u64, leaf: &[u8]) -> Result<Entry, Failure> {
    Ok(Entry::decode(leaf).with_context(|| format!("entry {index} cannot be read"))?)
}

/// Entries on standard output.
struct Lines(BufWriter<io::Stdout>);

impl Lines {
    fn new() -> Self {
        Self(BufWriter::new(io::stdout()))
    }

    /// The bytes of the entry stand in the line as they are, so that whoever has it can hash them.
    fn print(&mut self, index: u64, leaf: &[u8]) -> Result<(), Failure> {
        decode(index, leaf)?;
        write!(self.0, "{{\"index\":{index},\"entry\":")?;
        self.0.write_all(leaf)?;
        Ok(self.0.write_all(b"}\n")?)
    }

    fn end(mut self) -> Result<(), Failure> {
        Ok(self.0.flush()?)
    }
}
