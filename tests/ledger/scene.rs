//! A folder with a ledger, and what tests do with it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use heyan::domain::{AgencyId, Answer, IdNumber, Outcome};
use heyan::keys::{KeyUse, Keys, Secret};
use heyan::ledger::{
    Entry, Event, Ledger as _, LedgerKey, LedgerKeys, SignedCheckpoint, Subject, SubjectHash, Subjects, Witness,
};
use heyan::ledger_store::{LedgerStore, Snapshot, Trust, Verified};
use rusqlite::Connection;
use uuid::Uuid;

/// Two residents.
pub(crate) const NUMBERS: [&str; 2] = ["11010519491231002X", "440524188001010014"];

/// A folder with keys and a ledger; it is gone when the test ends.
pub(crate) struct Scene {
    folder: PathBuf,
    pub(crate) keys: Keys,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("heyan-ledger-{}", Uuid::now_v7()));
        let keys = Keys::open_or_make(&folder.join("keys"), None, "2026-11-25T08:00:00Z".parse().unwrap()).unwrap();
        Self { folder, keys }
    }

    /// A folder that is there.
    pub(crate) fn at(folder: &Path, keys: Keys) -> Self {
        Self { folder: folder.to_owned(), keys }
    }

    /// A ledger of so many entries, a checkpoint after each.
    pub(crate) fn of(times: &[usize]) -> Self {
        let scene = Self::new();
        scene.add(times);
        scene
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("ledger.sqlite")
    }

    /// The keys as the ledger takes them.
    pub(crate) fn ledger_keys(&self) -> LedgerKeys {
        self.ledger_keys_of("heyan/ledger")
    }

    /// The same keys, for a ledger of this origin.
    pub(crate) fn ledger_keys_of(&self, origin: &str) -> LedgerKeys {
        let seeds: Vec<&[u8; 32]> = self.keys.ring().secrets(KeyUse::Ledger).map(Secret::reveal).collect();
        let mut keys = seeds.into_iter().map(|seed| LedgerKey::new(origin, seed).unwrap());
        LedgerKeys::new(keys.next().unwrap(), keys.collect(), Vec::new())
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::Keys(Box::new(self.ledger_keys()))
    }

    pub(crate) fn public(&self) -> Trust {
        Trust::Public(vec![self.ledger_keys().current().public().clone()])
    }

    pub(crate) fn open(&self) -> LedgerStore {
        LedgerStore::open(&self.folder, self.ledger_keys()).unwrap()
    }

    /// Adds so many entries several times, each in a commit of its own; returns the checkpoint after each time.
    pub(crate) fn add(&self, times: &[usize]) -> Vec<SignedCheckpoint> {
        let store = self.open();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut checkpoints = Vec::new();
        for count in times {
            for _ in 0..*count {
                let number = store.checkpoint().checkpoint.size;
                assert_eq!(runtime.block_on(store.record(&self.entry(number))), Ok(number));
            }
            checkpoints.push((*store.checkpoint()).clone());
        }
        checkpoints
    }

    /// Entry `number` of every ledger here; each third is about one resident, the others about another.
    pub(crate) fn entry(&self, number: u64) -> Entry {
        let key = self.keys.subject();
        let person: IdNumber = NUMBERS[usize::from(!number.is_multiple_of(3))].parse().unwrap();
        let hash = SubjectHash::of(&person, key);
        let witness = Witness { source: "police".parse().unwrap(), answer: Answer::Confirms };
        Entry {
            event: match number % 4 {
                0 | 2 => Event::Asked,
                1 => Event::Answered { outcome: Outcome::Confirmed, witnesses: vec![witness] },
                _ => Event::Refused { code: "not-granted".parse().unwrap() },
            },
            at: "2026-11-25T08:00:00Z".parse().unwrap(),
            request: format!("request-{number}"),
            verification: Some(Uuid::from_u128(u128::from(number))),
            agency: Some(AgencyId("fund".parse().unwrap())),
            officer: Some("7".into()),
            claim: Some("marital-status/spouses".parse().unwrap()),
            particulars: serde_json::Map::new(),
            purpose: Some("housing".parse().unwrap()),
            case: None,
            legal_basis: None,
            subjects: Some(Subjects {
                key: key.id().clone(),
                hashes: vec![Subject { role: "person".to_owned(), hash }],
            }),
            rules: "sha256:00".into(),
        }
    }

    pub(crate) fn verify(&self, trust: &Trust, handed_out: &[SignedCheckpoint]) -> Verified {
        Snapshot::open(&self.folder).unwrap().verify(trust, handed_out).unwrap()
    }

    /// Changes the file as somebody does who has the machine: what keeps rows from being changed is taken away, and put back.
    pub(crate) fn attack(&self, attack: impl FnOnce(&Connection)) {
        let connection = Connection::open(self.file()).unwrap();
        let read = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'";
        let mut triggers = connection.prepare(read).unwrap();
        let triggers: Vec<(String, String)> =
            triggers.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
        for (name, _) in &triggers {
            connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        attack(&connection);
        for (_, sql) in &triggers {
            connection.execute_batch(sql).unwrap();
        }
    }

    /// Runs `heyan ledger` on it: the exit code, what it says, and what it complains of.
    pub(crate) fn heyan(&self, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_heyan"))
            .arg("ledger")
            .args(arguments)
            .arg("--data-dir")
            .arg(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may have ended without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}
